// Relocated instructions are written as clang writes them: what they refer to is in the relocation alone, a 64-bit load
// as a plain constant (0, or the offset in a data section), a call as a call of the distance -1. A local function is named
// by its section and its place there, for libbpf looks for no other local symbols.
#include "object/write.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "isa/decode.hpp"
#include "object/elf_writer.hpp"
#include "object/write_types.hpp"

#ifndef EM_BPF
#define EM_BPF 247
#endif

namespace espy::object {

namespace {

// Relocation types of eBPF (llvm/BinaryFormat/ELFRelocs/BPF.def).
constexpr std::uint32_t kRelImm64 = 1;   // R_BPF_64_64: the immediate of a 64-bit load
constexpr std::uint32_t kRelAbs64 = 2;   // R_BPF_64_ABS64: eight bytes of data
constexpr std::uint32_t kRelCall = 10;   // R_BPF_64_32: the immediate of a call

// No section is larger: sizes and slots are numbers that anybody may write into a text or a BTF blob.
constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;

std::vector<std::byte> text_bytes(std::string_view text) {
  Bytes bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

class ObjectWriter {
 public:
  explicit ObjectWriter(const ObjectSpec& object) : object_(object) {}

  Result<std::vector<std::byte>> run() {
    place_functions();
    types_ = TRY(types_to_write(object_, functions_));
    TRY(definitions());
    TRY(data_sections());
    externs();
    TRY(relocations());
    struct_ops_pointers();
    TRY(slots());
    small_sections();
    return elf_.finish();
  }

 private:
  using SectionId = ElfWriter::SectionId;
  using SymbolId = ElfWriter::SymbolId;

  // ---- code ----

  SectionId code_section(const std::string& name) {
    auto [found, fresh] = code_sections_.try_emplace(name, ElfWriter::kUndefined);
    if (fresh) found->second = elf_.add_section({.name = name, .flags = SHF_ALLOC | SHF_EXECINSTR});
    return found->second;
  }

  void place_functions() {
    if (!object_.functions.empty()) code_section(".text");
    for (const FunctionSpec& function : object_.functions) function_symbols_.push_back(place(function, ".text"));
    for (const ProgramSpec& program : object_.programs) {
      program_symbols_[program.name] = place(program.code, program.code.section);
    }
  }

  SymbolId place(const FunctionSpec& function, const std::string& section_name) {
    SectionId section = code_section(section_name);
    std::vector<std::byte>& bytes = elf_.section(section).bytes;
    std::uint64_t offset = bytes.size();
    functions_.push_back({&function, static_cast<std::uint32_t>(offset / sizeof(isa::Insn))});
    Writer words(Endian::little);
    for (isa::Insn insn : function.insns) words.write(isa::to_word(insn));
    bytes.insert(bytes.end(), words.buffer().begin(), words.buffer().end());
    return elf_.add_symbol({.name = function.name,
                            .bind = static_cast<std::uint8_t>(function.is_global ? STB_GLOBAL : STB_LOCAL),
                            .type = STT_FUNC, .section = section, .value = offset, .size = words.size()});
  }

  // ---- maps ----

  SymbolId object_symbol(const std::string& name, SectionId section, std::uint64_t offset, std::uint64_t size) {
    return elf_.add_symbol({.name = name, .bind = STB_GLOBAL, .type = STT_OBJECT, .section = section, .value = offset, .size = size});
  }

  Result<void> definitions() {
    map_symbols_.resize(object_.maps.size());
    map_sections_.resize(object_.maps.size(), ElfWriter::kUndefined);
    std::map<std::string, SectionId> sections;
    for (std::size_t i = 0; i < object_.maps.size(); ++i) {
      const MapSpec& map = object_.maps[i];
      if (map.is_data()) continue;
      std::string name = map.origin == MapOrigin::btf ? std::string(".maps") : map.section;
      auto [found, fresh] = sections.try_emplace(name, ElfWriter::kUndefined);
      if (fresh) found->second = elf_.add_section({.name = name, .flags = SHF_ALLOC | SHF_WRITE});
      std::vector<std::byte>& bytes = elf_.section(found->second).bytes;
      std::uint64_t offset = (bytes.size() + 7) / 8 * 8, size = map.contents.size();
      // What BTF lays out stands where BTF says.
      if (auto definition = types_.definitions.find(map.name); definition != types_.definitions.end()) {
        offset = definition->second.offset;
        size = std::max<std::uint64_t>(size, definition->second.size);
      }
      if (offset + size > kMostBytes) {
        return fail(ErrorKind::exhausted, "the definition of map `{}` takes more than {} bytes", map.name, kMostBytes);
      }
      std::vector<std::byte> contents = map.origin == MapOrigin::legacy ? legacy_definition(map) : map.contents;
      contents.resize(std::max<std::uint64_t>(contents.size(), size));
      bytes.resize(std::max<std::uint64_t>(bytes.size(), offset + contents.size()));
      std::ranges::copy(contents, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
      map_sections_[i] = found->second;
      map_symbols_[i] = object_symbol(map.name, found->second, offset, contents.size());
      map_offsets_[map.name] = offset;
    }
    return {};
  }

  // struct bpf_map_def of libbpf before 1.0.
  static std::vector<std::byte> legacy_definition(const MapSpec& map) {
    Writer fields(Endian::little);
    for (std::uint32_t field : {static_cast<std::uint32_t>(map.type), map.key_size, map.value_size, map.max_entries, map.flags}) {
      fields.write(field);
    }
    return std::move(fields.buffer());
  }

  Result<void> data_sections() {
    for (std::size_t i = 0; i < object_.maps.size(); ++i) {
      const MapSpec& map = object_.maps[i];
      if (!map.is_data() || map.origin == MapOrigin::kconfig) continue;
      bool empty = map.origin == MapOrigin::bss;
      std::uint64_t writable = map.origin == MapOrigin::rodata ? 0 : SHF_WRITE;
      std::uint64_t size = map.contents.empty() ? map.value_size : map.contents.size();
      if (!empty && size > kMostBytes) return fail(ErrorKind::exhausted, "`{}` has more than {} bytes", map.name, kMostBytes);
      ElfWriter::Section section{.name = map.section.empty() ? map.name : map.section, .flags = SHF_ALLOC | writable};
      if (empty) section.type = SHT_NOBITS, section.empty_size = size;
      else section.bytes = map.contents, section.bytes.resize(size);
      map_sections_[i] = elf_.add_section(std::move(section));
      map_symbols_[i] = elf_.add_symbol({.name = "", .bind = STB_LOCAL, .type = STT_SECTION, .section = map_sections_[i]});
    }
    if (object_.btf == nullptr) return {};
    for (const Variable& variable : variables(object_)) {
      auto i = static_cast<std::size_t>(variable.map);
      if (map_sections_[i] == ElfWriter::kUndefined) continue;
      object_symbol(variable.name, map_sections_[i], variable.offset, variable.size);
    }
    return {};
  }

  void externs() {
    for (const ExternSpec& external : object_.externs) {
      extern_symbols_.push_back(elf_.add_symbol(
          {.name = external.name, .bind = static_cast<std::uint8_t>(external.weak ? STB_WEAK : STB_GLOBAL), .type = STT_NOTYPE}));
    }
  }

  // ---- relocations ----

  Result<void> relocations() {
    for (const PlacedFunction& placed : functions_) {
      for (const Relocation& relocation : placed.function->relocations) TRY(relocate(placed, relocation));
    }
    return {};
  }

  Result<void> relocate(const PlacedFunction& placed, const Relocation& relocation) {
    const FunctionSpec& function = *placed.function;
    if (relocation.insn >= function.insns.size()) {
      return fail(ErrorKind::invalid_argument, "`{}` has a relocation of instruction {}, behind its end", function.name, relocation.insn);
    }
    isa::Insn insn = function.insns[relocation.insn];
    bool call = insn.opcode == isa::kOpCall;
    if (!call && !(isa::is_ld_imm64(insn) && relocation.insn + 1 < function.insns.size())) {
      return fail(ErrorKind::invalid_argument, "`{}` has a relocation of instruction {}, which is no call and no 64-bit load",
                  function.name, relocation.insn);
    }
    insn.src = call ? std::to_underlying(isa::CallKind::subprogram) : std::to_underlying(isa::Pseudo::none);
    insn.off = 0;
    insn.imm = call ? -1 : 0;
    SymbolId symbol = std::visit(
        overload{
            [&](const MapRef& to) { return map_symbols_[static_cast<std::size_t>(to.map)]; },
            [&](const MapValueRef& to) {
              insn.imm = static_cast<std::int32_t>(to.offset);
              return map_symbols_[static_cast<std::size_t>(to.map)];
            },
            [&](const CallRef& to) { return subprogram(to.function, insn, call); },
            [&](const FunctionRef& to) { return subprogram(to.function, insn, call); },
            [&](const ExternRef& to) { return extern_symbols_[static_cast<std::size_t>(to.external)]; },
        },
        relocation.to);
    SectionId section = code_section(function.section);
    std::uint64_t offset = (std::uint64_t{placed.first} + relocation.insn) * sizeof(isa::Insn);
    put(section, offset, isa::to_word(insn));
    if (!call) put(section, offset + sizeof(isa::Insn), 0);
    elf_.add_relocation(section, offset, symbol, call ? kRelCall : kRelImm64);
    return {};
  }

  SymbolId subprogram(FunctionIdx index, isa::Insn& insn, bool call) {
    auto i = static_cast<std::size_t>(index);
    if (object_.function(index).is_global) return function_symbols_[i];
    if (!text_symbol_) {
      text_symbol_ = elf_.add_symbol({.name = "", .bind = STB_LOCAL, .type = STT_SECTION, .section = code_section(".text")});
    }
    std::uint32_t first = functions_[i].first;  // subprograms are placed first
    insn.imm = static_cast<std::int32_t>(call ? first - 1 : first * sizeof(isa::Insn));
    return *text_symbol_;
  }

  void put(SectionId section, std::uint64_t offset, std::uint64_t word) {
    Writer bytes(Endian::little);
    bytes.write(word);
    std::ranges::copy(bytes.buffer(), elf_.section(section).bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  }

  void struct_ops_pointers() {
    for (std::size_t i = 0; i < object_.maps.size(); ++i) {
      const MapSpec& map = object_.maps[i];
      for (const StructOpsMember& member : map.struct_ops_members) {
        auto program = program_symbols_.find(member.program);
        if (program == program_symbols_.end()) continue;
        elf_.add_relocation(map_sections_[i], map_offsets_[map.name] + member.offset, program->second, kRelAbs64);
      }
    }
  }

  // Initial values of maps of maps and prog arrays: pointers in the map's definition.
  Result<void> slots() {
    for (std::size_t i = 0; i < object_.maps.size(); ++i) {
      const MapSpec& map = object_.maps[i];
      if (map.slots.empty()) continue;
      auto definition = types_.definitions.find(map.name);
      if (definition == types_.definitions.end() || !definition->second.values) {
        return fail(ErrorKind::unsupported, "map `{}` has initial values, and its definition no place for them", map.name);
      }
      for (const SlotValue& slot : map.slots) {
        const auto* inner = std::get_if<MapIdx>(&slot.value);
        SymbolId symbol{};
        if (inner != nullptr) {
          symbol = map_symbols_[static_cast<std::size_t>(*inner)];
        } else {
          auto program = program_symbols_.find(std::get<std::string>(slot.value));
          if (program == program_symbols_.end()) return fail(ErrorKind::not_found, "no program named `{}` for map `{}`", std::get<std::string>(slot.value), map.name);
          symbol = program->second;
        }
        std::uint64_t offset = map_offsets_[map.name] + *definition->second.values + std::uint64_t{slot.slot} * 8;
        if (offset + 8 > elf_.section(map_sections_[i]).bytes.size()) {
          return fail(ErrorKind::invalid_argument, "map `{}` has no slot {}", map.name, slot.slot);
        }
        elf_.add_relocation(map_sections_[i], offset, symbol, kRelAbs64);
      }
    }
    return {};
  }

  void small_sections() {
    if (!object_.license.empty()) {
      std::vector<std::byte> text = text_bytes(object_.license);
      text.push_back(std::byte{0});
      name_variables("license", elf_.add_section({.name = "license", .flags = SHF_ALLOC | SHF_WRITE, .alignment = 1, .bytes = std::move(text)}));
    }
    if (object_.version) {
      Writer version(Endian::little);
      version.write(*object_.version);
      name_variables("version", elf_.add_section({.name = "version", .flags = SHF_ALLOC | SHF_WRITE, .alignment = 4, .bytes = std::move(version.buffer())}));
    }
    if (!types_.btf.empty()) elf_.add_section({.name = ".BTF", .alignment = 4, .bytes = std::move(types_.btf)});
    if (!types_.ext.empty()) elf_.add_section({.name = ".BTF.ext", .alignment = 4, .bytes = std::move(types_.ext)});
  }

  // libbpf looks for the symbol of every variable that BTF puts in a section, of those that hold no map too.
  void name_variables(std::string_view name, SectionId section) {
    if (object_.btf == nullptr) return;
    auto datasec = object_.btf->find(name, btf::Kind::datasec);
    if (!datasec) return;
    for (const btf::SectionVar& variable : datasec->section_vars()) {
      auto var = object_.btf->find(variable.type);
      if (var) object_symbol(std::string(var->name()), section, variable.offset, variable.size);
    }
  }

  const ObjectSpec& object_;
  ElfWriter elf_;
  WrittenTypes types_;
  std::vector<PlacedFunction> functions_;
  std::map<std::string, SectionId> code_sections_;
  std::map<std::string, SymbolId> program_symbols_;
  std::map<std::string, std::uint64_t> map_offsets_;
  std::vector<SymbolId> function_symbols_, extern_symbols_, map_symbols_;
  std::vector<SectionId> map_sections_;
  std::optional<SymbolId> text_symbol_;
};

}  // namespace

Result<std::vector<std::byte>> write_elf(const ObjectSpec& object) { return ObjectWriter(object).run(); }

}  // namespace espy::object
