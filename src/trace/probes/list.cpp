// One function lists each family of providers: names only, from lists the Machine has read at once. Arguments are looked up a
// target at a time, and only if they are asked for.
#include "trace/probes/list.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "btf/print.hpp"
#include "trace/probes/arguments.hpp"
#include "trace/probes/expand.hpp"

namespace espy::trace::probes {

namespace {

// "char[16]" and "comm" → "char comm[16]", as C and format files have it.
std::string declaration(const Argument& argument) {
  if (const auto* located = std::get_if<Located>(&argument.source))
    return fmt::format("{} {} {}", located->from == 0 ? "__data_loc" : "__rel_loc", argument.spelling, argument.name);
  std::size_t bracket = argument.spelling.find('[');
  return fmt::format("{} {}{}", std::string_view(argument.spelling).substr(0, bracket), argument.name,
                     bracket == std::string::npos ? "" : std::string_view(argument.spelling).substr(bracket));
}

// The members of an iterator's context, which each stand in an anonymous union that makes them 8 bytes wide.
void add_members(std::vector<std::string>& lines, const btf::Type& type, int depth = 0) {
  for (const btf::Member& member : type.members()) {
    if (!member.name.empty()) lines.push_back(btf::declaration(type.btf(), member.type, member.name));
    else if (depth < 4) add_members(lines, type.btf().resolve(member.type), depth + 1);
  }
}

std::vector<std::string> details_of(Machine& machine, const Target& target) {
  auto set = arguments_of(machine, target);
  std::vector<std::string> lines;
  if (!set) return lines;
  const auto& arguments = target.provider == Provider::usdt ? set->numbered : set->arguments;
  for (const Argument& argument : arguments) lines.push_back(declaration(argument));
  if (set->context) add_members(lines, set->btf->type(*set->context));
  if (set->result && target.provider == Provider::fexit) lines.push_back(declaration(*set->result));
  return lines;
}

class Lister {
 public:
  Lister(Machine& machine, const ListOptions& options) : machine_(machine), options_(options) {}

  /// Adds what matches PROVIDER:REST; `rest` may be empty (all) or lack leading parts.
  Result<void> add(const ProviderRow& row, std::string_view rest) {
    switch (row.provider) {
      case Provider::begin: case Provider::end: rows_.push_back({std::string(row.name), {}}); return {};
      case Provider::self: case Provider::test: case Provider::bench: case Provider::watchpoint:
        return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = fmt::format("{} probes cannot be listed: a script makes them", row.name),
                                     .hint = fmt::format("they are written {}", row.forms)});
      case Provider::profile: case Provider::interval:
        for (std::string_view unit : {"hz", "ms", "s", "us"}) add_if(rest, row.name, unit, ":");
        return {};
      case Provider::software: case Provider::hardware:
        for (const CounterRow& counter : counters())
          if (counter.hardware == (row.provider == Provider::hardware)) {
            add_if(rest, row.name, counter.name, ":");
            if (!counter.alias.empty()) add_if(rest, row.name, counter.alias, ":");
          }
        return {};
      case Provider::tracepoint: case Provider::rawtracepoint: case Provider::iter: case Provider::kprobe: case Provider::kretprobe:
      case Provider::fentry: case Provider::fexit: return add_expanded(row, rest.empty() ? "*" : rest);
      case Provider::uprobe: case Provider::uretprobe: case Provider::usdt: return add_user(row, rest);
    }
    return {};
  }

  std::vector<ListRow> take() {
    std::ranges::sort(rows_, {}, &ListRow::name);
    auto rest = std::ranges::unique(rows_, {}, &ListRow::name);
    rows_.erase(rest.begin(), rest.end());
    return std::move(rows_);
  }

 private:
  void add_if(std::string_view pattern, std::string_view provider, std::string_view name, std::string_view suffix) {
    if (pattern.empty() || matches(pattern, name) || matches(pattern, fmt::format("{}{}", name, suffix)))
      rows_.push_back({fmt::format("{}:{}{}", provider, name, suffix), {}});
  }

  // What expansion finds, which knows every name there is.
  Result<void> add_expanded(const ProviderRow& row, std::string_view rest) {
    auto point = parse_attach_point(fmt::format("{}:{}", row.name, rest));
    if (!point) {
      Error error{.kind = ErrorKind::invalid_argument, .message = point.error().message, .hint = point.error().hint};
      return std::unexpected(std::move(error));
    }
    auto expansion = TRY(expand(machine_, *point, {.pid = options_.pid, .max_probes = SIZE_MAX, .must_attach = false, .listing = true}));
    for (const Target& target : expansion.targets)
      rows_.push_back({target.name, options_.verbose ? details_of(machine_, target) : std::vector<std::string>{}});
    return {};
  }

  // A file without a function means all of its functions.
  Result<void> add_user(const ProviderRow& row, std::string_view rest) {
    std::string wanted(rest);
    if (rest.empty() || rest == "*") wanted = options_.pid ? "*:*" : "";
    if (wanted.empty()) {
      auto failure = fail(ErrorKind::invalid_argument, "{}: of which program or library?", row.name);
      failure.error().hint = fmt::format("-l '{}:/bin/bash:*', or -p PID", row.name);
      return failure;
    }
    if (wanted.find(':') == std::string::npos) wanted += ":*";
    return add_expanded(row, wanted);
  }

  Machine& machine_;
  const ListOptions& options_;
  std::vector<ListRow> rows_;
};

// Kinds of probes that a search over all of them looks into: not those that are the other end of a call.
constexpr Provider kSearched[] = {Provider::tracepoint, Provider::rawtracepoint, Provider::software, Provider::hardware, Provider::iter, Provider::kprobe, Provider::fentry};

struct TypeWord { std::string_view word; btf::Kind kind; };
constexpr TypeWord kTypeWords[] = {{"struct", btf::Kind::struct_}, {"union", btf::Kind::union_}, {"enum", btf::Kind::enum_}};

bool is_kind(const btf::Type& type, btf::Kind wanted) {
  return type.kind() == wanted || (wanted == btf::Kind::enum_ && type.kind() == btf::Kind::enum64);
}

Result<std::vector<ListRow>> list_types(Machine& machine, const TypeWord& word, std::string_view pattern, bool verbose) {
  auto btf = TRY(machine.vmlinux());
  std::vector<ListRow> rows;
  std::vector<std::string_view> names;
  for (std::uint32_t id = btf->start_id(); id < btf->type_count(); ++id) {
    btf::Type type = btf->type(btf::TypeId{id});
    if (!is_kind(type, word.kind) || type.name().empty()) continue;
    names.push_back(type.name());
    if (!matches(pattern, type.name())) continue;
    ListRow row{fmt::format("{} {}", word.word, type.name()), {}};
    if (verbose) {
      std::string definition = btf::definition(*btf, type.id());
      for (std::string_view line : split(trim(definition), '\n')) row.details.emplace_back(line);
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return std::unexpected(missing(fmt::format("the kernel has no {} `{}`", word.word, pattern), pattern, names));
  std::ranges::stable_sort(rows, {}, &ListRow::name);
  return rows;
}

}  // namespace

namespace {

// "kprobe:a,tracepoint:b:c": commas stand between searches, and in quotes for themselves.
std::vector<std::string_view> searches_in(std::string_view text) {
  std::vector<std::string_view> searches;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] != ',' || quoted) continue;
    searches.push_back(trim(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  searches.push_back(trim(text.substr(begin)));
  return searches;
}

Result<std::vector<ListRow>> list_one(Machine& machine, std::string_view search, const ListOptions& options) {
  for (const TypeWord& word : kTypeWords)
    if (search.starts_with(word.word) && search.size() > word.word.size() && search[word.word.size()] == ' ')
      return list_types(machine, word, trim(search.substr(word.word.size())), options.verbose);
  Lister lister(machine, options);
  std::size_t colon = search.find(':');
  std::string_view front = search.substr(0, colon), rest = colon == search.npos ? std::string_view() : search.substr(colon + 1);
  if (const ProviderRow* row = find_provider(front)) {
    TRY(lister.add(*row, rest));
  } else if (is_pattern(front) || search.empty() || colon == search.npos) {
    // "*sleep*": a name of any kind. "k*:x": kinds that match.
    bool any = colon == search.npos;
    if (any) rest = search;
    for (Provider provider : kSearched)
      if (any || matches(front, to_string(provider))) static_cast<void>(lister.add(row_of(provider), rest));
  } else {
    std::string_view near = nearest_provider(front);
    Error error{.kind = ErrorKind::invalid_argument, .message = fmt::format("there is no kind of probe `{}`", front)};
    if (!near.empty()) error.hint = fmt::format("did you mean {}?", near);
    return std::unexpected(std::move(error));
  }
  auto rows = lister.take();
  if (rows.empty()) {
    Error error = missing(fmt::format("no probe matches `{}`", search));
    if (colon == search.npos && !is_pattern(search)) error.hint = fmt::format("`*{}*` finds what has it in its name", search);
    return std::unexpected(std::move(error));
  }
  return rows;
}

}  // namespace

Result<std::vector<ListRow>> list(Machine& machine, std::string_view search, const ListOptions& options) {
  std::vector<ListRow> all;
  std::optional<Error> first;
  for (std::string_view one : searches_in(search)) {
    auto rows = list_one(machine, one, options);
    if (rows) std::ranges::move(*rows, std::back_inserter(all));
    else if (!first) first = std::move(rows.error());
  }
  if (all.empty() && first) return std::unexpected(std::move(*first));
  return all;
}

std::string text(const ListRow& row) {
  bool is_type = row.name.find(' ') != std::string::npos && row.name.find(':') == std::string::npos;
  std::string lines = is_type && !row.details.empty() ? "" : row.name + "\n";
  for (const std::string& detail : row.details) lines.append(is_type ? "" : "    ").append(detail).append("\n");
  return lines;
}

}  // namespace espy::trace::probes
