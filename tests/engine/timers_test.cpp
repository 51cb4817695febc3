// Timers in map values on both engines: what the helpers say, and what the callbacks have done when they are through.
#include <chrono>
#include <thread>

#include "espy/kernel.hpp"
#include "espy/object.hpp"
#include "espy/vm.hpp"
#include "kernel/test_support.hpp"

namespace espy {
namespace {

constexpr const char* kPrograms[] = {"arm", "cancel", "forget"};

object::LinkedObject linked() {
  auto spec = object::read(ESPY_BINARY_DIR "/tests/engine/timers.bpf.o");
  EXPECT_TRUE(spec) << describe(spec.error());
  auto linked = object::link(std::move(*spec), *kernel::running_target());
  EXPECT_TRUE(linked) << describe(linked.error());
  return std::move(*linked);
}

/// How often the timer of this key fired, times its key + 1; waits for `wanted`, some seconds at most.
std::uint64_t fired(const auto& read, std::uint32_t key, std::uint64_t wanted) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (;;) {
    Result<std::optional<std::vector<std::byte>>> value = read(bytes_of(key));
    const std::uint64_t count = value && *value ? load<std::uint64_t>(**value, 0) : ~std::uint64_t{0};
    if (count == wanted || std::chrono::steady_clock::now() > end) return count;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::vector<std::uint64_t> notes(const auto& read) {
  std::vector<std::uint64_t> all;
  for (std::uint32_t i = 0; i < 32; ++i) {
    Result<std::optional<std::vector<std::byte>>> value = read(bytes_of(i));
    all.push_back(value && *value ? load<std::uint64_t>(**value, 0) : ~std::uint64_t{0});
  }
  return all;
}

TEST(Timers, MeanTheSameToBothEngines) {
  SKIP_WITHOUT_BPF();
  auto in_kernel = kernel::Object::load(linked());
  ASSERT_OK(in_kernel);
  kernel::TestRun input;
  input.data_in.resize(64);
  for (const char* name : kPrograms) ASSERT_OK(in_kernel->find_program(name)->test_run(input));
  const kernel::Map* kernel_armed = in_kernel->find_map("armed");
  const auto kernel_read = [&](Bytes key) { return kernel_armed->lookup(key); };
  EXPECT_EQ(fired(kernel_read, 4, 15), 15U);
  EXPECT_EQ(fired(kernel_read, 5, 0), 0U);
  EXPECT_EQ(fired(kernel_read, 6, 0), 0U);
  const auto expected = notes([&](Bytes key) { return in_kernel->find_map("results")->lookup(key); });
  for (vm::Tier tier : {vm::Tier::interpreter, vm::Tier::baseline, vm::Tier::optimised}) {
    auto here = vm::Object::load(linked(), tier);
    ASSERT_OK(here);
    for (const char* name : kPrograms) {
      vm::TestRun same;
      same.data_in = input.data_in;
      auto outcome = vm::test_run(*(*here)->find_program(name), same);
      ASSERT_OK(outcome);
      EXPECT_EQ(outcome->retval, 0U);
    }
    const std::shared_ptr<vm::Map> armed = (*here)->find_map("armed");
    const auto read = [&](Bytes key) { return armed->read(key); };
    EXPECT_EQ(fired(read, 4, 15), 15U) << "tier " << static_cast<int>(tier);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_EQ(fired(read, 6, 0), 0U) << "it went with its element";
    EXPECT_EQ(notes([&](Bytes key) { return (*here)->find_map("results")->read(key); }), expected) << "tier " << static_cast<int>(tier);
  }
}

// An object that goes while its timers are armed takes them with it.
TEST(Timers, EndWithTheirObject) {
  for (int i = 0; i < 20; ++i) {
    auto here = vm::Object::load(linked(), i % 2 == 0 ? vm::Tier::interpreter : vm::Tier::optimised);
    ASSERT_OK(here);
    vm::TestRun input;
    input.data_in.resize(64);
    ASSERT_OK(vm::test_run(*(*here)->find_program("arm"), input));
    if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace
}  // namespace espy
