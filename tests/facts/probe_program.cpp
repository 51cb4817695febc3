#include "probe_program.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "facts/map_rules.hpp"
#include "facts/prog_rules.hpp"

namespace espy::facts {
namespace {

constexpr std::uint8_t kContext = 6, kPacket = 7, kSocket = 8, kTask = 9, kFrame = 10;

class Builder {
 public:
  Builder& op(std::uint8_t code, std::uint8_t dst, std::uint8_t src, std::int16_t off, std::int32_t imm) {
    code_.push_back({.code = code, .dst_reg = static_cast<__u8>(dst & 15), .src_reg = static_cast<__u8>(src & 15), .off = off, .imm = imm});
    return *this;
  }
  Builder& mov(std::uint8_t dst, std::int32_t imm) { return op(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm); }
  Builder& move(std::uint8_t dst, std::uint8_t src) { return op(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0); }
  Builder& add(std::uint8_t dst, std::int32_t imm) { return op(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm); }
  Builder& stack(std::uint8_t dst, std::int32_t off) { return move(dst, kFrame).add(dst, off); }
  Builder& call(std::int32_t helper) { return op(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
  Builder& wide(std::uint8_t dst, std::uint8_t pseudo, std::int32_t low, std::int32_t high) {
    return op(BPF_LD | BPF_DW | BPF_IMM, dst, pseudo, 0, low).op(0, 0, 0, 0, high);
  }
  /// Leaves the program if the comparison holds.
  Builder& leave_if(std::uint8_t code, std::uint8_t dst, std::uint8_t src, std::int32_t imm) {
    leaves_.push_back(code_.size());
    return op(code, dst, src, 0, imm);
  }
  std::vector<bpf_insn> finish(std::int32_t result) {
    for (std::size_t at : leaves_) code_[at].off = static_cast<std::int16_t>(code_.size() - at - 1);
    mov(0, result).op(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    return code_;
  }

 private:
  std::vector<bpf_insn> code_;
  std::vector<std::size_t> leaves_;
};

int small_btf() {
  static const int fd = [] {
    btf* types = btf__new_empty();
    btf__add_int(types, "int", 4, BTF_INT_SIGNED);
    btf__load_into_kernel(types);
    const int kept = dup(btf__fd(types));
    btf__free(types);
    return kept;
  }();
  return fd;
}

/// A map of the type, made when first asked for; -1: this kernel has none. Each type of program has its own: maps that can
/// hold programs stay with the type that used them first.
int map_of(MapType type, ProgType user) {
  static std::map<std::pair<MapType, ProgType>, int> made;
  if (auto found = made.find({type, user}); found != made.end()) return found->second;
  __u32 key = 4, value = 4, entries = 1;
  LIBBPF_OPTS(bpf_map_create_opts, options);
  switch (type) {
    using enum MapType;
    case hash: case percpu_hash: case lru_hash: case lru_percpu_hash: key = 8, value = 8; break;
    case array: case percpu_array: value = 8; break;
    case lpm_trie: key = 8, value = 8, options.map_flags = BPF_F_NO_PREALLOC; break;
    case stack_trace: value = 64; break;
    case ringbuf: case user_ringbuf: key = 0, value = 0, entries = 4096; break;
    case queue: case stack: case bloom_filter: key = 0, value = 8; break;
    case reuseport_sockarray: value = 8; break;
    case cgroup_storage: case percpu_cgroup_storage: key = sizeof(bpf_cgroup_storage_key), value = 8, entries = 0; break;
    case sk_storage: case inode_storage: case task_storage: case cgrp_storage:
      entries = 0, options.map_flags = BPF_F_NO_PREALLOC;
      options.btf_fd = static_cast<__u32>(small_btf()), options.btf_key_type_id = 1, options.btf_value_type_id = 1;
      break;
    case array_of_maps: case hash_of_maps: options.inner_map_fd = static_cast<__u32>(map_of(array, user)); break;
    default: break;
  }
  return made[{type, user}] = bpf_map_create(static_cast<bpf_map_type>(type), nullptr, key, value, entries, &options);
}

/// An array whose value programs cannot write, frozen: the memory of constants.
int constants() {
  static const int fd = [] {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG);
    const int made = bpf_map_create(BPF_MAP_TYPE_ARRAY, nullptr, 4, 64, 1, &options);
    const char text[64] = "text";
    const __u32 key = 0;
    bpf_map_update_elem(made, &key, text, 0);
    bpf_map_freeze(made);
    return made;
  }();
  return fd;
}

std::optional<MapType> first_map(const Prototype& prototype) {
  const HelperRow* helper = find_helper(prototype.id);
  for (const MapTypeRow& row : map_types()) {
    auto since = takes_map_since(*helper, row.type);
    if (since && *since <= kernel_version()) return row.type;
  }
  return std::nullopt;
}

bool has_socket_field(const ProbeKind& kind) {
  using enum ProgType;
  return kind.type == sched_cls || kind.type == sched_act || kind.type == cgroup_skb || kind.type == socket_filter;
}

bool needs(const Prototype& prototype, auto... kinds) {
  return std::ranges::any_of(prototype.args, [=](const Argument& argument) { return ((argument.kind == kinds) || ...); });
}

bool is_size(Arg kind) { return kind == Arg::const_size || kind == Arg::const_size_or_zero; }

bool needs_socket(const Prototype& prototype) { return needs(prototype, Arg::sock_common, Arg::sock_or_null, Arg::btf_sock_common, Arg::socket); }
bool needs_task(const Prototype& prototype) {
  return std::ranges::any_of(prototype.args, [](const Argument& argument) { return argument.type == "task_struct"; });
}

class Maker {
 public:
  Maker(const ProbeKind& kind, const Call& call) : kind_(kind), call_(call), prototype_(*call.prototype) {}

  std::vector<bpf_insn> run() {
    begin();
    for (int i = 0; i < 5; ++i) {
      if (prototype_.args[static_cast<std::size_t>(i)].kind == Arg::none) break;
      argument(i);
    }
    code_.call(static_cast<std::int32_t>(prototype_.id));
    if (call_.reads_packet_after) code_.op(BPF_LDX | BPF_MEM | BPF_B, 1, kPacket, 0, 0);
    if (prototype_.acquires && !call_.keeps) {
      const int gives_back = prototype_.returns == Return::mem_or_null ? 132 : 86;  // bpf_ringbuf_submit, bpf_sk_release
      code_.leave_if(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0).move(1, 0).mov(2, 0).call(gives_back);
    }
    auto range = return_range(kind_.type, kind_.attach, kernel_version());
    return code_.finish(range ? range->min : 0);
  }

 private:
  void begin() {
    code_.move(kContext, 1);
    for (std::int16_t at = -8; at >= -256; at = static_cast<std::int16_t>(at - 8)) code_.op(BPF_ST | BPF_MEM | BPF_DW, kFrame, 0, at, 0);
    if (has_packet(kind_)) {
      const bool xdp = kind_.type == ProgType::xdp;
      code_.op(BPF_LDX | BPF_MEM | BPF_W, kPacket, kContext, xdp ? 0 : 76, 0).op(BPF_LDX | BPF_MEM | BPF_W, 2, kContext, xdp ? 4 : 80, 0);
      code_.move(3, kPacket).add(3, 64).leave_if(BPF_JMP | BPF_JGT | BPF_X, 3, 2, 0);
    }
    if (needs_socket(prototype_)) {
      code_.op(BPF_LDX | BPF_MEM | BPF_DW, 1, kContext, 168, 0).leave_if(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
      if (prototype_.id == 95) code_.move(kSocket, 1);
      else code_.call(95).leave_if(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0).move(kSocket, 0);
    }
    if (needs_task(prototype_)) code_.call(158).move(kTask, 0);
  }

  void argument(int index) {
    const auto reg = static_cast<std::uint8_t>(index + 1);
    const Argument& argument = prototype_.args[static_cast<std::size_t>(index)];
    const bool size_of_null = call_.instead == Instead::null && index == call_.argument + 1 && is_size(argument.kind) &&
                              !is_size(prototype_.args[static_cast<std::size_t>(index - 1)].kind);
    if (size_of_null) return void(code_.mov(reg, 0));
    if (index != call_.argument) return right(reg, argument);
    switch (call_.instead) {
      case Instead::nothing_else: return right(reg, argument);
      case Instead::number: code_.mov(reg, 5); return;
      case Instead::null: code_.mov(reg, 0); return;
      case Instead::frame_pointer: code_.stack(reg, -64); return;
      case Instead::packet: code_.move(reg, kPacket); return;
      case Instead::read_only_value: code_.wide(reg, BPF_PSEUDO_MAP_VALUE, constants(), 0); return;
    }
  }

  void right(std::uint8_t reg, const Argument& argument) {
    switch (argument.kind) {
      case Arg::const_map: code_.wide(reg, BPF_PSEUDO_MAP_FD, map_of(call_.map ? *call_.map : first_map(prototype_).value_or(MapType::hash), kind_.type), 0); return;
      case Arg::map_key: case Arg::map_value: case Arg::mem: case Arg::fixed_mem: code_.stack(reg, -64); return;
      case Arg::uninit_map_value: case Arg::write_mem: case Arg::uninit_mem: code_.stack(reg, -128); return;
      case Arg::fixed_write: code_.stack(reg, -192); return;
      case Arg::const_size: case Arg::const_size_or_zero: case Arg::alloc_size: code_.mov(reg, 16); return;
      case Arg::ctx: code_.move(reg, kContext); return;
      case Arg::const_str: code_.wide(reg, BPF_PSEUDO_MAP_VALUE, constants(), 0); return;
      case Arg::sock_common: case Arg::sock_or_null: case Arg::btf_sock_common: case Arg::socket: code_.move(reg, kSocket); return;
      case Arg::btf: case Arg::btf_or_null: code_.move(reg, kTask); return;
      default: code_.mov(reg, 0); return;
    }
  }

  const ProbeKind& kind_;
  const Call& call_;
  const Prototype& prototype_;
  Builder code_;
};

}  // namespace

KernelVersion kernel_version() {
  utsname name{};
  uname(&name);
  unsigned major = 0, minor = 0;
  std::sscanf(name.release, "%u.%u", &major, &minor);
  return {static_cast<std::uint16_t>(major), static_cast<std::uint16_t>(minor)};
}

std::vector<ProbeKind> probe_kinds() {
  using enum ProgType;
  using A = AttachType;
  std::vector<ProbeKind> kinds;
  for (ProgType type : {sched_cls, xdp, kprobe, tracepoint, perf_event, raw_tracepoint, socket_filter, lwt_xmit, lwt_in, lwt_seg6local}) kinds.push_back({type});
  kinds.push_back({cgroup_skb, A::cgroup_inet_egress});
  kinds.push_back({cgroup_sock, A::cgroup_inet_sock_create});
  kinds.push_back({cgroup_sock_addr, A::cgroup_inet4_connect});
  kinds.push_back({cgroup_sockopt, A::cgroup_setsockopt});
  kinds.push_back({sock_ops, A::cgroup_sock_ops});
  kinds.push_back({sk_skb, A::sk_skb_stream_verdict});
  kinds.push_back({cgroup_device, A::cgroup_device});
  kinds.push_back({sk_msg, A::sk_msg_verdict});
  kinds.push_back({sk_reuseport, A::sk_reuseport_select});
  kinds.push_back({flow_dissector, A::flow_dissector});
  kinds.push_back({cgroup_sysctl, A::cgroup_sysctl});
  kinds.push_back({sk_lookup, A::sk_lookup});
  kinds.push_back({tracing, A::trace_iter, libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER)});
  kinds.push_back({tracing, A::trace_iter, libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER), BPF_F_SLEEPABLE});
  kinds.push_back({syscall, {}, 0, BPF_F_SLEEPABLE});
  std::erase_if(kinds, [](const ProbeKind& kind) { return kind.btf_id < 0; });
  return kinds;
}

bool has_packet(const ProbeKind& kind) {
  using enum ProgType;
  return kind.type == sched_cls || kind.type == xdp || kind.type == lwt_xmit || kind.type == sk_skb || kind.type == lwt_in ||
         kind.type == lwt_seg6local || kind.type == cgroup_skb;
}

bool can_call(const Prototype& prototype, const ProbeKind& kind) {
  if (needs(prototype, Arg::ringbuf_mem, Arg::spin_lock, Arg::timer, Arg::kptr, Arg::dynptr, Arg::dynptr_uninit, Arg::callback, Arg::percpu_btf)) return false;
  if (prototype.releases || prototype.id == 0 || prototype.id == 12) return false;
  for (const Argument& argument : prototype.args)
    if (!argument.type.empty() && argument.type != "task_struct") return false;
  const HelperRow& helper = *find_helper(prototype.id);
  auto since = callable_since(kind.type, helper);
  if (!since || *since > kernel_version()) return false;
  if (needs_socket(prototype) && (!has_socket_field(kind) || kind.type == ProgType::socket_filter)) return false;
  if (!needs(prototype, Arg::const_map)) return true;
  auto map = first_map(prototype);
  return map && map_of(*map, kind.type) >= 0;
}

bool kernel_takes(const ProbeKind& kind, const Call& call, std::string& log, const char* license) {
  std::vector<bpf_insn> code = Maker(kind, call).run();
  static std::vector<char> text(1 << 18);
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = static_cast<bpf_attach_type>(kind.attach), .prog_flags = kind.flags,
              .attach_btf_id = static_cast<__u32>(kind.btf_id));
  auto load = [&] { return bpf_prog_load(static_cast<bpf_prog_type>(kind.type), nullptr, license, code.data(), code.size(), &options); };
  log.clear();
  if (const int fd = load(); fd >= 0) return close(fd), true;
  text[0] = 0;
  options.log_level = 1, options.log_size = static_cast<__u32>(text.size()), options.log_buf = text.data();
  // On a busy machine a load may fail for want of memory, and the next one pass.
  const int fd = load();
  log = text.data();
  if (fd >= 0) close(fd);
  return fd >= 0;
}

}  // namespace espy::facts
