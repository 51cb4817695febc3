// Helpers about who runs, when and where: the calling thread.
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <random>

#include "vm/cpu.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

template <clockid_t kClock>
std::uint64_t clock(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  timespec now{};
  ::clock_gettime(kClock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t random_number(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return (generator() << 16 ^ generator()) & 0xffffffff;
}

std::uint64_t processor(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return current_cpu(); }
std::uint64_t numa_node(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  unsigned node = 0;
  ::syscall(SYS_getcpu, nullptr, &node, nullptr);
  return node;
}

// In the kernel a "pid" is a thread and a "tgid" a process.
std::uint64_t pid_tgid(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  return static_cast<std::uint64_t>(::getpid()) << 32 | static_cast<std::uint32_t>(::gettid());
}
std::uint64_t uid_gid(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  return static_cast<std::uint64_t>(::getgid()) << 32 | ::getuid();
}

std::uint64_t comm(std::uint64_t to, std::uint64_t size, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (size == 0) return result(-EINVAL);
  char name[16] = {};
  ::prctl(PR_GET_NAME, name);
  std::memset(pointer<char>(to), 0, size);
  std::memcpy(pointer<char>(to), name, std::min<std::size_t>(size - 1, std::strlen(name)));
  return 0;
}

std::uint64_t attach_cookie(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return current_run()->cookie; }

// The kernel's clock of ticks. Which rate it was built with cannot be asked for: CONFIG_HZ is mostly 250.
std::uint64_t ticks(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  constexpr std::uint64_t kRate = 250, kStart = 4'294'892'296;   // it begins five minutes before 32 bits run over
  return kStart + clock<CLOCK_MONOTONIC_COARSE>(0, 0, 0, 0, 0) / (1'000'000'000 / kRate);
}

// The ids as the PID namespace sees them that the file names: here, the thread's own namespace.
std::uint64_t namespace_ids(std::uint64_t device, std::uint64_t inode, std::uint64_t to, std::uint64_t size, std::uint64_t) {
  struct stat info {};
  if (size != 8 || ::stat("/proc/self/ns/pid", &info) != 0 || info.st_dev != device || info.st_ino != inode) {
    if (static_cast<std::uint32_t>(size) != 0) std::memset(pointer<void>(to), 0, static_cast<std::uint32_t>(size));
    return result(-EINVAL);
  }
  const std::uint32_t ids[2] = {static_cast<std::uint32_t>(::gettid()), static_cast<std::uint32_t>(::getpid())};
  std::memcpy(pointer<void>(to), ids, sizeof ids);
  return 0;
}

constexpr Helper kHelpers[] = {{118, ticks}, {120, namespace_ids}, {5, clock<CLOCK_MONOTONIC>}, {125, clock<CLOCK_BOOTTIME>}, {160, clock<CLOCK_MONOTONIC_COARSE>}, {208, clock<CLOCK_TAI>},
                               {7, random_number}, {8, processor}, {42, numa_node}, {14, pid_tgid}, {15, uid_gid}, {16, comm}, {174, attach_cookie}};

}  // namespace

std::span<const Helper> task_helpers() { return kHelpers; }

}  // namespace espy::vm
