// Whole processes that open, link, load and attach a CO-RE object of ten programs: ours against libbpf's, turn by turn.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>


namespace {

constexpr int kTurns = 60;
const std::string kObject = ESPY_BINARY_DIR "/bench/load/ten.bpf.o";

struct Contender {
  std::string name, program;
  std::vector<double> milliseconds = {};

  double median() {
    std::ranges::sort(milliseconds);
    return milliseconds[milliseconds.size() / 2];
  }
};

// The wall time of one process from its start to its end; negative: it failed.
double run(const std::string& program) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  char* arguments[] = {const_cast<char*>(program.c_str()), const_cast<char*>(kObject.c_str()), nullptr};
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  int status = -1;
  int error = posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
  if (error == 0) ::waitpid(child, &status, 0);
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 && status == 0 ? elapsed.count() : -1;
}

}  // namespace

int main() {
  const std::string folder = ESPY_BINARY_DIR "/bench/load/";
  Contender contenders[] = {{"libbpf, shared library", folder + "by_libbpf"},
                            {"libbpf, linked statically", folder + "by_libbpf_static"},
                            {"espy, linked statically", folder + "by_espy"}};
  for (int turn = 0; turn < kTurns; ++turn)
    for (Contender& contender : contenders) {
      double time = run(contender.program);
      if (time < 0) {
        std::printf("%s could not load and attach %s (are you root?)\n", contender.program.c_str(), kObject.c_str());
        return 1;
      }
      contender.milliseconds.push_back(time);
    }
  const double base = std::min(contenders[0].median(), contenders[1].median());
  std::printf("open + link + load + attach of 10 CO-RE programs, whole process, median of %d\n", kTurns);
  for (Contender& contender : contenders)
    std::printf("  %-28s %7.2f ms   %.2f x\n", contender.name.c_str(), contender.median(), contender.median() / base);
  return 0;
}
