// How fast user space turns records into lines: what bounds a script that prints much. One core.
#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "trace/run/format.hpp"
#include "trace/run/output.hpp"

namespace {

using namespace espy;
using namespace espy::trace;
using namespace espy::trace::run;

class NoNames final : public Names {
 public:
  void kernel_symbol(std::uint64_t, std::string&) override {}
  void user_symbol(std::uint64_t, std::uint32_t, std::uint32_t, std::string&) override {}
  void stack(const Type&, std::int64_t, std::uint32_t, std::uint32_t, std::string&) override {}
  void user(std::uint64_t, std::string&) override {}
  void cgroup(std::uint64_t, std::uint32_t, std::string&) override {}
  void timestamp(std::uint64_t, std::uint32_t, std::uint32_t, std::string&) override {}
  std::int64_t wall_time(std::uint64_t, std::uint32_t) override { return 0; }
  std::string_view probe(std::uint64_t) override { return {}; }
  std::string_view trailer() const override { return ".."; }
};

struct Record {
  RecordHeader header;
  std::int64_t pid = 12345, bytes = 512;
  char comm[16] = "dd";
};

void measure(const char* what, OutputForm form, const Format& format) {
  constexpr std::size_t kTurns = 3'000'000;
  auto output = Output::open({.form = form, .buffering = Buffering::full, .file = "/dev/null"});
  if (!output) return;
  NoNames names;
  Record record;
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kTurns; ++i) {
    record.bytes = static_cast<std::int64_t>(i);
    output->text("printf", false, [&](std::string& out) { format.append(bytes_of(record), names, out); });
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begun;
  fmt::print("{:<36}{:>8.2f} million lines/s{:>8.0f} ns a line\n", what, static_cast<double>(kTurns) / time.count() / 1e6, time.count() * 1e9 / kTurns);
}

}  // namespace

int main() {
  const Format numbers({{.literal = "wrote ", .conversion = "d"}, {.literal = " bytes\n"}}, {{.name = {}, .type = int64_type(), .offset = offsetof(Record, bytes)}});
  const Format line({{.literal = "", .conversion = "s"}, {.literal = " ", .conversion = "d"}, {.literal = " ", .conversion = "d"}, {.literal = "\n"}},
                    {{.name = {}, .type = string_type(16), .offset = offsetof(Record, comm)}, {.name = {}, .type = int64_type(), .offset = offsetof(Record, pid)},
                     {.name = {}, .type = int64_type(), .offset = offsetof(Record, bytes)}});
  const Format padded({{.literal = "", .flags = "-16", .conversion = "s"}, {.literal = " ", .flags = "6", .conversion = "d"}, {.literal = " ", .flags = "#", .conversion = "x"}, {.literal = "\n"}},
                      {{.name = {}, .type = string_type(16), .offset = offsetof(Record, comm)}, {.name = {}, .type = int64_type(), .offset = offsetof(Record, pid)},
                       {.name = {}, .type = int64_type(), .offset = offsetof(Record, bytes)}});
  measure("wrote %d bytes", OutputForm::text, numbers);
  measure("%s %d %d", OutputForm::text, line);
  measure("%-16s %6d %#x", OutputForm::text, padded);
  measure("%s %d %d, as JSON", OutputForm::json, line);
}
