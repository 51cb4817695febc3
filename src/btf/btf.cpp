// Opening and searching a blob.
//
// The index is one pass over the type section: each record's length follows from its kind and vlen, so the pass touches
// one header a type, writes two words for it, and checks that the record lies inside the section, that its kind is known
// and that its name lies inside the strings. All accessors rely on exactly these checks. The pass costs about 4 ns a type.
//
// A search by name does not compare names type by type. It looks for the text in the string section (one pass over
// 2 MB of text), which yields a few string offsets, mostly one, and then scans the array of name offsets for these. After
// a few searches a hash table is cheaper, and is made.
#include "btf/btf.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "btf/impl.hpp"

namespace espy::btf {
namespace {

// A search costs about 0.5 ms of vmlinux; its table of data types 1.5 ms, that of functions 4 ms.
constexpr std::array<unsigned, 2> kLookupsBeforeTable{3, 8};

std::size_t hash(std::string_view text) { return std::hash<std::string_view>{}(text); }

}  // namespace

Btf::Family Btf::family_of(Kind kind) {
  const bool code = kind == Kind::func || kind == Kind::var || kind == Kind::datasec || kind == Kind::decl_tag;
  return code ? Family::code : Family::data;
}

/// Which string offsets a search found: one in nearly all cases, which the scan compares without a set.
class Btf::Impl::OffsetSet {
 public:
  void add(std::uint32_t offset) { offsets_.push_back(offset); }
  bool empty() const { return offsets_.empty(); }
  /// Calls `found(i)` for each i whose name is in the set.
  template <typename Found>
  void scan(const std::vector<std::uint32_t>& names, Found found) const {
    if (offsets_.size() == 1) {
      const std::uint32_t wanted = offsets_.front();
      const std::uint32_t* begin = names.data();
      const std::uint32_t* end = begin + names.size();
      for (const std::uint32_t* at = begin; (at = std::find(at, end, wanted)) != end; ++at)
        found(static_cast<std::uint32_t>(at - begin));
      return;
    }
    for (std::uint32_t i = 0; i < names.size(); ++i)
      if (names[i] >= offsets_.front() && std::ranges::binary_search(offsets_, names[i])) found(i);
  }

 private:
  std::vector<std::uint32_t> offsets_;  // ascending
};

namespace {

/// Calls `found` with each place in `text` where `name` stands. Blocks of bytes are tested for the name's first, middle and
/// last character in a loop without branches, which compilers turn into vector instructions: several times the speed of
/// memmem on the short strings here.
template <typename Found>
void search(std::string_view text, std::string_view name, Found found) {
  constexpr std::size_t kBlock = 64;
  const std::size_t last = name.size() - 1, middle = last / 2;
  const char a = name.front(), b = name[middle], c = name[last];
  std::size_t at = 0;
  while (text.size() - at >= kBlock + name.size()) {
    const char* block = text.data() + at;
    unsigned char any = 0;
    for (std::size_t i = 0; i < kBlock; ++i)
      any |= static_cast<unsigned char>((block[i] == a) & (block[i + middle] == b) & (block[i + last] == c));
    if (any != 0)
      for (std::size_t i = 0; i < kBlock; ++i)
        if (block[i] == a && std::memcmp(block + i, name.data(), name.size()) == 0) found(at + i);
    at += kBlock;
  }
  for (; at + name.size() <= text.size(); ++at)
    if (text.substr(at, name.size()) == name) found(at);
}

}  // namespace

/// Adds where in the strings, base's first, a text begins that is `name` or, if `flavours`, a flavour of it. A name may be
/// the tail of a longer string, so no NUL need stand before it.
void Btf::Impl::find_strings(std::string_view name, bool flavours, OffsetSet& found) const {
  if (base) base->impl_->find_strings(name, flavours, found);
  const char* begin = reinterpret_cast<const char*>(strings.data());
  search({begin, strings.size()}, name, [&](std::size_t at) {
    // The section ends in NUL, so that a next byte is there.
    const char* end = begin + at + name.size();
    if (*end == '\0' || (flavours && *end == '_' && essential_name(begin + at) == name)) found.add(start_string + static_cast<std::uint32_t>(at));
  });
}

std::string_view to_string(Kind kind) {
  auto index = static_cast<std::size_t>(kind);
  return index < kKinds.size() ? kKinds[index].name : "unknown";
}

std::string_view essential_name(std::string_view name) {
  // The last "x___y" splits; x and y are not underscores.
  for (std::size_t end = name.rfind("___"); end != name.npos && end != 0; end = name.rfind("___", end - 1))
    if (name[end - 1] != '_' && end + 3 < name.size() && name[end + 3] != '_') return name.substr(0, end);
  return name;
}

Result<void> Btf::Impl::adopt() {
  if (base) {
    start_id = base->type_count();
    start_string = base->string_end();
  }
  blob = owned.empty() ? mapped.bytes() : Bytes(owned);
  if (blob.size() >= 2 && load<std::uint16_t>(blob, 0) == swap_bytes(kMagic)) {
    stored_endian = Endian::native == Endian::little ? Endian::big : Endian::little;
    TRY(swap_blob(owned, true, origin));
  }
  return check_header();
}

Result<void> Btf::Impl::check_header() {
  const std::string what = origin + ": BTF header";
  Reader reader(blob, what);
  const auto magic = TRY(reader.read<std::uint16_t>());
  if (magic != kMagic) return fail(ErrorKind::malformed, "{}: no BTF here: its magic number is {:#06x}, not {:#06x}", what, magic, kMagic);
  const auto version = TRY(reader.read<std::uint8_t>());
  if (version != 1) return fail(ErrorKind::unsupported, "{}: BTF version {} at offset 0x2 is not known", what, version);
  TRY(reader.read<std::uint8_t>());  // flags: none defined
  const auto header = TRY(reader.read<std::uint32_t>());
  const auto type_offset = TRY(reader.read<std::uint32_t>()), type_size = TRY(reader.read<std::uint32_t>());
  const auto string_offset = TRY(reader.read<std::uint32_t>()), string_size = TRY(reader.read<std::uint32_t>());
  if (header < kBlobHeaderBytes || header > blob.size())
    return fail(ErrorKind::malformed, "{}: header length {:#x} at offset 0x4 is not inside the {:#x} bytes", what, header, blob.size());
  const std::uint64_t room = blob.size() - header;
  if ((header + type_offset) % 4 != 0 || std::uint64_t{type_offset} + type_size > room)
    return fail(ErrorKind::malformed, "{}: type section at {:#x} of {:#x} bytes is misaligned or ends past the BTF's end", what,
                std::uint64_t{header} + type_offset, type_size);
  if (std::uint64_t{string_offset} + string_size > room)
    return fail(ErrorKind::malformed, "{}: string section at {:#x} of {:#x} bytes ends past the BTF's end", what,
                std::uint64_t{header} + string_offset, string_size);
  types = blob.subspan(header + type_offset, type_size);
  strings = blob.subspan(header + string_offset, string_size);
  if (strings.empty() && !base && !types.empty()) return fail(ErrorKind::malformed, "{}: the string section is empty", what);
  if (!strings.empty() && (strings.back() != std::byte{0} || (!base && strings.front() != std::byte{0})))
    return fail(ErrorKind::malformed, "{}: the string section at {:#x} does not begin and end with NUL", what,
                std::uint64_t{header} + string_offset);
  if (std::uint64_t{start_string} + string_size > UINT32_MAX)
    return fail(ErrorKind::malformed, "{}: more strings than 32-bit offsets can name", what);
  return {};
}

namespace {

// A record's length by kind, as two numbers: bytes = once + each * vlen. 0 for kinds that are not known.
struct RecordSize {
  std::uint32_t once = 0, each = 0;
};
constexpr auto kRecordSizes = [] {
  std::array<RecordSize, 32> sizes{};
  for (const KindRow& row : kKinds)
    if (row.kind != Kind::void_)
      sizes[static_cast<std::size_t>(row.kind)] = {static_cast<std::uint32_t>(row.bytes(0)), static_cast<std::uint32_t>(4 * row.each.size())};
  return sizes;
}();

}  // namespace

// One pass, tight: an error leaves the types before it, so that ids stay checked.
void Btf::Impl::index() {
  const std::size_t end = types.size();
  const std::uint64_t string_end = std::uint64_t{start_string} + strings.size();
  const std::byte* const begin = types.data();
  std::size_t at = 0, count = 0;
  while (end - at >= kHeaderBytes) {
    if (count == offsets.size()) {
      // vmlinux has a type per 25 bytes. Never more than one per 12 bytes that are there.
      const std::size_t room = std::max<std::size_t>(end / 25 + 16, count + (end - at) / kHeaderBytes / 4 + 16);
      offsets.resize(room), names.resize(room);
    }
    std::uint32_t name, info;
    std::memcpy(&name, begin + at, sizeof name);
    std::memcpy(&info, begin + at + 4, sizeof info);
    const RecordSize size = kRecordSizes[kind_of(info)];
    const std::size_t bytes = size.once + std::size_t{size.each} * vlen_of(info);
    if (size.once == 0 || end - at < bytes || (name >= string_end && name != 0)) break;
    offsets[count] = static_cast<std::uint32_t>(at);
    names[count] = name;
    ++count;
    at += bytes;
  }
  offsets.resize(count), names.resize(count);
  if (at != end) index_error = explain(at);
}

// Why the index stopped at an offset.
Error Btf::Impl::explain(std::size_t at) const {
  Error error{.kind = ErrorKind::malformed, .message = {}};
  error.where = fmt::format("{}: type section: offset {:#x} (type {})", origin, at, start_id + offsets.size());
  const std::size_t left = types.size() - at;
  if (left < kHeaderBytes) {
    error.message = "a type's header ends past the section's end";
    return error;
  }
  const std::uint32_t name = word(at), info = word(at + 4), kind = kind_of(info);
  if (kind == 0 || kind >= kKinds.size()) error.message = fmt::format("kind {} is not known", kind);
  else if (const KindRow& row = kKinds[kind]; left < row.bytes(vlen_of(info)))
    error.message = fmt::format("a {} with {} entries needs {} bytes, {} are left", row.name, vlen_of(info), row.bytes(vlen_of(info)), left);
  else error.message = fmt::format("a {}'s name at string offset {:#x} is past the strings", row.name, name);
  return error;
}

std::string_view Btf::Impl::string(std::uint32_t offset) const {
  if (offset < start_string) return base->impl_->string(offset);
  if (offset - start_string >= strings.size()) return {};
  return reinterpret_cast<const char*>(strings.data()) + (offset - start_string);
}

Btf::Family Btf::Impl::family(std::uint32_t index) const { return family_of(static_cast<Kind>(kind_of(word(offsets[index] + 4)))); }

void Btf::Impl::build_table(Family which) {
  NameTable& table = tables[static_cast<std::size_t>(which)];
  for (std::uint32_t i = 0; i < names.size(); ++i)
    if (names[i] != 0 && family(i) == which) table.entries.push_back({i, 0});
  table.heads.assign(std::bit_ceil(table.entries.size() + 1), 0);
  // From the back, so that each chain is in ascending order of id.
  for (std::size_t i = table.entries.size(); i-- > 0;) {
    NameTable::Entry& entry = table.entries[i];
    std::uint32_t& head = table.heads[hash(essential_name(string(names[entry.index]))) & (table.heads.size() - 1)];
    entry.next = head;
    head = static_cast<std::uint32_t>(i + 1);
  }
}

Btf::Btf(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Btf::~Btf() = default;

Result<std::shared_ptr<const Btf>> Btf::adopt(std::unique_ptr<Impl> impl) {
  TRY(impl->adopt());
  return std::shared_ptr<const Btf>(new Btf(std::move(impl)));
}

Result<std::shared_ptr<const Btf>> Btf::parse(std::vector<std::byte> bytes, std::shared_ptr<const Btf> base, std::string origin) {
  auto impl = std::make_unique<Impl>();
  impl->owned = std::move(bytes);
  impl->base = std::move(base);
  impl->origin = std::move(origin);
  auto btf = TRY(adopt(std::move(impl)));
  btf->type_count();  // makes the index
  if (btf->impl_->index_error) return std::unexpected(*btf->impl_->index_error);
  return btf;
}

std::uint32_t Btf::type_count() const {
  std::call_once(impl_->index_once, [this] { impl_->index(); });
  return impl_->start_id + static_cast<std::uint32_t>(impl_->offsets.size());
}

std::uint32_t Btf::start_id() const { return impl_->start_id; }
const std::shared_ptr<const Btf>& Btf::base() const { return impl_->base; }
const std::string& Btf::origin() const { return impl_->origin; }
Endian Btf::stored_endian() const { return impl_->stored_endian; }
Bytes Btf::bytes() const { return impl_->blob; }
Bytes Btf::type_section() const { return impl_->types; }
Bytes Btf::string_section() const { return impl_->strings; }
std::uint32_t Btf::string_end() const { return impl_->start_string + static_cast<std::uint32_t>(impl_->strings.size()); }

Type Btf::type(TypeId id) const {
  static constexpr std::array<std::byte, kHeaderBytes> void_record{};
  const auto number = static_cast<std::uint32_t>(id);
  if (number == 0 || !contains(id)) return Type(this, kVoid, void_record.data());
  if (number < impl_->start_id) return impl_->base->type(id);
  return Type(this, id, impl_->types.data() + impl_->offsets[number - impl_->start_id]);
}

Result<Type> Btf::find(TypeId id) const {
  if (!contains(id))
    return fail(ErrorKind::malformed, "{}: there is no type {}: the last is {}", origin(), static_cast<std::uint32_t>(id), type_count() - 1);
  return type(id);
}

std::vector<TypeId> Btf::own_ids(std::string_view name, Family family, bool flavours) const {
  std::vector<TypeId> ids;
  if (name.empty() || type_count() == start_id()) return ids;
  Impl& impl = *impl_;
  NameTable& table = impl.tables[static_cast<std::size_t>(family)];
  if (table.lookups.fetch_add(1, std::memory_order_relaxed) < kLookupsBeforeTable[static_cast<std::size_t>(family)]) {
    Impl::OffsetSet found;
    impl.find_strings(name, flavours, found);
    if (found.empty()) return ids;
    found.scan(impl.names, [&](std::uint32_t i) {
      if (impl.family(i) == family) ids.push_back(TypeId{impl.start_id + i});
    });
    return ids;
  }
  std::call_once(table.once, [&] { impl.build_table(family); });
  for (std::uint32_t at = table.heads[hash(essential_name(name)) & (table.heads.size() - 1)]; at != 0; at = table.entries[at - 1].next) {
    const std::uint32_t index = table.entries[at - 1].index;
    const std::string_view text = string(impl.names[index]);
    if (text == name || (flavours && essential_name(text) == name)) ids.push_back(TypeId{impl.start_id + index});
  }
  return ids;
}

std::string_view Btf::string(std::uint32_t offset) const { return impl_->string(offset); }

std::optional<Type> Btf::find(std::string_view name, Kind kind) const {
  for (TypeId id : own_ids(name, family_of(kind), false)) {
    const Type found = type(id);
    if (found.kind() == kind) return found;
  }
  return impl_->base ? impl_->base->find(name, kind) : std::nullopt;
}

std::vector<Type> Btf::find_all(std::string_view name) const {
  std::vector<Type> all;
  if (impl_->base) all = impl_->base->find_all(name);
  std::vector<TypeId> ids = own_ids(name, Family::data, false);
  const std::vector<TypeId> code = own_ids(name, Family::code, false);
  ids.insert(ids.end(), code.begin(), code.end());
  std::ranges::sort(ids);
  for (TypeId id : ids) all.push_back(type(id));
  return all;
}

std::vector<Type> Btf::find_flavours(std::string_view name) const {
  std::vector<Type> all;
  for (TypeId id : own_ids(name, Family::data, true)) all.push_back(type(id));
  return all;
}

unsigned Btf::pointer_size() const {
  std::call_once(impl_->pointer_once, [this] {
    if (impl_->base) {
      impl_->pointer_size = impl_->base->pointer_size();
      return;
    }
    for (std::string_view name : {"long", "long int", "unsigned long", "long unsigned int"})
      if (auto found = find(name, Kind::int_); found && (found->size() == 4 || found->size() == 8)) {
        impl_->pointer_size = found->size();
        return;
      }
  });
  return impl_->pointer_size;
}

}  // namespace espy::btf
