// The output for people.
#include <deque>
#include <optional>

#include "render/gather.hpp"
#include "render/output.hpp"
#include "render/record_table.hpp"

namespace espy::render {

namespace {

// SGR sequences (ECMA-48) for the few things that stand out.
enum class Style { heading, bad, warning };
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view sequence(Style style) {
  switch (style) {
    case Style::heading: return "\x1b[1m";
    case Style::bad: return "\x1b[31m";
    case Style::warning: return "\x1b[33m";
  }
  return {};
}

// One struct type of a stream, with its columns as wide as they have become. Stays where it is: the columns refer to the
// shape.
struct TypeTable {
  explicit TypeTable(RecordType record_type, std::string_view map)
      : type(std::move(record_type)), columns(type.shape, map), table(columns.columns(), columns.widths()) {}
  TypeTable(const TypeTable&) = delete;
  RecordType type;
  RecordColumns columns;
  StreamingTable table;
};

struct Stream {
  RecordFormat format;
  std::deque<TypeTable> tables;      // one for each type of the format
  const TypeTable* latest = nullptr;
};

class TerminalOutput final : public Output {
 public:
  TerminalOutput(TextSink sink, ValueOptions options, TerminalOptions terminal)
      : gather_(std::move(sink)), options_(std::move(options)), terminal_(terminal) {}

  StreamId add_stream(RecordFormat format) override {
    Stream& stream = streams_.emplace_back();
    for (const RecordType& type : format.types) stream.tables.emplace_back(type, format.map);
    stream.format = std::move(format);
    name_width_ = std::max(name_width_, display_width(stream.format.map));
    return StreamId(streams_.size() - 1);
  }

  // With several streams, rows begin with their map's name; a header stands before the first row of each kind and again
  // when the kind has changed within a stream.
  void record(StreamId id, Bytes record) override {
    Stream& stream = streams_[static_cast<std::size_t>(id)];
    TypeTable* table = nullptr;
    if (const RecordType* type = stream.format.type_of(record.size()))
      table = &stream.tables[static_cast<std::size_t>(type - stream.format.types.data())];
    if (table == nullptr) return line(prefix(stream) + hex(record) + '\n');
    if (table != stream.latest) line(styled(prefix(stream) + table->table.header(), Style::heading));
    stream.latest = table;
    line(prefix(stream) + table->table.row(table->columns.cells(record, options_)));
  }

  void lost(std::string_view map, std::uint64_t count) override {
    line(styled(fmt::format("lost {} record{} of {}\n", count, count == 1 ? "" : "s", printable(map)), Style::bad));
  }

  void printk(std::string_view task, std::int32_t pid, std::string_view message) override {
    line(fmt::format("{}-{}: {}\n", printable(task), pid, printable(message)));
  }

  void text(std::string_view, std::string_view text) override { line(text); }

  void map(const MapView& map) override {
    heading(map.name);
    line(render::text(map, options_, terminal_.max_map_rows));
  }

  void data(std::string_view section, const Shape& shape, Bytes contents) override {
    heading(section);
    line(section_text(shape, contents, options_));
  }

  void test_run(std::string_view program, std::uint32_t retval, std::uint64_t duration_ns) override {
    line(fmt::format("{}: returned {} ({:#x}), {} a run\n", printable(program), static_cast<std::int32_t>(retval), retval,
                     duration_text(static_cast<std::int64_t>(duration_ns))));
  }

  void error(const Error& error) override { line(styled(describe(error) + '\n', Style::bad)); }

  void warning(std::string_view message, std::string_view hint) override {
    line(styled(fmt::format("warning: {}\n", message), Style::warning));
    if (!hint.empty()) line(fmt::format("  hint: {}\n", hint));
  }

  Result<void> flush() override { return gather_.flush(); }

 private:
  void line(std::string_view text) { gather_.add(text); }
  void heading(std::string_view name) { line("\n" + styled(printable(name) + '\n', Style::heading)); }

  std::string prefix(const Stream& stream) const {
    if (streams_.size() < 2) return {};
    std::string name = printable(stream.format.map);
    name.resize(std::max(name.size(), name_width_) + 2, ' ');
    return name;
  }

  // The text's last newline stays outside.
  std::string styled(std::string text, Style style) const {
    if (!terminal_.colours) return text;
    bool newline = text.ends_with('\n');
    if (newline) text.pop_back();
    return std::string(sequence(style)) + text + std::string(kReset) + (newline ? "\n" : "");
  }

  Gather gather_;
  ValueOptions options_;
  TerminalOptions terminal_;
  std::deque<Stream> streams_;
  std::size_t name_width_ = 0;
};

}  // namespace

std::unique_ptr<Output> terminal_output(TextSink sink, ValueOptions options, TerminalOptions terminal) {
  return std::make_unique<TerminalOutput>(std::move(sink), std::move(options), terminal);
}

}  // namespace espy::render
