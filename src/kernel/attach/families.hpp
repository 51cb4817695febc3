// Inside attach: one overload of attach_to for each kind of probe, and what they share. std::visit over the overloads is
// the table: a kind without a function does not compile.
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "kernel/attach.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/features.hpp"
#include "kernel/syscall.hpp"

namespace espy::kernel::attaching {

/// One request, as every family gets it.
struct Call {
  Object& object;
  const Program& program;
  const AttachOptions& options;
  std::string where;      ///< "kprobe vfs_read"

  facts::AttachType attach_type_or(facts::AttachType otherwise) const { return program.spec().attach_type.value_or(otherwise); }
};

/// What a kind of attachment needs of the kernel and of the process.
struct Need {
  std::string_view what;          ///< "kprobe.multi"
  facts::KernelVersion since{};
  std::string_view options{};     ///< "CONFIG_A,CONFIG_B"
  CapabilitySet capabilities{};
  std::string_view instead{};     ///< what serves where it is missing
};

/// Why the kernel refused: a missing version or option, a missing capability, else what errno says. `hint` is kept if
/// nothing better is known.
std::unexpected<Error> refused(int error_number, const Call& call, const Need& need, std::string hint = {});
/// The kernel is too old, or built without it; nullopt: nothing speaks against it.
std::optional<Error> lacking(const Call& call, const Need& need);

/// BPF_LINK_CREATE, laid out as Linux 6.18 has it (libbpf 1.1 knows fewer kinds).
struct LinkCreateAttr {
  std::uint32_t prog_fd = 0;      ///< or a struct_ops map
  std::uint32_t target = 0;       ///< descriptor, or interface
  std::uint32_t attach_type = 0;
  std::uint32_t flags = 0;
  std::array<std::byte, 48> kind{};   ///< the kind's own part

  template <typename T>
  void set(const T& part) {
    static_assert(sizeof(T) <= 48);
    static_assert(std::has_unique_object_representations_v<T>, "the kernel wants zeroes where a struct has padding: name it");
    std::memcpy(kind.data(), &part, sizeof part);
  }
};
static_assert(sizeof(LinkCreateAttr) == 64);

/// The new link's descriptor; empty with errno set.
UniqueFd link_create(LinkCreateAttr attr);
UniqueFd link_create(const Call& call, std::uint32_t target, facts::AttachType type);

/// BPF_PROG_ATTACH and its undoing, for kernels before links.
UniqueFd duplicate(int fd);
Result<Link> prog_attach(const Call& call, UniqueFd target, facts::AttachType type, std::uint32_t flags, const Need& need);

/// Puts the program on open perf events: as bpf_links with a cookie (5.15), else by ioctl. `cookies`: one for each event,
/// or empty: the call's for all.
Result<Link> attach_to_events(const Call& call, std::vector<UniqueFd> events, std::span<const std::uint64_t> cookies = {});

/// The interface's number in this network namespace; the error lists those there are.
Result<unsigned> interface_index(const std::string& name);

Result<Link> attach_to(const Call& call, const probe::Nothing& probe);
Result<Link> attach_to(const Call& call, const probe::Tracepoint& probe);
Result<Link> attach_to(const Call& call, const probe::RawTracepoint& probe);
Result<Link> attach_to(const Call& call, const probe::Kprobe& probe);
Result<Link> attach_to(const Call& call, const probe::KprobeMulti& probe);
Result<Link> attach_to(const Call& call, const probe::Ksyscall& probe);
Result<Link> attach_to(const Call& call, const probe::Uprobe& probe);
Result<Link> attach_to(const Call& call, const probe::UprobeMulti& probe);
Result<Link> attach_to(const Call& call, const probe::Usdt& probe);
Result<Link> attach_to(const Call& call, const probe::Trampoline& probe);
Result<Link> attach_to(const Call& call, const probe::Freplace& probe);
Result<Link> attach_to(const Call& call, const probe::PerfEvent& probe);
Result<Link> attach_to(const Call& call, const probe::Watchpoint& probe);
Result<Link> attach_to(const Call& call, const probe::Xdp& probe);
Result<Link> attach_to(const Call& call, const probe::Tc& probe);
Result<Link> attach_to(const Call& call, const probe::Netkit& probe);
Result<Link> attach_to(const Call& call, const probe::Cgroup& probe);
Result<Link> attach_to(const Call& call, const probe::Sockmap& probe);
Result<Link> attach_to(const Call& call, const probe::NetNamespace& probe);
Result<Link> attach_to(const Call& call, const probe::Netfilter& probe);
Result<Link> attach_to(const Call& call, const probe::Iterator& probe);
Result<Link> attach_to(const Call& call, const probe::StructOps& probe);
Result<Link> attach_to(const Call& call, const probe::SocketFilter& probe);
Result<Link> attach_to(const Call& call, const probe::Reuseport& probe);

}  // namespace espy::kernel::attaching
