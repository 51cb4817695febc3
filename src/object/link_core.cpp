// CO-RE: puts what a relocation resolved to into its instruction.
//
// Which field, type or enumerator is meant is src/btf's business; here stands what an instruction can take: an ALU
// immediate, the offset of a load or store (whose width may follow the field's), or a 64-bit immediate. What cannot be
// satisfied does not fail the link: the instruction becomes a call of a helper that no kernel has, so that the verifier
// refuses the program only if it can get there. The helper's number is libbpf's, which tools know to explain.
#include <limits>

#include "base/text.hpp"

#include "object/link_steps.hpp"

namespace espy::object {
namespace {

constexpr std::int32_t kPoisonedHelper = 195896080;  // 0xbad2310
constexpr isa::Insn kPoison{.opcode = isa::kOpCall, .imm = kPoisonedHelper};
constexpr std::uint8_t kSizeMask = 0x18;
constexpr std::uint8_t kSourceIsRegister = 0x08;

/// The size field of a load's or store's opcode, by bytes.
struct AccessSize {
  std::uint32_t bytes;
  std::uint8_t bits;
};
constexpr AccessSize kAccessSizes[] = {{4, 0x00}, {2, 0x08}, {1, 0x10}, {8, 0x18}};

std::uint32_t access_bytes(isa::Insn insn) {
  for (AccessSize size : kAccessSizes)
    if (size.bits == (insn.opcode & kSizeMask)) return size.bytes;
  return 0;
}

void poison(std::vector<isa::Insn>& insns, isa::InsnIdx at) {
  if (isa::is_ld_imm64(insns[at]) && at + 1 < insns.size()) insns[at + 1] = kPoison;
  insns[at] = kPoison;
}

std::unexpected<Error> stale(std::uint64_t found, std::uint64_t expected) {
  return fail(ErrorKind::malformed, "the instruction holds {} where the program's types give {}", static_cast<std::int64_t>(found),
              static_cast<std::int64_t>(expected));
}

Result<void> patch_alu(isa::Insn& insn, const btf::CoreResult& result) {
  if (insn.opcode & kSourceIsRegister) return fail(ErrorKind::malformed, "the instruction has no immediate to relocate");
  auto present = static_cast<std::uint64_t>(std::int64_t{insn.imm});
  if (result.validate && present != result.original) return stale(present, result.original);
  insn.imm = static_cast<std::int32_t>(result.value);
  return {};
}

Result<void> patch_access(isa::Insn& insn, const btf::CoreResult& result) {
  auto present = static_cast<std::uint64_t>(std::int64_t{insn.off});
  if (result.validate && present != result.original) return stale(present, result.original);
  if (result.value > static_cast<std::uint64_t>(std::numeric_limits<std::int16_t>::max()))
    return fail(ErrorKind::unsupported, "the field stands at offset {}, too far for a load or store", result.value);
  if (result.fail_memory_size) {
    insn = kPoison;
    return {};
  }
  insn.off = static_cast<std::int16_t>(result.value);
  if (result.new_size == result.original_size) return {};
  if (access_bytes(insn) != result.original_size)
    return fail(ErrorKind::malformed, "the instruction accesses {} bytes of a field of {}", access_bytes(insn), result.original_size);
  for (AccessSize size : kAccessSizes)
    if (size.bytes == result.new_size) {
      insn.opcode = static_cast<std::uint8_t>((insn.opcode & ~kSizeMask) | size.bits);
      return {};
    }
  return fail(ErrorKind::unsupported, "the field has {} bytes there, which no load or store can have", result.new_size);
}

Result<void> patch_wide(std::vector<isa::Insn>& insns, isa::InsnIdx at, const btf::CoreResult& result) {
  if (!isa::is_ld_imm64(insns[at], isa::Pseudo::none) || insns[at].off != 0 || at + 1 >= insns.size() ||
      insns[at + 1] != isa::Insn{.imm = insns[at + 1].imm})
    return fail(ErrorKind::malformed, "the instruction is no plain 64-bit load");
  std::uint64_t present = static_cast<std::uint32_t>(insns[at].imm) |
                          std::uint64_t{static_cast<std::uint32_t>(insns[at + 1].imm)} << 32;
  if (result.validate && present != result.original) return stale(present, result.original);
  insns[at].imm = static_cast<std::int32_t>(result.value);
  insns[at + 1].imm = static_cast<std::int32_t>(result.value >> 32);
  return {};
}

/// A name of the target's type that the missing field may have meant.
std::string nearest_field(const btf::CoreRelocation& relocation, const btf::Btf& local, const btf::Btf* target) {
  if (!target || relocation.kind > btf::CoreKind::field_rshift_u64) return {};
  btf::Type root = local.resolve(relocation.type);
  auto indices = split(relocation.access, ':');
  if (indices.size() < 2) return {};
  auto index = parse_number<std::uint32_t>(indices[1]);
  if (!index || (root.kind() != btf::Kind::struct_ && root.kind() != btf::Kind::union_) || *index >= root.vlen()) return {};
  auto there = target->find(btf::essential_name(root.name()), root.kind());
  if (!there) return {};
  std::vector<std::string_view> names;
  for (const btf::Member& member : there->members())
    if (!member.name.empty()) names.push_back(member.name);
  std::string_view near = nearest(root.member(*index).name, names);
  return near.empty() || near == root.member(*index).name ? std::string{} : fmt::format("did you mean `{}`?", near);
}

}  // namespace

Result<void> patch_core(std::vector<isa::Insn>& insns, isa::InsnIdx insn, const btf::CoreResult& result) {
  if (insn >= insns.size())
    return fail(ErrorKind::malformed, "a CO-RE relocation is for instruction {} of a function that has {}", insn, insns.size());
  if (result.poisoned) {
    poison(insns, insn);
    return {};
  }
  switch (isa::class_of(insns[insn])) {
    case isa::Class::alu:
    case isa::Class::alu64: return patch_alu(insns[insn], result);
    case isa::Class::ldx:
    case isa::Class::st:
    case isa::Class::stx: return patch_access(insns[insn], result);
    case isa::Class::ld: return patch_wide(insns, insn, result);
    case isa::Class::jmp:
    case isa::Class::jmp32: break;
  }
  return fail(ErrorKind::malformed, "an instruction with opcode {:#04x} has nothing to relocate", insns[insn].opcode);
}

Result<btf::CoreMatcher*> CoreLinker::matcher() {
  if (!matcher_) {
    if (!object_.btf) return fail(ErrorKind::malformed, "CO-RE relocations without BTF to read them by");
    const auto& types = target_.core_types ? target_.core_types : target_.vmlinux;
    if (!types) {
      auto error = fail(ErrorKind::unsupported, "{} has no BTF, which CO-RE relocations are resolved against", target_.name);
      error.error().hint = "a kernel with CONFIG_DEBUG_INFO_BTF (5.2 and later) has it in /sys/kernel/btf/vmlinux";
      return error;
    }
    auto modules = [&target = target_] {
      std::vector<std::shared_ptr<const btf::Btf>> found;
      if (target.core_types || !target.modules) return found;
      if (auto all = target.modules())
        for (const ModuleBtf& module : *all) found.push_back(module.btf);
      return found;
    };
    matcher_.emplace(object_.btf, types, modules);
  }
  return &*matcher_;
}

CoreFixup CoreLinker::outcome(const btf::CoreRelocation& relocation, const btf::CoreResult& result) const {
  CoreFixup fixup{.insn = relocation.insn, .text = describe(relocation, *object_.btf), .hint = {}, .poisoned = result.poisoned};
  if (result.poisoned) {
    fixup.text += ": nothing like it in " + target_.name;
    fixup.hint = nearest_field(relocation, *object_.btf, (target_.core_types ? target_.core_types : target_.vmlinux).get());
  } else if (result.fail_memory_size) {
    fixup.text += ": a signed field changed its size, which a plain load cannot follow";
    fixup.hint = "read it with BPF_CORE_READ, or declare it with its size in this kernel";
    fixup.poisoned = true;
  } else {
    fixup.text += fmt::format(": {} → {}", result.original, result.value);
    if (result.new_size != result.original_size) fixup.text += fmt::format(", {} → {} bytes", result.original_size, result.new_size);
  }
  return fixup;
}

Result<std::vector<CoreFixup>> CoreLinker::apply(FunctionSpec& function) {
  std::vector<CoreFixup> fixups;
  fixups.reserve(function.core_relocations.size());
  for (const btf::CoreRelocation& relocation : function.core_relocations) {
    auto failed = [&](Error cause) {
      cause = wrap(std::move(cause), "CO-RE relocation " + (object_.btf ? describe(relocation, *object_.btf) : relocation.access));
      cause.where = place_of(function, relocation.insn, object_.btf.get());
      return std::unexpected(std::move(cause));
    };
    auto matching = matcher();
    if (!matching) return failed(matching.error());
    auto result = (*matching)->resolve(relocation);
    if (!result) return failed(result.error());
    if (auto patched = patch_core(function.insns, relocation.insn, *result); !patched) return failed(patched.error());
    fixups.push_back(outcome(relocation, *result));
  }
  function.core_relocations.clear();
  return fixups;
}

}  // namespace espy::object
