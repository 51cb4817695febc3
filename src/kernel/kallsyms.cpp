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

namespace {

// A process without the right is shown zeros on all lines; an old kernel's first per-CPU variables are at zero.
bool shows_no_address(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t digits = text.find_first_not_of('0', at);
    if (digits == text.npos || text[digits] != ' ') return false;
    at = text.find('\n', digits);
    if (at == text.npos) break;
    ++at;
  }
  return true;
}

}  // namespace

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
    if (address == 0 && shows_no_address(text)) {
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
  const char* const end = text_.data() + text_.size();
  symbols_.reserve(text_.size() / 48);
  for (const char* line = text_.data(); line < end;) {
    const auto* found = static_cast<const char*>(std::memchr(line, '\n', static_cast<std::size_t>(end - line)));
    const char* const line_end = found == nullptr ? end : found;
    std::uint64_t address = 0;
    auto [rest, error] = std::from_chars(line, line_end, address, 16);
    const bool is_code = error == std::errc{} && line_end - rest > 3 && (rest[1] == 't' || rest[1] == 'T' || rest[1] == 'w' || rest[1] == 'W');
    if (is_code && address != 0)
      symbols_.push_back({address, static_cast<std::uint32_t>(rest + 3 - text_.data()), static_cast<std::uint32_t>(line_end - rest - 3)});
    line = line_end + 1;
  }
  if (!std::ranges::is_sorted(symbols_, {}, &Symbol::address)) std::ranges::stable_sort(symbols_, {}, &Symbol::address);
}

std::optional<KernelPlace> KernelFunctions::find(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  if (after == symbols_.begin() || address - std::prev(after)->address > kLargestFunction) return std::nullopt;
  const Symbol& symbol = *std::prev(after);
  std::vector<std::string_view> words = split_words(std::string_view(text_).substr(symbol.begin, symbol.length));
  if (words.empty()) return std::nullopt;
  KernelPlace place{.name = words[0], .address = symbol.address, .offset = address - symbol.address};
  if (words.size() > 1 && words[1].starts_with('[') && words[1].ends_with(']')) place.module = words[1].substr(1, words[1].size() - 2);
  return place;
}

std::string KernelFunctions::name(std::uint64_t address) const {
  auto place = find(address);
  if (!place) return {};
  std::string text(place->name);
  if (place->offset != 0) text += fmt::format("+{:#x}", place->offset);
  if (!place->module.empty()) text += fmt::format(" [{}]", place->module);
  return text;
}

struct RunningKernelFunctions::State {
  UniqueFd file;
  std::optional<KernelFunctions> functions;
};

RunningKernelFunctions::RunningKernelFunctions() : state_(std::make_shared<State>()) {
  state_->file = UniqueFd(::open("/proc/kallsyms", O_RDONLY | O_CLOEXEC));
}

const KernelFunctions& RunningKernelFunctions::get() const {
  if (!state_->functions) {
    ::lseek(state_->file.get(), 0, SEEK_SET);
    state_->functions.emplace(read_to_end(state_->file.get()));
  }
  return *state_->functions;
}

void RunningKernelFunctions::refresh() { state_->functions.reset(); }

render::SymbolName kernel_function_names() {
  return [functions = RunningKernelFunctions()](std::uint64_t address) { return functions.get().name(address); };
}

}  // namespace espy::kernel
