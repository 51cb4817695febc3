// Global functions: verified once, alone, on what their BTF promises of the arguments; a call checks that it keeps the promise.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

bool is_struct(btf::Kind kind) { return kind == btf::Kind::struct_ || kind == btf::Kind::union_; }

/// The context's structure, by program type, as programs name it.
std::string_view context_name(facts::ProgType type) {
  using enum facts::ProgType;
  switch (type) {
    case socket_filter: case sched_cls: case sched_act: case cgroup_skb: case lwt_in: case lwt_out: case lwt_xmit: case lwt_seg6local:
    case sk_skb: case flow_dissector: return "__sk_buff";
    case xdp: return "xdp_md";
    case cgroup_sock: return "bpf_sock";
    case cgroup_sock_addr: return "bpf_sock_addr";
    case sock_ops: return "bpf_sock_ops";
    case sk_msg: return "sk_msg_md";
    case kprobe: return "bpf_user_pt_regs_t";
    case perf_event: return "bpf_perf_event_data";
    case raw_tracepoint: case raw_tracepoint_writable: return "bpf_raw_tracepoint_args";
    case cgroup_device: return "bpf_cgroup_dev_ctx";
    case cgroup_sysctl: return "bpf_sysctl";
    case cgroup_sockopt: return "bpf_sockopt";
    case sk_reuseport: return "sk_reuseport_md";
    case sk_lookup: return "bpf_sk_lookup";
    case netfilter: return "bpf_nf_ctx";
    default: return "";
  }
}

}  // namespace

/// What BTF says of the arguments of a function of the program. False: it says nothing that can be relied on.
bool Checker::describe_arguments(std::uint32_t number) {
  if (global_arguments_.size() != code_.subprograms.size()) global_arguments_.resize(code_.subprograms.size());
  GlobalFunction& function = global_arguments_[number];
  if (function.described) return true;
  const Subprogram& subprogram = code_.subprograms[number];
  const btf::Btf* btf = types_.own();
  if (btf == nullptr || subprogram.func == btf::kVoid) return reject(Rule::missing_btf, "Func#{} has no BTF", number);
  const btf::Type func = btf->type(subprogram.func);
  const btf::Type proto = btf->type(func.target());
  if (proto.vlen() > 5) return reject(Rule::subprogram, "Global function {}() with {} > 5 args. Buggy compiler.", subprogram.name, proto.vlen());
  const btf::Type result = btf->resolve(proto.target());
  const bool scalar_result = result.kind() == btf::Kind::int_ || result.kind() == btf::Kind::enum_ || result.kind() == btf::Kind::enum64;
  if (!scalar_result) return reject(Rule::subprogram, "Global function {}() return value not void or int: Global function {}() doesn't return scalar. Only those are supported.", subprogram.name, subprogram.name);
  for (std::uint32_t i = 0; i < proto.vlen(); ++i) {
    GlobalArgument argument;
    bool trusted = false, untrusted = false, nullable = false, nonnull = false, ctx = false, arena = false;
    for (std::uint32_t id = btf->start_id(); id < btf->type_count(); ++id) {
      const btf::Type tag = btf->type(btf::TypeId{id});
      if (tag.kind() != btf::Kind::decl_tag || tag.target() != subprogram.func || tag.component_index() != static_cast<std::int32_t>(i)) continue;
      const std::string_view text = tag.name();
      if (!text.starts_with("arg:") || !profile_.has(Behaviour::global_by_tags)) continue;
      ctx = ctx || text == "arg:ctx";
      trusted = trusted || text == "arg:trusted";
      untrusted = untrusted || text == "arg:untrusted";
      nullable = nullable || text == "arg:nullable";
      nonnull = nonnull || text == "arg:nonnull";
      arena = arena || text == "arg:arena";
    }
    const btf::TypeId type_id = proto.param(i).type;
    const btf::Type type = btf->resolve(type_id);
    if (type.kind() == btf::Kind::int_ || type.kind() == btf::Kind::enum_ || type.kind() == btf::Kind::enum64) {
      argument.kind = GlobalArgument::Kind::scalar;
    } else if (type.kind() == btf::Kind::ptr) {
      const btf::Type target = btf->resolve(type.target());
      btf::Type named = btf->type(type.target());
      bool is_context = ctx || (is_struct(target.kind()) && target.name() == context_name(type_));
      for (int depth = 0; depth < 8 && !is_context && named.kind() != btf::Kind::struct_; ++depth) {
        is_context = named.kind() == btf::Kind::typedef_ && named.name() == context_name(type_);
        if (named.kind() != btf::Kind::typedef_ && named.kind() != btf::Kind::const_ && named.kind() != btf::Kind::volatile_) break;
        named = btf->type(named.target());
      }
      if (is_context) {
        argument.kind = GlobalArgument::Kind::context;
      } else if (arena) {
        argument.kind = GlobalArgument::Kind::arena;
      } else if (trusted || (untrusted && is_struct(target.kind()) && types_.kernel_struct(btf::essential_name(target.name())))) {
        const auto kernel = types_.kernel_struct(btf::essential_name(target.name()));
        if (!kernel) return reject(Rule::subprogram, "arg#{} type {} is not found in the kernel", i, target.name());
        argument.kind = GlobalArgument::Kind::object;
        argument.type = *kernel;
        argument.nullable = nullable;
        argument.untrusted = untrusted;
      } else if (is_struct(target.kind()) && target.name() == "bpf_dynptr") {
        argument.kind = GlobalArgument::Kind::dynptr;
      } else if (untrusted) {
        argument.kind = GlobalArgument::Kind::memory;
        argument.untrusted = true;
      } else {
        const auto size = btf->size_of(type.target());
        if (target.kind() == btf::Kind::void_ || target.kind() == btf::Kind::fwd || !size || *size == 0)
          return reject(Rule::subprogram, "arg#{} reference type('{}') size cannot be determined: -22", i, btf->type_name(type.target()));
        argument.kind = GlobalArgument::Kind::memory;
        argument.size = *size;
        argument.nullable = !nonnull;
      }
    } else {
      return reject(Rule::subprogram, "Arg#{} type {} in {}() is not supported yet.", i, btf::to_string(type.kind()), subprogram.name);
    }
    function.arguments.push_back(argument);
  }
  function.described = true;
  return true;
}

/// At a function's entry (`entry`) its registers become what the arguments are; at a call they are held against that.
bool Checker::check_global_arguments(std::uint32_t number, bool entry) {
  if (!entry && types_.own() == nullptr) return true;
  if (!describe_arguments(number)) return false;
  const auto& arguments = global_arguments_[number].arguments;
  for (std::uint32_t i = 0; i < arguments.size(); ++i) {
    const GlobalArgument& argument = arguments[i];
    const unsigned reg_number = i + 1;
    const int at = static_cast<int>(reg_number);
    Reg& reg = regs()[reg_number];
    if (entry) {
      switch (argument.kind) {
        case GlobalArgument::Kind::scalar: set_unknown(reg); break;
        case GlobalArgument::Kind::context: reg = Reg::pointer(RegType::ctx); break;
        case GlobalArgument::Kind::arena:
          reg = Reg::unknown();
          reg.type = RegType::arena;
          break;
        case GlobalArgument::Kind::dynptr:
          reg = Reg::pointer(RegType::dynptr);
          reg.dynptr = DynptrType::local;
          reg.id = new_id();
          break;
        case GlobalArgument::Kind::memory:
          reg = Reg::pointer(RegType::mem, argument.untrusted ? kReadOnly | kUntrusted : argument.nullable ? std::uint32_t{kMaybeNull} : 0U);
          reg.mem_size = argument.size;
          if (argument.nullable && !argument.untrusted) reg.id = new_id();
          break;
        case GlobalArgument::Kind::object:
          reg = Reg::pointer(RegType::btf, (argument.untrusted ? kUntrusted : kTrusted) | (argument.nullable ? kMaybeNull : 0U));
          reg.type_id = static_cast<std::uint32_t>(argument.type);
          if (reg.maybe_null()) reg.id = new_id();
          break;
      }
      continue;
    }
    if (!read_reg(reg_number)) return false;
    switch (argument.kind) {
      case GlobalArgument::Kind::scalar:
        if (!reg.is_scalar()) return reject_reg(Rule::subprogram, at, "R{} is not a scalar", reg_number);
        break;
      case GlobalArgument::Kind::context:
        if (reg.type != RegType::ctx) return reject_reg(Rule::subprogram, at, "arg#{} expects pointer to ctx", i);
        if (!check_pointer_offset(reg, reg_number, false)) return false;
        break;
      case GlobalArgument::Kind::arena:
        if (reg.type != RegType::arena && !reg.is_scalar()) return reject_reg(Rule::subprogram, at, "R{} is not a pointer to arena or scalar.", reg_number);
        break;
      case GlobalArgument::Kind::dynptr: {
        CallMeta meta;
        if (!use_dynptr(reg_number, facts::DynptrKind::any, meta, false)) return false;
        break;
      }
      case GlobalArgument::Kind::memory: {
        if (argument.untrusted) break;
        if (reg.is_null() && argument.nullable) break;
        if (reg.is_pointer() && reg.maybe_null()) {
          if (!argument.nullable) return reject_reg(Rule::missing_null_check, at, "arg#{} is expected to be non-NULL", i);
          const Reg kept = reg;
          reg.flags &= ~kMaybeNull;
          const bool fine = check_memory_argument(reg_number, argument.size, Access::read, false, nullptr) &&
                            check_memory_argument(reg_number, argument.size, Access::write, false, nullptr);
          regs()[reg_number] = kept;
          if (!fine) return false;
          break;
        }
        if (!check_memory_argument(reg_number, argument.size, Access::read, false, nullptr) ||
            !check_memory_argument(reg_number, argument.size, Access::write, false, nullptr))
          return false;
        break;
      }
      case GlobalArgument::Kind::object: {
        if (argument.untrusted) break;
        if (reg.is_null() && argument.nullable) break;
        const std::uint32_t flags = argument.nullable ? reg.flags & ~kMaybeNull : reg.flags;
        const bool right = reg.type == RegType::btf && (flags == kTrusted || flags == 0 || flags == kRcu || reg.ref_id != 0) &&
                           types_.matches(reg.btf, btf::TypeId{reg.type_id}, reg.off, BtfRef::vmlinux, argument.type, false) && !reg.has(kUntrusted) &&
                           (argument.nullable || !reg.maybe_null());
        if (!right) return reject_reg(Rule::subprogram, at, "R{} type={} expected={}", reg_number, type_name(reg), "ptr_, trusted_ptr_, rcu_ptr_");
        break;
      }
    }
  }
  return true;
}

}  // namespace espy::verifier
