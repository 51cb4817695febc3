#include "cli/session.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/text.hpp"
#include "cli/open.hpp"
#include "cli/signals.hpp"

namespace espy::cli {

namespace {

using Clock = std::chrono::steady_clock;

// The error for a name that an object does not have.
std::unexpected<Error> no_such(std::string_view what, std::string_view name, const std::vector<std::string_view>& names) {
  Error error{.kind = ErrorKind::not_found, .message = fmt::format("the object has no {} `{}`", what, name)};
  std::string_view near = nearest(name, names);
  error.hint = near.empty() ? fmt::format("it has: {}", fmt::join(names, ", ")) : fmt::format("did you mean `{}`?", near);
  return std::unexpected(error);
}

Result<void> check_names(const object::ObjectSpec& spec, const SessionOptions& options) {
  std::vector<std::string_view> programs, maps;
  for (const object::ProgramSpec& program : spec.programs) programs.push_back(program.name);
  for (const object::MapSpec& map : spec.maps) maps.push_back(map.name);
  auto known = [](const auto& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  for (const std::string& name : options.programs) {
    if (!known(programs, name)) return no_such("program", name, programs);
  }
  for (const auto& [name, target] : options.attach) {
    if (!known(programs, name)) return no_such("program", name, programs);
  }
  for (const std::string& name : options.maps) {
    if (!known(maps, name)) return no_such("map", name, maps);
  }
  for (const auto& [name, type] : options.types) {
    if (!known(maps, name)) return no_such("map", name, maps);
  }
  return {};
}

// Does any program call bpf_trace_printk or bpf_trace_vprintk?
bool prints(const kernel::Object& object) {
  return std::ranges::any_of(object.programs(), [](const kernel::Program& program) {
    return std::ranges::any_of(program.spec().code.insns, [](isa::Insn insn) {
      if (!is_call(insn, isa::CallKind::helper)) return false;
      const facts::HelperRow* helper = facts::find_helper(static_cast<std::uint32_t>(insn.imm));
      return helper != nullptr && (helper->name == "bpf_trace_printk" || helper->name == "bpf_trace_vprintk");
    });
  });
}

}  // namespace

bool Session::shows(std::string_view map) const {
  return options_.maps.empty() || std::ranges::find(options_.maps, map) != options_.maps.end();
}

void Session::tell(std::string_view line) const {
  if (options_.verbose) fmt::print(stderr, "espy: {}\n", line);
}

// Among the lines of machine output, but beside what people read or pipe on.
void Session::warn(std::string_view message, std::string_view hint) const {
  if (options_.json) return output_->warning(message, hint);
  fmt::print(stderr, "espy: warning: {}\n", message);
  if (!hint.empty()) fmt::print(stderr, "  hint: {}\n", hint);
}

Result<Session> Session::start(object::ObjectSpec spec, SessionOptions options) {
  Session session(std::move(options));
  TRY(check_names(spec, session.options_));
  session.signals_ = TRY(catch_signals());
  TRY(session.load(std::move(spec)));
  TRY(session.open_outputs());
  TRY(session.attach_all());
  session.say_what_restricts_nothing();
  TRY(session.drop_privileges());
  return session;
}

Result<void> Session::load(object::ObjectSpec spec) {
  fill_sizes(spec);
  for (const auto& [name, target] : options_.attach) {
    spec.find_program(name)->autoload = true;
    // Who says where a program goes wants it, whatever else was chosen.
    auto& chosen = options_.programs;
    if (!chosen.empty() && std::ranges::find(chosen, name) == chosen.end()) chosen.push_back(name);
  }
  Replacements replaced = TRY(open_replaced(spec, options_));
  if (!options_.pin_dir.empty()) {
    for (object::MapSpec& map : spec.maps) {
      if (!map.is_data() && map.origin != object::MapOrigin::struct_ops) map.pinning = object::Pinning::by_name;
    }
  }
  object::Target target = TRY(kernel::running_target());
  object::LinkedObject linked = TRY(object::link(std::move(spec), target, {.programs = options_.programs}));
  for (const object::CoreOutcome& outcome : linked.core) tell(fmt::format("{} insn {}: {}", outcome.program, outcome.insn, outcome.text));

  kernel::LoadOptions load_options;
  load_options.pin_dir = options_.pin_dir;
  for (const auto& [program, fd] : replaced) load_options.attach_prog_fds[program] = fd.get();
  if (options_.verbose) {
    load_options.log_level = 4;  // the verifier's statistics only
    load_options.log_sink = [this](const std::string& program, std::string_view log) {
      // Statistics are a few lines; a rejected program's log is a story.
      auto told = split(trim(log), '\n');
      tell(fmt::format("{} `{}`: {}", told.size() > 5 ? "the verifier on" : "loaded", program, fmt::join(told, told.size() > 5 ? "\n  " : ", ")));
    };
    if (auto stats = kernel::enable_stats()) stats_ = std::move(*stats);
  }
  const kernel::CapabilitySet needed = kernel::needed_to_run(linked);
  const bool several = linked.programs.size() > 1;
  auto object = kernel::Object::load(std::move(linked), load_options);
  if (!object) {
    Error error = with_all_that_is_missing(std::move(object.error()), needed);
    const bool lacking = error.kind == ErrorKind::unsupported || (error.kind == ErrorKind::permission && kernel::missing(needed).empty());
    if (lacking && several && options_.programs.empty()) error.notes.emplace_back("--prog NAME loads only the programs that it names");
    return std::unexpected(std::move(error));
  }
  object_ = std::make_unique<kernel::Object>(std::move(*object));
  symbols_ = kernel::kernel_function_names();
  for (const kernel::Program& program : object_->programs())
    if (auto id = program.id()) tell(fmt::format("`{}` is program {}", program.name(), *id));
  return {};
}

Result<void> Session::open_outputs() {
  records_ = TRY(kernel::RecordSource::open(*object_, {.types = options_.types, .maps = options_.maps}));
  TRY(records_->also_wake_on(signals_.get()));
  render::ValueOptions values{.symbol = symbols_, .wall_offset_ns = render::wall_clock_offset()};
  auto sink = render::to_descriptor(STDOUT_FILENO);
  output_ = options_.json ? render::json_output(sink, values)
                          : render::terminal_output(sink, values, {.colours = render::wants_colours(STDOUT_FILENO)});
  for (const kernel::RecordChoice& stream : records_->streams()) {
    streams_.push_back(output_->add_stream(stream.format));
    if (stream.format.types.empty()) {
      warn(fmt::format("records of `{}` are shown as bytes: {}", stream.format.map, stream.reason),
                       fmt::format("--type {}='struct …', or a global `struct … *unused` in the program", stream.format.map));
    } else {
      tell(fmt::format("records of `{}`: {} ({})", stream.format.map, stream.format.types.front().name, stream.reason));
    }
  }
  if (!prints(*object_)) return {};
  auto printk = kernel::PrintkReader::open();
  if (!printk) {
    warn("what programs print with bpf_printk is not shown: " + one_line(printk.error()), printk.error().hint);
    return {};
  }
  printk_ = std::move(*printk);
  for (int fd : printk_->fds()) TRY(records_->also_wake_on(fd));
  return {};
}

Result<void> Session::attach(const kernel::Program& program) {
  auto [told, end] = options_.attach.equal_range(program.name());
  if (told == end) return attach(program, probe::probe_of(program.spec(), options_.probe));
  for (; told != end; ++told) TRY(attach(program, probe::parse(told->second, program.spec(), options_.probe)));
  return {};
}

Result<void> Session::attach(const kernel::Program& program, const Result<probe::Probe>& probe) {
  if (!probe) return std::unexpected(probe.error());
  if (std::holds_alternative<probe::StructOps>(*probe)) return {};  // its map is what is attached
  if (auto* nothing = std::get_if<probe::Nothing>(&*probe)) {
    not_attached_.push_back(fmt::format("`{}`: {}", program.name(), nothing->reason));
    return {};
  }
  auto link = kernel::attach(*object_, program, *probe, {.pid = options_.probe.pid});
  if (!link) return std::unexpected(std::move(link.error()));
  tell(fmt::format("attached `{}` to {}", program.name(), link->where()));
  if (std::holds_alternative<probe::Iterator>(*probe)) iterators_.emplace_back(program.name(), links_.size());
  links_.push_back(std::move(*link));
  restricted_ = restricted_ | what_restricts(*probe);
  return {};
}

Result<void> Session::attach_all() {
  for (const kernel::Program& program : object_->programs()) TRY(attach(program));
  const auto& maps = object_->spec().maps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    object::MapIdx index{static_cast<std::uint32_t>(i)};
    if (maps[i].origin != object::MapOrigin::struct_ops || !object_->has_map(index)) continue;
    if (!maps[i].autoattach) {
      not_attached_.push_back(fmt::format("`{}` is not attached: its section name begins with `?`", maps[i].name));
      continue;
    }
    links_.push_back(TRY(kernel::attach_struct_ops(*object_, index)));
    tell(fmt::format("attached {}", links_.back().where()));
  }
  for (const std::string& reason : not_attached_) {
    if (links_.empty() || options_.verbose) warn(reason);
  }
  if (links_.empty()) {
    TRY(output_->flush());
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = "nothing of this object is attached",
                                 .hint = "say where with --attach PROG=TARGET, or run a program once with `espy test-run`"});
  }
  return {};
}

void Session::say_what_restricts_nothing() {
  if (options_.probe.pid && !restricted_.by_pid) warn("--pid restricts none of these programs: they see all processes");
  if (!options_.probe.interface.empty() && !restricted_.by_interface) warn("--iface says nothing to these programs");
  if (!options_.probe.cgroup.empty() && !restricted_.by_cgroup) warn("--cgroup says nothing to these programs");
}

// From here on only what was loaded is read, and then detached.
Result<void> Session::drop_privileges() {
  kernel::CapabilitySet keep = kernel::needed_to_read();
  for (const kernel::Link& link : links_) keep = keep | link.needed_to_detach();
  TRY(kernel::keep_capabilities(keep));
  tell(fmt::format("kept of the capabilities: {}", capability_names(TRY(kernel::effective_capabilities()))));
  return {};
}

Result<void> Session::read_iterators() {
  for (const auto& [program, link] : iterators_) {
    std::string text;
    TRY(kernel::read_iterator(links_[link], [&](Bytes bytes) {
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return true;
    }));
    output_->text(program, text);
  }
  return output_->flush();
}

Result<void> Session::show_printed() {
  if (!printk_) return {};
  TRY(printk_->drain([this](const kernel::PrintkLine& line) { output_->printk(line.comm, line.pid, line.message); }));
  std::uint64_t lost = printk_->lost();
  if (lost > printk_lost_) output_->lost("bpf_printk", lost - printk_lost_);
  printk_lost_ = lost;
  return {};
}

Result<void> Session::report_losses() {
  for (const kernel::Loss& loss : TRY(records_->new_losses())) output_->lost(loss.map, loss.count);
  return {};
}

Result<void> Session::observe() {
  TRY(read_iterators());
  // An iterator has said all it has to say; anything else goes on until told.
  if (iterators_.size() == links_.size() && !options_.duration) return {};
  const auto begun = Clock::now();
  auto sink = [this](std::size_t stream, Bytes record) {
    output_->record(streams_[stream], record);
    return true;
  };
  while (!signalled(signals_)) {
    auto timeout = std::chrono::milliseconds(1000);  // how long a loss may stay untold
    if (options_.duration) {
      auto left = *options_.duration - std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
      if (left.count() <= 0) break;
      timeout = std::min(timeout, left);
    }
    TRY(records_->wait(timeout, sink));
    TRY(show_printed());
    TRY(report_losses());
    if (auto written = output_->flush(); !written) {
      if (written.error().sys == EPIPE) break;  // nobody reads any more
      return written;
    }
  }
  return {};
}

Result<void> Session::show_contents() {
  const auto& maps = object_->spec().maps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    object::MapIdx index{static_cast<std::uint32_t>(i)};
    const object::MapSpec& map = maps[i];
    if (!object_->has_map(index) || !shows(map.name)) continue;
    if (map.is_data()) {
      // Constants are of interest only to those who ask, or to programs.
      bool constant = map.origin == object::MapOrigin::rodata || map.origin == object::MapOrigin::kconfig;
      render::Shape shape = kernel::section_shape(object_->spec(), index);
      if (shape.root().fields.empty() || (constant && !options_.json && options_.maps.empty())) continue;
      output_->data(map.name, shape, TRY(object_->data(index)));
    } else if (kernel::has_contents(map.type)) {
      output_->map(TRY(kernel::view_map(*object_, index)));
    }
  }
  return {};
}

void Session::show_costs() const {
  render::Table table({{"program"}, {"runs", render::Align::right}, {"time", render::Align::right}, {"a run", render::Align::right}});
  for (const kernel::Program& program : object_->programs()) {
    auto stats = program.stats();
    if (!stats) continue;
    std::uint64_t each = stats->run_count == 0 ? 0 : stats->run_time_ns / stats->run_count;
    table.add({program.name(), fmt::to_string(stats->run_count), render::duration_text(static_cast<std::int64_t>(stats->run_time_ns)),
               render::duration_text(static_cast<std::int64_t>(each))});
  }
  fmt::print(stderr, "{}", table.text());
}

Result<void> Session::finish() {
  for (kernel::Link& link : links_) link.stop();  // what is shown is no longer moving
  TRY(records_->drain([this](std::size_t stream, Bytes record) {
    output_->record(streams_[stream], record);
    return true;
  }));
  TRY(show_printed());
  TRY(report_losses());
  TRY(show_contents());
  for (const object::Warning& warning : records_->warnings()) warn(warning.where + ": " + warning.message, warning.hint);
  auto written = output_->flush();
  if (options_.verbose) show_costs();
  kernel::detach_all(std::move(links_));
  if (!written && written.error().sys != EPIPE) return written;
  return {};
}

}  // namespace espy::cli
