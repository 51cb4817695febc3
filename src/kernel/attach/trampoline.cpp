// fentry, fexit, fmod_ret, LSM, freplace: the load settled where, attaching only says "now".
#include <linux/bpf.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"
#include "kernel/attach/kernel_functions.hpp"
#include "kernel/attach/perf_event.hpp"
#include "probe/tracefs.hpp"

namespace espy::kernel::attaching {

namespace {

struct TracingAttr { std::uint32_t target_btf_id = 0, pad = 0; std::uint64_t cookie = 0; };
struct RawTracepointAttr { std::uint64_t name = 0; std::uint32_t prog_fd = 0, pad = 0; };

constexpr Need kTrampoline{.what = "a trampoline (fentry, fexit, fmod_ret)", .since = {5, 5, 0}, .options = "CONFIG_BPF_EVENTS,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS,CONFIG_DEBUG_INFO_BTF", .capabilities = kTracing};
constexpr Need kLsm{.what = "BPF LSM", .since = {5, 7, 0}, .options = "CONFIG_BPF_LSM", .capabilities = {Capability::bpf, Capability::perfmon}};
constexpr Need kCookie{.what = "a cookie of a trampoline's program", .since = {6, 0, 0}, .capabilities = kTracing};

// BPF_RAW_TRACEPOINT_OPEN without a name is how trampolines were attached before links, and still are; a cookie needs
// BPF_LINK_CREATE.
UniqueFd open_trampoline(const Call& call) {
  if (call.options.cookie != 0) {
    LinkCreateAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()),
                        .target = 0,
                        .attach_type = static_cast<std::uint32_t>(call.attach_type_or(facts::AttachType::trace_fentry))};
    attr.set(TracingAttr{.cookie = call.options.cookie});
    return link_create(attr);
  }
  RawTracepointAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd())};
  return UniqueFd(sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr));
}

// A hook of the BPF LSM is attached without complaint where the kernel never asks it.
Result<void> check_lsm_is_asked(const Call& call) {
  auto securityfs = probe::open_filesystem("securityfs", {"/sys/kernel/security"});
  if (!securityfs) return {};   // nothing says that it is not
  UniqueFd file(::openat(securityfs->get(), "lsm", O_RDONLY | O_CLOEXEC));
  char buffer[1024];
  ssize_t size = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  if (size <= 0) return {};
  std::string_view list = trim(std::string_view(buffer, static_cast<std::size_t>(size)));
  for (std::string_view module : split(list, ','))
    if (module == "bpf") return {};
  return std::unexpected(Error{.kind = ErrorKind::unsupported,
                               .message = fmt::format("{}: the BPF LSM is not switched on; this kernel asks {}", call.where, list),
                               .hint = fmt::format("boot with lsm={},bpf on the kernel's command line", list)});
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::Trampoline& probe) {
  bool lsm = call.program.spec().type == facts::ProgType::lsm;
  if (lsm) TRY(check_lsm_is_asked(call));
  UniqueFd link = open_trampoline(call);
  if (link) return Link(std::move(link), call.where);
  int error = errno;
  if (call.options.cookie != 0 && lacking(call, kCookie)) return refused(error, call, kCookie);
  std::string hint = lsm ? std::string() : tracepoints_hint(probe.function);
  if (error == EBUSY) hint = "the function is patched or traced already in a way that excludes a trampoline";
  if (error == E2BIG) hint = "the function has as many programs as it can take (38)";
  return refused(error, call, lsm ? kLsm : kTrampoline, hint);
}

Result<Link> attach_to(const Call& call, const probe::Freplace&) {
  UniqueFd link = open_trampoline(call);
  if (link) return Link(std::move(link), call.where);
  return refused(errno, call, {.what = "freplace", .since = {5, 6, 0}, .options = "CONFIG_BPF_SYSCALL,CONFIG_DEBUG_INFO_BTF", .capabilities = {Capability::bpf}},
                 errno == EBUSY ? "the function is replaced already" : "");
}

}  // namespace espy::kernel::attaching
