// .BTF of an object, made true.
//
// Compilers write a section's BTF before its layout is known: the size of each datasec is zero, and so are the offsets of
// its global variables (clang leaves relocations for them that nothing applies). The ELF file knows both. Nothing else of
// the reader wants to know about that, so the blob is corrected here, once: sizes and offsets filled in, variables sorted
// by offset as kernels demand, functions and variables with hidden visibility marked static: so libbpf reads it, and then such
// a function is verified as part of its callers, and such a variable is no reason to map its section.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "object/reading.hpp"

namespace espy::object {
namespace {

using btf::Kind;

/// Bytes of a type after its 12-byte header.
std::size_t tail_size(std::uint32_t info) {
  const std::size_t vlen = info & 0xffff;
  switch (static_cast<Kind>(info >> 24 & 0x1f)) {
    case Kind::int_:
    case Kind::var:
    case Kind::decl_tag: return 4;
    case Kind::array: return 12;
    case Kind::struct_:
    case Kind::union_:
    case Kind::datasec:
    case Kind::enum64: return vlen * 12;
    case Kind::enum_:
    case Kind::func_proto: return vlen * 8;
    case Kind::void_:
    case Kind::ptr:
    case Kind::fwd:
    case Kind::typedef_:
    case Kind::volatile_:
    case Kind::const_:
    case Kind::restrict_:
    case Kind::func:
    case Kind::float_:
    case Kind::type_tag: return 0;
  }
  return 0;
}

struct NewDatasec {
  std::uint32_t size = 0;
  std::vector<btf::SectionVar> vars;
};

/// What is to change in a blob, by type id.
struct Changes {
  std::unordered_map<std::uint32_t, NewDatasec> datasecs;
  std::unordered_set<std::uint32_t> made_static;   ///< functions and variables
  bool empty() const { return datasecs.empty() && made_static.empty(); }
};

void store(std::vector<std::byte>& bytes, std::size_t offset, std::uint32_t value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// Writes the changes into a copy of the blob, which `parse` has checked, and parses that.
Result<std::shared_ptr<const btf::Btf>> apply(const btf::Btf& btf, const Changes& changes) {
  std::vector<std::byte> bytes(btf.bytes().begin(), btf.bytes().end());
  const auto header_size = load<std::uint32_t>(bytes, 4);
  std::size_t at = header_size + load<std::uint32_t>(bytes, 8);
  const std::size_t end = at + load<std::uint32_t>(bytes, 12);
  for (std::uint32_t id = btf.start_id(); at + 12 <= end; ++id) {
    const auto info = load<std::uint32_t>(bytes, at + 4);
    if (auto change = changes.datasecs.find(id); change != changes.datasecs.end()) {
      store(bytes, at + 8, change->second.size);
      std::size_t var = at + 12;
      for (const btf::SectionVar& entry : change->second.vars) {
        store(bytes, var, static_cast<std::uint32_t>(entry.type));
        store(bytes, var + 4, entry.offset);
        store(bytes, var + 8, entry.size);
        var += 12;
      }
    }
    if (changes.made_static.contains(id)) {
      // A function keeps its linkage where other kinds count members, a variable behind its header.
      if (static_cast<Kind>(info >> 24 & 0x1f) == Kind::func) store(bytes, at + 4, info & ~0xffffU);
      else store(bytes, at + 12, 0);
    }
    at += 12 + tail_size(info);
  }
  return btf::Btf::parse(std::move(bytes), btf.base(), btf.origin());
}

/// Makes this the object's BTF, and finds its datasecs: once, for a file may have very many sections.
void adopt(Reading& reading, std::shared_ptr<const btf::Btf> btf) {
  reading.object.btf = std::move(btf);
  reading.datasecs.clear();
  for (std::uint32_t id = reading.btf()->start_id(); id < reading.btf()->type_count(); ++id)
    if (btf::Type type = reading.btf()->type(btf::TypeId{id}); type.kind() == Kind::datasec) reading.datasecs.try_emplace(type.name(), type.id());
}

/// Where the symbols of each section that are not local stand, by name; made for the sections that are asked for.
class SymbolPlaces {
 public:
  using Places = std::unordered_map<std::string_view, std::uint64_t>;
  explicit SymbolPlaces(const ElfFile& elf) : elf_(elf) {}

  const Places& of(const ElfSection& section) {
    auto [at, added] = places_.try_emplace(section.index);
    if (!added) return at->second;
    for (std::uint32_t i : elf_.symbols_of(section)) {
      const ElfSymbol& symbol = elf_.symbols()[i];
      if (symbol.binding != Binding::local && !symbol.name.empty()) at->second.emplace(symbol.name, symbol.value);
    }
    return at->second;
  }

 private:
  const ElfFile& elf_;
  std::unordered_map<std::uint32_t, Places> places_;
};

/// Offsets and size of one datasec as the ELF file lays it out; nothing if the file has no such section.
std::optional<NewDatasec> laid_out(const Reading& reading, const btf::Type& datasec, SymbolPlaces& places) {
  const ElfSection* section = reading.elf.find_section(datasec.name());
  if (section == nullptr || section->index == 0) return std::nullopt;
  const SymbolPlaces::Places& symbols = places.of(*section);
  NewDatasec result{.size = static_cast<std::uint32_t>(section->size), .vars = datasec.section_vars()};
  for (btf::SectionVar& entry : result.vars) {
    auto var = reading.btf()->find(entry.type);
    if (!var || var->linkage() == btf::Linkage::static_) continue;  // clang writes offsets of static ones
    if (auto symbol = symbols.find(var->name()); symbol != symbols.end()) entry.offset = static_cast<std::uint32_t>(symbol->second);
  }
  std::ranges::stable_sort(result.vars, {}, &btf::SectionVar::offset);
  return result;
}

Changes changes_for(const Reading& reading) {
  std::unordered_set<std::string_view> hidden;
  for (const ElfSymbol& symbol : reading.elf.symbols())
    if (symbol.hidden && symbol.section != kUndefined) hidden.insert(symbol.name);
  Changes changes;
  SymbolPlaces places(reading.elf);
  const btf::Btf& btf = *reading.btf();
  for (std::uint32_t id = btf.start_id(); id < btf.type_count(); ++id) {
    btf::Type type = btf.type(btf::TypeId{id});
    if (type.kind() == Kind::datasec) {
      if (auto layout = laid_out(reading, type, places)) changes.datasecs.emplace(id, std::move(*layout));
    } else if ((type.kind() == Kind::func || type.kind() == Kind::var) && type.linkage() == btf::Linkage::global && hidden.contains(type.name())) {
      changes.made_static.insert(id);
    }
  }
  return changes;
}

}  // namespace

Result<void> read_btf(Reading& reading) {
  const ElfSection* types = reading.elf.find_section(".BTF");
  if (types == nullptr || types->bytes.empty()) {
    return {};
  }
  auto parsed = btf::Btf::parse({types->bytes.begin(), types->bytes.end()}, nullptr, reading.elf.path() + ": section .BTF");
  if (!parsed) return std::unexpected(wrap(std::move(parsed.error()), reading.elf.where(*types)));
  TRY((*parsed)->validate());
  adopt(reading, std::move(*parsed));
  if (Changes changes = changes_for(reading); !changes.empty()) adopt(reading, TRY(apply(*reading.btf(), changes)));
  const ElfSection* ext = reading.elf.find_section(".BTF.ext");
  if (ext != nullptr && !ext->bytes.empty()) {
    auto sections = btf::parse_ext(ext->bytes, *reading.btf());
    if (!sections) return std::unexpected(wrap(std::move(sections.error()), reading.elf.where(*ext)));
    reading.ext = std::move(*sections);
  }
  return {};
}

std::optional<btf::Type> datasec(const Reading& reading, std::string_view section) {
  auto found = reading.datasecs.find(section);
  return found == reading.datasecs.end() ? std::nullopt : std::optional(reading.btf()->type(found->second));
}

Result<void> lay_out_datasec(Reading& reading, btf::TypeId id, std::uint32_t size, const std::vector<btf::SectionVar>& vars) {
  Changes changes;
  changes.datasecs.emplace(static_cast<std::uint32_t>(id), NewDatasec{size, vars});
  adopt(reading, TRY(apply(*reading.btf(), changes)));
  return {};
}

}  // namespace espy::object
