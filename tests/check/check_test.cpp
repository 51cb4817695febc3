// Verdicts, needs, places, exit statuses and the forms of output of `espy check`.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <map>
#include <set>

#include "command.hpp"
#include "rejection.hpp"

namespace espy::test {
namespace {

const std::string kMixed = ESPY_BINARY_DIR "/tests/check/mixed.bpf.o";

/// The lines of --json, parsed, by program.
struct Verdict {
  std::string kernel, verdict, rule, message, hint, file, source, oracle_reason;
  std::vector<std::string> needs;
  std::uint64_t line = 0, insn = 0, insns = 0;
  bool oracle_accepts = false, oracle_judged = false, has_oracle = false;
};

std::string text_of(simdjson::dom::element value) { return std::string(std::string_view(value)); }

std::multimap<std::string, Verdict> verdicts(const std::string& output) {
  std::multimap<std::string, Verdict> all;
  simdjson::dom::parser parser;
  for (const std::string& line : lines(output)) {
    simdjson::dom::element json;
    if (parser.parse(line).get(json) != simdjson::SUCCESS) {
      ADD_FAILURE() << "no JSON: " << line;
      continue;
    }
    Verdict verdict{.kernel = text_of(json["kernel"]), .verdict = text_of(json["verdict"]), .insns = json["stats"]["insns"]};
    for (auto need : json["needs"].get_array()) verdict.needs.push_back(text_of(need["name"]));
    for (auto error : json["errors"].get_array()) {
      verdict.rule = text_of(error["rule"]), verdict.message = text_of(error["message"]), verdict.hint = text_of(error["hint"]);
      verdict.file = text_of(error["file"]), verdict.line = error["line"], verdict.insn = error["insn"];
      if (error["source"].error() == simdjson::SUCCESS) verdict.source = text_of(error["source"]);
      break;
    }
    if (json["oracle"].error() == simdjson::SUCCESS) {
      verdict.has_oracle = true, verdict.oracle_accepts = json["oracle"]["accepted"], verdict.oracle_judged = json["oracle"]["judged"], verdict.oracle_reason = text_of(json["oracle"]["reason"]);
    }
    all.emplace(text_of(json["prog"]), std::move(verdict));
  }
  return all;
}

TEST(Check, TellsAGoodProgramFromFiveBrokenOnes) {
  const Outcome outcome = espy({"check", kMixed, "--kernel", "6.18", "--json"});
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  const auto all = verdicts(outcome.out);
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all.find("good")->second.verdict, "accept");
  EXPECT_GT(all.find("good")->second.insns, 5U);
  struct Expected {
    const char *program, *rule, *source;
  };
  for (const Expected& one : {Expected{"no_null_check", "missing-null-check", "*count += 1;"}, {"no_bound", "unbounded-offset", "buf[n] = 1;"},
                              {"no_packet_end", "packet-bounds", "eth->h_proto"}, {"no_release", "leaked-reference", "return 0;"},
                              {"wrong_helper", "helper-not-allowed", "bpf_skb_pull_data"}}) {
    const Verdict& verdict = all.find(one.program)->second;
    EXPECT_EQ(verdict.verdict, "reject") << one.program;
    EXPECT_EQ(verdict.rule, one.rule) << one.program;
    EXPECT_NE(verdict.source.find(one.source), std::string::npos) << one.program << ": " << verdict.source;
    EXPECT_TRUE(verdict.file.ends_with("tests/check/mixed.bpf.c")) << verdict.file;
    EXPECT_GT(verdict.line, 0U);
    EXPECT_FALSE(verdict.message.empty() || verdict.hint.empty()) << one.program;
  }
}

TEST(Check, EachRejectionIsRefusedAndExplained) {
  for (const Rejection& one : rejections()) {
    const Outcome outcome = espy({"check", one.object, "--kernel", one.kernel, "--json"});
    EXPECT_EQ(outcome.status, 1) << one.name << outcome.err;
    const auto all = verdicts(outcome.out);
    ASSERT_EQ(all.size(), 1U) << one.name;
    const Verdict& verdict = all.begin()->second;
    EXPECT_TRUE(verdict.verdict == "reject" || !verdict.needs.empty()) << one.name;
    if (verdict.verdict != "reject") continue;
    EXPECT_FALSE(verdict.hint.empty() || verdict.message.empty()) << one.name;
    EXPECT_TRUE(verdict.file.ends_with(one.name + ".bpf.c")) << one.name << ": " << verdict.file;
  }
}

TEST(Check, TheRunningKernelRefusesThemToo) {
  if (!privileged()) GTEST_SKIP() << "loading programs needs CAP_BPF";
  for (const Rejection& one : rejections()) {
    if (one.kernel != "6.18") continue;  // newer kernels take it
    const Outcome outcome = espy({"check", one.object, "--oracle", "--json"});
    const auto all = verdicts(outcome.out);
    ASSERT_EQ(all.size(), 1U) << one.name << outcome.err;
    const Verdict& verdict = all.begin()->second;
    ASSERT_TRUE(verdict.has_oracle) << one.name;
    EXPECT_FALSE(verdict.oracle_accepts) << one.name;
    EXPECT_NE(verdict.verdict, "accept") << one.name;
  }
  const Outcome examples = espy({"check", example("syscalls.bpf.o"), "--oracle"});
  EXPECT_EQ(examples.status, 0) << examples.out;
  EXPECT_NE(examples.out.find("the running kernel agrees on 2 of 2"), std::string::npos) << examples.out;
}

// Programs written for other purposes: of loading, linking and attaching, with and without types.
TEST(Check, TheRunningKernelAgreesOnWhatTheTreeHas) {
  if (!privileged()) GTEST_SKIP() << "loading programs needs CAP_BPF";
  std::size_t judged = 0;
  for (const char* folder : {"/tests/corpus/v3", "/tests/corpus/plain", "/examples"}) {
    const Outcome outcome = espy({"check", std::string(ESPY_BINARY_DIR) + folder, "--oracle", "--json"});
    for (const auto& [program, verdict] : verdicts(outcome.out)) {
      if (!verdict.oracle_judged) continue;
      ++judged;
      EXPECT_EQ(verdict.verdict == "accept", verdict.oracle_accepts) << folder << ": " << program << ": " << verdict.message << "; the kernel: " << verdict.oracle_reason;
    }
  }
  EXPECT_GT(judged, 100U);
}

TEST(Check, TheMatrixIsAlignedAndNamesTheLeastKernel) {
  const Outcome outcome = espy({"check", example("syscalls.bpf.o"), "--kernel", "all"});
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  const auto text = lines(outcome.out);
  ASSERT_GE(text.size(), 3U);
  EXPECT_EQ(text[1].find("loads"), text[0].find("5.4")) << outcome.out;
  EXPECT_EQ(text[1].rfind("loads"), text[0].rfind("6.18")) << outcome.out;
  EXPECT_NE(outcome.out.find("least kernel: 5.2"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find('\033'), std::string::npos) << "colours only on a terminal";
}

TEST(Check, WhatAKernelLacksIsNamedWithItsVersion) {
  const Outcome outcome = espy({"check", kMixed, "--prog", "good", "--kernel", "5.4,5.8", "--json"});
  EXPECT_EQ(outcome.status, 1);
  const auto all = verdicts(outcome.out);
  ASSERT_EQ(all.count("good"), 2U);
  const Verdict& old = all.find("good")->second;
  EXPECT_EQ(old.kernel, "5.4");
  EXPECT_EQ(old.verdict, "needs");
  EXPECT_EQ(old.needs, std::vector<std::string>{"ringbuf"});
  EXPECT_EQ(std::next(all.find("good"))->second.verdict, "accept");
}

TEST(Check, ExitStatusesTellFailuresApart) {
  EXPECT_EQ(espy({"check", kMixed, "--prog", "good", "--kernel", "6.1"}).status, 0);
  EXPECT_EQ(espy({"check", kMixed, "--kernel", "6.1"}).status, 1);
  EXPECT_EQ(espy({"check", "/no/such/object.o", "--kernel", "6.1"}).status, 2);
  EXPECT_EQ(espy({"check", kMixed, "--kernel", "six"}).status, 2);
  EXPECT_EQ(espy({"check", kMixed, "--prog", "nobody", "--kernel", "6.1"}).status, 2);
  EXPECT_EQ(espy({"check", kMixed, "--log", "9", "--kernel", "6.1"}).status, 2);
  EXPECT_EQ(espy({"check", kMixed, "--json", "--sarif", "--kernel", "6.1"}).status, 2);
  EXPECT_EQ(espy({"check"}).status, 2);
  Folder folder;
  write(folder.path("broken.o"), "\x7f" "ELF and then nothing");
  const Outcome broken = espy({"check", folder.path(""), kMixed, "--prog", "good", "--kernel", "6.1"});
  EXPECT_EQ(broken.status, 2) << "one object could not be read";
  EXPECT_NE(broken.out.find("good"), std::string::npos) << "the other was checked all the same";
}

TEST(Check, ThreadsChangeNothingButTime) {
  const std::string folder = ESPY_BINARY_DIR "/tests/check/rejections";
  const Outcome one = espy({"check", folder, "--kernel", "5.10,6.18", "-j", "1"});
  const Outcome many = espy({"check", folder, "--kernel", "5.10,6.18", "-j", "4"});
  EXPECT_EQ(one.status, 1);
  EXPECT_EQ(one.out, many.out);
  EXPECT_GT(one.out.size(), 5000U);
}

TEST(Check, NeedsNoPrivileges) {
  if (!privileged()) GTEST_SKIP() << "dropping privileges needs them";
  Folder folder;
  write(folder.path("mixed.bpf.o"), read(kMixed));
  std::filesystem::copy_file(ESPY_BINARY_DIR "/espy", folder.path("espy"));
  std::filesystem::permissions(folder.path("espy"), std::filesystem::perms(0755));
  const Outcome outcome = unprivileged({folder.path("espy"), "check", folder.path("mixed.bpf.o"), "--prog", "good"});
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
}

TEST(Check, StatisticsNameTheLinesThatCostMost) {
  const Outcome outcome = espy({"check", kMixed, "--prog", "good", "--kernel", "6.18", "--stats"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.out.find("mixed.bpf.c:"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("insns"), std::string::npos) << outcome.out;
}

TEST(Check, SarifIsOneLogWithRulesAndPlaces) {
  const Outcome outcome = espy({"check", kMixed, "--kernel", "5.4,6.18", "--sarif"});
  EXPECT_EQ(outcome.status, 1);
  simdjson::dom::parser parser;
  simdjson::dom::element log;
  ASSERT_EQ(parser.parse(outcome.out).get(log), simdjson::SUCCESS) << outcome.out;
  EXPECT_EQ(text_of(log["version"]), "2.1.0");
  auto run = log["runs"].at(0);
  EXPECT_EQ(text_of(run["tool"]["driver"]["name"]), "espy");
  std::set<std::string> rules;
  for (auto rule : run["tool"]["driver"]["rules"].get_array()) rules.insert(text_of(rule["id"]));
  std::size_t results = 0, placed = 0;
  for (auto result : run["results"].get_array()) {
    ++results;
    EXPECT_TRUE(rules.contains(text_of(result["ruleId"]))) << text_of(result["ruleId"]);
    EXPECT_FALSE(text_of(result["message"]["text"]).empty());
    auto place = result["locations"].at(0)["physicalLocation"];
    EXPECT_FALSE(text_of(place["artifactLocation"]["uri"]).empty());
    if (place["region"].error() == simdjson::SUCCESS) ++placed;
  }
  EXPECT_EQ(results, 6U + 5U) << "on 5.4 all six need ring buffers, on 6.18 five are refused";
  EXPECT_EQ(placed, 5U);
}

TEST(Check, TypesFromAFileStandForAKernel) {
  const std::string types = "/sys/kernel/btf/vmlinux";
  if (read(types).empty()) GTEST_SKIP() << "this kernel has no BTF";
  const Outcome outcome = espy({"check", example("syscalls.bpf.o"), "--btf", types, "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_EQ(verdicts(outcome.out).begin()->second.kernel, "vmlinux");
  EXPECT_EQ(espy({"check", example("syscalls.bpf.o"), "--btf", types, "--kernel", "5.10,6.1"}).status, 2);
}

}  // namespace
}  // namespace espy::test
