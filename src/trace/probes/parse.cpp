// Attach points from text. The text is cut at colons outside quotes; one function for each form reads the parts. Every part
// knows where it stood, so that an error points at it.
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <ranges>
#include <span>
#include <vector>

#include "base/text.hpp"
#include "trace/probes/attach_point.hpp"

namespace espy::trace::probes {

namespace {

template <typename T>
using Parsed = std::expected<T, PointError>;

struct Part {
  std::string text;          // without quotes and escapes
  std::size_t offset = 0, length = 0;
};

struct Ask {
  const ProviderRow& row;
  std::span<const Part> parts;   // after the provider
  Part whole;                    // the provider's name, for errors about what is missing
};

std::unexpected<PointError> wrong(const Part& part, std::string message, std::string hint = {}) {
  return std::unexpected(PointError{part.offset, part.length, std::move(message), std::move(hint)});
}

std::string forms_hint(const ProviderRow& row) { return fmt::format("it is written {}", fmt::join(split(row.forms, ';'), ", or")); }

std::unexpected<PointError> wrong_count(const Ask& ask, std::string_view wanted) {
  // Point at the first part that is too many, or at the provider that wants more.
  const Part& at = ask.parts.empty() ? ask.whole : ask.parts.back();
  return wrong(at, fmt::format("{} takes {}, found {}", ask.row.name, wanted, ask.parts.size()), forms_hint(ask.row));
}

// Decimal, 0x-hexadecimal, 0-octal, with `_` between digits and an exponent ("1e6"), as numbers of the language are.
std::optional<std::uint64_t> number_of(std::string_view text) {
  std::string digits;
  for (char c : text)
    if (c != '_') digits += c;
  if (digits.starts_with('-')) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '7') {
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  }
  if (std::size_t e = digits.find('e'); e != digits.npos && !digits.starts_with("0x")) {
    auto base = parse_number<std::uint64_t>(std::string_view(digits).substr(0, e));
    auto exponent = parse_number<unsigned>(std::string_view(digits).substr(e + 1));
    if (!base || !exponent || *exponent > 19) return std::nullopt;
    for (unsigned i = 0; i < *exponent; ++i)
      if (__builtin_mul_overflow(*base, 10, &*base)) return std::nullopt;
    return base;
  }
  return parse_number<std::uint64_t>(digits);
}

Parsed<std::uint64_t> number(const Part& part, std::string_view what) {
  if (auto value = number_of(part.text)) return *value;
  return wrong(part, fmt::format("`{}` is no {}", part.text, what), "a number is wanted here");
}

Parsed<std::vector<Part>> cut(std::string_view text) {
  std::vector<Part> parts(1);
  bool quoted = false;
  std::size_t quote_at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    Part& part = parts.back();
    char c = text[i];
    if (c == '"') {
      quoted = !quoted;
      quote_at = i;
    } else if (quoted && c == '\\' && i + 1 < text.size()) {
      part.text += text[++i];
    } else if (c == ':' && !quoted) {
      part.length = i - part.offset;
      parts.push_back({{}, i + 1, 0});
    } else {
      part.text += c;
    }
  }
  if (quoted) return std::unexpected(PointError{quote_at, text.size() - quote_at, "this quote is not closed", {}});
  parts.back().length = text.size() - parts.back().offset;
  return parts;
}

// ---- one function for each form ----

Parsed<Place> nothing(const Ask& ask) {
  bool all = ask.parts.size() == 1 && ask.parts[0].text == "*";
  if (!ask.parts.empty() && !all) return wrong(ask.parts[0], fmt::format("{} takes nothing", ask.row.name));
  return NoPlace{};
}

Parsed<Place> name_only(const Ask& ask) {
  if (ask.parts.size() != 1 || ask.parts[0].text.empty()) return wrong_count(ask, "a name");
  return NamePlace{ask.parts[0].text};
}

Parsed<Place> signal(const Ask& ask) {
  if (ask.parts.size() != 2) return wrong_count(ask, "two parts");
  if (ask.parts[0].text != "signal") return wrong(ask.parts[0], fmt::format("self has no `{}`", ask.parts[0].text), forms_hint(ask.row));
  const std::string& name = ask.parts[1].text;
  for (const SignalRow& row : signals())
    if (row.name == name || row.name.substr(3) == name || fmt::to_string(row.number) == name) {
      if (row.name == "SIGKILL" || row.name == "SIGSTOP") return wrong(ask.parts[1], fmt::format("no program can receive {}", row.name));
      return SignalPlace{row};
    }
  std::vector<std::string_view> names;
  for (const SignalRow& row : signals()) names.push_back(row.name);
  std::string_view near = nearest(name, names);
  return wrong(ask.parts[1], fmt::format("there is no signal `{}`", name), near.empty() ? "SIGUSR1 and SIGUSR2 are for this" : fmt::format("did you mean {}?", near));
}

Parsed<Place> tracepoint(const Ask& ask) {
  // tracepoint:*name*: in any category.
  if (ask.parts.size() == 1 && is_pattern(ask.parts[0].text)) return EventPlace{"*", ask.parts[0].text};
  if (ask.parts.size() != 2 || ask.parts[0].text.empty() || ask.parts[1].text.empty()) return wrong_count(ask, "a category and an event");
  return EventPlace{ask.parts[0].text, ask.parts[1].text};
}

Parsed<Place> raw_tracepoint(const Ask& ask) {
  if (ask.parts.empty() || ask.parts.size() > 2 || ask.parts.back().text.empty()) return wrong_count(ask, "an event, perhaps after its module");
  return RawEventPlace{ask.parts.size() == 2 ? ask.parts[0].text : "", ask.parts.back().text};
}

struct UnitRow { std::string_view name; std::uint64_t nanoseconds; };   // 0: times in a second
constexpr UnitRow kUnits[] = {{"hz", 0}, {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};

Parsed<Place> timer_of(const Ask& ask, const UnitRow& unit, std::uint64_t count, const Part& at) {
  if (count == 0) return wrong(at, fmt::format("the rate of {} cannot be 0", ask.row.name));
  if (unit.nanoseconds == 0) {
    if (count > 1'000'000) return wrong(at, fmt::format("{} times in a second are more than any machine does", count));
    return TimerPlace{.frequency = count, .unit = "hz", .count = count};
  }
  std::uint64_t period = 0;
  if (__builtin_mul_overflow(count, unit.nanoseconds, &period) || period > std::numeric_limits<std::int64_t>::max())
    return wrong(at, "this is longer than the kernel can count");
  if (period < 1000) return wrong(at, fmt::format("{} ns are too short; the least is 1us", period));
  return TimerPlace{.period_ns = period, .unit = std::string(unit.name), .count = count};
}

Parsed<Place> timer(const Ask& ask) {
  if (ask.parts.empty() || ask.parts.size() > 2) return wrong_count(ask, "a unit and a number, or a time");
  if (ask.parts.size() == 2) {
    auto unit = std::ranges::find(kUnits, ask.parts[0].text, &UnitRow::name);
    if (unit == std::end(kUnits) || unit->name == "ns" || unit->name == "m" || unit->name == "h")
      return wrong(ask.parts[0], fmt::format("`{}` is no unit of time", ask.parts[0].text), "the units are hz, s, ms and us");
    auto count = number(ask.parts[1], "rate");
    if (!count) return std::unexpected(count.error());
    return timer_of(ask, *unit, *count, ask.parts[1]);
  }
  // "99hz", "10ms", or a bare number of nanoseconds. The unit begins after the last digit.
  const Part& part = ask.parts[0];
  std::size_t digits = part.text.find_last_of("0123456789");
  digits = digits == part.text.npos ? 0 : digits + 1;
  std::string_view suffix = std::string_view(part.text).substr(digits);
  auto unit = std::ranges::find(kUnits, suffix.empty() ? "ns" : suffix, &UnitRow::name);
  auto count = number_of(std::string_view(part.text).substr(0, digits));
  if (unit == std::end(kUnits) || !count) return wrong(part, fmt::format("`{}` is no rate", part.text), forms_hint(ask.row));
  auto place = timer_of(ask, *unit, *count, part);
  if (!place) return place;
  // The name of a time without a unit of its own is said in microseconds.
  if (TimerPlace& t = std::get<TimerPlace>(*place); t.period_ns != 0) t.unit = "us", t.count = t.period_ns / 1000;
  return place;
}

Parsed<Place> counter(const Ask& ask) {
  if (ask.parts.empty() || ask.parts.size() > 2) return wrong_count(ask, "an event, perhaps a count");
  bool hardware = ask.row.provider == Provider::hardware;
  const CounterRow* row = find_counter(ask.parts[0].text, hardware);
  if (row == nullptr) {
    std::vector<std::string_view> names;
    for (const CounterRow& known : counters())
      if (known.hardware == hardware) names.push_back(known.name);
    if (is_pattern(ask.parts[0].text)) return wrong(ask.parts[0], fmt::format("{} takes no wildcards", ask.row.name));
    std::string_view near = nearest(ask.parts[0].text, names);
    std::string hint = near.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : fmt::format("did you mean {}?", near);
    return wrong(ask.parts[0], fmt::format("`{}` is no {} event", ask.parts[0].text, ask.row.name), std::move(hint));
  }
  CounterPlace place{row, row->period, ask.parts[0].text};
  if (ask.parts.size() == 2) {
    auto count = number(ask.parts[1], "count");
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return wrong(ask.parts[1], "the count cannot be 0");
    place.period = *count;
    place.spelled += fmt::format(":{}", *count);
  }
  return place;
}

struct FunctionPart {
  std::string function;
  std::uint64_t offset = 0;
};

// "readline", "readline+0x10". The plus of a C++ operator is followed by no number.
Parsed<FunctionPart> function_part(const Ask& ask, const Part& part, bool offset_allowed) {
  if (part.text.empty()) return wrong(part.length != 0 ? part : ask.whole, fmt::format("{}: the function's name is missing", ask.row.name), forms_hint(ask.row));
  std::size_t plus = part.text.rfind('+');
  std::size_t op = part.text.rfind("operator");
  if (plus == part.text.npos || (op != part.text.npos && part.text.find_first_not_of('+', op + 8) >= plus)) return FunctionPart{part.text, 0};
  Part offset{part.text.substr(plus + 1), part.offset + part.length - (part.text.size() - plus - 1), part.text.size() - plus - 1};
  auto value = number(offset, "offset");
  if (!value) return std::unexpected(value.error());
  if (plus == 0) return wrong(part, "an offset needs a function before it");
  if (!offset_allowed && *value != 0) return wrong(offset, fmt::format("{} runs when the function returns: it has no offset", ask.row.name));
  return FunctionPart{part.text.substr(0, plus), *value};
}

Parsed<Place> kernel_function(const Ask& ask) {
  if (ask.parts.empty() || ask.parts.size() > 2) return wrong_count(ask, "a function, perhaps after its module");
  const Part& last = ask.parts.back();
  bool is_entry = ask.row.provider == Provider::kprobe;
  if (auto address = number_of(last.text); address && ask.parts.size() == 1) {
    if (!is_entry) return wrong(last, fmt::format("{} is put on functions by name, not on addresses", ask.row.name));
    return KernelPlace{.address = *address};
  }
  auto function = function_part(ask, last, is_entry);
  if (!function) return std::unexpected(function.error());
  return KernelPlace{ask.parts.size() == 2 ? ask.parts[0].text : "", function->function, function->offset, {}};
}

Parsed<Place> trampoline(const Ask& ask) {
  if (ask.parts.empty() || ask.parts.size() > 3) return wrong_count(ask, "a function, perhaps after its module");
  if (ask.parts[0].text == "bpf" && ask.parts.size() >= 2) {
    ProgramPlace place{{}, ask.parts.back().text};
    if (place.function.empty()) return wrong(ask.whole, "which eBPF program?", forms_hint(ask.row));
    if (ask.parts.size() == 3 && ask.parts[1].text != "*") {
      auto id = parse_number<std::uint32_t>(ask.parts[1].text);
      if (!id) return wrong(ask.parts[1], fmt::format("`{}` is no number of an eBPF program", ask.parts[1].text), "a number, or *");
      place.id = *id;
    }
    return place;
  }
  if (ask.parts.size() == 3) return wrong_count(ask, "a function, perhaps after its module");
  const Part& last = ask.parts.back();
  if (last.text.empty()) return wrong(ask.whole, fmt::format("{}: the function's name is missing", ask.row.name), forms_hint(ask.row));
  if (last.text.find('+') != last.text.npos) return wrong(last, fmt::format("{} has no offsets", ask.row.name), "kprobe has");
  return KernelPlace{ask.parts.size() == 2 ? ask.parts[0].text : "", last.text, 0, {}};
}

// "bin@file.c:12[:3]" has its line (and column) in parts of their own.
Parsed<Place> source_line(const Ask& ask, std::size_t at) {
  UserPlace place{.path = ask.parts[0].text.substr(0, at), .source = ask.parts[0].text.substr(at + 1)};
  if (place.source.empty()) return wrong(ask.parts[0], "a source file is wanted after the @");
  auto line = parse_number<std::uint32_t>(ask.parts[1].text);
  if (!line || *line == 0) return wrong(ask.parts[1], fmt::format("`{}` is no line of {}", ask.parts[1].text, place.source), forms_hint(ask.row));
  place.line = *line;
  if (ask.parts.size() < 3) return place;
  auto column = parse_number<std::uint32_t>(ask.parts[2].text);
  if (!column) return wrong(ask.parts[2], fmt::format("`{}` is no column", ask.parts[2].text));
  place.column = *column;
  return place;
}

Parsed<Place> user_function(const Ask& ask) {
  bool is_entry = ask.row.provider == Provider::uprobe;
  if (ask.parts.empty() || ask.parts.size() > 3) return wrong_count(ask, "a file and a function");
  if (std::size_t at = ask.parts[0].text.rfind('@'); at != std::string::npos && ask.parts.size() >= 2 && number_of(ask.parts[1].text)) {
    if (!is_entry) return wrong(ask.parts[0], "uretprobe is put on functions, not on lines");
    return source_line(ask, at);
  }
  // With -p the file may be left out: FUNCTION, or cpp:FUNCTION.
  UserPlace place;
  std::size_t language = 1;
  if (ask.parts.size() >= 2 && !(ask.parts.size() == 2 && ask.parts[0].text == "cpp")) place.path = ask.parts[0].text;
  else language = 0;
  if (ask.parts.size() == language + 2) {
    place.language = ask.parts[language].text;
    if (place.language != "cpp") return wrong(ask.parts[language], fmt::format("functions of language `{}` are not told apart", place.language), "cpp is the language that can be said here");
  }
  const Part& last = ask.parts.back();
  if (auto address = number_of(last.text)) {
    if (!is_entry) return wrong(last, "uretprobe is put on functions by name, not on addresses");
    if (is_pattern(place.path)) return wrong(ask.parts[0], "an address stands in one file: no wildcards here");
    place.address = *address;
    return place;
  }
  auto function = function_part(ask, last, is_entry);
  if (!function) return std::unexpected(function.error());
  place.function = std::move(function->function), place.offset = function->offset;
  return place;
}

Parsed<Place> usdt(const Ask& ask) {
  if (ask.parts.empty() || ask.parts.size() > 3 || ask.parts.back().text.empty()) return wrong_count(ask, "a file and a name");
  UsdtPlace place{.path = {}, .provider = {}, .name = ask.parts.back().text};
  if (ask.parts.size() >= 2) place.path = ask.parts[0].text;
  if (ask.parts.size() == 3) place.provider = ask.parts[1].text;
  return place;
}

Parsed<Place> iterator(const Ask& ask) {
  if (ask.parts.empty() || ask.parts.size() > 2 || ask.parts[0].text.empty()) return wrong_count(ask, "the kind of object, perhaps a file");
  return IteratorPlace{ask.parts[0].text, ask.parts.size() == 2 ? ask.parts[1].text : ""};
}

Parsed<Place> memory(const Ask& ask) {
  if (ask.parts.size() != 3) return wrong_count(ask, "an address, a length and a mode");
  auto address = number(ask.parts[0], "address");
  if (!address) return std::unexpected(address.error());
  if (*address == 0) return wrong(ask.parts[0], "nothing is at address 0");
  auto length = number(ask.parts[1], "length");
  if (!length) return std::unexpected(length.error());
  if (*length != 1 && *length != 2 && *length != 4 && *length != 8) return wrong(ask.parts[1], fmt::format("{} bytes cannot be watched", *length), "1, 2, 4 or 8 can");
  MemoryPlace place{.address = *address, .length = static_cast<std::uint32_t>(*length)};
  for (char c : ask.parts[2].text) {
    bool& flag = c == 'r' ? place.read : c == 'w' ? place.write : place.execute;
    if ((c != 'r' && c != 'w' && c != 'x') || flag) return wrong(ask.parts[2], fmt::format("`{}` is no mode", ask.parts[2].text), "r, w and x, each once at most");
    flag = true;
  }
  if (ask.parts[2].text.empty()) return wrong(ask.whole, "the mode is missing", "r, w, rw or x");
  if (place.execute && (place.read || place.write)) return wrong(ask.parts[2], "executing is watched alone", "rw, w or x");
  if (place.read && !place.write) return wrong(ask.parts[2], "reading cannot be watched alone on this processor", "rw");
  return place;
}

Parsed<Place> place_of(const Ask& ask) {
  switch (ask.row.provider) {
    case Provider::begin: case Provider::end: return nothing(ask);
    case Provider::self: return signal(ask);
    case Provider::test: case Provider::bench: return name_only(ask);
    case Provider::tracepoint: return tracepoint(ask);
    case Provider::rawtracepoint: return raw_tracepoint(ask);
    case Provider::profile: case Provider::interval: return timer(ask);
    case Provider::software: case Provider::hardware: return counter(ask);
    case Provider::uprobe: case Provider::uretprobe: return user_function(ask);
    case Provider::usdt: return usdt(ask);
    case Provider::iter: return iterator(ask);
    case Provider::watchpoint: return memory(ask);
    case Provider::kprobe: case Provider::kretprobe: return kernel_function(ask);
    case Provider::fentry: case Provider::fexit: return trampoline(ask);
  }
  return wrong(ask.whole, "no such provider");
}

}  // namespace

std::expected<AttachPoint, PointError> parse_attach_point(std::string_view text) {
  std::string_view trimmed = trim(text);
  std::size_t skipped = trimmed.empty() ? 0 : static_cast<std::size_t>(trimmed.data() - text.data());
  auto parts = cut(trimmed);
  auto moved = [&](PointError error) {
    error.offset += skipped;
    return std::unexpected(std::move(error));
  };
  if (!parts) return moved(parts.error());
  AttachPoint point;
  Part& front = parts->front();
  if (std::size_t equals = front.text.find('='); equals != front.text.npos && equals + 1 < front.text.size()) {
    point.label = trim(front.text.substr(0, equals));
    front.text = trim(std::string_view(front.text).substr(equals + 1));
  }
  if (front.text.empty()) return moved({front.offset, front.length, "a probe is wanted here", "for example tracepoint:sched:sched_switch"});
  const ProviderRow* row = find_provider(front.text);
  if (row == nullptr) {
    std::string_view near = nearest_provider(front.text);
    PointError error{front.offset, front.length, fmt::format("there is no kind of probe `{}`", front.text), {}};
    if (!near.empty()) error.hint = fmt::format("did you mean {}?", near);
    else error.hint = fmt::format("the kinds are {}", fmt::join(providers() | std::views::transform(&ProviderRow::name), ", "));
    return moved(std::move(error));
  }
  point.provider = row->provider;
  auto place = place_of({*row, std::span<const Part>(*parts).subspan(1), front});
  if (!place) return moved(place.error());
  point.place = std::move(*place);
  return point;
}

namespace {

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view part : parts)
    if (!part.empty()) text.append(1, ':').append(part);
  return text;
}

std::string with_offset(const std::string& function, std::uint64_t offset) {
  return offset == 0 ? function : fmt::format("{}+{}", function, offset);
}

std::string rest_of(const Place& place) {
  return std::visit(overload{
      [](const NoPlace&) { return std::string(); },
      [](const NamePlace& p) { return joined({p.name}); },
      [](const SignalPlace& p) { return joined({"signal", p.signal.name}); },
      [](const EventPlace& p) { return joined({p.category, p.event}); },
      [](const RawEventPlace& p) { return joined({p.module, p.event}); },
      [](const TimerPlace& p) { return joined({p.unit, fmt::to_string(p.count)}); },
      [](const CounterPlace& p) { return joined({p.spelled}); },
      [](const KernelPlace& p) { return joined({p.module, p.address ? fmt::to_string(*p.address) : with_offset(p.function, p.offset)}); },
      [](const ProgramPlace& p) { return joined({"bpf", p.id ? fmt::to_string(*p.id) : "", p.function}); },
      [](const UserPlace& p) {
        if (p.line != 0) return fmt::format(":{}@{}:{}", p.path, p.source, p.line) + (p.column != 0 ? fmt::format(":{}", p.column) : "");
        return joined({p.path, p.language, p.address ? fmt::to_string(*p.address) : with_offset(p.function, p.offset)});
      },
      [](const UsdtPlace& p) { return joined({p.path, p.provider, p.name}); },
      [](const IteratorPlace& p) { return joined({p.name, p.pin}); },
      [](const MemoryPlace& p) {
        return fmt::format(":{}:{}:{}{}{}", p.address, p.length, p.read ? "r" : "", p.write ? "w" : "", p.execute ? "x" : "");
      }}, place);
}

}  // namespace

std::string name_of(const AttachPoint& point) { return std::string(to_string(point.provider)) + rest_of(point.place); }

}  // namespace espy::trace::probes
