#include "symbol/debug_file.hpp"

#include <elf.h>
#include <zlib.h>

#include <algorithm>

namespace espy::symbol {

namespace {

constexpr std::uint64_t kDebugFileLimit = std::uint64_t{2} << 30;   // what is read to check its sum

// A note is {u32 name size, u32 contents size, u32 type}, the name, the contents, each padded to four bytes.
Bytes gnu_build_id(Bytes notes, Endian endian) {
  for (std::size_t at = 0; at + 12 <= notes.size();) {
    std::uint64_t name = load<std::uint32_t>(notes, at, endian), size = load<std::uint32_t>(notes, at + 4, endian);
    std::uint64_t contents = at + 12 + (name + 3) / 4 * 4;
    if (contents + size > notes.size()) return {};
    bool is_gnu = name == 4 && std::memcmp(notes.data() + at + 12, "GNU", 4) == 0;
    if (is_gnu && load<std::uint32_t>(notes, at + 8, endian) == NT_GNU_BUILD_ID) return notes.subspan(contents, size);
    at = contents + (size + 3) / 4 * 4;
  }
  return {};
}

std::string hexadecimal(Bytes bytes) {
  std::string text;
  for (std::byte b : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return text;
}

std::optional<ElfFile> open_quietly(const std::string& path) {
  auto file = ElfFile::open(path);
  if (!file) return std::nullopt;
  return std::move(*file);
}

// .gnu_debuglink: a file name, padding to four bytes, and the CRC-32 of that file.
struct DebugLink {
  std::string name;
  std::uint32_t checksum = 0;
};

std::optional<DebugLink> debug_link(const ElfFile& file) {
  const Section* section = file.find_section(".gnu_debuglink");
  if (section == nullptr || section->size > 4096) return std::nullopt;
  auto bytes = file.contents(*section);
  if (!bytes) return std::nullopt;
  const std::size_t length = ::strnlen(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  const std::size_t sum = (length + 4) / 4 * 4;
  if (length == 0 || sum + 4 > bytes->size()) return std::nullopt;
  DebugLink link{std::string(reinterpret_cast<const char*>(bytes->data()), length), load<std::uint32_t>(*bytes, sum, file.endian())};
  if (link.name.find('/') != link.name.npos) return std::nullopt;
  return link;
}

bool has_checksum(const ElfFile& file, std::uint32_t wanted) {
  auto bytes = file.whole(kDebugFileLimit);
  return bytes && ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes->data()), bytes->size()) == wanted;
}

}  // namespace

std::string build_id(const ElfFile& file) {
  for (const Section& section : file.sections()) {
    if (section.type != SHT_NOTE || section.size > 1 << 16) continue;
    auto notes = file.contents(section);
    if (!notes) continue;
    if (std::string id = hexadecimal(gnu_build_id(*notes, file.endian())); !id.empty()) return id;
  }
  return {};
}

namespace {

std::vector<std::string>& debug_folders() {
  static std::vector<std::string> folders;
  return folders;
}

std::vector<std::string> roots_of(const std::string& root) {
  std::vector<std::string> roots{root};
  if (!root.empty()) roots.emplace_back();
  return roots;
}

std::optional<ElfFile> find_by_id(const std::string& id, const std::vector<std::string>& roots) {
  if (id.size() < 6) return std::nullopt;
  for (const std::string& folder : debug_folders()) {
    auto found = open_quietly(fmt::format("{}/.build-id/{}/{}.debug", folder, id.substr(0, 2), id.substr(2)));
    if (found && build_id(*found) == id) return found;
  }
  for (const std::string& root : roots) {
    auto found = open_quietly(fmt::format("{}/usr/lib/debug/.build-id/{}/{}.debug", root, id.substr(0, 2), id.substr(2)));
    if (found && build_id(*found) == id) return found;
  }
  return std::nullopt;
}

}  // namespace

void set_debug_folders(std::vector<std::string> folders) { debug_folders() = std::move(folders); }

// .gnu_debugaltlink: a path, a NUL, and the build-id of what is there.
Result<std::optional<ElfFile>> find_shared_debug_file(const ElfFile& file, const std::string& root) {
  const Section* section = file.find_section(".gnu_debugaltlink");
  if (section == nullptr) return std::nullopt;
  if (section->size > 8192) return fail(ErrorKind::malformed, "{}: a .gnu_debugaltlink of {} bytes", file.path(), section->size);
  std::vector<std::byte> bytes = TRY(file.contents(*section));
  const std::size_t length = ::strnlen(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string path(reinterpret_cast<const char*>(bytes.data()), length);
  const std::string id = hexadecimal(Bytes(bytes).subspan(std::min(length + 1, bytes.size())));
  const std::vector<std::string> roots = roots_of(root);
  if (auto found = find_by_id(id, roots)) return found;
  const std::string folder = path.starts_with('/') ? std::string() : file.path().substr(0, file.path().rfind('/') + 1);
  for (const std::string& r : roots) {
    auto found = open_quietly(r + folder + path);
    if (found && !id.empty() && build_id(*found) == id) return found;
  }
  return std::unexpected(Error{.kind = ErrorKind::not_found, .message = fmt::format("{} shares debug information with {}, which is not there", file.path(), path),
                               .hint = fmt::format("install the debug symbols that hold the file of build-id {}", id)});
}

std::optional<ElfFile> find_debug_file(const ElfFile& file, const std::string& path, const std::string& root) {
  const std::vector<std::string> roots = roots_of(root);
  const std::string id = build_id(file);
  if (auto found = find_by_id(id, roots)) return found;
  auto link = debug_link(file);
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : path.substr(0, slash), name = path.substr(slash == path.npos ? 0 : slash + 1);
  std::vector<std::string> places;
  for (const std::string& own : debug_folders()) {
    if (link) places.insert(places.end(), {own + "/" + link->name, own + folder + "/" + link->name});
    places.insert(places.end(), {own + "/" + name + ".debug", own + "/" + name, own + path + ".debug", own + path});
  }
  for (const std::string& r : roots)
    if (link) places.insert(places.end(), {r + folder + "/" + link->name, r + folder + "/.debug/" + link->name, r + "/usr/lib/debug" + folder + "/" + link->name});
  for (const std::string& place : places) {
    auto found = open_quietly(place);
    if (!found) continue;
    const bool by_id = !id.empty() && !build_id(*found).empty();
    if (by_id ? build_id(*found) == id : link && has_checksum(*found, link->checksum)) return found;
  }
  return std::nullopt;
}

}  // namespace espy::symbol
