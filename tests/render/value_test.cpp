#include "render/value.hpp"

#include <arpa/inet.h>

#include <cstdlib>

#include "render/per_cpu.hpp"
#include "types.hpp"

namespace espy::render {
namespace {

std::string json(std::string_view type, Bytes bytes, const ValueOptions& options = {}) {
  JsonWriter writer;
  write_json(writer, types(), type_id(type), bytes, {}, options);
  return writer.text();
}
std::string line(std::string_view type, Bytes bytes, const ValueOptions& options = {}) {
  return text(types(), type_id(type), bytes, {}, options);
}

TEST(Value, Scalars) {
  scalars v{};
  v.u8 = 255, v.s8 = -1, v.u16 = 65535, v.s32 = -2, v.u64 = ~0ULL, v.s64 = -3, v.letter = 'x', v.yes = true;
  v.f = 0.5, v.d = -1.25, v.pointer = reinterpret_cast<void*>(0xdeadUL), v.wide = -1;
  EXPECT_EQ(json("scalars", bytes_of(v)),
            R"({"u8":255,"s8":-1,"u16":65535,"s32":-2,"u64":18446744073709551615,"s64":-3,"letter":120,"yes":true,)"
            R"("f":0.5,"d":-1.25,"pointer":"0xdead","wide":"0xffffffffffffffffffffffffffffffff"})");
}

TEST(Value, EnumsByNameAndTextUpToItsEnd) {
  names v{};
  v.verdict = VERDICT_DROP;
  v.flags = static_cast<flags>(FLAG_READ | FLAG_EXEC);
  std::memcpy(v.comm, "ba\"sh\0junk", 10);
  std::memcpy(v.filename, "no\x1b" "end!!", 8);
  EXPECT_EQ(json("names", bytes_of(v)),
            R"({"verdict":"VERDICT_DROP","flags":"FLAG_READ|FLAG_EXEC","comm":"ba\"sh","filename":"no\u001bend!!","where":"0x0"})");
  EXPECT_EQ(line("names", bytes_of(v)),
            R"({.verdict = VERDICT_DROP, .flags = FLAG_READ|FLAG_EXEC, .comm = "ba"sh", .filename = "no\x1bend!!", .where = null})");
  v.verdict = VERDICT_UNKNOWN;
  v.flags = static_cast<flags>(8 | FLAG_READ);
  EXPECT_TRUE(json("names", bytes_of(v)).starts_with(R"({"verdict":"VERDICT_UNKNOWN","flags":9,)"));
  v.verdict = static_cast<verdict>(77);
  EXPECT_TRUE(json("names", bytes_of(v)).starts_with(R"({"verdict":77,)"));
}

TEST(Value, BitFields) {
  bits v{};
  v.low = 5, v.negative = -7, v.high = 0xABCDE, v.wide = 0x12'3456'789AULL, v.verdict = VERDICT_DROP;
  EXPECT_EQ(json("bits", bytes_of(v)), R"({"low":5,"negative":-7,"high":703710,"wide":78187493530,"verdict":"VERDICT_DROP"})");
}

TEST(Value, AddressesAndPorts) {
  network v{};
  v.saddr = htonl(0x7f000001), v.daddr = htonl(0x0a000203);
  v.src_ip[15] = 1;
  v.remote_addr[0] = htonl(0x20010db8), v.remote_addr[3] = htonl(5);
  std::memcpy(v.dst_mac, "\x02\x00\xab\xcd\xef\x01", 6);
  v.dport = htons(443), v.lport = 8080, v.sequence = htonl(77);
  v.via.s_addr = htonl(0x01020304);
  EXPECT_EQ(json("network", bytes_of(v)),
            R"({"saddr":"127.0.0.1","daddr":"10.0.2.3","src_ip":"::1","remote_addr":"2001:db8::5","dst_mac":"02:00:ab:cd:ef:01",)"
            R"("dport":443,"lport":8080,"sequence":77,"via":{"s_addr":"1.2.3.4"}})");
}

TEST(Value, TimesAreNumbersForProgramsAndReadableForPeople) {
  ::setenv("TZ", "UTC", 1);
  times v{};
  v.ts_ns = 5'000'001'000, v.delta_ns = 1'250'000, v.latency_us = 90, v.tagged = 1500, v.plain_ip = htonl(0x08080808), v.pointed = 0x1000;
  ValueOptions options{.symbol = [](std::uint64_t address) { return address == 0x1000 ? "vfs_read+0x10" : ""; },
                       .wall_offset_ns = std::int64_t{3600} * 1'000'000'000};
  EXPECT_EQ(json("times", bytes_of(v), options),
            R"({"ts_ns":5000001000,"delta_ns":1250000,"latency_us":90,"tagged":1500,"plain_ip":"8.8.8.8","pointed":"vfs_read+0x10"})");
  EXPECT_EQ(line("times", bytes_of(v), options),
            "{.ts_ns = 01:00:05.000001, .delta_ns = 1.25ms, .latency_us = 90us, .tagged = 1.5s, .plain_ip = 8.8.8.8, .pointed = vfs_read+0x10}");
  EXPECT_TRUE(line("times", bytes_of(v)).starts_with("{.ts_ns = 5.000001, "));
}

TEST(Value, NestedAnonymousAndArrays) {
  nested v{};
  v.id = 1, v.from = {2, -3}, v.inner_a = 4, v.inner_b = 0x0605, v.either.number = 0x00636261;
  v.grid[1][2] = 9;
  v.path[1] = {7, 8};
  EXPECT_EQ(json("nested", bytes_of(v)),
            R"({"id":1,"from":{"x":2,"y":-3},"to":{"x":0,"y":0},"inner_a":4,"inner_b":1541,"inner_c":[5,6],)"
            R"("either":{"number":6513249,"text":"abc"},"grid":[[0,0,0],[0,0,9]],"path":[{"x":0,"y":0},{"x":7,"y":8}]})");
}

TEST(Value, FlexibleArraysReachToTheEnd) {
  std::string record(4, '\0');
  record[0] = 5;
  EXPECT_EQ(json("flexible", bytes_of(record + "hello")), R"({"length":5,"name":"hello"})");
  EXPECT_EQ(json("flexible", bytes_of(record)), R"({"length":5,"name":""})");
  EXPECT_EQ(json("flexible_numbers", bytes_of(record + std::string("\1\0\0\0\2\0\0\0\3", 9))), R"({"count":5,"values":[1,2]})");
}

TEST(Value, TooFewBytesGiveWhatIsThereThenNull) {
  event v{};
  v.ts_ns = 1, v.pid = 2;
  std::memcpy(v.comm, "bash", 4);
  EXPECT_EQ(json("event", bytes_of(v).first(14)),
            R"({"ts_ns":1,"pid":2,"comm":"ba","verdict":null,"at":{"x":null,"y":null}})");
  EXPECT_EQ(json("event", {}), R"({"ts_ns":null,"pid":null,"comm":null,"verdict":null,"at":{"x":null,"y":null}})");
  nested n{};
  EXPECT_TRUE(json("nested", bytes_of(n).first(40)).ends_with(R"("grid":[[0,0,0],null],"path":[null]})")) << json("nested", bytes_of(n).first(40));
}

// Every cut of every type: no crash, and JSON that ends where it should (each bracket closed).
TEST(Value, EveryLength) {
  std::vector<std::byte> bytes(256, std::byte{0xA5});
  for (std::string_view name : {"scalars", "names", "bits", "network", "times", "nested", "flexible", "event", "flow_value", "hist"})
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      std::string whole = json(name, Bytes(bytes).first(size));
      EXPECT_TRUE(whole.starts_with('{') && whole.ends_with('}'));
      EXPECT_FALSE(line(name, Bytes(bytes).first(size)).empty());
    }
}

TEST(Value, OtherByteOrder) {
  network v{};
  v.saddr = htonl(0x7f000001);             // addresses are in network order whatever the object's
  v.dport = htons(443);
  v.lport = swap_bytes(std::uint16_t{8080});
  std::string swapped = json("network", bytes_of(v), {.endian = Endian::big});
  EXPECT_TRUE(swapped.starts_with(R"({"saddr":"127.0.0.1",)"));
  EXPECT_NE(swapped.find(R"("dport":443,"lport":8080)"), std::string::npos) << swapped;
  // Big-endian bit-fields count from the top: 3 bits 101, then 5 bits 10011.
  std::uint8_t raw[16] = {0b101'10011};
  EXPECT_TRUE(json("bits", bytes_of(raw), {.endian = Endian::big}).starts_with(R"({"low":5,"negative":-13,)"));
}

TEST(Value, FieldNameGivesAnIntegerItsMeaning) {
  std::uint32_t address = htonl(0x0a000001);
  auto counter = types().find("__u32", btf::Kind::typedef_);
  ASSERT_TRUE(counter);
  EXPECT_EQ(text(types(), counter->id(), bytes_of(address), "saddr"), "10.0.0.1");
  EXPECT_EQ(text(types(), counter->id(), bytes_of(address), "pid"), "16777226");
}

TEST(Value, Hex) {
  EXPECT_EQ(hex(bytes_of(std::string_view("\x00\xff\x10", 3))), "00 ff 10");
  EXPECT_EQ(hex({}), "");
}

TEST(Value, PrintableKeepsTextAndEscapesControl) {
  EXPECT_EQ(printable("grün\x1b[31m\n\xff\xc2\x9b"), "grün\\x1b[31m\\n\\xff\\xc2\\x9b");
}

TEST(Value, Durations) {
  EXPECT_EQ(duration_text(0), "0ns");
  EXPECT_EQ(duration_text(999), "999ns");
  EXPECT_EQ(duration_text(1'500), "1.5us");
  EXPECT_EQ(duration_text(90, 1'000'000'000), "90s");
  EXPECT_EQ(duration_text(-2'000'000), "-2ms");
}

TEST(PerCpu, AddsWhatCountsAndKeepsTheRest) {
  flow_value cpus[3] = {};
  cpus[0].packets = 1, cpus[1].packets = 2, cpus[2].packets = 4;
  cpus[1].bytes = ~0ULL, cpus[2].bytes = 2;    // wraps as the program's would
  std::memcpy(cpus[1].comm, "first", 5);
  std::memcpy(cpus[2].comm, "second", 6);
  cpus[0].last_ts = 5, cpus[1].last_ts = 9, cpus[2].last_ts = 7;
  cpus[0].level = -5, cpus[2].level = 2;
  cpus[0].share = 4000, cpus[1].share = 90, cpus[2].rest = 3;
  Shape shape(types(), type_id("flow_value"));
  auto sum = sum_per_cpu(shape, bytes_of(cpus), sizeof(flow_value), sizeof(flow_value));
  EXPECT_EQ(json("flow_value", sum), R"({"packets":7,"bytes":1,"comm":"first","last_ts":9,"level":-3,"share":4090,"rest":3})");
  hist hists[2] = {};
  hists[0].slots[1] = 1, hists[1].slots[1] = 2, hists[1].slots[7] = 5;
  sum = sum_per_cpu(Shape(types(), type_id("hist")), bytes_of(hists), sizeof(hist), sizeof(hist));
  EXPECT_EQ(json("hist", sum), R"({"slots":[0,3,0,0,0,0,0,5],"comm":""})");
}

}  // namespace
}  // namespace espy::render
