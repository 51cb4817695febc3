#include "vm/context/rewrite.hpp"

#include "isa/decode.hpp"
#include "isa/disassemble.hpp"
#include "vm/context/flow.hpp"

namespace espy::vm {
namespace {

using Kind = FlowValue::Kind;

constexpr std::uint8_t kLoadU32 = 0x61, kLoadU64 = 0x79;

std::unexpected<Error> refused(std::span<const isa::Insn> code, isa::InsnIdx at, std::string what) {
  Error error{.kind = ErrorKind::rejected, .message = std::move(what), .where = fmt::format("instruction {}", at)};
  error.notes.push_back(isa::disassemble(code[at]));
  return std::unexpected(std::move(error));
}

Result<void> rewrite_access(std::span<isa::Insn> code, isa::InsnIdx at, const isa::Instruction& access, std::int64_t base, const ContextLayout& layout) {
  const unsigned bytes = access.row->bits / 8;
  const bool load = access.operation() == isa::Operation::load || access.operation() == isa::Operation::load_signed;
  const std::int64_t offset = base + access.off;
  const ContextField* field = layout.find(offset, bytes);
  if (field == nullptr) return refused(code, at, fmt::format("{} bytes at {} of `struct {}` are no field of it", bytes, offset, layout.name));
  if (access.row->is_atomic()) return refused(code, at, fmt::format("an atomic access of `{}` of the context", field->name));
  if ((field->readers & layout.user) == 0) return refused(code, at, fmt::format("programs of this type cannot use `{}` of `struct {}`", field->name, layout.name));
  if (!load && (field->writers & layout.user) == 0) {
    return refused(code, at, fmt::format("programs of this type cannot write `{}` of `struct {}`", field->name, layout.name));
  }
  std::int64_t moved = static_cast<std::int64_t>(offsetof(PacketContext, fields)) + access.off;
  if (field->pointer) {
    if (code[at].opcode != kLoadU32) return refused(code, at, fmt::format("`{}` of `struct {}` stands for a pointer: it is read whole", field->name, layout.name));
    code[at].opcode = kLoadU64;
    moved = std::int64_t{*field->pointer} - base;
  }
  code[at].off = static_cast<std::int16_t>(moved);
  if (code[at].off != moved) return refused(code, at, fmt::format("an access of `{}` too far from the context's start", field->name));
  return {};
}

}  // namespace

Result<void> rewrite_context(std::span<isa::Insn> code, const ContextLayout& layout) {
  const std::vector<isa::Insn> before(code.begin(), code.end());
  Flow flow(before);
  flow.run();
  for (isa::InsnIdx at = 0; at < code.size();) {
    const isa::Instruction instruction = isa::try_decode(before, at).instruction;
    if (instruction.row == nullptr) return refused(before, at, "no instruction");
    const bool loads = instruction.operation() == isa::Operation::load || instruction.operation() == isa::Operation::load_signed || instruction.operation() == isa::Operation::load_acquire;
    if (loads || instruction.operation() == isa::Operation::store || instruction.row->is_atomic()) {
      const unsigned base = loads ? instruction.src : instruction.dst;
      const FlowValue value = flow.before(at, base);
      if (value.kind == Kind::context) TRY(rewrite_access(code, at, instruction, value.offset, layout));
      if (value.kind == Kind::mixed) return refused(before, at, fmt::format("r{} may be the context or something else here", base));
    }
    at += instruction.slots();
  }
  return {};
}

}  // namespace espy::vm
