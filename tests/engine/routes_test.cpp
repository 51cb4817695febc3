// bpf_fib_lookup on both engines, in a network namespace with routes of every kind.
#include <sched.h>

#include <cstdlib>
#include <thread>

#include "cli/compare_engines.hpp"
#include "espy/object.hpp"
#include "kernel/test_support.hpp"

namespace espy {
namespace {

constexpr const char* kSetUp =
    "ip link set lo up && ip link add e0 type veth peer name e1 && ip link set e0 up && ip link set e1 up && ip addr add 10.1.0.1/24 dev e0 && "
    "ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:07 dev e0 nud permanent && ip route add 10.2.0.0/16 via 10.1.0.2 metric 42 && ip route add blackhole 10.3.0.0/16 && "
    "ip route add unreachable 10.4.0.0/16 && ip route add prohibit 10.5.0.0/16 && echo 1 > /proc/sys/net/ipv4/conf/all/forwarding";

void compare() {
  auto spec = object::read(ESPY_BINARY_DIR "/tests/engine/routes.bpf.o");
  ASSERT_OK(spec);
  auto target = kernel::running_target();
  ASSERT_OK(target);
  auto linked = object::link(std::move(*spec), *target);
  ASSERT_OK(linked);
  auto here = vm::Object::load(*linked);
  ASSERT_OK(here);
  auto in_kernel = kernel::Object::load(std::move(*linked));
  ASSERT_OK(in_kernel);
  kernel::TestRun input;
  input.data_in.resize(64), input.data_out_size = 256;
  input.data_in[12] = std::byte{8};
  auto expected = in_kernel->find_program("routes")->test_run(input);
  ASSERT_OK(expected);
  vm::TestRun same;
  same.data_in = input.data_in;
  auto got = vm::test_run(*(*here)->find_program("routes"), same);
  ASSERT_OK(got);
  auto differences = cli::compare_engines(*in_kernel, *expected, **here, *got);
  ASSERT_OK(differences);
  EXPECT_TRUE(differences->found.empty()) << fmt::format("{}", fmt::join(differences->found, "\n"));
}

TEST(Routes, LeadBothEnginesTheSameWay) {
  SKIP_WITHOUT_BPF();
  bool made = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0 || std::system(kSetUp) != 0) return;
    made = true;
    compare();
  }).join();
  if (!made) GTEST_SKIP() << "no network namespace with veth devices";
}

}  // namespace
}  // namespace espy
