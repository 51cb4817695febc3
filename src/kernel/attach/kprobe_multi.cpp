// Many kernel functions with one link (kprobe.multi, 5.18), both ends of a call with one program (kprobe.session, 6.10).
#include <cerrno>

#include <span>

#include "kernel/attach/kernel_functions.hpp"
#include "kernel/attach/perf_event.hpp"

namespace espy::kernel::attaching {

namespace {

// link_create.kprobe_multi of union bpf_attr.
struct KprobeMultiAttr {
  std::uint32_t flags = 0, count = 0;
  std::uint64_t symbols = 0, addresses = 0, cookies = 0;
};
constexpr std::uint32_t kReturn = 1;   // BPF_F_KPROBE_MULTI_RETURN

}  // namespace

namespace {

UniqueFd open_multi(const Call& call, const probe::KprobeMulti& probe, std::span<const char* const> symbols, std::span<const std::uint64_t> addresses,
                    std::span<const std::uint64_t> cookies) {
  LinkCreateAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()),
                      .target = 0,
                      .attach_type = static_cast<std::uint32_t>(probe.session ? facts::AttachType::trace_kprobe_session : facts::AttachType::trace_kprobe_multi)};
  attr.set(KprobeMultiAttr{.flags = probe.at_return ? kReturn : 0,
                           .count = static_cast<std::uint32_t>(symbols.empty() ? addresses.size() : symbols.size()),
                           .symbols = symbols.empty() ? 0 : to_u64(symbols.data()),
                           .addresses = addresses.empty() ? 0 : to_u64(addresses.data()),
                           .cookies = cookies.empty() ? 0 : to_u64(cookies.data())});
  return link_create(attr);
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::KprobeMulti& probe) {
  const Need need{.what = probe.session ? "kprobe.session" : "kprobe.multi",
                  .since = probe.session ? facts::KernelVersion{6, 10, 0} : facts::KernelVersion{5, 18, 0},
                  .options = "CONFIG_FPROBE",
                  .capabilities = kTracing};
  auto lacks = [&](Error error) {
    error.hint = tracepoints_hint(probe.pattern.empty() && !probe.symbols.empty() ? probe.symbols.front() : probe.pattern);
    return std::unexpected(std::move(error));
  };
  if (auto error = lacking(call, need)) return lacks(std::move(*error));
  std::vector<std::uint64_t> addresses;
  std::vector<const char*> symbols;
  bool is_pattern = probe.pattern.find_first_of("*?") != probe.pattern.npos;
  if (is_pattern) {
    auto found = traceable_functions(probe.pattern);
    if (!found) return lacks(wrap(std::move(found.error()), fmt::format("{}: find the functions that match", call.where)));
    addresses = std::move(*found);
    if (addresses.empty()) {
      auto failure = fail(ErrorKind::not_found, "{}: no function that can be traced matches", call.where);
      failure.error().hint = "tracefs' available_filter_functions lists those that can";
      return failure;
    }
  } else if (!probe.pattern.empty()) {
    symbols.push_back(probe.pattern.c_str());
  } else {
    for (const std::string& symbol : probe.symbols) symbols.push_back(symbol.c_str());
  }
  std::vector<std::uint64_t> cookies = probe.cookies;
  if (call.options.cookie != 0) cookies.assign(is_pattern ? addresses.size() : symbols.size(), call.options.cookie);
  UniqueFd link = open_multi(call, probe, symbols, addresses, cookies);
  if (!link) return std::unexpected(kprobe_failure(errno, call, need, symbols.size() == 1 ? symbols.front() : "", 0));
  return Link(std::move(link), is_pattern ? fmt::format("{} ({} functions)", call.where, addresses.size()) : call.where);
}

}  // namespace espy::kernel::attaching
