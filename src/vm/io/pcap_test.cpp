#include "vm/io/pcap.hpp"

#include <gtest/gtest.h>

namespace espy::vm {
namespace {

template <typename... Words>
std::vector<std::byte> words(Endian endian, Words... values) {
  Writer writer(endian);
  (writer.write(static_cast<std::uint32_t>(values)), ...);
  return writer.buffer();
}

std::vector<std::byte> capture(Endian endian, std::uint32_t magic, std::uint32_t link = 1) {
  auto file = words(endian, magic, 0x00040002, 0, 0, 65535, link);
  for (std::uint32_t i = 1; i <= 2; ++i) {
    auto packet = words(endian, 10 * i, 5, 4 * i, 100);
    file.insert(file.end(), packet.begin(), packet.end());
    file.insert(file.end(), 4 * i, static_cast<std::byte>(i));
  }
  return file;
}

TEST(Pcap, ReadsBothByteOrdersAndBothUnits) {
  for (Endian endian : {Endian::little, Endian::big}) {
    for (std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU}) {
      const auto file = capture(endian, magic);
      auto reader = PcapReader::open(file);
      ASSERT_TRUE(reader) << describe(reader.error());
      auto first = reader->next();
      ASSERT_TRUE(first && *first);
      EXPECT_EQ((*first)->time_ns, 10'000'000'000U + (magic == 0xa1b2c3d4 ? 5000 : 5));
      EXPECT_EQ((*first)->original_bytes, 100U);
      EXPECT_EQ((*first)->data.size(), 4U);
      auto second = reader->next();
      ASSERT_TRUE(second && *second);
      EXPECT_EQ((*second)->data.size(), 8U);
      EXPECT_EQ((*second)->data[0], std::byte{2});
      auto end = reader->next();
      EXPECT_TRUE(end && !*end);
    }
  }
}

TEST(Pcap, CutShortAtAnyPlaceIsAnErrorOrTheEndOfAPacket) {
  const auto file = capture(Endian::little, 0xa1b2c3d4);
  for (std::size_t size = 0; size < file.size(); ++size) {
    auto reader = PcapReader::open(Bytes(file).first(size));
    if (size < 24) {
      ASSERT_FALSE(reader) << size;
      EXPECT_EQ(reader.error().kind, ErrorKind::malformed);
      continue;
    }
    ASSERT_TRUE(reader);
    Result<std::optional<CapturedPacket>> packet;
    do packet = reader->next();
    while (packet && *packet);
    EXPECT_EQ(packet.has_value(), size == 24 || size == 24 + 20) << size;
    EXPECT_TRUE(packet || packet.error().kind == ErrorKind::malformed);
  }
}

TEST(Pcap, WhatIsNoneOfOursSaysSo) {
  const auto other_link = capture(Endian::little, 0xa1b2c3d4, 101);
  EXPECT_EQ(PcapReader::open(other_link).error().kind, ErrorKind::unsupported);
  const auto next_generation = words(Endian::little, 0x0a0d0d0a, 28);
  EXPECT_FALSE(PcapReader::open(next_generation).error().hint.empty());
  const auto text = words(Endian::little, 0x41414141, 0, 0, 0, 0, 0);
  EXPECT_EQ(PcapReader::open(text).error().kind, ErrorKind::malformed);
  auto huge = words(Endian::little, 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1, 1, 1, 0x7fffffff, 0x7fffffff);
  auto reader = PcapReader::open(huge);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->next().error().kind, ErrorKind::malformed);
}

TEST(Pcap, WhatIsWrittenReadsAgain) {
  PcapWriter writer;
  const std::vector<std::byte> data(60, std::byte{7});
  writer.add({.time_ns = 1'700'000'000'123'456'789, .original_bytes = 1500, .data = data});
  const auto file = writer.take();
  auto reader = PcapReader::open(file);
  ASSERT_TRUE(reader) << describe(reader.error());
  auto packet = reader->next();
  ASSERT_TRUE(packet && *packet);
  EXPECT_EQ((*packet)->time_ns, 1'700'000'000'123'456'789U);
  EXPECT_EQ((*packet)->original_bytes, 1500U);
  EXPECT_TRUE(std::ranges::equal((*packet)->data, data));
}

}  // namespace
}  // namespace espy::vm
