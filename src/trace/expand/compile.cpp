#include "trace/expand/compile.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace espy::trace {

namespace {

constexpr std::array kCompilers = std::to_array<std::string_view>({"clang", "clang-21", "clang-20", "clang-19", "clang-18", "clang-17",
    "clang-16", "clang-15", "clang-14"});
#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "-D__TARGET_ARCH_x86";
constexpr std::string_view kSystemHeaders = "-I/usr/include/x86_64-linux-gnu";
#else
constexpr std::string_view kArchitecture = "-D__TARGET_ARCH_arm64";
constexpr std::string_view kSystemHeaders = "-I/usr/include/aarch64-linux-gnu";
#endif

Result<std::string> find_compiler() {
  const char* variable = std::getenv("PATH");
  const std::string path = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
  for (const std::string_view name : kCompilers) {
    for (const std::string_view directory : split(path, ':')) {
      std::string candidate = fmt::format("{}/{}", directory.empty() ? "." : directory, name);
      if (access(candidate.c_str(), X_OK) == 0) return candidate;
    }
  }
  return std::unexpected(Error{.kind = ErrorKind::unsupported, .message = "importing C needs clang, which is not in PATH",
                               .hint = "install clang, or import the object that it makes elsewhere (file.bpf.o)"});
}

Result<UniqueFd> memory_file(const char* name) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd) return fail_sys(errno, "memfd_create");
  return fd;
}

Result<std::vector<std::byte>> contents(const UniqueFd& fd) { return read_file(fmt::format("/proc/self/fd/{}", fd.get())); }

}  // namespace

Result<std::vector<std::byte>> compile_bpf(const std::string& path, std::span<const std::string> include_directories) {
  const std::string compiler = TRY(find_compiler());
  const UniqueFd object = TRY(memory_file("object")), words = TRY(memory_file("diagnostics"));
  std::vector<std::string> arguments = {compiler, "-target", "bpf", "-O2", "-g", "-mcpu=v3", std::string(kArchitecture),
                                        std::string(kSystemHeaders), "-Wno-unknown-attributes", "-fno-color-diagnostics"};
  for (const std::string& directory : include_directories) arguments.push_back("-I" + directory);
  arguments.insert(arguments.end(), {"-c", path, "-o", "-"});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, object.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, words.get(), STDERR_FILENO);
  pid_t child = 0;
  const int spawned = posix_spawn(&child, compiler.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) return fail_sys(spawned, "run {}", compiler);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return fail_sys(errno, "wait for {}", compiler);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return contents(object);
  Error error{.kind = ErrorKind::malformed, .message = fmt::format("{} does not compile {}", std::filesystem::path(compiler).filename().string(), path)};
  if (const auto said = contents(words)) {
    const std::string_view text(reinterpret_cast<const char*>(said->data()), said->size());
    for (const std::string_view line : split(trim(text), '\n')) {
      if (error.notes.size() < 40) error.notes.emplace_back(line);
    }
  }
  return std::unexpected(std::move(error));
}

}  // namespace espy::trace
