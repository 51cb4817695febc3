// Each program of the corpus: what its source says of it, what the running kernel says, and what verify says.
//
// ESPY_CORPUS and ESPY_CORPUS_OBJECTS name other folders (in a guest); with ESPY_CORPUS_QUICK slow programs are left out.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "corpus_file.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/object.hpp"
#include "kernel_verdict.hpp"
#include "verifier/check.hpp"

namespace espy::corpus {
namespace {

std::string folder(const char* variable, const char* otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? given : otherwise;
}

std::vector<std::string> all_files() {
  auto files = files_of(folder("ESPY_CORPUS", ESPY_SOURCE_DIR "/tests/verifier/corpus"), folder("ESPY_CORPUS_OBJECTS", ESPY_CORPUS_OBJECTS_DIR));
  return files ? *files : std::vector<std::string>{};
}

/// The running kernel, read once.
const Result<object::Target>& target() {
  static const Result<object::Target> running = kernel::running_target();
  return running;
}

std::string spelled(bool accept, const std::string& message) { return accept ? "accept" : "reject: " + message; }

std::string place_of(const Program& program) {
  return fmt::format("{}:{}: {}", std::filesystem::path(program.file).filename().string(), program.line, program.name);
}

/// The kernel that the corpus was written on: there every verdict counts. On others the profile may miss some.
bool is_the_corpus_kernel() { return facts::KernelVersion{6, 18} <= target()->version && target()->version < facts::KernelVersion{6, 19}; }

/// What verify says of other kernels' programs: at most two in a hundred may differ.
class OtherKernels : public testing::Environment {
 public:
  static inline std::size_t programs = 0, different = 0;
  void TearDown() override {
    if (programs == 0) return;
    fmt::print("{} of {} verdicts of verify differ from kernel {}'s\n", different, programs, facts::to_string(target()->version));
    EXPECT_LE(different * 50, programs);
  }
};
[[maybe_unused]] const testing::Environment* const kOtherKernels = testing::AddGlobalTestEnvironment(new OtherKernels);

class Corpus : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_TRUE(target()) << describe(target().error());
    auto read = read_file(GetParam());
    ASSERT_TRUE(read) << describe(read.error());
    programs_ = std::move(*read);
    ASSERT_FALSE(programs_.empty()) << "no program says what is to become of it";
  }
  std::vector<Program> programs_;
};

TEST_P(Corpus, KernelSaysWhatTheSourceSays) {
  for (const Program& program : programs_) {
    if (program.unprivileged && !unprivileged_may_load()) {
      RecordProperty(program.name, "the kernel lets no unprivileged process load programs");
      continue;
    }
    if (program.slow && std::getenv("ESPY_CORPUS_QUICK") != nullptr) continue;
    const Expectation& expected = program.expected(target()->version);
    auto linked = link_alone(program, *target());
    KernelVerdict verdict;
    if (!linked) verdict.message = one_line(linked.error());
    else verdict = program.unprivileged ? ask_kernel_unprivileged(std::move(*linked)) : ask_kernel(std::move(*linked));
    if (verdict.answer == Answer::refused) {
      RecordProperty(program.name, "this machine loads no program of its kind");
      continue;
    }
    const bool accepted = verdict.answer == Answer::accepted;
    const bool same = accepted == expected.accept;
    // Messages are those of the kernel that the corpus was written on.
    const bool worded = accepted || &expected != program.expectations.data() || !is_the_corpus_kernel() ||
                        (!expected.message.empty() && verdict.message.find(expected.message) != std::string::npos);
    if (same && worded) continue;
    ADD_FAILURE() << place_of(program) << ": the source says " << spelled(expected.accept, expected.message) << "; the kernel "
                  << spelled(accepted, verdict.message);
  }
}

TEST_P(Corpus, VerifySaysWhatTheSourceSays) {
  const verifier::Kernel kernel = verifier::kernel_of(*target());
  for (const Program& program : programs_) {
    if (program.slow && std::getenv("ESPY_CORPUS_QUICK") != nullptr) continue;
    const Expectation& expected = program.expected(target()->version);
    auto linked = link_alone(program, *target());
    bool accepted = false;
    std::string message;
    if (!linked) {
      message = one_line(linked.error());
    } else {
      auto report = verifier::check(linked->object, std::span(&kernel, 1),
                                    {.programs = {program.name}, .verify = {.unprivileged = program.unprivileged}, .find_least = false});
      ASSERT_TRUE(report) << place_of(program) << ": " << describe(report.error());
      const verifier::ProgramOutcome& outcome = report->outcomes.at(0);
      accepted = outcome.outcome == verifier::Outcome::accept;
      if (!outcome.needs.empty()) message = "needs " + verifier::describe(outcome.needs.front());
      else if (!outcome.verdict.errors.empty()) message = outcome.verdict.errors.front().message + " / " + outcome.verdict.errors.front().kernel_says;
    }
    OtherKernels::programs += is_the_corpus_kernel() ? 0 : 1;
    if (accepted == expected.accept) continue;
    const std::string difference = fmt::format("{}: the source says {}; verify {}", place_of(program), spelled(expected.accept, expected.message), spelled(accepted, message));
    if (is_the_corpus_kernel()) ADD_FAILURE() << difference;
    else ++OtherKernels::different, fmt::print("{}\n", difference);
  }
}

INSTANTIATE_TEST_SUITE_P(Verifier, Corpus, testing::ValuesIn(all_files()), [](const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

}  // namespace
}  // namespace espy::corpus
