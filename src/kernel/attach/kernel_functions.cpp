#include "kernel/attach/kernel_functions.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <unordered_map>

#include "base/text.hpp"
#include "probe/tracefs.hpp"

namespace espy::kernel::attaching {

namespace {

struct KernelSymbol { std::uint64_t address; std::string_view name; };

// Calls `visit` for each line of /proc/kallsyms that is a function: "ffffffff810a1b20 T name\t[module]".
Result<void> for_each_function(const std::string& text, auto visit) {
  std::string_view rest = text;
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::size_t space = line.find(' ');
    if (space == line.npos || space + 3 > line.size()) continue;
    char type = line[space + 1];
    if (type != 't' && type != 'T' && type != 'w' && type != 'W') continue;
    std::string_view name = line.substr(space + 3);
    name = name.substr(0, name.find('\t'));
    std::uint64_t address = 0;
    std::from_chars(line.data(), line.data() + space, address, 16);
    visit(KernelSymbol{address, name});
  }
  return {};
}

Result<std::string> kallsyms() { return read_text_file("/proc/kallsyms", std::size_t{256} << 20); }

std::string_view without_module(std::string_view function) {
  std::size_t colon = function.rfind(':');
  return colon == function.npos ? function : function.substr(colon + 1);
}

}  // namespace

Result<bool> running_function(std::string_view name) {
  std::string text = TRY(kallsyms());
  std::string_view wanted = without_module(name);
  bool found = false;
  TRY(for_each_function(text, [&](const KernelSymbol& s) { found = found || s.name == wanted; }));
  return found;
}

Result<std::vector<std::string>> functions_like(std::string_view pattern) {
  std::string text = TRY(kallsyms());
  std::vector<std::string> names;
  TRY(for_each_function(text, [&](const KernelSymbol& s) {
    if (glob_match(pattern, s.name)) names.emplace_back(s.name);
  }));
  std::ranges::sort(names);
  auto rest = std::ranges::unique(names);
  names.erase(rest.begin(), rest.end());
  return names;
}

// ftrace's own list says what can be reached, since 6.5 with addresses. Before, its names are looked up in kallsyms; a name
// that stands there twice could be either function, and is left out.
Result<std::vector<std::uint64_t>> traceable_functions(std::string_view pattern) {
  auto tracefs = TRY(probe::Tracefs::open());
  std::vector<std::uint64_t> addresses;
  if (auto listed = tracefs.read("available_filter_functions_addrs")) {
    for (std::string_view line : split(*listed, '\n')) {   // "ffffffff81000000 name [module]"
      auto words = split_words(line);
      std::uint64_t address = 0;
      if (words.size() < 2 || !glob_match(pattern, words[1])) continue;
      std::from_chars(words[0].data(), words[0].data() + words[0].size(), address, 16);
      if (address != 0) addresses.push_back(address);
    }
    return addresses;
  }
  std::string listed = TRY(tracefs.read("available_filter_functions"));
  std::unordered_map<std::string_view, std::vector<std::uint64_t>> wanted;
  for (std::string_view line : split(listed, '\n'))
    if (auto words = split_words(line); !words.empty() && glob_match(pattern, words[0])) wanted[words[0]];
  std::string symbols = TRY(kallsyms());
  TRY(for_each_function(symbols, [&](const KernelSymbol& s) {
    if (auto it = wanted.find(s.name); it != wanted.end()) it->second.push_back(s.address);
  }));
  for (auto& [name, places] : wanted)
    if (places.size() == 1 && places.front() != 0) addresses.push_back(places.front());
  std::ranges::sort(addresses);
  return addresses;
}

std::string tracepoints_hint(std::string_view function) {
  auto tracefs = probe::Tracefs::open();
  if (!tracefs) return {};
  auto names = probe::tracepoints_instead_of(*tracefs, without_module(function));
  if (names.empty()) return {};
  return fmt::format("these tracepoints tell of the same: {} (SEC(\"tp/…\"))", fmt::join(names, ", "));
}

Error no_kprobes(const Call& call, std::string_view function) {
  auto options = options_not_set("CONFIG_KPROBES,CONFIG_KPROBE_EVENTS");
  Error error{.kind = ErrorKind::unsupported,
              .message = fmt::format("{}: this kernel has no kprobes; they need {}", call.where,
                                     options.empty() ? std::string("CONFIG_KPROBES and CONFIG_KPROBE_EVENTS")
                                                     : fmt::format("{}, which it has not set", fmt::join(options, " and "))),
              .hint = tracepoints_hint(function),
              .sys = ENOENT};
  if (error.hint.empty()) error.hint = "tracepoints serve instead: /sys/kernel/tracing/available_events lists them";
  return error;
}

Error kprobe_failure(int error_number, const Call& call, const Need& need, std::string_view function, std::uint64_t offset) {
  if (auto error = lacking(call, need)) {
    error->sys = error_number;
    error->hint = tracepoints_hint(function);
    return std::move(*error);
  }
  auto has = running_function(function);
  if (has && !*has && !function.empty()) {
    Error error{.kind = ErrorKind::not_found, .message = fmt::format("{}: this kernel has no function `{}`", call.where, function), .sys = error_number};
    // The compiler may have cut the function up or renamed it: "tcp_rcv.isra.0".
    if (auto variants = functions_like(fmt::format("{}.*", function)); variants && !variants->empty())
      error.hint = fmt::format("the compiler made it {}", fmt::join(*variants, ", "));
    else if (auto all = functions_like("*")) {
      std::vector<std::string_view> views(all->begin(), all->end());
      if (std::string_view near = nearest(function, views); !near.empty()) error.hint = fmt::format("did you mean `{}`?", near);
      else error.hint = tracepoints_hint(function);
    }
    return error;
  }
  std::string hint;
  if (error_number == EINVAL && offset == 0) hint = fmt::format("`{}` may not be probed (see /sys/kernel/debug/kprobes/blacklist). {}", function, tracepoints_hint(function));
  if ((error_number == EINVAL || error_number == EILSEQ) && offset != 0) hint = fmt::format("{:#x} may be inside an instruction of `{}`, or past its end", offset, function);
  if (error_number == EADDRNOTAVAIL) hint = fmt::format("`{}` is there more than once, or not at the start of a function: name its module, module:{}", function, function);
  return refused(error_number, call, need, hint).error();
}

}  // namespace espy::kernel::attaching
