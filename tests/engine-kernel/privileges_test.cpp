// Running with nothing but the capabilities that an object needs.
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/attach.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/object.hpp"
#include "kernel/test_support.hpp"
#include "object/read.hpp"

namespace espy::kernel {
namespace {

// Loads and attaches with only what is needed; what went wrong, or nothing.
std::string run_with_few(const std::string& name) {
  auto steps = [&]() -> Result<std::string> {
    auto spec = TRY(object::read(fmt::format("{}/tests/corpus/v3/{}.bpf.o", ESPY_BINARY_DIR, name)));
    auto target = TRY(running_target());
    auto linked = TRY(object::link(std::move(spec), target));
    CapabilitySet needed = needed_to_run(linked);
    if (needed.has(Capability::sys_admin)) return std::string("it asks for CAP_SYS_ADMIN");
    TRY(keep_capabilities(needed));
    auto object = TRY(Object::load(std::move(linked)));
    for (const Program& program : object.programs()) {
      auto probe = TRY(probe::probe_of(program.spec(), {}));
      auto link = TRY(attach(object, program, probe));
    }
    return std::string();
  };
  auto done = steps();
  return done ? *done : describe(done.error());
}

class FewPrivileges : public testing::TestWithParam<std::string> {};

TEST_P(FewPrivileges, AreEnough) {
  SKIP_WITHOUT_BPF();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t child = ::fork();
  if (child == 0) {
    std::string text = run_with_few(GetParam());
    auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written < 0 ? 1 : 0);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t size; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text, "");
}

INSTANTIATE_TEST_SUITE_P(Corpus, FewPrivileges, testing::Values("core_kernel_enums", "maps_plain", "callback_ringbuf", "kfunc_plain", "dynptr"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace espy::kernel
