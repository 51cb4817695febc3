// The table of helpers: each that there is in the kernel is either here or refused.
#include <gtest/gtest.h>

#include "facts/prototypes.hpp"
#include "facts/tables.hpp"
#include "object/asm.hpp"
#include "object/target.hpp"
#include "vm/context/packet.hpp"
#include "vm/helpers/table.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kTailCall = 12;

TEST(Helpers, EveryOneIsThereOrRefusedWithAReason) {
  for (const facts::HelperRow& row : facts::helpers().subspan(1)) {
    const bool here = row.id == kTailCall || find_helper(row.id) != nullptr;
    EXPECT_NE(here, !why_no_helper(row.id).empty()) << row.name << " (" << row.id << ") is " << (here ? "both there and refused" : "neither there nor refused");
  }
}

TEST(Helpers, ARefusedOneIsAnErrorThatNamesItAndSaysWhy) {
  for (const facts::HelperRow& row : facts::helpers().subspan(1)) {
    const std::string_view why = why_no_helper(row.id);
    if (why.empty()) continue;
    auto spec = object::assemble_object(fmt::format(".section raw_tp/x\n.func main\n  r1 = 0\n  r2 = 0\n  r3 = 0\n  r4 = 0\n  r5 = 0\n  call {}\n  r0 = 0\n  exit\n", row.id), "test");
    ASSERT_TRUE(spec) << describe(spec.error());
    auto linked = object::link(std::move(*spec), object::Target{});
    ASSERT_TRUE(linked) << describe(linked.error());
    auto object = Object::load(std::move(*linked));
    ASSERT_FALSE(object) << row.name;
    EXPECT_EQ(object.error().kind, ErrorKind::unsupported);
    const std::string text = one_line(object.error());
    EXPECT_NE(text.find(row.name), std::string::npos) << text;
    EXPECT_NE(text.find(why), std::string::npos) << text;
  }
}

// Whatever a program passes, safe mode survives: a result or a fault.
TEST(Helpers, NoneTrustsItsArguments) {
  for (const facts::HelperRow& row : facts::helpers().subspan(1)) {
    if (find_helper(row.id) == nullptr) continue;
    for (const char* value : {"0", "1", "-1", "0x100000"}) {
      for (const char* type : {"xdp", "tc", "raw_tp/x"}) {
        std::string text = fmt::format(".map values type=hash key=4 value=8 max_entries=4\n.section {}\n.func main\n", type);
        for (int reg = 1; reg <= 5; ++reg) text += fmt::format("  r{} = {}\n", reg, value);
        text += fmt::format("  call {}\n  r0 = 0\n  exit\n", row.id);
        auto spec = object::assemble_object(text, "test");
        ASSERT_TRUE(spec) << describe(spec.error());
        auto linked = object::link(std::move(*spec), object::Target{});
        ASSERT_TRUE(linked) << describe(linked.error());
        auto object = Object::load(std::move(*linked));
        if (!object) continue;   // programs of this type have no packet
        std::vector<std::byte> bytes(64);
        if (context_layout((*object)->programs()[0].spec().type) != nullptr) {
          auto packet = Packet::make((*object)->programs()[0].spec().type, bytes);
          ASSERT_TRUE(packet) << describe(packet.error());
          static_cast<void>((*object)->programs()[0].run({.packet = &*packet, .budget = 1000}));
        } else {
          static_cast<void>((*object)->programs()[0].run({.context = bytes.data(), .context_bytes = bytes.size(), .budget = 1000}));
        }
      }
    }
  }
}

}  // namespace
}  // namespace espy::vm
