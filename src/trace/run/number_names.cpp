#include "trace/run/number_names.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <iterator>
#include <string_view>

#include "base/error.hpp"
#include "facts/syscalls.hpp"
#include "trace/probes/providers.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

struct Flag {
  std::uint64_t bits = 0;
  std::string_view name{};
};

// include/linux/gfp_types.h, 6.x. What is made of several bits stands before them.
constexpr std::uint64_t kDma = 0x1, kHighmem = 0x2, kDma32 = 0x4, kMovable = 0x8, kReclaimable = 0x10, kHigh = 0x20, kIo = 0x40, kFs = 0x80,
                        kZero = 0x100, kDirect = 0x400, kKswapd = 0x800, kWrite = 0x1000, kNowarn = 0x2000, kRetryMayfail = 0x4000,
                        kNofail = 0x8000, kNoretry = 0x10000, kMemalloc = 0x20000, kComp = 0x40000, kNomemalloc = 0x80000,
                        kHardwall = 0x100000, kThisnode = 0x200000, kAccount = 0x400000;
constexpr std::uint64_t kReclaim = kDirect | kKswapd, kKernel = kReclaim | kIo | kFs, kUser = kKernel | kHardwall,
                        kHighuser = kUser | kHighmem, kTranshugeLight = ((kHighuser | kMovable | kComp | kNomemalloc | kNowarn) & ~kReclaim);
constexpr auto kGfpFlags = std::to_array<Flag>({
  {kTranshugeLight | kDirect, "GFP_TRANSHUGE"}, {kTranshugeLight, "GFP_TRANSHUGE_LIGHT"}, {kHighuser | kMovable, "GFP_HIGHUSER_MOVABLE"},
  {kHighuser, "GFP_HIGHUSER"}, {kUser, "GFP_USER"}, {kKernel | kAccount, "GFP_KERNEL_ACCOUNT"}, {kKernel, "GFP_KERNEL"},
  {kReclaim | kIo, "GFP_NOFS"}, {kHigh | kKswapd, "GFP_ATOMIC"}, {kReclaim, "GFP_NOIO"}, {kKswapd | kNowarn, "GFP_NOWAIT"},
  {kDma, "GFP_DMA"}, {kHighmem, "__GFP_HIGHMEM"}, {kDma32, "GFP_DMA32"}, {kMovable, "__GFP_MOVABLE"}, {kReclaimable, "__GFP_RECLAIMABLE"},
  {kHigh, "__GFP_HIGH"}, {kIo, "__GFP_IO"}, {kFs, "__GFP_FS"}, {kZero, "__GFP_ZERO"}, {kDirect, "__GFP_DIRECT_RECLAIM"},
  {kKswapd, "__GFP_KSWAPD_RECLAIM"}, {kWrite, "__GFP_WRITE"}, {kNowarn, "__GFP_NOWARN"}, {kRetryMayfail, "__GFP_RETRY_MAYFAIL"},
  {kNofail, "__GFP_NOFAIL"}, {kNoretry, "__GFP_NORETRY"}, {kMemalloc, "__GFP_MEMALLOC"}, {kComp, "__GFP_COMP"},
  {kNomemalloc, "__GFP_NOMEMALLOC"}, {kHardwall, "__GFP_HARDWALL"}, {kThisnode, "__GFP_THISNODE"}, {kAccount, "__GFP_ACCOUNT"},
});

}  // namespace

void append_error_name(std::int64_t number, std::string& out) {
  if (number < -INT32_MAX || number > INT32_MAX) return append_number(number, out);
  out += errno_text(static_cast<int>(number < 0 ? -number : number));
}

void append_signal_name(std::int64_t number, std::string& out) {
  for (const probes::SignalRow& row : probes::signals()) {
    if (row.number != number) continue;
    out += row.name;
    return;
  }
  if (number >= SIGRTMIN && number <= SIGRTMAX) fmt::format_to(std::back_inserter(out), "SIGRTMIN+{}", number - SIGRTMIN);
  else append_number(number, out);
}

void append_syscall_name(std::int64_t number, std::string& out) {
  const std::string_view name = facts::syscall_name(number);
  if (name.empty()) append_number(number, out);
  else out += name;
}

void append_gfp_flags(std::uint64_t flags, std::string& out) {
  if (flags == 0) {
    out += "none";
    return;
  }
  bool first = true;
  for (const Flag& flag : kGfpFlags) {
    if ((flags & flag.bits) != flag.bits) continue;
    if (!first) out += '|';
    first = false;
    out += flag.name;
    flags &= ~flag.bits;
  }
  if (flags != 0) fmt::format_to(std::back_inserter(out), "{}{:#x}", first ? "" : "|", flags);
}

}  // namespace espy::trace::run
