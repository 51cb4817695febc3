#include "kernel/kallsyms.hpp"

#include <charconv>
#include <cstring>

namespace espy::kernel {

// A line is "ffffffff81000000 T _stext" or "ffffffffc0a01000 t helper	[module]". The text has 100,000 lines and a program
// asks for one or two names, so the names are searched for in the text as it is.
Result<std::optional<std::uint64_t>> find_symbol(std::string_view text, std::string_view symbol) {
  std::optional<std::uint64_t> found;
  if (symbol.empty()) return found;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at < end) {
    const auto* hit = static_cast<const char*>(::memmem(at, static_cast<std::size_t>(end - at), symbol.data(), symbol.size()));
    if (hit == nullptr) break;
    const char* after = hit + symbol.size();
    at = after;
    const bool ends = after == end || *after == '\n' || *after == '\t' || *after == ' ';
    if (!ends || hit - text.data() < 4 || hit[-1] != ' ' || hit[-3] != ' ') continue;  // before it: " T "
    std::size_t line = text.rfind('\n', static_cast<std::size_t>(hit - text.data()));
    line = line == text.npos ? 0 : line + 1;
    std::uint64_t address = 0;
    auto [rest, error] = std::from_chars(text.data() + line, hit, address, 16);
    if (error != std::errc{} || rest != hit - 3) continue;
    if (address == 0) {
      return std::unexpected(Error{.kind = ErrorKind::permission,
                                   .message = fmt::format("/proc/kallsyms hides the address of `{}`", symbol),
                                   .hint = "it shows addresses to processes with CAP_SYSLOG, if kernel.kptr_restrict is not 2"});
    }
    if (found && *found != address)
      return fail(ErrorKind::invalid_argument, "kernel symbol `{}` is ambiguous: it is at {:#x} and at {:#x}", symbol, *found, address);
    found = address;
  }
  return found;
}

}  // namespace espy::kernel
