#include "trace/run/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

namespace espy::trace::run {

Result<Output> Output::open(const OutputOptions& options) {
  UniqueFd file;
  if (!options.file.empty()) file = TRY(open_file(options.file, O_WRONLY | O_CREAT | O_TRUNC));
  return Output(options, std::move(file));
}

void Output::begin_json(std::string_view type) {
  buffer_ += "{\"type\": \"";
  buffer_ += type;
  buffer_ += "\", \"data\": ";
}

void Output::written() {
  if (options_.buffering != Buffering::none && buffer_.size() < kGather) return;
  if (auto result = flush(); !result && failure_) failure_ = std::move(result);
}

void Output::attached_probes(std::size_t count) {
  if (options_.quiet) return;
  if (is_json()) fmt::format_to(std::back_inserter(buffer_), "{{\"type\": \"attached_probes\", \"count\": {}, \"data\": {{\"probes\": {}}}}}\n", count, count);
  else fmt::format_to(std::back_inserter(buffer_), "Attached {} probe{}\n", count, count == 1 ? "" : "s");
  written();
}

void Output::lost_events(std::uint64_t count, std::string_view probe) {
  if (!is_json()) {
    fmt::format_to(std::back_inserter(buffer_), "Lost {} events{}{}\n", count, probe.empty() ? "" : " of ", probe);
  } else {
    fmt::format_to(std::back_inserter(buffer_), "{{\"type\":\"lost_events\", \"count\":{}", count);
    if (!probe.empty()) buffer_ += ", \"probe\":", append_json_string(probe, buffer_);
    buffer_ += "}\n";
  }
  written();
}

void Output::problem(std::string_view type, Severity severity, std::string_view message, Span at, const Sources* sources) {
  const bool known = sources != nullptr && at.source < sources->size() && at.end > at.begin;
  if (!is_json()) {
    if (known) buffer_ += render({.severity = severity, .at = at, .message = std::string(message)}, *sources, options_.colour);
    else fmt::format_to(std::back_inserter(buffer_), "{}: {}", severity == Severity::error ? "ERROR" : "WARNING", message);
    if (!buffer_.ends_with('\n')) buffer_ += '\n';
  } else {
    fmt::format_to(std::back_inserter(buffer_), "{{\"type\": \"{}\", \"msg\": ", type);
    append_json_string(message, buffer_);
    if (known) {
      const Position position = sources->position(at);
      buffer_ += ", \"filename\": ";
      append_json_string(sources->source(at.source).name, buffer_);
      fmt::format_to(std::back_inserter(buffer_), ", \"line\": {}, \"col\": {}", position.line, position.column);
    }
    buffer_ += "}\n";
  }
  written();
}

void Output::problem(std::string_view type, std::string_view message, std::string_view more) {
  if (!is_json()) {
    fmt::format_to(std::back_inserter(buffer_), "WARNING: {}\n", message);
  } else {
    fmt::format_to(std::back_inserter(buffer_), "{{\"type\": \"{}\", \"msg\": ", type);
    append_json_string(message, buffer_);
    if (!more.empty()) buffer_ += ", ", buffer_ += more;
    buffer_ += "}\n";
  }
  written();
}

void Output::end_of_stream() {
  if (!is_json()) buffer_ += "\n\n";
}

Result<void> Output::flush() {
  if (!failure_) return std::exchange(failure_, Result<void>{});
  std::string_view left = buffer_;
  while (!left.empty() && !closed_) {
    const ssize_t count = ::write(fd_, left.data(), left.size());
    if (count >= 0) {
      left.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      closed_ = true;
      buffer_.clear();
      auto failure = fail_sys(errno, "write {}", options_.file.empty() ? "the output" : options_.file.c_str());
      if (errno == EPIPE) failure.error().kind = ErrorKind::interrupted;
      return failure;
    }
  }
  buffer_.clear();
  return {};
}

}  // namespace espy::trace::run
