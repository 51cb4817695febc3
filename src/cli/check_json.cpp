// What `espy check` says to programs: a line of JSON for each verdict, or one SARIF log for code-review tools.
#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/check.hpp"
#include "espy/facts.hpp"

namespace espy::cli {
namespace {

using verifier::Diagnostic;
using verifier::Kernel;
using verifier::Outcome;
using verifier::Place;
using verifier::ProgramOutcome;

void write_need(const verifier::Need& need, JsonWriter& json) {
  json.begin_object().key("kind").string(to_string(need.kind)).key("name").string(need.name);
  if (need.since && *need.since < facts::kNoVersion) json.key("since").string(to_string(*need.since));
  if (!need.what.empty()) json.key("what").string(need.what);
  json.end_object();
}

void write_place(const Place& place, JsonWriter& json) {
  json.key("file").string(place.file).key("line").number(place.line).key("column").number(place.column).key("insn").number(place.insn);
  if (!place.function.empty()) json.key("function").string(place.function);
  if (!place.source.empty()) json.key("source").string(place.source);
}

void write_error(const Diagnostic& error, JsonWriter& json) {
  json.begin_object().key("rule").string(row_of(error.rule).name).key("message").string(error.message);
  write_place(error.place, json);
  json.key("hint").string(error.hint);
  if (!error.values.empty()) json.key("values").string(error.values);
  if (!error.kernel_says.empty()) json.key("kernel_says").string(error.kernel_says);
  json.key("path").begin_array();
  for (const verifier::Note& note : error.path) {
    json.begin_object().key("message").string(note.text);
    write_place(note.place, json);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_stats(const verifier::Stats& stats, JsonWriter& json) {
  json.begin_object().key("insns").number(stats.insns_processed).key("states").number(stats.states).key("peak_states").number(stats.peak_states);
  json.key("max_states_per_insn").number(stats.max_states_per_insn).key("stack_depth").number(stats.stack_depth);
  json.key("nanoseconds").number(stats.nanoseconds).end_object();
}

// ---- SARIF ----

/// A path as a relative URI reference: what may not stand in one is written %XX.
std::string uri_of(std::string_view path) {
  std::string uri;
  for (char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("/-._~").contains(c);
    if (plain) uri += c;
    else uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

void write_location(const Place& place, const std::string& object, JsonWriter& json) {
  json.key("physicalLocation").begin_object().key("artifactLocation").begin_object();
  json.key("uri").string(uri_of(place.file.empty() ? object : place.file)).end_object();
  if (place.line != 0) {
    json.key("region").begin_object().key("startLine").number(place.line);
    if (place.column != 0) json.key("startColumn").number(place.column);
    if (!place.source.empty()) json.key("snippet").begin_object().key("text").string(place.source).end_object();
    json.end_object();
  }
  json.end_object();
  if (!place.function.empty())
    json.key("logicalLocations").begin_array().begin_object().key("name").string(place.function).key("kind").string("function").end_object().end_array();
}

constexpr std::string_view kNeedsRule = "kernel-lacks";

void write_rules(JsonWriter& json) {
  auto write = [&json](std::string_view id, std::string_view title, std::string_view help) {
    json.begin_object().key("id").string(id).key("shortDescription").begin_object().key("text").string(title).end_object();
    json.key("help").begin_object().key("text").string(help.empty() ? title : help).end_object().end_object();
  };
  json.key("rules").begin_array();
  write(kNeedsRule, "the kernel lacks what the program uses", {});
  for (const verifier::RuleRow& row : verifier::rules()) write(row.name, row.title, row.hint);
  json.end_array();
}

void write_result(std::string_view rule, std::string_view level, const std::string& message, const Place& place, const std::string& object,
                  const std::vector<verifier::Note>& path, JsonWriter& json) {
  json.begin_object().key("ruleId").string(rule).key("level").string(level);
  json.key("message").begin_object().key("text").string(message).end_object();
  json.key("locations").begin_array().begin_object();
  write_location(place, object, json);
  json.end_object().end_array();
  if (!path.empty()) {
    json.key("relatedLocations").begin_array();
    std::uint32_t id = 0;
    for (const verifier::Note& note : path) {
      json.begin_object().key("id").number(++id);
      write_location(note.place, object, json);
      json.key("message").begin_object().key("text").string(note.text).end_object().end_object();
    }
    json.end_array();
  }
  json.end_object();
}

void write_results(const verifier::ObjectReport& report, std::span<const Kernel> kernels, JsonWriter& json) {
  for (const ProgramOutcome& outcome : report.outcomes) {
    const std::string where = fmt::format("{} on Linux {}: ", report.programs[outcome.program], kernels[outcome.kernel].name);
    if (outcome.outcome == Outcome::needs) {
      for (const verifier::Need& need : outcome.needs)
        write_result(kNeedsRule, "warning", where + "needs " + describe(need), {.function = report.programs[outcome.program]}, report.path, {}, json);
    }
    if (outcome.outcome != Outcome::reject) continue;
    for (const Diagnostic& error : outcome.verdict.errors) {
      std::string message = where + error.message;
      if (!error.values.empty()) message += " (" + error.values + ")";
      if (!error.hint.empty()) message += "\n" + error.hint;
      write_result(row_of(error.rule).name, "error", message, error.place, report.path, error.path, json);
    }
  }
}

}  // namespace

std::string check_json(const CheckedObject& object, std::span<const Kernel> kernels) {
  std::string text;
  for (const ProgramOutcome& outcome : object.report.outcomes) {
    JsonWriter json;
    json.begin_object().key("object").string(object.report.path).key("prog").string(object.report.programs[outcome.program]);
    json.key("kernel").string(kernels[outcome.kernel].name).key("verdict").string(to_string(outcome.outcome));
    json.key("needs").begin_array();
    for (const verifier::Need& need : outcome.needs) write_need(need, json);
    json.end_array().key("errors").begin_array();
    if (outcome.outcome == Outcome::reject) {
      for (const Diagnostic& error : outcome.verdict.errors) write_error(error, json);
    }
    json.end_array().key("stats");
    write_stats(outcome.verdict.stats, json);
    if (outcome.kernel == 0 && outcome.program < object.oracle.size()) {
      const OracleAnswer& answer = object.oracle[outcome.program];
      json.key("oracle").begin_object().key("accepted").boolean(answer.accepted).key("judged").boolean(!answer.not_judged).key("reason").string(answer.reason).end_object();
    }
    text += json.end_object().text() + "\n";
  }
  return text;
}

std::string check_sarif(std::span<const CheckedObject> objects, std::span<const Kernel> kernels) {
  JsonWriter json;
  json.begin_object().key("$schema").string("https://json.schemastore.org/sarif-2.1.0.json").key("version").string("2.1.0");
  json.key("runs").begin_array().begin_object().key("tool").begin_object().key("driver").begin_object();
  json.key("name").string("espy").key("version").string(ESPY_VERSION);
  write_rules(json);
  json.end_object().end_object().key("columnKind").string("unicodeCodePoints").key("results").begin_array();
  for (const CheckedObject& object : objects) write_results(object.report, kernels, json);
  json.end_array().end_object().end_array().end_object();
  return json.text() + "\n";
}

}  // namespace espy::cli
