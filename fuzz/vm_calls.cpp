// Programs in safe mode that call helpers, kfuncs, subprograms and callbacks with arguments which are mostly of the right kind:
// what random instructions (fuzz_vm) hardly ever come to. Whatever they do, nothing outside their memory is touched.
//
// Each byte of the input is a decision: what to do next, and with what.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "vm/helpers/table.hpp"
#include "vm/test_run.hpp"
#include "vm_maps.hpp"

namespace {

using namespace espy;

constexpr const char* kKfuncs[] = {"bpf_iter_num_new", "bpf_iter_num_next", "bpf_iter_num_destroy", "bpf_throw", "bpf_strlen", "bpf_strcmp", "bpf_strstr", "bpf_rcu_read_lock"};

/// r6 is the context, r7 what the last call gave, r8 the packet or a number, r9 a number.
class Maker {
 public:
  Maker(std::span<const std::uint8_t> input, object::LinkedProgram& program, std::size_t maps) : input_(input), program_(program), maps_(maps) {}

  void make() {
    put(0xbf, 6, 1, 0, 0);
    put(0xb7, 7, 0, 0, 0);
    if (below(2) == 0) put(0x61, 8, 6, 0, 0);
    else put(0xb7, 8, 0, 0, static_cast<std::int32_t>(below(256)));
    put(0xb7, 9, 0, 0, static_cast<std::int32_t>(below(256)));
    while (!input_.empty() && code().size() < 400) statement();
    put(0xbf, 0, 9, 0, 0);
    put(0x95, 0, 0, 0, 0);
    const std::size_t function = code().size();   // subprogram and callback: touches what it is given
    put(0x79, 3, 1, -8, 0);
    put(0x7b, 2, 1, 0, 0);
    put(0xbf, 0, 3, 0, 0);
    put(0x57, 0, 0, 0, 1);
    put(0x95, 0, 0, 0, 0);
    for (std::size_t at : calls_) code()[at].imm = static_cast<std::int32_t>(function) - static_cast<std::int32_t>(at) - 1;
  }

 private:
  std::vector<isa::Insn>& code() { return program_.spec.code.insns; }
  unsigned below(unsigned n) {
    if (input_.empty()) return 0;
    const unsigned value = input_.front() % n;
    input_ = input_.subspan(1);
    return value;
  }
  void put(unsigned opcode, unsigned dst, unsigned src, int off, std::int32_t imm) {
    code().push_back({.opcode = static_cast<std::uint8_t>(opcode), .dst = static_cast<std::uint8_t>(dst & 15), .src = static_cast<std::uint8_t>(src & 15), .off = static_cast<std::int16_t>(off), .imm = imm});
  }

  void statement() {
    switch (below(8)) {
      case 0:
      case 1: return helper();
      case 2: return kfunc();
      case 3: return access();
      case 4:
        put(0x85, 0, 1, 0, 0);
        calls_.push_back(code().size() - 1);
        return put(0xbf, 7, 0, 0, 0);
      case 5: return put(0x07, 7 + below(3), 0, 0, static_cast<std::int8_t>(below(256)));
      case 6: return put(0x15, 7, 0, static_cast<int>(below(6)), 0);
      default: return put(0x7b, 10, 6 + below(4), -8 * static_cast<int>(1 + below(64)), 0);
    }
  }

  /// Loads, stores and atomics anywhere near what there is.
  void access() {
    const unsigned size = std::array{0x00U, 0x08U, 0x10U, 0x18U}[below(4)], base = 6 + below(5);
    const int off = (static_cast<int>(below(256)) - 128) * (base == 10 ? 4 : 1);
    switch (below(3)) {
      case 0: return put(0x61 | size, 9, base, off, 0);
      case 1: return put(0x63 | size, base, 9, off, 0);
      default: return put(0xdb, base, 9, off & ~7, static_cast<std::int32_t>(std::array{0x00U, 0x01U, 0xe1U, 0xf1U}[below(4)]));
    }
  }

  void argument(unsigned reg) {
    switch (below(9)) {
      case 0:
      case 1:
        put(0xbf, reg, 10, 0, 0);
        return put(0x07, reg, 0, 0, -static_cast<std::int32_t>(below(256)) * 2);
      case 2: return put(0xbf, reg, 6, 0, 0);
      case 3:
      case 4:
        program_.spec.code.relocations.push_back({.insn = static_cast<isa::InsnIdx>(code().size()), .to = object::MapRef{object::MapIdx{below(static_cast<unsigned>(maps_))}}});
        put(0x18, reg, 1, 0, 0);
        return put(0, 0, 0, 0, 0);
      case 5: return put(0xb7, reg, 0, 0, static_cast<std::int32_t>(below(256)) - 16);
      case 6: return put(0xbf, reg, 7 + below(3), 0, 0);
      case 7:
        put(0x18, reg, static_cast<unsigned>(isa::Pseudo::func), 0, 0);
        calls_.push_back(code().size() - 1);
        return put(0, 0, 0, 0, 0);
      default: return put(0xb7, reg, 0, 0, static_cast<std::int32_t>(below(256) << 24 | below(256)));
    }
  }

  void arguments() {
    for (unsigned reg = 1; reg <= 5; ++reg) argument(reg);
  }

  void helper() {
    const unsigned id = below(256);
    if (id != 12 && vm::find_helper(id) == nullptr) return;
    arguments();
    put(0x85, 0, 0, 0, static_cast<std::int32_t>(id));
    put(0xbf, 7, 0, 0, 0);
  }

  void kfunc() {
    const char* name = kKfuncs[below(std::size(kKfuncs))];
    arguments();
    program_.kfuncs.push_back({static_cast<isa::InsnIdx>(code().size()), name});
    put(0x85, 0, 2, 0, 0);
    put(0xbf, 7, 0, 0, 0);
  }

  std::span<const std::uint8_t> input_;
  object::LinkedProgram& program_;
  std::size_t maps_;
  std::vector<std::size_t> calls_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || size > 1024) return 0;
  constexpr facts::ProgType kTypes[] = {facts::ProgType::xdp, facts::ProgType::sched_cls, facts::ProgType::socket_filter, facts::ProgType::kprobe};
  object::LinkedObject linked;
  linked.object.maps = fuzz::maps();
  object::LinkedProgram& program = linked.programs.emplace_back();
  program.spec.name = "fuzzed";
  program.spec.type = kTypes[data[0] % std::size(kTypes)];
  Maker({data + 1, size - 1}, program, linked.object.maps.size()).make();
  const facts::ProgType type = program.spec.type;
  auto object = vm::Object::load(std::move(linked));
  if (!object) return 0;
  vm::TestRun run{.budget = 20000};
  if (type == facts::ProgType::kprobe) run.ctx_in.resize(64);
  else run.data_in.resize(14 + data[0]);
  (void)vm::test_run((*object)->programs()[0], run);
  return 0;
}
