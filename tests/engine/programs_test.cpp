// Each program of programs/ on the kernel and in user space, interpreted and compiled: the same return values, packets and maps.
#include <sched.h>

#include <filesystem>

#include "cli/compare_engines.hpp"
#include "espy/object.hpp"
#include "kernel/test_support.hpp"

namespace espy {
namespace {

// An Ethernet frame of 64 bytes to the host, with bytes that differ everywhere.
std::vector<std::byte> frame() {
  std::vector<std::byte> bytes(64);
  for (std::size_t i = 6; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
  bytes[12] = std::byte{8}, bytes[13] = std::byte{0};
  return bytes;
}

bool takes_packets(const object::ProgramSpec& program) { return vm::context_layout(program.type) != nullptr; }

/// Keeps this thread on the CPU where it is: values of each CPU are the same only to programs that run on the same one.
class OnOneCpu {
 public:
  OnOneCpu() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here);
  }
  ~OnOneCpu() { sched_setaffinity(0, sizeof before_, &before_); }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;

 private:
  cpu_set_t before_ = {};
};

void compare_programs(const std::string& file, vm::Tier tier) {
  const OnOneCpu pinned;
  auto spec = object::read(fmt::format("{}/tests/engine/{}.bpf.o", ESPY_BINARY_DIR, file));
  ASSERT_OK(spec);
  auto target = kernel::running_target();
  ASSERT_OK(target);
  auto linked = object::link(std::move(*spec), *target);
  ASSERT_OK(linked);
  auto in_user_space = vm::Object::load(*linked, tier);
  ASSERT_OK(in_user_space);
  for (const vm::Program& program : (*in_user_space)->programs()) EXPECT_EQ(program.fallback(), "") << program.name();
  auto in_kernel = kernel::Object::load(std::move(*linked));
  ASSERT_OK(in_kernel);
  for (const kernel::Program& program : in_kernel->programs()) {
    SCOPED_TRACE(fmt::format("{}: {}", file, program.name()));
    kernel::TestRun input;
    if (takes_packets(program.spec())) input.data_in = frame(), input.data_out_size = 8192;
    else input.ctx_in.resize(64);
    auto expected = program.test_run(input);
    ASSERT_OK(expected);
    vm::TestRun same;
    same.data_in = input.data_in, same.ctx_in = input.ctx_in;
    auto got = vm::test_run(*(*in_user_space)->find_program(program.name()), same);
    ASSERT_OK(got);
    auto differences = cli::compare_engines(*in_kernel, *expected, **in_user_space, *got);
    ASSERT_OK(differences);
    EXPECT_TRUE(differences->found.empty()) << fmt::format("{}", fmt::join(differences->found, "\n"));
  }
}

class Programs : public testing::TestWithParam<std::tuple<const char*, vm::Tier>> {};

constexpr const char* kTiers[] = {"interpreted", "baseline", "optimised"};

TEST_P(Programs, MeanTheSameToBothEngines) {
  SKIP_WITHOUT_BPF();
  compare_programs(std::get<0>(GetParam()), std::get<1>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, Programs, testing::Combine(testing::Values("packet_xdp", "packet_tc", "context_flow", "calls", "maps_keyed", "maps_ordered", "references", "packet_shape", "targets", "values", "kfuncs", "old_loads"),
                                               testing::Values(vm::Tier::interpreter, vm::Tier::baseline, vm::Tier::optimised)),
                         [](const auto& info) { return fmt::format("{}_{}", std::get<0>(info.param), kTiers[static_cast<std::size_t>(std::get<1>(info.param))]); });

}  // namespace
}  // namespace espy
