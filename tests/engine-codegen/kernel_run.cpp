#include "kernel_run.hpp"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/fd.hpp"
#include "ir/builder.hpp"
#include "ir/interpret.hpp"
#include "isa/disassemble.hpp"

namespace espy::ir::bpf {
namespace {

long bpf_call(int command, bpf_attr& attr) { return ::syscall(SYS_bpf, command, &attr, sizeof(attr)); }
std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

Result<UniqueFd> create_io_map() {
  // Before 5.11, maps and programs count as locked memory.
  static const int unlimited = [] {
    rlimit limit{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    return ::setrlimit(RLIMIT_MEMLOCK, &limit);
  }();
  static_cast<void>(unlimited);
  bpf_attr attr{};
  attr.map_type = BPF_MAP_TYPE_ARRAY;
  attr.key_size = 4;
  attr.value_size = kIoBytes;
  attr.max_entries = 1;
  long fd = bpf_call(BPF_MAP_CREATE, attr);
  if (fd < 0) return fail_sys(errno, "create the map");
  return UniqueFd(static_cast<int>(fd));
}

/// Types for func_info, which callbacks need: one function type, and the functions by name.
Result<UniqueFd> load_types(std::span<const Code> code, std::span<const std::uint32_t> used) {
  std::string strings(1, '\0');
  std::vector<std::uint32_t> words;
  auto name = [&](const std::string& text) {
    auto at = static_cast<std::uint32_t>(strings.size());
    strings += text;
    strings += '\0';
    return at;
  };
  auto type = [&](std::uint32_t name_at, std::uint32_t kind, std::uint32_t info, std::uint32_t size) {
    words.insert(words.end(), {name_at, kind << 24 | info, size});
  };
  type(name("long"), BTF_KIND_INT, 0, 8);
  words.push_back(BTF_INT_SIGNED << 24 | 64);
  type(0, BTF_KIND_FUNC_PROTO, 0, 1);
  for (std::uint32_t id : used) type(name("f_" + code[id].name), BTF_KIND_FUNC, id == used.front() ? 1 : 0, 2);
  btf_header header{.magic = BTF_MAGIC, .version = 1, .flags = 0, .hdr_len = sizeof(btf_header), .type_off = 0,
                    .type_len = static_cast<std::uint32_t>(words.size() * 4), .str_off = static_cast<std::uint32_t>(words.size() * 4),
                    .str_len = static_cast<std::uint32_t>(strings.size())};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(reinterpret_cast<const char*>(words.data()), words.size() * 4);
  bytes += strings;
  bpf_attr attr{};
  attr.btf = address_of(bytes.data());
  attr.btf_size = static_cast<std::uint32_t>(bytes.size());
  long fd = bpf_call(BPF_BTF_LOAD, attr);
  if (fd < 0) return fail_sys(errno, "load types");
  return UniqueFd(static_cast<int>(fd));
}

struct Linked {
  std::vector<isa::Insn> insns;
  std::vector<std::uint32_t> functions;   // by place
  std::vector<std::uint32_t> starts;      // by FuncId
  bool callbacks = false;
};

/// The program and the functions that it refers to, one after the other.
Linked link(std::span<const Code> code, std::uint32_t main, int io_fd) {
  Linked linked;
  linked.starts.assign(code.size(), 0);
  linked.functions.push_back(main);
  for (std::size_t i = 0; i < linked.functions.size(); ++i) {
    const Code& function = code[linked.functions[i]];
    linked.starts[linked.functions[i]] = static_cast<std::uint32_t>(linked.insns.size());
    linked.insns.insert(linked.insns.end(), function.insns.begin(), function.insns.end());
    for (const Reference& reference : function.references)
      if (reference.kind == ReferenceKind::function && std::ranges::find(linked.functions, reference.id) == linked.functions.end())
        linked.functions.push_back(reference.id);
  }
  for (std::uint32_t id : linked.functions)
    for (const Reference& reference : code[id].references) {
      std::uint32_t at = linked.starts[id] + reference.insn;
      isa::Insn& insn = linked.insns[at];
      if (reference.kind == ReferenceKind::function) {
        insn.imm = static_cast<std::int32_t>(linked.starts[reference.id] - at - 1);
        linked.callbacks |= isa::is_ld_imm64(insn);
      } else {
        insn.imm = io_fd;
        if (reference.kind == ReferenceKind::map_value) linked.insns[at + 1].imm = static_cast<std::int32_t>(reference.offset);
      }
    }
  return linked;
}

Result<UniqueFd> load(const Linked& linked, std::span<const Code> code) {
  static std::vector<char> log(1 << 20);
  std::vector<bpf_func_info> infos;
  UniqueFd types;
  bpf_attr attr{};
  if (linked.callbacks) {
    types = TRY(load_types(code, linked.functions));
    std::uint32_t type = 3;
    for (std::uint32_t id : linked.functions) infos.push_back({linked.starts[id], type++});
    attr.prog_btf_fd = static_cast<std::uint32_t>(types.get());
    attr.func_info = address_of(infos.data());
    attr.func_info_cnt = static_cast<std::uint32_t>(infos.size());
    attr.func_info_rec_size = sizeof(bpf_func_info);
  }
  attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attr.insns = address_of(linked.insns.data());
  attr.insn_cnt = static_cast<std::uint32_t>(linked.insns.size());
  attr.license = address_of("GPL");
  long fd = bpf_call(BPF_PROG_LOAD, attr);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  attr.log_level = 1;
  attr.log_size = static_cast<std::uint32_t>(log.size());
  attr.log_buf = address_of(log.data());
  log[0] = 0;
  fd = bpf_call(BPF_PROG_LOAD, attr);
  Error error{.kind = ErrorKind::rejected, .message = "the kernel refuses the program: " + errno_text(errno)};
  std::string text = log.data();
  error.notes.push_back(text.size() > 6000 ? text.substr(text.size() - 6000) : text);
  return std::unexpected(std::move(error));
}

std::uint32_t find_main(const Module& module) {
  return static_cast<std::uint32_t>(std::ranges::find(module.functions, "main", &Function::name) - module.functions.begin());
}

}  // namespace

Result<Outcome> run_on_kernel(const Module& module, std::span<const Code> code, const Io& input) {
  UniqueFd io = TRY(create_io_map());
  std::uint32_t key = 0;
  bpf_attr element{};
  element.map_fd = static_cast<std::uint32_t>(io.get());
  element.key = address_of(&key);
  element.value = address_of(input.data());
  if (bpf_call(BPF_MAP_UPDATE_ELEM, element) != 0) return fail_sys(errno, "write the input");
  UniqueFd program = TRY(load(link(code, find_main(module), io.get()), code));
  std::array<std::byte, 64> packet{};
  bpf_attr run{};
  run.test.prog_fd = static_cast<std::uint32_t>(program.get());
  run.test.data_in = address_of(packet.data());
  run.test.data_size_in = packet.size();
  run.test.repeat = 1;
  if (bpf_call(BPF_PROG_TEST_RUN, run) != 0) return fail_sys(errno, "run the program");
  Outcome outcome{.retval = run.test.retval};
  element.value = address_of(outcome.io.data());
  if (bpf_call(BPF_MAP_LOOKUP_ELEM, element) != 0) return fail_sys(errno, "read the results");
  return outcome;
}

Result<Outcome> run_on_kernel(const Module& module, const Options& options, const Io& input) {
  std::vector<Code> code = TRY(emit(module, options));
  Result<Outcome> outcome = run_on_kernel(module, code, input);
  if (!outcome) outcome.error().notes.push_back(listing(code));
  return outcome;
}

Result<Outcome> run_interpreted(const Module& module, const Io& input) {
  Machine machine(module, [](Machine& m, const Function&, const Inst& call, std::span<const std::uint64_t> arguments)
                              -> Result<std::uint64_t> {
    if (call.imm == 5) return 0;
    if (call.imm != 181) return fail(ErrorKind::unsupported, "helper {}", call.imm);
    auto callback = FuncId{static_cast<std::uint32_t>(arguments[1])};
    std::uint64_t turn = 0;
    while (turn < arguments[0]) {
      std::array callback_arguments{turn, arguments[2]};
      ++turn;
      if (TRY(m.run(callback, callback_arguments)) != 0) break;
    }
    return turn;
  });
  std::uint64_t io = machine.memory.add(input);
  machine.map_values.assign(module.maps.size(), io);
  std::uint64_t context = machine.memory.add(192);
  std::uint64_t result = TRY(machine.run(FuncId{find_main(module)}, std::span(&context, 1)));
  Outcome outcome{.retval = static_cast<std::uint32_t>(result)};
  std::ranges::copy(machine.memory.region(io), outcome.io.begin());
  return outcome;
}

std::string listing(std::span<const Code> code) {
  std::string text;
  for (const Code& function : code) text += function.name + ":\n" + isa::disassemble(function.insns, {.jumps = isa::JumpStyle::labels});
  return text;
}

bool may_load() { return create_io_map().has_value(); }

namespace {

template <typename Fill>
bool runs(unsigned isa, Fill fill) {
  Module module;
  module.functions.reserve(2);
  Builder b(module[module.add_function("main", kI32, {ptr(Space::ctx)})]);
  fill(module, b);
  b.ret(b.i32(0));
  return run_on_kernel(module, Options{.isa = isa}, Io{}).has_value();
}

}  // namespace

bool takes_level(unsigned isa) {
  static const bool fourth = runs(4, [](Module& module, Builder& b) {
    ValueId io = b.map_value(module.map("io"));
    b.store(64, io, 8, b.sdiv(b.load(kI64, 64, io), b.i64(-3)));
  });
  return isa < 4 || fourth;
}

bool takes_fetching_atomics() {
  static const bool takes = runs(3, [](Module& module, Builder& b) {
    b.atomic_fetch(Op::atomic_xchg, b.map_value(module.map("io")), b.i64(1), 64);
  });
  return takes;
}

bool takes_callbacks() {
  static const bool takes = runs(3, [](Module& module, Builder& b) {
    FuncId turn = module.add_function("turn", kI64, {kI64, ptr(Space::stack)}, Role::callback);
    Builder inner(module[turn]);
    inner.ret(inner.i64(0));
    SlotId slot = b.slot(8);
    b.store(64, b.stack_addr(slot), 0, b.i64(0));
    b.helper(181, kI64, {b.i64(2), b.func_addr(turn), b.stack_addr(slot), b.i64(0)});
  });
  return takes;
}

}  // namespace espy::ir::bpf
