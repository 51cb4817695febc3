#include "kernel/version.hpp"

#include <sys/utsname.h>

#include <charconv>
#include <optional>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace espy::kernel {

namespace {

// "6.1.76-1" → 6.1.76; the patch level may be missing.
std::optional<facts::KernelVersion> leading_version(std::string_view text) {
  std::uint16_t parts[3] = {};
  const char* at = text.data();
  const char* end = at + text.size();
  for (int i = 0; i < 3; ++i) {
    auto [next, error] = std::from_chars(at, end, parts[i]);
    if (error != std::errc{}) {
      if (i < 2) return std::nullopt;
      break;
    }
    at = next;
    if (at == end || *at != '.') {
      if (i < 1) return std::nullopt;
      break;
    }
    ++at;
  }
  return facts::KernelVersion{parts[0], parts[1], parts[2]};
}

}  // namespace

facts::KernelVersion parse_version(std::string_view release, std::string_view version, std::string_view signature) {
  // Ubuntu: "Ubuntu 5.15.0-91.101-generic 5.15.131": the last word.
  if (auto words = split_words(signature); !words.empty())
    if (auto real = leading_version(words.back())) return *real;
  // Debian: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)".
  constexpr std::string_view kDebian = "Debian ";
  if (auto at = version.find(kDebian); at != version.npos)
    if (auto real = leading_version(version.substr(at + kDebian.size()))) return *real;
  return leading_version(release).value_or(facts::KernelVersion{});
}

facts::KernelVersion running_version() {
  static const facts::KernelVersion version = [] {
    utsname names{};
    if (uname(&names) != 0) return facts::KernelVersion{};
    auto signature = read_text_file("/proc/version_signature", 4096);
    return parse_version(names.release, names.version, signature ? std::string_view(*signature) : std::string_view());
  }();
  return version;
}

}  // namespace espy::kernel
