// Code: functions of every executable section, what their instructions refer to, and which of them are programs.
//
// A relocation says which symbol an instruction means; what kind of reference it is follows from the instruction (call or
// 64-bit load) and from the section the symbol is in. References through a section's symbol (static functions and
// variables) keep the offset inside the section in the instruction's immediate: bytes for loads, slots less one for calls.
// A call inside one section often has no relocation at all: its immediate is already the distance.
//
// Functions of .text are subprograms; functions of other sections are programs, whose section says where they run. A
// program that another one calls is both.
#include <algorithm>
#include <unordered_set>

#include "base/text.hpp"
#include "object/reading.hpp"
#include "object/sections.hpp"

namespace espy::object {
namespace {

using isa::Insn;

Insn decode(Bytes bytes, std::size_t slot, Endian endian) {
  const std::size_t at = slot * sizeof(Insn);
  const auto registers = static_cast<std::uint8_t>(bytes[at + 1]);
  Insn insn;
  insn.opcode = static_cast<std::uint8_t>(bytes[at]);
  // The two register fields change places with the byte order.
  const std::uint8_t low = registers & 0x0f, high = registers >> 4;
  insn.dst = (endian == Endian::little ? low : high) & 0x0f;
  insn.src = (endian == Endian::little ? high : low) & 0x0f;
  insn.off = load<std::int16_t>(bytes, at + 2, endian);
  insn.imm = load<std::int32_t>(bytes, at + 4, endian);
  return insn;
}

/// One function while it is being read. References to functions name candidates until it is known which are subprograms.
struct Candidate {
  CodeExtent extent;
  FunctionSpec code;
  bool in_text = false;
  bool referenced = false;
  bool program = false;
};

/// The records of a sorted list whose instruction is inside the extent, moved to count from its start; one an instruction.
template <typename Record>
std::vector<Record> slice(const std::vector<Record>& records, const CodeExtent& extent) {
  std::vector<Record> result;
  auto record = std::ranges::lower_bound(records, extent.start, {}, &Record::insn);
  for (; record != records.end() && record->insn - extent.start < extent.count; ++record) {
    if (!result.empty() && result.back().insn == record->insn - extent.start) continue;
    result.push_back(*record);
    result.back().insn -= extent.start;
  }
  return result;
}

class CodeReader {
 public:
  explicit CodeReader(Reading& reading) : reading_(reading), elf_(reading.elf) {
    for (const btf::ExtSection& section : reading.ext) ext_.emplace(section.name, &section);
  }

  Result<std::vector<Candidate>> read() {
    for (const ElfSection& section : elf_.sections())
      if (section.type == SectionType::code_or_data && section.executable && section.size > 0) TRY(read_section(section));
    for (Candidate& candidate : candidates_) TRY(read_references(candidate));
    return std::move(candidates_);
  }

 private:
  Result<void> read_section(const ElfSection& section) {
    // .BTF.ext names sections: of several that have one name it means the first.
    auto ext = ext_.extract(section.name);
    for (CodeExtent& extent : TRY(functions_of(reading_, section))) {
      Candidate candidate{.extent = extent, .code = {}, .in_text = section.name == ".text"};
      FunctionSpec& code = candidate.code;
      code.name = extent.name;
      code.section = section.name;
      code.section_offset = extent.start;
      code.is_global = extent.binding != Binding::local && !extent.hidden;
      code.insns.reserve(extent.count);
      for (std::uint32_t i = 0; i < extent.count; ++i) code.insns.push_back(decode(section.bytes, extent.start + i, elf_.endian()));
      if (!ext.empty()) {
        code.core_relocations = slice(ext.mapped()->relocations, extent);
        code.func_info = slice(ext.mapped()->functions, extent);
        code.line_info = slice(ext.mapped()->lines, extent);
      }
      candidates_.push_back(std::move(candidate));
    }
    return {};
  }

  Result<void> read_references(Candidate& candidate) {
    const ElfSection& section = elf_.section(candidate.extent.section);
    const std::uint64_t begin = std::uint64_t{candidate.extent.start} * sizeof(Insn);
    const std::uint64_t end = begin + std::uint64_t{candidate.extent.count} * sizeof(Insn);
    const auto& relocations = elf_.relocations(section.index);
    std::vector<bool> relocated(candidate.code.insns.size());
    auto relocation = std::ranges::lower_bound(relocations, begin, {}, &ElfRelocation::offset);
    for (; relocation != relocations.end() && relocation->offset < end; ++relocation) {
      if (relocation->type == RelocationType::none) continue;
      const std::string where = elf_.where(section, relocation->offset);
      if (relocation->offset % sizeof(Insn) != 0) return fail_at(where, "a relocation inside an instruction");
      const auto insn = static_cast<isa::InsnIdx>((relocation->offset - begin) / sizeof(Insn));
      if (relocated[insn]) return fail_at(where, "a second relocation of the same instruction");
      relocated[insn] = true;
      auto to = reference(candidate, insn, elf_.symbols()[relocation->symbol], where);
      if (!to) return std::unexpected(std::move(to.error()));
      candidate.code.relocations.push_back({insn, *to});
    }
    return read_plain_calls(candidate, relocated);
  }

  /// Calls that the compiler resolved itself, to functions of the same section.
  Result<void> read_plain_calls(Candidate& candidate, const std::vector<bool>& relocated) {
    bool added = false;
    for (std::uint32_t i = 0; i < candidate.code.insns.size(); ++i) {
      const Insn insn = candidate.code.insns[i];
      if (isa::is_ld_imm64(insn)) {
        ++i;
        continue;
      }
      if (!isa::is_call(insn, isa::CallKind::subprogram) || relocated[i]) continue;
      const ElfSection& section = elf_.section(candidate.extent.section);
      const std::int64_t target = std::int64_t{candidate.extent.start} + i + insn.imm + 1;
      auto callee = TRY(function_at(section, target, elf_.where(section, (std::uint64_t{candidate.extent.start} + i) * sizeof(Insn))));
      candidate.code.relocations.push_back({i, CallRef{callee}});
      added = true;
    }
    if (added) std::ranges::sort(candidate.code.relocations, {}, &Relocation::insn);
    return {};
  }

  Result<Reference> reference(const Candidate& candidate, isa::InsnIdx at, const ElfSymbol& symbol, const std::string& where) {
    const Insn insn = candidate.code.insns[at];
    const std::string_view name = elf_.name_of(symbol);
    const bool is_call = insn.opcode == isa::kOpCall;
    if (!is_call && !isa::is_ld_imm64(insn))
      return fail_at(where, "a relocation against `{}` of an instruction that takes none (opcode {:#04x})", name, insn.opcode);
    if (!is_call && at + 1 >= candidate.code.insns.size()) return fail_at(where, "a 64-bit load cut off at the end of `{}`", candidate.code.name);
    if (symbol.section == kUndefined) return external(symbol, where);
    if (symbol.section == kNoSection) return fail_at(where, "a reference to `{}`, which is in no section", name);
    const ElfSection& section = elf_.section(symbol.section);
    const auto value = static_cast<std::int64_t>(symbol.value);
    if (is_call) {
      if (!isa::is_call(insn, isa::CallKind::subprogram)) return fail_at(where, "a call of `{}` that is not of a subprogram", name);
      if (value % 8 != 0) return fail_at(where, "a call into the middle of an instruction of `{}`", name);
      return CallRef{TRY(function_at(section, value / 8 + insn.imm + 1, where))};
    }
    const std::int64_t address = value + insn.imm;
    if (section.executable) {
      if (address % 8 != 0) return fail_at(where, "an address in the middle of an instruction of `{}`", name);
      return FunctionRef{TRY(function_at(section, address / 8, where))};
    }
    return data(section, symbol, address, where);
  }

  Reference external(const ElfSymbol& symbol, const std::string& where) {
    const auto index = static_cast<std::size_t>(&symbol - elf_.symbols().data());
    if (reading_.externs[index]) return ExternRef{*reading_.externs[index]};
    auto& externs = reading_.object.externs;
    externs.push_back({.name = std::string(symbol.name), .essence = std::string(symbol.name), .weak = symbol.binding == Binding::weak, .kind = UndeclaredExtern{}});
    reading_.externs[index] = ExternIdx(externs.size() - 1);
    reading_.object.warnings.push_back({.where = where,
        .message = fmt::format("`{}` is not defined here, and no `extern` declares what it is", symbol.name),
        .hint = std::string(kDeclareIt)});
    return ExternRef{*reading_.externs[index]};
  }

  /// The function that begins at this slot of a section.
  Result<FunctionIdx> function_at(const ElfSection& section, std::int64_t slot, const std::string& where) {
    auto key = std::pair(section.index, static_cast<std::uint64_t>(slot));
    auto found = std::ranges::lower_bound(candidates_, key, {}, [](const Candidate& c) { return std::pair(c.extent.section, std::uint64_t{c.extent.start}); });
    if (slot < 0 || found == candidates_.end() || found->extent.section != section.index || found->extent.start != key.second)
      return fail_at(where, "a reference to instruction {} of section {}, where no function begins", slot, section.name);
    found->referenced = true;
    return static_cast<FunctionIdx>(found - candidates_.begin());
  }

  Result<Reference> data(const ElfSection& section, const ElfSymbol& symbol, std::int64_t address, const std::string& where) {
    if (auto map = reading_.data_maps[section.index]) {
      if (address < 0 || static_cast<std::uint64_t>(address) > section.size)
        return fail_at(where, "`{}` at {} is outside section {}, whose size is {}", elf_.name_of(symbol), address, section.name, section.size);
      return MapValueRef{*map, static_cast<std::uint32_t>(address)};
    }
    if (auto map = reading_.map_places.find({section.index, static_cast<std::uint64_t>(address)}); address >= 0 && map != reading_.map_places.end())
      return MapRef{map->second};
    return fail_at(where, "a reference to `{}` in section {}, which holds neither code, nor maps, nor variables", elf_.name_of(symbol), section.name);
  }

  Reading& reading_;
  const ElfFile& elf_;
  std::unordered_map<std::string_view, const btf::ExtSection*> ext_;   // by section name, those that no section has taken
  std::vector<Candidate> candidates_;   // sorted by section, then start
};

// ---- which functions are programs ----

/// `N/M` (iproute2): the program fills slot M of the prog array with id N.
std::optional<std::pair<std::uint32_t, std::uint32_t>> tail_call_tag(std::string_view section) {
  const std::size_t slash = section.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto id = parse_number<std::uint32_t>(section.substr(0, slash)), slot = parse_number<std::uint32_t>(section.substr(slash + 1));
  if (!id || !slot) return std::nullopt;
  return std::pair(*id, *slot);
}

void fill_tail_call_slot(Reading& reading, const ProgramSpec& program, std::uint32_t id, std::uint32_t slot) {
  if (auto map = reading.prog_arrays.find(id); map != reading.prog_arrays.end()) add_slot(reading.object.map(map->second), slot, program.name);
}

/// Sets what the section name says of a program; odd names get a warning.
void describe_section(Reading& reading, ProgramSpec& program) {
  const std::string& name = program.code.section;
  const std::string where = fmt::format("{}: section {}", reading.elf.path(), name);
  auto match = match_section(name);
  if (!match) {
    match = tail_call_tag(name) ? std::nullopt : match_section_loosely(name);
    if (match) reading.warn(where, fmt::format("libbpf since 1.0 does not know this section name; read as \"{}\"", match->row->kind), fmt::format("write SEC(\"{}\")", match->row->kind));
  } else if (!match->row->instead.empty()) {
    reading.warn(where, "an old section name", fmt::format("write SEC(\"{}\")", match->row->instead));
  }
  if (match) {
    const SectionRow& row = *match->row;
    program.type = row.type;
    program.attach_type = row.attach_type;
    program.attach_target = match->target;
    program.section_kind = row.kind;
    program.flags = row.flags;
    program.autoload = match->autoload;
    program.autoattach = row.autoattach && !match->target.empty();
    return;
  }
  program.autoattach = false;
  program.autoload = !name.starts_with('?');
  if (auto tag = tail_call_tag(name)) {
    fill_tail_call_slot(reading, program, tag->first, tag->second);
    reading.warn(where, fmt::format("iproute2's way to put `{}` into slot {} of the prog array with id {}", program.name, tag->second, tag->first),
                 "name the section by the program's type, and the slots in the map: __array(values, int (void *)) … = {.values = {[SLOT] = (void *)&PROG}}");
    return;
  }
  const std::string_view near = nearest_section(name.starts_with('?') ? std::string_view(name).substr(1) : name);
  reading.warn(where, fmt::format("no program type is known by this section name, `{}` cannot be loaded", program.name),
               near.empty() ? "name the section by the program's type: SEC(\"xdp\"), SEC(\"tc\"), SEC(\"kprobe/FUNCTION\")" : fmt::format("did you mean SEC(\"{}\")?", near));
}

/// Tail call targets have their callers' type: that of the object's other programs, as far as they agree.
void type_tail_call_targets(ObjectSpec& object) {
  const ProgramSpec* known = nullptr;
  for (const ProgramSpec& program : object.programs)
    if (program.type != facts::ProgType::unspec && known == nullptr) known = &program;
  const facts::ProgType type = known != nullptr ? known->type : facts::ProgType::sched_cls;
  const auto attach_type = known != nullptr ? known->attach_type : std::nullopt;
  for (ProgramSpec& program : object.programs) {
    if (program.type != facts::ProgType::unspec || !tail_call_tag(program.code.section)) continue;
    program.type = type;
    program.attach_type = attach_type;
  }
}

/// Decides for each function whether it is a program.
void choose_programs(Reading& reading, std::vector<Candidate>& candidates) {
  const bool only_text = std::ranges::all_of(candidates, &Candidate::in_text);
  for (Candidate& candidate : candidates) {
    const std::string where = reading.elf.where(reading.elf.section(candidate.extent.section));
    const bool local = candidate.extent.binding == Binding::local;
    if (candidate.in_text) {
      candidate.program = only_text && !local && !candidate.referenced;
      if (candidate.program)
        reading.warn(where, fmt::format("`{}` is in .text, no section says what kind of program it is", candidate.code.name),
                     "put it into a section named by its type: SEC(\"xdp\"), SEC(\"tc\"), …");
      continue;
    }
    candidate.program = !local || !candidate.referenced;
    if (candidate.program && local)
      reading.warn(where, fmt::format("program `{}` is local to its file, libbpf takes only global ones", candidate.code.name), "remove `static`");
  }
}

}  // namespace

Result<void> read_programs(Reading& reading) {
  auto candidates = TRY(CodeReader(reading).read());
  choose_programs(reading, candidates);
  // Number the subprograms, and rename references from candidates to them.
  std::vector<FunctionIdx> numbers(candidates.size());
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (!candidates[i].program || candidates[i].referenced) numbers[i] = FunctionIdx{count++};
  for (Candidate& candidate : candidates) {
    for (Relocation& relocation : candidate.code.relocations) {
      if (auto* call = std::get_if<CallRef>(&relocation.to)) call->function = numbers[static_cast<std::size_t>(call->function)];
      if (auto* function = std::get_if<FunctionRef>(&relocation.to)) function->function = numbers[static_cast<std::size_t>(function->function)];
    }
  }
  for (Candidate& candidate : candidates) {
    if (!candidate.program || candidate.referenced) reading.object.functions.push_back(candidate.code);
    if (!candidate.program) continue;
    ProgramSpec program{.name = candidate.code.name, .code = std::move(candidate.code)};
    describe_section(reading, program);
    reading.object.programs.push_back(std::move(program));
  }
  type_tail_call_targets(reading.object);
  return {};
}

}  // namespace espy::object
