// .BTF.ext, both ways. The section has a header, then up to three parts (func_info, line_info, core_relo); each begins
// with the size of its records and then holds, per ELF section, a name, a count and the records.
// Source: Documentation/bpf/btf.rst, "4.2 .BTF.ext section".
#include "btf/ext.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "btf/kinds.hpp"

namespace espy::btf {
namespace {

constexpr std::uint32_t kSlot = 8;  // bytes of an instruction slot
constexpr std::uint32_t kFuncBytes = 8, kLineBytes = 16, kCoreBytes = 16;
constexpr std::uint32_t kShortHeader = 24, kFullHeader = 32;  // without and with the CO-RE part

constexpr std::size_t kMaxAccess = 512;

struct CoreKindRow {
  CoreKind kind;
  std::string_view name;
};
constexpr std::array kCoreKinds{
    CoreKindRow{CoreKind::field_byte_offset, "byte_off"}, CoreKindRow{CoreKind::field_byte_size, "byte_sz"},
    CoreKindRow{CoreKind::field_exists, "field_exists"},  CoreKindRow{CoreKind::field_signed, "signed"},
    CoreKindRow{CoreKind::field_lshift_u64, "lshift_u64"}, CoreKindRow{CoreKind::field_rshift_u64, "rshift_u64"},
    CoreKindRow{CoreKind::type_id_local, "local_type_id"}, CoreKindRow{CoreKind::type_id_target, "target_type_id"},
    CoreKindRow{CoreKind::type_exists, "type_exists"},    CoreKindRow{CoreKind::type_size, "type_size"},
    CoreKindRow{CoreKind::enumval_exists, "enumval_exists"}, CoreKindRow{CoreKind::enumval_value, "enumval_value"},
    CoreKindRow{CoreKind::type_matches, "type_matches"},
};
static_assert([] {
  for (std::size_t i = 0; i < kCoreKinds.size(); ++i)
    if (static_cast<std::size_t>(kCoreKinds[i].kind) != i) return false;
  return true;
}());

struct Parts {
  Bytes functions, lines, relocations;
  Endian endian = Endian::native;
};

Result<Parts> parts_of(Bytes bytes, const Btf& btf) {
  const std::string what = btf.origin() + ": .BTF.ext header";
  Parts parts;
  if (bytes.size() >= 2 && load<std::uint16_t>(bytes, 0) == swap_bytes(kMagic))
    parts.endian = Endian::native == Endian::little ? Endian::big : Endian::little;
  Reader reader(bytes, what, parts.endian);
  const auto magic = TRY(reader.read<std::uint16_t>());
  if (magic != kMagic) return fail(ErrorKind::malformed, "{}: its magic number is {:#06x}, not {:#06x}", what, magic, kMagic);
  const auto version = TRY(reader.read<std::uint8_t>());
  if (version != 1) return fail(ErrorKind::unsupported, "{}: version {} at offset 0x2 is not known", what, version);
  TRY(reader.read<std::uint8_t>());
  const auto header = TRY(reader.read<std::uint32_t>());
  if (header < kShortHeader || header > bytes.size())
    return fail(ErrorKind::malformed, "{}: header length {:#x} at offset 0x4 is not inside the {:#x} bytes", what, header, bytes.size());
  auto part = [&]() -> Result<Bytes> {
    const std::size_t at = reader.offset();
    const auto offset = TRY(reader.read<std::uint32_t>()), size = TRY(reader.read<std::uint32_t>());
    if (size == 0) return Bytes{};
    if (std::uint64_t{header} + offset + size > bytes.size())
      return fail(ErrorKind::malformed, "{}: the part at {:#x} of {:#x} bytes, named at offset {:#x}, ends past the section's end", what,
                  std::uint64_t{header} + offset, size, at);
    return bytes.subspan(header + offset, size);
  };
  parts.functions = TRY(part());
  parts.lines = TRY(part());
  if (header >= kFullHeader) parts.relocations = TRY(part());
  return parts;
}

/// Walks one part: for each record, `record(section name, reader at the record)`.
template <typename Record>
Result<void> walk(Bytes part, std::string_view name, std::uint32_t least, const Btf& btf, Endian endian, Record record) {
  if (part.empty()) return {};
  const std::string what = fmt::format("{}: .BTF.ext: {}", btf.origin(), name);
  Reader reader(part, what, endian);
  const auto size = TRY(reader.template read<std::uint32_t>());
  if (size < least || size % 4 != 0)
    return fail(ErrorKind::malformed, "{}: records of {} bytes, declared at offset 0x0, cannot be: at least {}, by fours", what, size, least);
  while (!reader.at_end()) {
    const std::size_t at = reader.offset();
    const auto section = TRY(reader.template read<std::uint32_t>()), count = TRY(reader.template read<std::uint32_t>());
    const std::string_view section_name = btf.string(section);
    if (section_name.empty()) return fail(ErrorKind::malformed, "{}: offset {:#x}: section name at string offset {:#x} is not there", what, at, section);
    if (std::uint64_t{count} * size > reader.remaining())
      return fail(ErrorKind::malformed, "{}: offset {:#x}: {} records of {} bytes for section `{}`, {} bytes are left", what, at, count, size,
                  section_name, reader.remaining());
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t begin = reader.offset();
      Reader one(TRY(reader.take(size)), what, endian);
      const auto offset = TRY(one.template read<std::uint32_t>());
      if (offset % kSlot != 0) return fail(ErrorKind::malformed, "{}: offset {:#x}: instruction offset {:#x} is not a multiple of 8", what, begin, offset);
      TRY(record(section_name, offset / kSlot, one));
    }
  }
  return {};
}

class Collector {
 public:
  explicit Collector(const Btf& btf) : btf_(btf) {}

  Result<void> functions(Bytes part, Endian endian) {
    return walk(part, "func_info", kFuncBytes, btf_, endian, [&](std::string_view section, std::uint32_t insn, Reader& one) -> Result<void> {
      in(section).functions.push_back({.insn = insn, .type = TypeId{TRY(one.read<std::uint32_t>())}});
      return {};
    });
  }
  Result<void> lines(Bytes part, Endian endian) {
    return walk(part, "line_info", kLineBytes, btf_, endian, [&](std::string_view section, std::uint32_t insn, Reader& one) -> Result<void> {
      const auto file = TRY(one.read<std::uint32_t>()), text = TRY(one.read<std::uint32_t>()), packed = TRY(one.read<std::uint32_t>());
      in(section).lines.push_back({.insn = insn, .file_name = file, .line_text = text, .line = packed >> 10, .column = packed & 0x3ff});
      return {};
    });
  }
  Result<void> relocations(Bytes part, Endian endian) {
    return walk(part, "core_relo", kCoreBytes, btf_, endian, [&](std::string_view section, std::uint32_t insn, Reader& one) -> Result<void> {
      const auto type = TRY(one.read<std::uint32_t>()), access = TRY(one.read<std::uint32_t>()), kind = TRY(one.read<std::uint32_t>());
      // No access of clang's is longer; the bound keeps what is built in proportion to what was read.
      const std::string_view text = btf_.string(access);
      if (text.size() > kMaxAccess)
        return fail(ErrorKind::malformed, "{}: .BTF.ext: core_relo: section `{}`, instruction {}: an access string of {} characters",
                    btf_.origin(), section, insn, text.size());
      in(section).relocations.push_back(
          {.insn = insn, .type = TypeId{type}, .access = std::string(text), .kind = CoreKind{kind}});
      return {};
    });
  }

  std::vector<ExtSection> take() {
    for (ExtSection& section : sections_) {
      std::ranges::stable_sort(section.functions, {}, &FuncInfo::insn);
      std::ranges::stable_sort(section.lines, {}, &LineInfo::insn);
      std::ranges::stable_sort(section.relocations, {}, &CoreRelocation::insn);
    }
    return std::move(sections_);
  }

 private:
  ExtSection& in(std::string_view name) {
    auto [at, added] = index_.try_emplace(name, sections_.size());
    if (added) sections_.emplace_back().name = name;
    return sections_[at->second];
  }

  const Btf& btf_;
  std::vector<ExtSection> sections_;
  std::map<std::string_view, std::size_t> index_;  // views of the BTF's strings
};

void write_func(Writer& out, const FuncInfo& info, std::uint32_t scale) {
  out.write(info.insn * scale);
  out.write(static_cast<std::uint32_t>(info.type));
}
void write_line(Writer& out, const LineInfo& info, std::uint32_t scale) {
  out.write(info.insn * scale);
  out.write(info.file_name);
  out.write(info.line_text);
  out.write(info.line << 10 | (info.column & 0x3ff));
}

}  // namespace

std::string_view to_string(CoreKind kind) {
  auto index = static_cast<std::size_t>(kind);
  return index < kCoreKinds.size() ? kCoreKinds[index].name : "unknown";
}

Result<std::vector<ExtSection>> parse_ext(Bytes bytes, const Btf& btf) {
  const Parts parts = TRY(parts_of(bytes, btf));
  Collector collector(btf);
  TRY(collector.functions(parts.functions, parts.endian));
  TRY(collector.lines(parts.lines, parts.endian));
  TRY(collector.relocations(parts.relocations, parts.endian));
  return collector.take();
}

std::vector<std::byte> encode_func_info(const std::vector<FuncInfo>& functions) {
  Writer out;
  for (const FuncInfo& info : functions) write_func(out, info, 1);
  return std::move(out.buffer());
}

std::vector<std::byte> encode_line_info(const std::vector<LineInfo>& lines) {
  Writer out;
  for (const LineInfo& info : lines) write_line(out, info, 1);
  return std::move(out.buffer());
}

std::vector<std::byte> encode_ext(const std::vector<ExtSection>& sections, const std::vector<std::uint32_t>& section_name_offsets,
                                  const std::function<std::uint32_t(std::string_view)>& string_offset, Endian endian) {
  // One part: record size, then per section with any records its name, their count and they themselves.
  auto part = [&](auto records_of, std::uint32_t size, auto write_one) {
    Writer out(endian);
    out.write(size);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const auto& records = records_of(sections[i]);
      if (records.empty()) continue;
      out.write(section_name_offsets[i]);
      out.write(static_cast<std::uint32_t>(records.size()));
      for (const auto& record : records) write_one(out, record);
    }
    if (out.size() == sizeof size) out.buffer().clear();
    return std::move(out.buffer());
  };
  const std::array parts{
      part([](const ExtSection& s) -> auto& { return s.functions; }, kFuncBytes, [](Writer& out, const FuncInfo& info) { write_func(out, info, kSlot); }),
      part([](const ExtSection& s) -> auto& { return s.lines; }, kLineBytes, [](Writer& out, const LineInfo& info) { write_line(out, info, kSlot); }),
      part([](const ExtSection& s) -> auto& { return s.relocations; }, kCoreBytes,
           [&](Writer& out, const CoreRelocation& relocation) {
             out.write(relocation.insn * kSlot);
             out.write(static_cast<std::uint32_t>(relocation.type));
             out.write(string_offset(relocation.access));
             out.write(static_cast<std::uint32_t>(relocation.kind));
           })};
  Writer out(endian);
  out.write(kMagic);
  out.write(std::uint8_t{1});
  out.write(std::uint8_t{0});
  out.write(kFullHeader);
  std::uint32_t offset = 0;
  for (const auto& bytes : parts) {
    out.write(offset);
    out.write(static_cast<std::uint32_t>(bytes.size()));
    offset += static_cast<std::uint32_t>(bytes.size());
  }
  for (const auto& bytes : parts) out.append(bytes);
  return std::move(out.buffer());
}

}  // namespace espy::btf
