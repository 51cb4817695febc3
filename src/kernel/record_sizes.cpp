#include "kernel/record_sizes.hpp"

#include <array>

namespace espy::kernel {

namespace {

// The helpers that write records (enum bpf_func_id) and which registers hold map and size.
struct WriterRow {
  std::int32_t helper = 0;
  std::uint8_t map = 0, size = 0;
};
constexpr WriterRow kWriters[] = {
    {25, 2, 5},    // perf_event_output(ctx, map, flags, data, size)
    {111, 2, 5},   // skb_output
    {121, 2, 5},   // xdp_output
    {130, 1, 3},   // ringbuf_output(map, data, size, flags)
    {131, 1, 2},   // ringbuf_reserve(map, size, flags)
};

struct Known {
  std::optional<object::MapIdx> map;
  std::optional<std::uint32_t> constant;
};

constexpr std::uint8_t kMovImm64 = 0xb7, kMovImm32 = 0xb4, kMovReg64 = 0xbf, kJumpAlways = 0x05, kJumpAlways32 = 0x06;

class Scan {
 public:
  Scan(const object::FunctionSpec& function, std::vector<RecordWrite>& found) : function_(function), found_(found) {}

  void run() {
    auto relocation = function_.relocations.begin();
    for (isa::InsnIdx i = 0; i < function_.insns.size(); ++i) {
      while (relocation != function_.relocations.end() && relocation->insn < i) ++relocation;
      bool here = relocation != function_.relocations.end() && relocation->insn == i;
      step(i, here ? std::get_if<object::MapRef>(&relocation->to) : nullptr);
      if (isa::is_ld_imm64(function_.insns[i])) ++i;
    }
  }

 private:
  Known& reg(std::uint8_t number) { return registers_[number & 15U]; }

  void step(isa::InsnIdx index, const object::MapRef* map) {
    isa::Insn insn = function_.insns[index];
    isa::Class kind = isa::class_of(insn);
    if (isa::is_ld_imm64(insn)) {
      reg(insn.dst) = {};
      if (map != nullptr) reg(insn.dst).map = map->map;
      return;
    }
    if (insn.opcode == kMovImm64 || insn.opcode == kMovImm32) {
      reg(insn.dst) = {.map = {}, .constant = static_cast<std::uint32_t>(insn.imm)};
    } else if (insn.opcode == kMovReg64 && insn.off == 0) {
      reg(insn.dst) = reg(insn.src);
    } else if (kind == isa::Class::alu || kind == isa::Class::alu64 || kind == isa::Class::ldx) {
      reg(insn.dst) = {};
    } else if (insn.opcode == isa::kOpCall || insn.opcode == isa::kOpCallX) {
      if (isa::is_call(insn, isa::CallKind::helper)) call(index, insn.imm);
      for (std::uint8_t r = 0; r <= 5; ++r) reg(r) = {};
    } else if (insn.opcode == isa::kOpExit || insn.opcode == kJumpAlways || insn.opcode == kJumpAlways32) {
      registers_ = {};   // what follows is reached from elsewhere
    }
  }

  void call(isa::InsnIdx index, std::int32_t helper) {
    for (const WriterRow& row : kWriters)
      if (row.helper == helper && reg(row.map).map) found_.push_back({*reg(row.map).map, reg(row.size).constant, &function_, index});
  }

  const object::FunctionSpec& function_;
  std::vector<RecordWrite>& found_;
  std::array<Known, 16> registers_{};
};

}  // namespace

std::vector<RecordWrite> record_writes(const object::ObjectSpec& object) {
  std::vector<RecordWrite> found;
  for (const object::ProgramSpec& program : object.programs) Scan(program.code, found).run();
  for (const object::FunctionSpec& function : object.functions) Scan(function, found).run();
  return found;
}

}  // namespace espy::kernel
