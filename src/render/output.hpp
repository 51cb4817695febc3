// Where a run's results go: one interface, two forms. NDJSON is for programs, one object a line, its schema in
// docs/records.md; text is for people: records as columns that stay aligned while they stream, maps as tables and
// histograms, global variables as lines.
//
// An Output gathers its lines and hands them to its sink when flushed (or when much has gathered), so that a flood of
// records costs one write for many. It does not open, print or exit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "render/map.hpp"
#include "render/record.hpp"

namespace espy::render {

/// Takes what was gathered.
using TextSink = std::function<Result<void>(std::string_view text)>;
/// Writes all of it to a descriptor, which it does not own.
TextSink to_descriptor(int fd);
/// Appends to a string, which must outlive the sink.
TextSink to_string(std::string& text);

/// Which stream of records; numbered by add_stream.
enum class StreamId : std::uint32_t {};

class Output {
 public:
  virtual ~Output() = default;

  /// Declares a map's records, before the first of them.
  virtual StreamId add_stream(RecordFormat format) = 0;
  virtual void record(StreamId stream, Bytes record) = 0;
  /// Records of a map that did not arrive.
  virtual void lost(std::string_view map, std::uint64_t count) = 0;
  /// A line that a program printed with bpf_printk.
  virtual void printk(std::string_view task, std::int32_t pid, std::string_view message) = 0;

  /// What an iterator program wrote, as it wrote it.
  virtual void text(std::string_view program, std::string_view text) = 0;

  virtual void map(const MapView& map) = 0;
  /// A data section (".bss") with its variables.
  virtual void data(std::string_view section, const Shape& shape, Bytes contents) = 0;
  virtual void test_run(std::string_view program, std::uint32_t retval, std::uint64_t duration_ns) = 0;
  virtual void error(const Error& error) = 0;
  /// Something a person should know that is no failure; `hint` may be empty.
  virtual void warning(std::string_view message, std::string_view hint = {}) = 0;

  /// Hands over what has gathered. After an error the output is closed: what follows is dropped.
  virtual Result<void> flush() = 0;
};

/// One JSON object a line.
std::unique_ptr<Output> json_output(TextSink sink, ValueOptions options = {});

struct TerminalOptions {
  bool colours = false;            ///< see wants_colours
  std::size_t max_map_rows = 100;  ///< of a map's table; 0: all
};
std::unique_ptr<Output> terminal_output(TextSink sink, ValueOptions options = {}, TerminalOptions terminal = {});

/// Is the descriptor a terminal that shows colours? No where NO_COLOR is set (https://no-color.org) or TERM is "dumb".
bool wants_colours(int fd);
/// The offset that shows CLOCK_MONOTONIC times as wall-clock time, as of now.
std::int64_t wall_clock_offset();

}  // namespace espy::render
