// Capabilities: linux/capability.h.
#include <array>
#include <string>

#include "facts/features.hpp"
#include "facts/lookup.hpp"

namespace espy::facts {
namespace {

constexpr auto kCapabilities = std::to_array<CapabilityRow>({
    {.number = 0, .name = "CAP_CHOWN"},
    {.number = 1, .name = "CAP_DAC_OVERRIDE"},
    {.number = 2, .name = "CAP_DAC_READ_SEARCH"},
    {.number = 3, .name = "CAP_FOWNER"},
    {.number = 4, .name = "CAP_FSETID"},
    {.number = 5, .name = "CAP_KILL"},
    {.number = 6, .name = "CAP_SETGID"},
    {.number = 7, .name = "CAP_SETUID"},
    {.number = 8, .name = "CAP_SETPCAP"},
    {.number = 9, .name = "CAP_LINUX_IMMUTABLE"},
    {.number = 10, .name = "CAP_NET_BIND_SERVICE"},
    {.number = 11, .name = "CAP_NET_BROADCAST"},
    {.number = 12, .name = "CAP_NET_ADMIN"},
    {.number = 13, .name = "CAP_NET_RAW"},
    {.number = 14, .name = "CAP_IPC_LOCK"},
    {.number = 15, .name = "CAP_IPC_OWNER"},
    {.number = 16, .name = "CAP_SYS_MODULE"},
    {.number = 17, .name = "CAP_SYS_RAWIO"},
    {.number = 18, .name = "CAP_SYS_CHROOT"},
    {.number = 19, .name = "CAP_SYS_PTRACE"},
    {.number = 20, .name = "CAP_SYS_PACCT"},
    {.number = 21, .name = "CAP_SYS_ADMIN"},
    {.number = 22, .name = "CAP_SYS_BOOT"},
    {.number = 23, .name = "CAP_SYS_NICE"},
    {.number = 24, .name = "CAP_SYS_RESOURCE"},
    {.number = 25, .name = "CAP_SYS_TIME"},
    {.number = 26, .name = "CAP_SYS_TTY_CONFIG"},
    {.number = 27, .name = "CAP_MKNOD"},
    {.number = 28, .name = "CAP_LEASE"},
    {.number = 29, .name = "CAP_AUDIT_WRITE"},
    {.number = 30, .name = "CAP_AUDIT_CONTROL"},
    {.number = 31, .name = "CAP_SETFCAP"},
    {.number = 32, .name = "CAP_MAC_OVERRIDE"},
    {.number = 33, .name = "CAP_MAC_ADMIN"},
    {.number = 34, .name = "CAP_SYSLOG"},
    {.number = 35, .name = "CAP_WAKE_ALARM"},
    {.number = 36, .name = "CAP_BLOCK_SUSPEND"},
    {.number = 37, .name = "CAP_AUDIT_READ", .since = {3, 16}},
    {.number = 38, .name = "CAP_PERFMON", .since = {5, 8}},
    {.number = 39, .name = "CAP_BPF", .since = {5, 8}},
    {.number = 40, .name = "CAP_CHECKPOINT_RESTORE", .since = {5, 9}},
});
static_assert(kCapabilities.size() == 41);
static_assert(rows_are_in_order(kCapabilities, [](const CapabilityRow& row) { return row.number; }));
static_assert(names_are_unique(kCapabilities));

}  // namespace

std::span<const CapabilityRow> capabilities() { return kCapabilities; }
const CapabilityRow* find_capability(unsigned number) { return row_at(kCapabilities, number); }
const CapabilityRow* find_capability(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  auto found = std::ranges::find(kCapabilities, std::string_view(upper), &CapabilityRow::name);
  return found == kCapabilities.end() ? nullptr : &*found;
}

}  // namespace espy::facts
