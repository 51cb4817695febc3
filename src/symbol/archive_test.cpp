#include "symbol/archive.hpp"

#include <gtest/gtest.h>

#include "base/fd.hpp"

namespace espy::symbol {
namespace {

std::vector<std::byte> seed(const char* name) { return read_file(std::string(ESPY_SOURCE_DIR "/fuzz/corpus/archive/") + name).value(); }

ArchiveReader reader_of(const std::vector<std::byte>& bytes) {
  return [&bytes](std::uint64_t offset, std::uint64_t size) -> Result<std::vector<std::byte>> {
    if (offset > bytes.size() || size > bytes.size() - offset) return fail(ErrorKind::malformed, "past the end");
    return std::vector<std::byte>(bytes.begin() + static_cast<std::ptrdiff_t>(offset), bytes.begin() + static_cast<std::ptrdiff_t>(offset + size));
  };
}

TEST(Archive, Paths) {
  EXPECT_EQ(archive_path("/a/b.apk!/lib/x.so"), std::pair(std::string("/a/b.apk"), std::string("lib/x.so")));
  for (const char* none : {"/a/b.so", "!/x", "/a!/", ""}) EXPECT_FALSE(archive_path(none)) << none;
}

TEST(Archive, FindsWhatIsStored) {
  const auto bytes = seed("stored");
  auto member = find_member(reader_of(bytes), bytes.size(), "a.zip", "lib/x.so");
  ASSERT_TRUE(member) << describe(member.error());
  ASSERT_EQ(member->size, 44U);
  EXPECT_EQ(load<std::uint32_t>(bytes, member->offset, Endian::big), 0x7f454c46U);
}

TEST(Archive, SaysWhatIsWrong) {
  const auto stored = seed("stored"), compressed = seed("compressed");
  auto absent = find_member(reader_of(stored), stored.size(), "a.zip", "lib/y.so");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().hint, "did you mean lib/x.so?");
  auto packed = find_member(reader_of(compressed), compressed.size(), "a.zip", "lib/x.so");
  ASSERT_FALSE(packed);
  EXPECT_NE(packed.error().message.find("compressed"), std::string::npos);
  const std::vector<std::byte> nothing;
  EXPECT_FALSE(find_member(reader_of(nothing), 0, "a.zip", "x"));
}

// Cut off anywhere, or with any byte changed: an error, or a member inside the archive.
TEST(Archive, BrokenOnes) {
  const auto whole = seed("stored");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    auto member = find_member(reader_of(cut), cut.size(), "a.zip", "lib/x.so");
    EXPECT_LE(member ? member->offset + member->size : 0, size);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    changed[at] ^= std::byte{0xff};
    auto member = find_member(reader_of(changed), changed.size(), "a.zip", "lib/x.so");
    EXPECT_LE(member ? member->offset + member->size : 0, whole.size());
  }
}

}  // namespace
}  // namespace espy::symbol
