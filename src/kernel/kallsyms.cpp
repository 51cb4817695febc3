#include "kernel/kallsyms.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/fd.hpp"
#include "base/text.hpp"

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

namespace {

// Behind the last function of a region (the kernel's text, a module) lie addresses that belong to none.
constexpr std::uint64_t kLargestFunction = 1U << 20;

std::string read_to_end(int fd) {
  std::string text;
  std::size_t used = 0;
  for (;;) {
    text.resize(used + (1U << 16));
    ssize_t got = ::read(fd, text.data() + used, text.size() - used);
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  text.resize(used);
  return text;
}

}  // namespace

KernelFunctions::KernelFunctions(std::string kallsyms) : text_(std::move(kallsyms)) {
  for (std::size_t at = 0; at < text_.size();) {
    const std::size_t end = std::min(text_.find('\n', at), text_.size());
    const char* line = text_.data() + at;
    std::uint64_t address = 0;
    auto [rest, error] = std::from_chars(line, text_.data() + end, address, 16);
    const std::size_t name = static_cast<std::size_t>(rest - text_.data()) + 3;
    const bool is_code = error == std::errc{} && name < end && std::string_view("tTwW").find(rest[1]) != std::string_view::npos;
    if (is_code && address != 0)
      symbols_.push_back({address, static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(end - name)});
    at = end + 1;
  }
  std::ranges::stable_sort(symbols_, {}, &Symbol::address);
}

std::string KernelFunctions::name(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  if (after == symbols_.begin() || address - std::prev(after)->address > kLargestFunction) return {};
  const Symbol& symbol = *std::prev(after);
  std::vector<std::string_view> words = split_words(std::string_view(text_).substr(symbol.begin, symbol.length));
  if (words.empty()) return {};
  std::string text(words[0]);
  if (address != symbol.address) text += fmt::format("+{:#x}", address - symbol.address);
  if (words.size() > 1) text += fmt::format(" {}", words[1]);
  return text;
}

render::SymbolName kernel_function_names() {
  struct Names {
    UniqueFd file;
    std::optional<KernelFunctions> functions;
  };
  auto names = std::make_shared<Names>();
  names->file = UniqueFd(::open("/proc/kallsyms", O_RDONLY | O_CLOEXEC));
  return [names](std::uint64_t address) {
    if (!names->functions) names->functions.emplace(read_to_end(names->file.get()));
    return names->functions->name(address);
  };
}

}  // namespace espy::kernel
