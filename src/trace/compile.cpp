#include "trace/compile.hpp"

#include <algorithm>
#include <bit>

#include "ir/text.hpp"
#include "isa/disassemble.hpp"
#include "base/fd.hpp"
#include "kernel/kallsyms.hpp"
#include "kernel/version.hpp"
#include "object/listing.hpp"
#include "symbol/symbol_table.hpp"
#include "trace/c/types.hpp"
#include "trace/check/check.hpp"
#include "trace/sessions.hpp"
#include "trace/syntax/parser.hpp"
#include "trace/syntax/print.hpp"

namespace espy::trace {
namespace {

class Driver {
 public:
  Driver(Sources& sources, probes::Machine& machine, const Config& config, const CompileOptions& options, Compilation& out)
      : sources_(sources), machine_(machine), config_(config), options_(options), out_(out) {}

  void run(std::uint32_t source) {
    Script script = parse(sources_, source, out_.diagnostics);
    if (failed()) return;
    show("ast", [&] { return dump(script); });
    ExpandOptions expanding{.arguments = options_.arguments, .include_directories = options_.include_directories,
                            .import_statement = config_.unstable_import_statement};
    Expanded expanded = expand(std::move(script), sources_, expanding, out_.diagnostics);
    if (expanded.help_wanted) {
      out_.help = options_help(sources_.source(source).name, expanded.options);
      return;
    }
    imported_ = read_imported(expanded.objects, out_.diagnostics);
    c::CTypes types = c_types(expanded.script);
    if (failed()) return;
    std::optional<Checked> checked = check(std::move(expanded.script), check_options(std::move(types)), out_.diagnostics);
    if (!checked || failed()) return;
    show("types", [&] { return dump(*checked); });
    join_sessions(*checked, [&](bool user) {
      const std::string_view name = user ? "uprobe_session" : "kprobe_session";
      return std::ranges::find(options_.without, name) == options_.without.end() && probes::has_sessions(machine_, user);
    });
    lower(*checked);
  }

 private:
  bool failed() const { return out_.diagnostics.has_errors(); }

  template <typename Text>
  void show(std::string_view stage, const Text& text) {
    if (options_.wants && options_.wants(stage)) options_.show(stage, text());
  }

  // Scripts without C need no kernel types for it.
  c::CTypes c_types(const Script& script) {
    if (script.preambles.empty() && options_.include_files.empty()) return {};
    c::Options reading{.include_directories = options_.include_directories, .include_files = options_.include_files};
    if (auto vmlinux = machine_.vmlinux()) reading.kernel = *vmlinux;
    return c::parse(script.preambles, sources_, reading, out_.diagnostics);
  }

  CheckOptions check_options(c::CTypes types) {
    CheckOptions checking{.config = config_, .environment = options_.environment, .machine = &machine_, .c_types = std::move(types),
                          .allow_unsafe = options_.allow_unsafe};
    checking.resolve_probes = resolver(machine_, {.pid = options_.pid ? options_.pid : options_.child, .must_attach = options_.must_attach,
                                                  .without_kernel = options_.without_kernel, .without = options_.without, .wanted = options_.wanted});
    checking.all_arguments = [this](const probes::Target& target) { return probes::arguments_of(machine_, target); };
    if (!imported_.objects.empty()) checking.imported = &imported_;
    if (options_.child) checking.child = static_cast<std::uint32_t>(*options_.child);
    checking.kernel = kernel::running_version();
    checking.kernel_symbol = [](std::string_view name) -> Result<std::optional<std::uint64_t>> {
      return kernel::find_symbol(TRY(read_text_file("/proc/kallsyms")), name);
    };
    checking.user_symbol = [this](std::span<const probes::Target> targets, std::string_view name) { return user_symbol(targets, name); };
    return checking;
  }

  Result<UserSymbol> user_symbol(std::span<const probes::Target> targets, std::string_view name) {
    const auto* probe = std::get_if<probe::Uprobe>(&targets.front().probe);
    if (probe == nullptr) return fail(ErrorKind::unsupported, "uaddr() is of the file that a uprobe is in, and {} is none", targets.front().name);
    const symbol::ElfFile* file = TRY(machine_.elf(probe->path));
    const symbol::SymbolTable table = TRY(symbol::SymbolTable::read(*file));
    const auto found = table.find(name);
    if (!found) return fail(ErrorKind::not_found, "{} has no symbol `{}`", probe->path, name);
    UserSymbol out{.address = found->address, .size = found->size};
    if (file->is_position_dependent()) return out;
    // The program counter tells where the file was loaded, if it is known what it stands at.
    if (targets.size() > 1 || probe->at_return) {
      auto error = fail(ErrorKind::unsupported, "{} is loaded anywhere, and where `{}` is then is only known in a probe of one place", probe->path, name);
      error.error().hint = "use uaddr() in a uprobe of a single function";
      return error;
    }
    std::optional<std::uint64_t> probed = file->address_of_offset(probe->offset);
    if (!probe->symbol.empty()) {
      const auto function = table.find(probe->symbol);
      probed = function ? std::optional(function->address + probe->offset) : std::nullopt;
    }
    if (!probed) return fail(ErrorKind::not_found, "where {} is in {} is not known", targets.front().name, probe->path);
    out.distance = static_cast<std::int64_t>(found->address - *probed);
    return out;
  }

  void lower(const Checked& checked) {
    LowerOptions lowering = options_.lower;
    lowering.sources = &sources_;
    if (!imported_.objects.empty()) lowering.imported = &imported_;
    lowering.ring_bytes = ring_bytes(checked);
    if (options_.pid) lowering.only_pid = static_cast<std::uint32_t>(*options_.pid);
    if (options_.child) lowering.child_pid = static_cast<std::uint32_t>(*options_.child);
    lowering.vmlinux = [this]() -> std::shared_ptr<const btf::Btf> {
      auto types = machine_.vmlinux();
      return types ? *types : nullptr;
    };
    lowering.watch = [this](std::string_view stage, const ir::Module& module) { show(stage, [&] { return ir::print(module); }); };
    Result<Compiled> compiled = trace::lower(checked, lowering, out_.diagnostics);
    if (!compiled) {
      if (!failed()) out_.error = compiled.error();
      return;
    }
    show("bpf", [&] {
      Result<std::string> listing = object::listing(compiled->object);
      return listing ? std::move(*listing) : describe(listing.error());
    });
    out_.script = std::move(*compiled);
  }

  // Programs that only espy fires can be drained after each run; what the kernel fires comes faster than it is read.
  static std::uint32_t ring_bytes(const Checked& checked) {
    constexpr std::uint64_t kPage = 4096, kLeast = 64 * kPage, kUsual = 1024 * kPage, kMost = std::uint64_t{1} << 30;
    if (checked.config.perf_rb_pages != 0) return static_cast<std::uint32_t>(std::bit_ceil(std::clamp(checked.config.perf_rb_pages * kPage, kLeast, kMost)));
    const bool quiet = std::ranges::all_of(checked.probes, [](const CheckedProbe& probe) { return probe.instance.attachments.empty(); });
    return quiet ? kLeast : kUsual;
  }

  static std::string dump(const Script& script) { return trace::dump(script); }
  static std::string dump(const Checked& checked) {
    std::string text;
    for (const CheckedMap& map : checked.maps) {
      text += fmt::format("map @{}: {}{}\n", map.name, map.key.kind == Kind::none ? "" : to_string(map.key) + " -> ", to_string(map.value));
    }
    for (const CheckedProbe& probe : checked.probes) {
      text += fmt::format("{}{}\n", probe.instance.targets.front().name,
                          probe.instance.targets.size() > 1 ? fmt::format(" and {} more", probe.instance.targets.size() - 1) : "");
      if (probe.predicate) text += trace::dump(*probe.predicate, 1);
      text += trace::dump(probe.body, 1);
    }
    return text;
  }

  Sources& sources_;
  probes::Machine& machine_;
  const Config& config_;
  const CompileOptions& options_;
  Compilation& out_;
  Imported imported_;
};

}  // namespace

Compilation compile(Sources& sources, std::uint32_t source, probes::Machine& machine, const Config& config, const CompileOptions& options) {
  Compilation out;
  Driver(sources, machine, config, options, out).run(source);
  return out;
}

}  // namespace espy::trace
