#include "trace/run/actions.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <numeric>

#include "base/json.hpp"
#include "trace/run/child.hpp"
#include "trace/run/value.hpp"
#include "trace/snapshot.hpp"

namespace espy::trace::run {

namespace {

template <typename T>
T word(Bytes record, std::size_t offset) {
  T value{};
  if (offset + sizeof value <= record.size()) std::memcpy(&value, record.data() + offset, sizeof value);
  return value;
}

constexpr std::size_t kBehindHeader = sizeof(RecordHeader);

constexpr std::size_t kMostSnapshots = 64;   // that arrive at the same time

// join() has no types for what it sends.
constexpr std::size_t kJoinStrings = kBehindHeader + 8;

timespec wall_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

}  // namespace

Actions::Actions(const Plan& plan, Engine& engine, Names& names, Output& output, const Sources* sources, Tell tell)
    : plan_(plan), engine_(engine), names_(names), output_(output), sources_(sources), tell_(std::move(tell)) {
  for (const MapPlan& map : plan.maps) maps_.push_back(engine.find_map(map.map));
  for (const Action& action : plan.actions)
    prepared_.push_back({.format = Format(action.format, action.arguments), .map = action.map < maps_.size() ? maps_[action.map] : std::nullopt});
}

Result<void> Actions::handle(Bytes record) {
  const auto number = word<std::uint32_t>(record, 0);
  if (record.size() < kBehindHeader || number >= plan_.actions.size() || record.size() < plan_.actions[number].size) {
    ++malformed_;
    return {};
  }
  const Action& action = plan_.actions[number];
  const Format& format = prepared_[number].format;
  using enum Action::Kind;
  switch (action.kind) {
    case printf: output_.text("printf", false, [&](std::string& out) { format.append(record, names_, out); }); return {};
    case errorf: case warnf: on_message(action, record, format); return {};
    case cat: on_cat(action, record, format); return {};
    case system: on_system(record, format); return {};
    case time: on_time(action); return {};
    case join: on_join(action, record); return {};
    case print_value: on_value(action, record); return {};
    case print_map: case clear: case zero: return on_map(action, record);
    case exit: exit_code_ = action.arguments.empty() ? 0 : static_cast<int>(argument(action, record)); return {};
    case runtime_error: on_runtime_error(action, record); return {};
    case watchpoint_off: engine_.unwatch(static_cast<std::uint64_t>(argument(action, record))); return {};
    case skb_output: on_packet(action, record); return {};
  }
  return {};
}

namespace {

// What programs report of helpers that failed, in the words that the language's users know.
struct FailureRow {
  std::string_view what;      ///< Action::text
  std::string_view helper;
  std::string_view message;   ///< empty: the error's own text
  std::int64_t code = 0;      ///< `message` is for this one only; 0: for all
};
constexpr FailureRow kFailures[] = {
    {"map update", "map_update_elem", "Map full; can't update element.", -7},
    {"map delete", "map_delete_elem", "Can't delete map element because it does not exist."},
    {"map lookup", "map_lookup_elem", "Can't lookup map element because it does not exist."},
    {"read of user memory", "probe_read_user", ""},
    {"read of kernel memory", "probe_read_kernel", ""},
    {"read of a user string", "probe_read_user_str", ""},
    {"read of a kernel string", "probe_read_kernel_str", ""},
};

}  // namespace

std::int64_t Actions::argument(const Action& action, Bytes record) const {
  if (action.arguments.empty()) return word<std::int64_t>(record, kBehindHeader);
  const Field& field = action.arguments.front();
  Bytes value = field.offset < record.size() ? record.subspan(field.offset) : Bytes{};
  return load_integer(value, field.type.size == 0 ? 8 : field.type.size, field.type.is_signed);
}

void Actions::on_value(const Action& action, Bytes record) {
  if (action.arguments.empty()) return;
  const Field& field = action.arguments.front();
  Bytes value = field.offset < record.size() ? record.subspan(field.offset) : Bytes{};
  output_.data("value", [&](std::string& out) {
    if (output_.is_json()) return append_json(field.type, value, names_, out);
    append_text(field.type, value, names_, out);
    out += '\n';
  });
}

void Actions::on_join(const Action& action, Bytes record) {
  if (action.arguments.empty()) return;
  const Type& type = action.arguments.front().type;
  const std::size_t first = kJoinStrings;
  const std::string_view separator = action.text.empty() ? std::string_view(" ") : std::string_view(action.text.front());
  const auto count = word<std::uint64_t>(record, kBehindHeader);
  output_.text("join", true, [&](std::string& out) {
    for (std::uint64_t i = 0; i < count && type.size != 0 && first + i * type.size < record.size(); ++i) {
      if (i != 0) out += separator;
      bool cut = false;
      out += string_of(type, record.subspan(first + i * type.size), cut);
    }
  });
}

void Actions::on_time(const Action& action) {
  const timespec now = wall_clock();
  output_.text("time", false, [&](std::string& out) {
    append_time(now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec), action.text.empty() ? std::string_view("%H:%M:%S\n") : std::string_view(action.text.front()), out);
  });
}

void Actions::on_cat(const Action&, Bytes record, const Format& format) {
  scratch_.clear();
  format.append(record, names_, scratch_);
  auto file = open_file(scratch_, O_RDONLY);
  if (!file) {
    tell_(fmt::format("ERROR: failed to open file '{}': {}", scratch_, errno_text(file.error().sys)));
    return;
  }
  output_.text("cat", false, [&](std::string& out) {
    const std::size_t begin = out.size();
    const auto most = static_cast<std::size_t>(plan_.config.max_cat_bytes);
    std::size_t length = 0;
    while (length < most) {
      const std::size_t chunk = std::min<std::size_t>(most - length, 16384);
      out.resize(begin + length + chunk);
      const ssize_t count = ::read(file->get(), out.data() + begin + length, chunk);
      if (count <= 0) break;
      length += static_cast<std::size_t>(count);
    }
    out.resize(begin + length);
  });
}

void Actions::on_system(Bytes record, const Format& format) {
  scratch_.clear();
  format.append(record, names_, scratch_);
  // What was printed before stands before what the command prints to the terminal itself.
  if (auto flushed = output_.flush(); !flushed) return;
  std::string printed;
  if (auto run = run_shell(scratch_, printed); !run) tell_("ERROR: " + one_line(run.error()));
  output_.text("syscall", false, [&](std::string& out) { out += printed; });
}

void Actions::on_message(const Action& action, Bytes record, const Format& format) {
  scratch_.clear();
  format.append(record, names_, scratch_);
  while (scratch_.ends_with('\n')) scratch_.pop_back();
  const bool error = action.kind == Action::Kind::errorf;
  output_.problem(error ? "errorf" : "warnf", error ? Severity::error : Severity::warning, scratch_, action.at, sources_);
}

void Actions::on_runtime_error(const Action& action, Bytes record) {
  const auto code = word<std::int64_t>(record, kBehindHeader);
  const std::string_view what = action.text.empty() ? std::string_view("operation") : std::string_view(action.text.front());
  const auto* row = std::ranges::find(kFailures, what, &FailureRow::what);
  const std::string_view helper = row == std::end(kFailures) ? what : row->helper;
  std::string message = row == std::end(kFailures) || row->message.empty() || (row->code != 0 && row->code != code)
                            ? errno_text(static_cast<int>(std::clamp<std::int64_t>(code < 0 ? -code : code, 0, 4095)))
                            : std::string(row->message);
  if (!output_.is_json()) {
    message += fmt::format("\nAdditional Info - helper: {}, retcode: {}", helper, code);
    return output_.problem("helper_error", Severity::warning, message, action.at, sources_);
  }
  std::string more = "\"helper\": ";
  append_json_string(helper, more);
  more += fmt::format(", \"retcode\": {}", code);
  if (sources_ != nullptr && action.at.source < sources_->size() && action.at.end > action.at.begin) {
    const Position position = sources_->position(action.at);
    more += ", \"filename\": ";
    append_json_string(sources_->source(action.at.source).name, more);
    more += fmt::format(", \"line\": {}, \"col\": {}", position.line, position.column);
  }
  output_.problem("helper_error", message, more);
}

void Actions::on_packet(const Action& action, Bytes record) {
  if (action.text.empty()) return;
  const std::string& path = action.text.front();
  auto file = packets_.find(path);
  if (file == packets_.end()) {
    auto created = PacketFile::create(path);
    if (!created) {
      tell_("ERROR: " + one_line(created.error()));
      return;
    }
    file = packets_.emplace(path, std::move(*created)).first;
  }
  const auto length = word<std::uint32_t>(record, kBehindHeader);
  Bytes data = record.subspan(std::min(record.size(), kBehindHeader + 4));
  const timespec now = wall_clock();
  auto added = file->second.add(std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec, length, data.first(std::min<std::size_t>(length, data.size())));
  if (!added) tell_("ERROR: " + one_line(added.error()));
}

Result<void> Actions::on_map(const Action& action, Bytes record) {
  if (action.map >= plan_.maps.size() || !maps_[action.map]) return {};
  const MapPlan& plan = plan_.maps[action.map];
  if (action.kind == Action::Kind::clear) return clear_map(engine_, *maps_[action.map], plan);
  if (action.kind == Action::Kind::zero) return zero_map(engine_, *maps_[action.map], plan);
  return on_print(action, record);
}

Result<void> Actions::on_print(const Action& action, Bytes record) {
  const MapPlan& plan = plan_.maps[action.map];
  MapRecord what;
  Bytes rest = record.subspan(kBehindHeader);
  std::memcpy(&what, rest.data(), std::min(rest.size(), sizeof what));
  rest = rest.subspan(std::min(rest.size(), sizeof what));
  const PrintOptions options{.top = what.top, .div = what.div};
  if (what.parts == 0) {
    snapshots_.erase(what.snapshot);
    return print_map(action.map, options);
  }
  // One whose end never comes must not stay for ever.
  if (snapshots_.size() >= kMostSnapshots && !snapshots_.contains(what.snapshot)) snapshots_.erase(snapshots_.begin());
  Entries& entries = snapshots_.try_emplace(what.snapshot, plan.key_bytes, plan.value_bytes).first->second;
  if ((what.parts & MapRecord::entry) != 0) {
    const std::vector<std::byte> none(plan.key_bytes);
    const bool scalar = plan.key.kind == Kind::none;
    if (!scalar && rest.size() < plan.key_bytes) return {};
    add_entry(plan, scalar ? Bytes(none) : rest.first(plan.key_bytes), scalar ? rest : rest.subspan(plan.key_bytes), engine_.cpus(), entries);
  }
  if ((what.parts & MapRecord::last) == 0) return {};
  Entries all = std::move(entries);
  snapshots_.erase(what.snapshot);
  print_entries(plan, whole_entries(plan, std::move(all)), options);
  return {};
}

Result<void> Actions::print_map(std::size_t map, const PrintOptions& options) {
  const MapPlan& plan = plan_.maps[map];
  if (!maps_[map]) return {};
  print_entries(plan, TRY(read_entries(engine_, *maps_[map], plan)), options);
  return {};
}

void Actions::print_entries(const MapPlan& plan, Entries entries, const PrintOptions& options) {
  sort_entries(plan, entries);
  output_.data(json_type(plan, entries), [&](std::string& out) {
    if (output_.is_json()) append_map_json(plan, entries, options, names_, out);
    else append_map_text(plan, entries, options, names_, out);
  });
}

Result<void> Actions::print_maps() {
  std::vector<std::size_t> order(plan_.maps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t map) -> const std::string& { return plan_.maps[map].name; });
  for (std::size_t map : order) TRY(print_map(map, {}));
  return {};
}

}  // namespace espy::trace::run
