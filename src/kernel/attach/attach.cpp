#include "kernel/attach.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/text.hpp"
#include "kernel/attach/families.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

Result<Link> attach(Object& object, const Program& program, const probe::Probe& probe, const AttachOptions& options) {
  attaching::Call call{object, program, options, probe::describe(probe)};
  auto link = std::visit([&](const auto& kind) { return attaching::attach_to(call, kind); }, probe);
  if (!link) return std::unexpected(wrap(std::move(link.error()), fmt::format("attach program `{}`", program.name())));
  return link;
}

namespace attaching {

std::optional<Error> lacking(const Call& call, const Need& need) {
  std::string why;
  if (running_version() != facts::KernelVersion{} && running_version() < need.since)
    why = fmt::format("{} needs Linux {} or newer, this is {}", need.what, to_string(need.since), to_string(running_version()));
  else if (auto options = options_not_set(need.options); !options.empty())
    why = fmt::format("{} needs {}, which this kernel has not set", need.what, fmt::join(options, ", "));
  if (why.empty()) return std::nullopt;
  return Error{.kind = ErrorKind::unsupported, .message = fmt::format("{}: {}", call.where, why), .hint = std::string(need.instead)};
}

std::unexpected<Error> refused(int error_number, const Call& call, const Need& need, std::string hint) {
  if (auto error = lacking(call, need)) {
    error->sys = error_number;
    return std::unexpected(std::move(*error));
  }
  auto failure = fail_sys(error_number, "{}", call.where);
  failure.error().hint = std::move(hint);
  if (failure.error().kind == ErrorKind::permission) explain_permission(failure.error(), need.capabilities);
  if (failure.error().hint.empty()) failure.error().hint = need.instead;
  return failure;
}

UniqueFd link_create(LinkCreateAttr attr) { return UniqueFd(sys_bpf(BPF_LINK_CREATE, &attr, sizeof attr)); }

UniqueFd link_create(const Call& call, std::uint32_t target, facts::AttachType type) {
  return link_create(LinkCreateAttr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()),
                                    .target = target,
                                    .attach_type = static_cast<std::uint32_t>(type)});
}

UniqueFd duplicate(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

namespace {
struct ProgAttachAttr {
  std::uint32_t target_fd = 0, attach_bpf_fd = 0, attach_type = 0, attach_flags = 0, replace_bpf_fd = 0;
};
}  // namespace

Result<Link> prog_attach(const Call& call, UniqueFd target, facts::AttachType type, std::uint32_t flags, const Need& need) {
  ProgAttachAttr attr{.target_fd = static_cast<std::uint32_t>(target.get()),
                      .attach_bpf_fd = static_cast<std::uint32_t>(call.program.fd()),
                      .attach_type = static_cast<std::uint32_t>(type),
                      .attach_flags = flags};
  if (sys_bpf(BPF_PROG_ATTACH, &attr, sizeof attr) != 0) return refused(errno, call, need);
  auto undo = [target = std::move(target), program = duplicate(call.program.fd()), type]() mutable {
    ProgAttachAttr detach{.target_fd = static_cast<std::uint32_t>(target.get()),
                          .attach_bpf_fd = static_cast<std::uint32_t>(program.get()),
                          .attach_type = static_cast<std::uint32_t>(type)};
    sys_bpf(BPF_PROG_DETACH, &detach, sizeof detach);
  };
  return Link({}, call.where, std::move(undo)).with_undo_needing(need.capabilities);
}

Result<unsigned> interface_index(const std::string& name) {
  if (unsigned index = ::if_nametoindex(name.c_str())) return index;
  Error error{.kind = ErrorKind::not_found, .message = fmt::format("no network interface `{}`", name)};
  std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> all(::if_nameindex(), ::if_freenameindex);
  std::vector<std::string_view> names;
  for (const struct if_nameindex* i = all.get(); i != nullptr && i->if_index != 0; ++i) names.emplace_back(i->if_name);
  if (!names.empty()) error.hint = fmt::format("there are {}", fmt::join(names, ", "));
  return std::unexpected(std::move(error));
}

Result<Link> attach_to(const Call&, const probe::Nothing& probe) {
  return fail(ErrorKind::unsupported, "{}", probe.reason);
}

}  // namespace attaching
}  // namespace espy::kernel
