// Probes in user space, in functions of this very program.
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "kernel/features.hpp"
#include "world.hpp"

extern "C" {
__attribute__((noinline, used)) int espy_probed(int x) {
  asm volatile("" : "+r"(x));
  return x + 1;
}
__attribute__((noinline, used)) int espy_many_one(int x) {
  asm volatile("" : "+r"(x));
  return x;
}
__attribute__((noinline, used)) int espy_many_two(int x) {
  asm volatile("" : "+r"(x));
  return x;
}

// The counter that a tracer raises: <sys/sdt.h> expects the name PROVIDER_PROBE_semaphore.
__extension__ __attribute__((section(".probes"), used)) unsigned short espy_test_plain_semaphore = 0;
__extension__ __attribute__((section(".probes"), used)) unsigned short espy_test_guarded_semaphore = 0;
}

namespace espy::attach_test {
namespace {

const std::string kSelf = "/proc/self/exe";

void call_probed() {
  for (int i = 0; i < 5; ++i) espy_probed(41);
}

class User : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "attaching needs CAP_BPF and CAP_PERFMON";
  }
};

TEST_F(User, FunctionEntryAndReturn) {
  auto object = load("uprobes", {"on_entry", "on_return"});
  ASSERT_TRUE(object) << describe(object.error());
  fires(*object, attach(*object, "on_entry", {.text = kSelf + ":espy_probed"}), "uprobe_hits", call_probed);
  EXPECT_EQ(number(*object, "argument") & 0xffffffff, 41U);
  EXPECT_EQ(number(*object, "uprobe_hits"), 5U);
  fires(*object, attach(*object, "on_return", {.text = "uretprobe:" + kSelf + ":espy_probed"}), "uretprobe_hits", call_probed);
  EXPECT_EQ(number(*object, "returned") & 0xffffffff, 42U);
}

TEST_F(User, OnlyOneProcess) {
  auto object = load("uprobes", {"on_entry"});
  ASSERT_TRUE(object) << describe(object.error());
  fires(*object, attach(*object, "on_entry", {.text = kSelf + ":espy_probed", .attach = {.pid = ::getpid()}}), "uprobe_hits", call_probed);
  pid_t other = ::getppid();
  auto link = attach(*object, "on_entry", {.text = fmt::format("/proc/{}/exe:espy_probed", ::getpid()), .attach = {.pid = other}});
  ASSERT_TRUE(link) << describe(link.error());
  std::uint64_t before = number(*object, "uprobe_hits");
  call_probed();
  EXPECT_EQ(number(*object, "uprobe_hits"), before);
}

TEST_F(User, Cookie) {
  if (!since(5, 15)) GTEST_SKIP() << "attach cookies came with 5.15";
  auto object = load("uprobes", {"with_cookie"});
  ASSERT_TRUE(object) << describe(object.error());
  auto link = attach(*object, "with_cookie", {.text = kSelf + ":espy_probed", .attach = {.pid = {}, .cookie = 99}});
  ASSERT_TRUE(link) << describe(link.error());
  call_probed();
  EXPECT_EQ(number(*object, "cookie_seen"), 99U);
}

TEST_F(User, ErrorsNameWhatIsNear) {
  auto object = load("uprobes", {"on_entry"});
  ASSERT_TRUE(object) << describe(object.error());
  auto text_of = [&](const std::string& target) {
    auto link = attach(*object, "on_entry", {.text = target});
    return link ? std::string("attached") : describe(link.error());
  };
  EXPECT_NE(text_of(kSelf + ":espy_probd").find("did you mean `espy_probed`?"), std::string::npos);
  EXPECT_NE(text_of("no-such-program:main").find("no program `no-such-program`"), std::string::npos);
  EXPECT_NE(text_of("/no/such/file:main").find("No such file"), std::string::npos);
  EXPECT_NE(text_of("/proc/version:main").find("no ELF file"), std::string::npos);
  EXPECT_NE(text_of(kSelf + ":espy_probed+0x100000").find("bytes"), std::string::npos);
}

TEST_F(User, LibraryFunctionOfAnotherProcess) {
  auto object = load("uprobes", {"on_entry"});
  ASSERT_TRUE(object) << describe(object.error());
  auto link = attach(*object, "on_entry", {.text = "libc.so.6:malloc"});
  if (!link && link.error().kind == ErrorKind::not_found) GTEST_SKIP() << "no shared libc here";
  std::error_code none;
  if (!std::filesystem::canonical("/bin/ls", none).string().ends_with("/ls")) GTEST_SKIP() << "no program here that is linked with the shared libc";
  fires(*object, std::move(link), "uprobe_hits", [] { run("/bin/ls / >/dev/null"); });
}

TEST_F(User, ManyFunctions) {
  auto object = load("uprobe_multi");
  if (!object) {
    EXPECT_FALSE(since(6, 6)) << describe(object.error());
    return;
  }
  auto call_both = [] { espy_many_one(1), espy_many_two(2); };
  auto link = attach(*object, "on_entries", {.text = kSelf + ":espy_many_*"});
  if (!since(6, 6)) {
    ASSERT_FALSE(link);
    EXPECT_NE(describe(link.error()).find("needs Linux 6.6"), std::string::npos) << describe(link.error());
    return;
  }
  fires(*object, std::move(link), "multi_hits", call_both);
  EXPECT_EQ(number(*object, "multi_hits"), 2U);
  fires(*object, attach(*object, "on_returns", {.text = kSelf + ":espy_many_*", .attach = {.pid = ::getpid()}}), "multi_return_hits", call_both);
  auto none = attach(*object, "on_entries", {.text = kSelf + ":zzz_nothing_*"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
}

TEST_F(User, BothEndsOfManyFunctions) {
  auto object = load("uprobe_session");
  auto refusal = [](const Error& error) {
    EXPECT_FALSE(since(6, 13)) << describe(error);
  };
  if (!object) return refusal(object.error());
  auto link = attach(*object, "on_both", {.text = kSelf + ":espy_many_*"});
  if (!link) return refusal(link.error());
  fires(*object, std::move(link), "session_hits", [] { espy_many_one(1); });
  EXPECT_EQ(number(*object, "session_hits"), 2U);
}

// ---- USDT ----

void pass_plain(int a, long b) { STAP_PROBE3(espy_test, plain, a, b, 7); }
void pass_plain_elsewhere(long b) { STAP_PROBE3(espy_test, plain, -1, b, 8); }
void pass_guarded(std::uint8_t value) {
  if (__builtin_expect(*const_cast<volatile unsigned short*>(&espy_test_guarded_semaphore) != 0, 0)) STAP_PROBE1(espy_test, guarded, value);
}

TEST_F(User, UsdtArgumentsAndCookie) {
  auto object = load("usdt");
  ASSERT_TRUE(object) << describe(object.error());
  auto link = attach(*object, "on_plain", {.text = "usdt:" + kSelf + ":espy_test:plain", .attach = {.pid = {}, .cookie = 5}});
  if (!link && !kernel::has_feature(facts::Feature::bpf_cookie)) GTEST_SKIP() << one_line(link.error());
  ASSERT_TRUE(link) << describe(link.error());
  pass_plain(-3, 1L << 40);
  EXPECT_EQ(static_cast<std::int64_t>(number(*object, "first")), -3);
  EXPECT_EQ(number(*object, "second"), std::uint64_t{1} << 40);
  EXPECT_EQ(number(*object, "third"), 7U);
  EXPECT_EQ(number(*object, "argument_count") & 0xffffffff, 3U);
  EXPECT_EQ(number(*object, "user_cookie"), 5U);
  pass_plain_elsewhere(12);
  EXPECT_EQ(static_cast<std::int64_t>(number(*object, "first")), -1);
  EXPECT_EQ(number(*object, "second"), 12U);
  EXPECT_EQ(number(*object, "third"), 8U);
  fires(*object, std::move(link), "usdt_hits", [] { pass_plain(1, 2); });
}

TEST_F(User, UsdtSemaphoreIsRaised) {
  auto object = load("usdt");
  ASSERT_TRUE(object) << describe(object.error());
  pass_guarded(200);
  EXPECT_EQ(number(*object, "guarded_hits"), 0U);
  auto link = attach(*object, "on_guarded", {.text = "usdt:" + kSelf + ":espy_test:guarded"});
  if (!link && !kernel::has_feature(facts::Feature::bpf_cookie)) GTEST_SKIP() << one_line(link.error());
  ASSERT_TRUE(link) << describe(link.error());
  EXPECT_NE(*const_cast<volatile unsigned short*>(&espy_test_guarded_semaphore), 0);
  pass_guarded(200);
  EXPECT_EQ(number(*object, "guarded_hits"), 1U);
  EXPECT_EQ(number(*object, "guarded_value"), 200U);
  link->detach();
  EXPECT_EQ(*const_cast<volatile unsigned short*>(&espy_test_guarded_semaphore), 0);
}

TEST_F(User, UsdtErrors) {
  auto object = load("usdt");
  ASSERT_TRUE(object) << describe(object.error());
  std::string near = describe(attach(*object, "on_plain", {.text = "usdt:" + kSelf + ":espy_test:plane"}).error());
  EXPECT_NE(near.find("did you mean espy_test:plain?"), std::string::npos) << near;
  std::string none = describe(attach(*object, "on_plain", {.text = "usdt:/bin/true:a:b"}).error());
  EXPECT_NE(none.find("it was built without USDT probes"), std::string::npos) << none;
}

}  // namespace
}  // namespace espy::attach_test
