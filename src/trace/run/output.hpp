// Where a script's results go: as text, as bpftrace writes it, or as JSON, one object a line.
//
//   {"type": "printf", "data": "hi\n"}       also time, cat, join, syscall, value
//   {"type": "map", "data": {"@x": {"k": 1}}}   also hist, stats, tseries
//   {"type":"attached_probes", "count":2}    {"type":"lost_events", "count":7, "probe":"profile:hz:99"}
//   {"type": "errorf", "msg": "…", "filename": "x.bt", "line": 3, "col": 5}   also warnf, runtime_error
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace::run {

enum class OutputForm : std::uint8_t { text, json };
/// When lines are written: each message at once; when the records that have come are handled; when much has gathered.
enum class Buffering : std::uint8_t { none, line, full };

struct OutputOptions {
  OutputForm form = OutputForm::text;
  Buffering buffering = Buffering::line;
  std::string file = {};        ///< empty: standard output
  bool quiet = false;           ///< nothing but what the script prints
  bool colour = false;          ///< of diagnostics
};

class Output {
 public:
  static Result<Output> open(const OutputOptions& options);

  bool is_json() const { return options_.form == OutputForm::json; }

  /// What a script printed: `write(std::string&)` appends it. `type`: printf, time, cat, join, syscall.
  template <typename Write>
  void text(std::string_view type, bool ends_line, Write&& write) {
    if (!is_json()) {
      write(buffer_);
      if (ends_line) buffer_ += '\n';
    } else {
      scratch_.clear();
      write(scratch_);
      begin_json(type);
      append_json_string(scratch_, buffer_);
      buffer_ += "}\n";
    }
    written();
  }
  /// A value or map: `write` appends its text (with its newline), or its JSON.
  template <typename Write>
  void data(std::string_view type, Write&& write) {
    if (is_json()) begin_json(type);
    write(buffer_);
    if (is_json()) buffer_ += "}\n";
    written();
  }

  void attached_probes(std::size_t count);
  /// Records that were lost; `probe` says whose, where that is known.
  void lost_events(std::uint64_t count, std::string_view probe);
  /// What went wrong while the script ran, at a place of it if `sources` knows it. `type`: errorf, warnf, runtime_error,
  /// helper_error.
  void problem(std::string_view type, Severity severity, std::string_view message, Span at, const Sources* sources);
  /// The same of no place of the script; `more` are further fields of JSON: `"map": "@x", "count": 3`.
  void problem(std::string_view type, std::string_view message, std::string_view more);
  /// Between what the script printed and its maps: an empty line.
  void end_of_stream();

  /// Writes what has gathered. A reader that has gone (EPIPE) is an `interrupted` error, once; from then on all is dropped.
  Result<void> flush();
  /// Writes what must not wait any longer: by the buffering, all or nothing.
  Result<void> settle() { return options_.buffering == Buffering::full && buffer_.size() < kGather ? Result<void>{} : flush(); }
  int fd() const { return fd_; }

 private:
  static constexpr std::size_t kGather = 64 * 1024;

  Output(const OutputOptions& options, UniqueFd file) : options_(options), file_(std::move(file)), fd_(file_ ? file_.get() : 1) {}
  void begin_json(std::string_view type);
  void written();

  OutputOptions options_;
  UniqueFd file_;
  int fd_ = 1;
  std::string buffer_, scratch_;
  Result<void> failure_{};       // of a write that nobody was there to be told of
  bool closed_ = false;
};

}  // namespace espy::trace::run
