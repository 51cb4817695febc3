// Libraries inside zip archives, as Android's packages have them: stored, not compressed, so that they are mapped from there.
// Format: APPNOTE.TXT of PKWARE, sections 4.3.6 to 4.3.16.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace espy::symbol {

/// "base.apk!/lib/arm64-v8a/libx.so" in its two parts; nullopt: no such path.
std::optional<std::pair<std::string, std::string>> archive_path(std::string_view path);

/// Where a member's bytes stand in the archive.
struct ArchiveMember {
  std::string name = {};
  std::uint64_t offset = 0, size = 0;
};

/// Reads so many bytes of the archive at an offset; fewer at its end.
using ArchiveReader = std::function<Result<std::vector<std::byte>>(std::uint64_t offset, std::uint64_t size)>;

/// Finds a member in an archive of `size` bytes. One that is compressed, or not there, is an error that says so.
Result<ArchiveMember> find_member(const ArchiveReader& read, std::uint64_t size, std::string_view archive, std::string_view member);

}  // namespace espy::symbol
