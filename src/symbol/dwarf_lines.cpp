// Source lines: from an address to its line and the calls that were inlined there, and from a line to its addresses.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "symbol/dwarf_impl.hpp"

namespace espy::symbol {

namespace {

constexpr std::size_t kAddressesLimit = 1 << 16;

std::string source_path(const char* path, Dwarf_Die& unit) {
  if (path == nullptr) return {};
  std::string text(path);
  std::string_view folder = die::text(unit, DW_AT_comp_dir);
  if (!text.starts_with('/') && !folder.empty()) text = fmt::format("{}/{}", folder, text);
  return text;
}

// "core.c" and "net/core.c" mean "/src/net/core.c", "ore.c" does not.
bool names_file(std::string_view path, std::string_view wanted) {
  if (!path.ends_with(wanted)) return false;
  return path.size() == wanted.size() || wanted.starts_with('/') || path[path.size() - wanted.size() - 1] == '/';
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// One line of a unit's table that begins a statement.
struct Row {
  std::uint64_t address = 0;
  std::uint32_t line = 0, column = 0;
};

// Rows of the files that are meant; each run of rows of a line and column counts once.
void add_rows(std::vector<Row>& rows, Dwarf_Die& unit, std::string_view file) {
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
  const char* previous_path = nullptr;
  bool wanted = false;
  for (std::size_t i = 0; i < count && rows.size() < std::size_t{1} << 22; ++i) {
    Dwarf_Line* line = dwarf_onesrcline(lines, i);
    bool is_statement = false, is_end = false;
    int number = 0, column = 0;
    Dwarf_Addr address = 0;
    if (line == nullptr || dwarf_linebeginstatement(line, &is_statement) != 0 || dwarf_lineendsequence(line, &is_end) != 0 || is_end || !is_statement) continue;
    const char* path = dwarf_linesrc(line, nullptr, nullptr);
    if (path == nullptr || dwarf_lineno(line, &number) != 0 || dwarf_linecol(line, &column) != 0 || dwarf_lineaddr(line, &address) != 0) continue;
    if (path != previous_path) wanted = names_file(path, file), previous_path = path;
    if (wanted && number > 0) rows.push_back({address, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(std::max(column, 0))});
  }
}

bool unit_has_file(Dwarf_Die& unit, std::string_view wanted, std::set<std::string>& names) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (dwarf_getsrcfiles(&unit, &files, &count) != 0) return false;
  bool found = false;
  for (std::size_t i = 0; i < count; ++i) {
    const char* path = dwarf_filesrc(files, i, nullptr, nullptr);
    if (path == nullptr) continue;
    found = found || names_file(path, wanted);
    if (names.size() < 20000) names.emplace(base_name(path));
  }
  return found;
}

std::unexpected<Error> no_file(const std::string& path, std::string_view wanted, const std::set<std::string>& names) {
  Error error{.kind = ErrorKind::not_found, .message = fmt::format("{} was not compiled of a source file `{}`", path, wanted)};
  std::vector<std::string_view> views(names.begin(), names.end());
  if (std::string_view near = nearest(base_name(wanted), views); !near.empty()) error.hint = fmt::format("did you mean `{}`?", near);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> no_line(std::string_view file, const std::vector<Row>& rows, std::uint32_t line, std::uint32_t column) {
  std::set<std::uint32_t> columns;
  for (const Row& row : rows)
    if (row.line == line) columns.insert(row.column);
  Error error{.kind = ErrorKind::not_found};
  if (!columns.empty()) {
    error.message = fmt::format("{}:{}:{} has no code", file, line, column);
    error.hint = fmt::format("on this line code begins at column {}", fmt::join(columns, ", "));
  } else {
    auto distance = [&](const Row& row) { return row.line > line ? row.line - line : line - row.line; };
    auto near = std::ranges::min_element(rows, {}, distance);
    error.message = fmt::format("{}:{} has no code", file, line);
    error.hint = near == rows.end() ? "none of this file's lines has code in this program" : fmt::format("the nearest line with code is {}", near->line);
  }
  return std::unexpected(std::move(error));
}

SourceLine call_site(Dwarf_Die& inlined) {
  SourceLine at;
  Dwarf_Die unit;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  const auto file = die::number(inlined, DW_AT_call_file);
  if (dwarf_diecu(&inlined, &unit, nullptr, nullptr) != nullptr && file && dwarf_getsrcfiles(&unit, &files, &count) == 0 && *file < count)
    at.file = source_path(dwarf_filesrc(files, *file, nullptr, nullptr), unit);
  at.line = static_cast<std::uint32_t>(die::number(inlined, DW_AT_call_line).value_or(0));
  at.column = static_cast<std::uint32_t>(die::number(inlined, DW_AT_call_column).value_or(0));
  return at;
}

}  // namespace

std::optional<SourceLine> Dwarf::line_of(std::uint64_t address) const {
  Dwarf_Die* unit = impl_->unit_at(address);
  if (unit == nullptr) return std::nullopt;
  Dwarf_Line* line = dwarf_getsrc_die(unit, address);
  int number = 0, column = 0;
  if (line == nullptr || dwarf_lineno(line, &number) != 0 || number <= 0) return std::nullopt;
  if (dwarf_linecol(line, &column) != 0 || column < 0) column = 0;
  return SourceLine{source_path(dwarf_linesrc(line, nullptr, nullptr), *unit), static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(column)};
}

std::vector<SourceFrame> Dwarf::frames_of(std::uint64_t address) const {
  std::vector<SourceFrame> frames;
  auto line = line_of(address);
  if (!line) return frames;
  std::vector<Dwarf_Die> scopes = impl_->scopes_at(address);
  if (scopes.empty()) frames.push_back({.function = {}, .at = std::move(*line)});
  SourceLine at = line ? *line : SourceLine{};
  for (std::size_t i = scopes.size(); i-- > 0;) {
    frames.push_back({std::string(die::name(scopes[i])), std::move(at)});
    at = i > 0 ? call_site(scopes[i]) : SourceLine{};
  }
  return frames;
}

Result<std::vector<LineAddress>> Dwarf::addresses_of_line(std::string_view file, std::uint32_t line, std::uint32_t column) const {
  if (file.empty() || line == 0) return fail(ErrorKind::invalid_argument, "a source line is FILE:LINE, counted from 1");
  std::vector<Row> rows;
  std::set<std::string> names;
  bool has_file = false;
  for (Dwarf_Die unit : impl_->units()) {
    if (!unit_has_file(unit, file, names)) continue;
    has_file = true;
    add_rows(rows, unit, file);
  }
  if (!has_file) return no_file(impl_->path, file, names);
  // Of a line's several places in one function (a loop's begin and step), the first.
  std::map<void*, LineAddress> places;
  for (const Row& row : rows) {
    if (row.line != line || (column != 0 && row.column != column) || places.size() >= kAddressesLimit) continue;
    auto offset = impl_->code_offset(row.address);
    std::vector<Dwarf_Die> scopes = impl_->scopes_at(row.address);
    if (!offset || (scopes.empty() && !impl_->is_split)) continue;   // code that the linker has dropped
    LineAddress place{row.address, *offset, row.line, row.column};
    auto [known, is_new] = places.try_emplace(scopes.empty() ? nullptr : scopes.back().addr, place);
    if (!is_new && row.address < known->second.address) known->second = place;
  }
  if (places.empty()) return no_line(file, rows, line, column);
  std::vector<LineAddress> found;
  for (const auto& [scope, place] : places) found.push_back(place);
  std::ranges::sort(found, {}, &LineAddress::address);
  auto rest = std::ranges::unique(found, {}, &LineAddress::address);
  found.erase(rest.begin(), rest.end());
  return found;
}

}  // namespace espy::symbol
