// The files of data/types, as they are, inside the program: about 130 KiB each, inflated when first asked for.
#include "verifier/stored_types.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <span>
#include <string_view>

// One file, between two labels in the read-only data. The folder is given by the build.
#define ESPY_STORE(label, file)                                    \
  asm(".pushsection .rodata.stored_types,\"a\"\n"                  \
      ".global espy_types_" #label "\n.global espy_types_" #label "_end\n" \
      "espy_types_" #label ":\n.incbin \"" ESPY_TYPES_FOLDER "/" file "\"\n" \
      "espy_types_" #label "_end:\n.popsection\n");                \
  extern "C" const unsigned char espy_types_##label[], espy_types_##label##_end[]

ESPY_STORE(5_10, "5.10.btf.gz");
ESPY_STORE(6_1, "6.1.btf.gz");
ESPY_STORE(6_12, "6.12.btf.gz");
ESPY_STORE(6_18, "6.18.btf.gz");
ESPY_STORE(7_3, "7.3.btf.gz");

namespace espy::verifier {
namespace {

struct StoredRow {
  facts::KernelVersion version{};
  const unsigned char *begin, *end;
};
// Oldest first.
const std::array<StoredRow, 5> kStored{{
    {{5, 10}, espy_types_5_10, espy_types_5_10_end},
    {{6, 1}, espy_types_6_1, espy_types_6_1_end},
    {{6, 12}, espy_types_6_12, espy_types_6_12_end},
    {{6, 18}, espy_types_6_18, espy_types_6_18_end},
    {{7, 3}, espy_types_7_3, espy_types_7_3_end},
}};

constexpr std::size_t kMostBytes = std::size_t{8} << 20;

/// Inflates gzip; empty: it is none, or more than any of ours holds.
std::vector<std::byte> inflate_all(std::span<const unsigned char> packed) {
  std::vector<std::byte> bytes(packed.size() * 8);
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return {};
  stream.next_in = const_cast<unsigned char*>(packed.data());
  stream.avail_in = static_cast<unsigned>(packed.size());
  int status = Z_OK;
  while (status == Z_OK && bytes.size() <= kMostBytes) {
    if (stream.total_out == bytes.size()) bytes.resize(bytes.size() * 2);
    stream.next_out = reinterpret_cast<unsigned char*>(bytes.data()) + stream.total_out;
    stream.avail_out = static_cast<unsigned>(bytes.size() - stream.total_out);
    status = inflate(&stream, Z_NO_FLUSH);
  }
  bytes.resize(status == Z_STREAM_END ? stream.total_out : 0);
  inflateEnd(&stream);
  return bytes;
}

std::shared_ptr<const btf::Btf> types_of(const StoredRow& row) {
  auto types = btf::Btf::parse(inflate_all({row.begin, row.end}), nullptr, "types of Linux " + to_string(row.version));
  return types ? *types : nullptr;
}

}  // namespace

std::optional<StoredTypes> stored_types(facts::KernelVersion version) {
  static std::array<std::once_flag, kStored.size()> once;
  static std::array<std::shared_ptr<const btf::Btf>, kStored.size()> kept;
  const facts::KernelVersion release{version.major, version.minor};
  auto after = std::ranges::find_if(kStored, [release](const StoredRow& row) { return row.version > release; });
  const std::size_t at = after == kStored.begin() ? 0 : static_cast<std::size_t>(after - kStored.begin() - 1);
  std::call_once(once[at], [at] { kept[at] = types_of(kStored[at]); });
  if (kept[at] == nullptr) return std::nullopt;
  return StoredTypes{.version = kStored[at].version, .types = kept[at]};
}

}  // namespace espy::verifier
