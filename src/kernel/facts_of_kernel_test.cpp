// What the kernel tells about itself, from the texts it tells it in.
#include <gtest/gtest.h>

#include "kernel/kallsyms.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {
namespace {

TEST(Version, IsTheOneThatTheDistributionBuiltOn) {
  EXPECT_EQ(parse_version("6.18.44-fc", "#1 SMP", ""), (facts::KernelVersion{6, 18, 44}));
  EXPECT_EQ(parse_version("6.1.0-18-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)", ""), (facts::KernelVersion{6, 1, 76}));
  EXPECT_EQ(parse_version("5.15.0-91-generic", "#101-Ubuntu SMP", "Ubuntu 5.15.0-91.101-generic 5.15.131\n"), (facts::KernelVersion{5, 15, 131}));
  EXPECT_EQ(parse_version("6.12", "#1", ""), (facts::KernelVersion{6, 12, 0}));
  EXPECT_EQ(parse_version("strange", "", ""), facts::KernelVersion{});
}

TEST(Kallsyms, FindsWholeNamesOnly) {
  const std::string_view text =
      "ffffffff81000000 T _stext\n"
      "ffffffff81000010 t helper_stext\n"
      "ffffffff81000020 D runqueues\n"
      "ffffffffc0a01000 t helper\t[module]\n"
      "ffffffff81000030 t twice\n"
      "ffffffff81000040 t twice\n"
      "0000000000000000 A hidden";
  EXPECT_EQ(find_symbol(text, "_stext").value(), 0xffffffff81000000);
  EXPECT_EQ(find_symbol(text, "runqueues").value(), 0xffffffff81000020);
  EXPECT_EQ(find_symbol(text, "helper").value(), 0xffffffffc0a01000);
  EXPECT_EQ(find_symbol(text, "stext").value(), std::nullopt);
  EXPECT_EQ(find_symbol(text, "").value(), std::nullopt);
  EXPECT_EQ(find_symbol("", "x").value(), std::nullopt);
  EXPECT_FALSE(find_symbol(text, "twice").has_value());
  EXPECT_EQ(find_symbol(text, "hidden").value(), 0U) << "others have addresses: this one is at 0";
  EXPECT_EQ(find_symbol("0000000000000000 T _stext\n0000000000000000 T hidden\n", "hidden").error().kind, ErrorKind::permission);
}

}  // namespace
}  // namespace espy::kernel
