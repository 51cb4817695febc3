#include "trace/probes/machine.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "btf/mentions.hpp"
#include "kernel/features.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/version.hpp"

namespace espy::trace::probes {

namespace {

constexpr std::string_view kVmlinux = "vmlinux", kRawPrefix = "btf_trace_";

void sort_unique(std::vector<KernelFunction>& functions) {
  std::ranges::sort(functions, [](const KernelFunction& a, const KernelFunction& b) {
    int order = a.name.compare(b.name);
    return order != 0 ? order < 0 : a.module < b.module;
  });
  auto rest = std::ranges::unique(functions, [](const KernelFunction& a, const KernelFunction& b) { return a.name == b.name && a.module == b.module; });
  functions.erase(rest.begin(), rest.end());
}

// ftrace's list: a line "name", "name [module]" each.
std::vector<KernelFunction> of_ftrace(std::string_view text) {
  std::vector<KernelFunction> functions;
  for (std::string_view line : split(text, '\n')) {
    auto words = split_words(line);
    if (words.empty() || words[0].starts_with("__ftrace_invalid")) continue;
    std::string_view module = words.size() > 1 && words[1].starts_with('[') ? words[1].substr(1, words[1].size() - 2) : kVmlinux;
    functions.push_back({words[0], module});
  }
  return functions;
}

// /proc/kallsyms: "ffffffff810a1b20 T name\t[module]". Padding before functions and pieces cut out of them are no functions.
std::vector<KernelFunction> of_kallsyms(std::string_view text) {
  std::vector<KernelFunction> functions;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::size_t space = line.find(' ');
    if (space == line.npos || space + 3 > line.size() || std::string_view("tTwW").find(line[space + 1]) == std::string_view::npos) continue;
    std::string_view name = line.substr(space + 3), module = kVmlinux;
    if (std::size_t tab = name.find('\t'); tab != name.npos) {
      module = trim(name.substr(tab));
      if (module.size() > 2) module = module.substr(1, module.size() - 2);
      name = name.substr(0, tab);
    }
    if (name.starts_with("__pfx_") || name.starts_with("__cfi_") || name.find(".cold") != name.npos || module == "bpf") continue;
    functions.push_back({name, module});
  }
  return functions;
}

}  // namespace

struct Machine::State {
  MachineOptions options;
  std::optional<Result<probe::Tracefs>> tracefs;
  std::optional<std::vector<probe::TracepointName>> tracepoints;
  std::shared_ptr<const btf::Btf> vmlinux;
  std::optional<std::vector<object::ModuleBtf>> modules;
  std::string functions_text;
  std::optional<std::vector<KernelFunction>> functions, typed, raw;
  std::map<std::string, symbol::ElfFile, std::less<>> files;
  std::map<std::string, std::vector<symbol::Function>, std::less<>> functions_of;
};

Machine::Machine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;
Machine::~Machine() = default;

Machine Machine::running(MachineOptions options) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  return Machine(std::move(state));
}

Result<const probe::Tracefs*> Machine::tracefs() {
  if (!state_->tracefs) state_->tracefs = probe::Tracefs::open();
  if (!*state_->tracefs) return std::unexpected(state_->tracefs->error());
  return &**state_->tracefs;
}

Result<const std::vector<probe::TracepointName>*> Machine::tracepoints() {
  if (!state_->tracepoints) state_->tracepoints = TRY(probe::tracepoints(*TRY(tracefs())));
  return &*state_->tracepoints;
}

Result<std::string> Machine::format(const std::string& category, const std::string& event) {
  if (category.find('/') != category.npos || event.find('/') != event.npos || category.starts_with('.') || event.starts_with('.'))
    return fail(ErrorKind::invalid_argument, "`{}:{}` is no name of a tracepoint", category, event);
  return TRY(tracefs())->read(fmt::format("events/{}/{}/format", category, event));
}

Result<std::shared_ptr<const btf::Btf>> Machine::vmlinux() {
  if (!state_->vmlinux) state_->vmlinux = TRY(kernel::vmlinux_btf());
  return state_->vmlinux;
}

const std::vector<object::ModuleBtf>& Machine::modules() {
  if (!state_->modules) {
    state_->modules.emplace();
    if (auto base = vmlinux())
      if (auto found = kernel::module_btfs(*base)) state_->modules = std::move(*found);
  }
  return *state_->modules;
}

Result<std::shared_ptr<const btf::Btf>> Machine::btf_of(std::string_view module) {
  if (module.empty() || module == kVmlinux) return vmlinux();
  for (const object::ModuleBtf& m : modules())
    if (m.name == module) return m.btf;
  return fail(ErrorKind::not_found, "kernel module `{}` is not loaded, or has no BTF", module);
}

Result<const std::vector<KernelFunction>*> Machine::functions() {
  if (state_->functions) return &*state_->functions;
  const std::string& given = state_->options.functions_file;
  auto list = tracefs();
  auto listed = !given.empty() ? TRY(read_text_file(given, std::size_t{256} << 20))
                : list         ? (*list)->read("available_filter_functions") : Result<std::string>(std::unexpected(list.error()));
  if (listed && !listed->empty()) {
    state_->functions_text = std::move(*listed);
    state_->functions = of_ftrace(state_->functions_text);
  } else {
    state_->functions_text = TRY(read_text_file("/proc/kallsyms", std::size_t{256} << 20));
    state_->functions = of_kallsyms(state_->functions_text);
  }
  sort_unique(*state_->functions);
  return &*state_->functions;
}

namespace {

// Own types of this kind whose names begin with the prefix, which is cut off.
void add_named(std::vector<KernelFunction>& names, const btf::Btf& btf, std::string_view module, btf::Kind kind, std::string_view prefix) {
  for (std::uint32_t id = btf.start_id(); id < btf.type_count(); ++id) {
    btf::Type type = btf.type(btf::TypeId{id});
    if (type.kind() != kind) continue;
    std::string_view name = type.name();
    if (name.starts_with(prefix)) names.push_back({name.substr(prefix.size()), module});
  }
}

}  // namespace

Result<const std::vector<KernelFunction>*> Machine::typed_functions() {
  if (!state_->typed) {
    auto base = TRY(vmlinux());
    state_->typed.emplace();
    add_named(*state_->typed, *base, kVmlinux, btf::Kind::func, "");
    for (const object::ModuleBtf& m : modules()) add_named(*state_->typed, *m.btf, m.name, btf::Kind::func, "");
    sort_unique(*state_->typed);
  }
  return &*state_->typed;
}

Result<const std::vector<KernelFunction>*> Machine::raw_tracepoints() {
  if (!state_->raw) {
    auto base = TRY(vmlinux());
    state_->raw.emplace();
    add_named(*state_->raw, *base, kVmlinux, btf::Kind::typedef_, kRawPrefix);
    for (const object::ModuleBtf& m : modules()) add_named(*state_->raw, *m.btf, m.name, btf::Kind::typedef_, kRawPrefix);
    sort_unique(*state_->raw);
  }
  return &*state_->raw;
}

bool Machine::has_raw_tracepoint(std::string_view name) {
  if (state_->raw) return std::ranges::binary_search(*state_->raw, name, {}, &KernelFunction::name);
  auto base = vmlinux();
  // Nothing but these types is called so.
  return base && btf::mentions(**base, fmt::format("{}{}", kRawPrefix, name));
}

Result<const symbol::ElfFile*> Machine::elf(const std::string& path) {
  auto found = state_->files.find(path);
  if (found == state_->files.end()) found = state_->files.emplace(path, TRY(symbol::ElfFile::open(path))).first;
  return &found->second;
}

Result<const std::vector<symbol::Function>*> Machine::functions_of(const std::string& path) {
  auto found = state_->functions_of.find(path);
  if (found == state_->functions_of.end()) found = state_->functions_of.emplace(path, TRY(TRY(elf(path))->functions())).first;
  return &found->second;
}

facts::KernelVersion Machine::version() { return kernel::running_version(); }

bool Machine::has(facts::Feature feature) { return kernel::has_feature(feature); }

}  // namespace espy::trace::probes
