// An archive ends with a record that says where its directory is; the directory has a row for each member, and says where the
// member's own header is, whose length alone tells where the bytes begin. Archives of more than 4 GB (zip64) are not read.
#include "symbol/archive.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace espy::symbol {

namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50, kRowSignature = 0x02014b50, kMemberSignature = 0x04034b50;
constexpr std::size_t kEndBytes = 22, kRowBytes = 46, kMemberBytes = 30;
constexpr std::size_t kMostComment = 65535;
constexpr std::uint64_t kMostDirectory = std::uint64_t{256} << 20;

std::uint16_t u16(Bytes bytes, std::size_t at) { return load<std::uint16_t>(bytes, at, Endian::little); }
std::uint32_t u32(Bytes bytes, std::size_t at) { return load<std::uint32_t>(bytes, at, Endian::little); }

// The directory's bytes.
Result<std::vector<std::byte>> directory(const ArchiveReader& read, std::uint64_t size, std::string_view archive) {
  const std::uint64_t tail = std::min<std::uint64_t>(size, kEndBytes + kMostComment);
  const std::vector<std::byte> end = TRY(read(size - tail, tail));
  for (std::size_t at = end.size() < kEndBytes ? 0 : end.size() - kEndBytes + 1; at-- > 0;) {
    if (u32(end, at) != kEndSignature) continue;
    const std::uint64_t bytes = u32(end, at + 12), offset = u32(end, at + 16);
    if (offset > size || bytes > size - offset || bytes > kMostDirectory) break;
    return read(offset, bytes);
  }
  return fail(ErrorKind::malformed, "{} is no zip archive", archive);
}

}  // namespace

std::optional<std::pair<std::string, std::string>> archive_path(std::string_view path) {
  const std::size_t mark = path.find("!/");
  if (mark == path.npos || mark == 0 || mark + 2 == path.size()) return std::nullopt;
  return std::pair(std::string(path.substr(0, mark)), std::string(path.substr(mark + 2)));
}

Result<ArchiveMember> find_member(const ArchiveReader& read, std::uint64_t size, std::string_view archive, std::string_view member) {
  const std::vector<std::byte> rows = TRY(directory(read, size, archive));
  std::vector<std::string> names;
  for (std::size_t at = 0; at + kRowBytes <= rows.size() && u32(rows, at) == kRowSignature;) {
    const std::size_t name_bytes = u16(rows, at + 28), row_bytes = kRowBytes + name_bytes + u16(rows, at + 30) + u16(rows, at + 32);
    if (row_bytes > rows.size() - at) break;
    const std::string_view name(reinterpret_cast<const char*>(rows.data()) + at + kRowBytes, name_bytes);
    if (name == member) {
      const std::uint16_t method = u16(rows, at + 10);
      if (method != 0) {
        auto failure = fail(ErrorKind::unsupported, "{} is compressed in {}: nobody runs it from there", member, archive);
        failure.error().hint = "probe the file that it is unpacked into";
        return failure;
      }
      const std::uint64_t header = u32(rows, at + 42), bytes = u32(rows, at + 24);
      const std::vector<std::byte> own = TRY(read(header, kMemberBytes));
      if (own.size() < kMemberBytes || u32(own, 0) != kMemberSignature) return fail(ErrorKind::malformed, "{}: {} is not where the directory says", archive, member);
      const std::uint64_t offset = header + kMemberBytes + u16(own, 26) + u16(own, 28);
      if (offset > size || bytes > size - offset) return fail(ErrorKind::malformed, "{}: {} ends behind the archive", archive, member);
      return ArchiveMember{.name = std::string(name), .offset = offset, .size = bytes};
    }
    if (name.ends_with(".so")) names.emplace_back(name);
    at += row_bytes;
  }
  auto failure = fail(ErrorKind::not_found, "{} has no {} in it", archive, member);
  const std::string_view near = nearest(member, {names.begin(), names.end()});
  if (!near.empty()) failure.error().hint = fmt::format("did you mean {}?", near);
  return failure;
}

}  // namespace espy::symbol
