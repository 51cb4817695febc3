#include "kernel_verdict.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <thread>

#include "base/text.hpp"
#include "kernel/object.hpp"
#include "kernel/verifier_log.hpp"

namespace espy::corpus {
namespace {

int errno_of(const Error& error) {
  for (const Error* at = &error; at != nullptr; at = at->cause.get())
    if (at->sys != 0) return at->sys;
  return 0;
}

/// Types that some machines lock away: an EPERM without a word is theirs.
bool may_be_locked(facts::ProgType type) {
  using enum facts::ProgType;
  return type == tracing || type == lsm || type == ext || type == kprobe;
}

}  // namespace

KernelVerdict ask_kernel(object::LinkedObject linked) {
  KernelVerdict verdict;
  const facts::ProgType type = linked.programs.empty() ? facts::ProgType::unspec : linked.programs.front().spec.type;
  kernel::LoadOptions options;
  options.log_sink = [&](const std::string&, std::string_view log) { verdict.log = log; };
  auto object = kernel::Object::load(std::move(linked), options);
  if (object) {
    verdict.answer = Answer::accepted;
    return verdict;
  }
  if (errno_of(object.error()) == EPERM && trim(verdict.log).empty() && may_be_locked(type) && ::geteuid() == 0) verdict.answer = Answer::refused;
  for (const std::string& reason : kernel::read_verifier_log(verdict.log).reasons) verdict.message += (verdict.message.empty() ? "" : "; ") + reason;
  if (verdict.message.empty()) verdict.message = one_line(object.error());
  return verdict;
}

KernelVerdict ask_kernel_unprivileged(object::LinkedObject linked) {
  KernelVerdict verdict;
  // Credentials are a thread's: the C library's setresuid would change every thread's.
  std::thread([&] {
    constexpr unsigned kNobody = 65534;
    if (::syscall(SYS_setresuid, kNobody, kNobody, kNobody) != 0) verdict.message = "setresuid failed";
    else verdict = ask_kernel(std::move(linked));
  }).join();
  return verdict;
}

bool unprivileged_may_load() {
  std::ifstream file("/proc/sys/kernel/unprivileged_bpf_disabled");
  int value = 1;
  file >> value;
  return value == 0;
}

}  // namespace espy::corpus
