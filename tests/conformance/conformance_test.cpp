// vectors.ndjson: one test a line: `insns`, the program as little-endian instructions in hex; `mem`, the memory that r1 points
// to; `r0`, what must come out.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdio>
#include <fstream>

#include "hex.hpp"
#include "ir/check.hpp"
#include "ir/interpret.hpp"
#include "ir/lift/lift.hpp"
#include "ir/passes/passes.hpp"
#include "ir/text.hpp"
#include "vm/interp/interpreter.hpp"
#include "vm/jit/compiled.hpp"

namespace espy::vm {
namespace {

struct Vector {
  std::string name, text, memory_text;
  std::vector<isa::Insn> code;
  std::vector<std::byte> memory;
  std::uint64_t expected = 0;
};

std::vector<Vector> vectors() {
  std::ifstream file(ESPY_SOURCE_DIR "/tests/conformance/vectors.ndjson");
  simdjson::dom::parser parser;
  std::vector<Vector> all;
  for (std::string line; std::getline(file, line);) {
    simdjson::dom::element row = parser.parse(line);
    Vector& vector = all.emplace_back();
    vector.name = std::string(std::string_view(row["name"]));
    vector.text = std::string(std::string_view(row["insns"]));
    vector.code = *code_of_bytes(*bytes_of_hex(vector.text));
    vector.memory_text = std::string(std::string_view(row["mem"]));
    vector.memory = *bytes_of_hex(vector.memory_text);
    vector.expected = row["r0"].is_string() ? std::stoull(std::string(std::string_view(row["r0"])), nullptr, 0) : std::uint64_t(row["r0"]);
  }
  return all;
}

class Conformance : public ::testing::TestWithParam<Vector> {};

/// What the interpreter says of this code with the vector's memory.
void expect_interpreted(const Vector& vector, std::span<const isa::Insn> code) {
  auto steps = steps_of(code);
  ASSERT_TRUE(steps) << describe(steps.error());
  std::vector<std::byte> memory = vector.memory;
  auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  vm::Run run{.context = memory.data(), .budget = 1 << 24};
  if (!memory.empty()) run.own.add({.begin = begin, .end = begin + memory.size(), .what = "memory"});
  Outcome outcome = interpret(*steps, run, {memory.empty() ? 0 : begin, memory.size(), 0, 0, 0});
  ASSERT_FALSE(outcome.fault) << outcome.fault->insn << ": " << outcome.fault->message;
  EXPECT_EQ(outcome.value, vector.expected);
}

TEST_P(Conformance, Interpreter) { expect_interpreted(GetParam(), GetParam().code); }

ir::Module lifted(const Vector& vector, unsigned level) {
  auto lifted = ir::lift({.code = vector.code});
  EXPECT_TRUE(lifted) << describe(lifted.error());
  if (!lifted) return {};
  auto good = ir::check(lifted->module);
  EXPECT_TRUE(good) << describe(good.error()) << ir::print(lifted->module);
  ir::optimise(lifted->module, {.level = level});
  good = ir::check(lifted->module);
  EXPECT_TRUE(good) << describe(good.error()) << ir::print(lifted->module);
  return std::move(lifted->module);
}

/// As IR, before the passes and after them.
TEST_P(Conformance, Lifted) {
  const Vector& vector = GetParam();
  for (unsigned level : {0U, 2U}) {
    const ir::Module module = lifted(vector, level);
    ASSERT_FALSE(module.functions.empty());
    ir::Machine machine(module);
    std::vector<std::uint64_t> arguments{vector.memory.empty() ? 0 : machine.memory.add(vector.memory), vector.memory.size()};
    arguments.resize(module.functions[0].params().size());
    auto result = machine.run(ir::FuncId{0}, arguments);
    ASSERT_TRUE(result) << describe(result.error()) << ir::print(module);
    EXPECT_EQ(*result, vector.expected) << ir::print(module);
  }
}

/// eBPF → IR → eBPF: other instructions, the same result.
TEST_P(Conformance, RoundTrip) {
  const Vector& vector = GetParam();
  const ir::Module module = lifted(vector, 2);
  auto code = ir::bpf::emit(module, {.isa = 4, .ordered_access = true});
  ASSERT_TRUE(code) << describe(code.error());
  std::vector<isa::Insn> all;
  std::vector<std::size_t> begins;
  for (const ir::bpf::Code& function : *code) {
    begins.push_back(all.size());
    all.insert(all.end(), function.insns.begin(), function.insns.end());
  }
  for (std::size_t f = 0; f < code->size(); ++f)
    for (const ir::bpf::Reference& reference : (*code)[f].references)
      all[begins[f] + reference.insn].imm = static_cast<std::int32_t>(begins[reference.id]) - static_cast<std::int32_t>(begins[f] + reference.insn) - 1;
  expect_interpreted(vector, all);
}

void expect_compiled(const Vector& vector, Tier tier) {
  auto compiled = Compiled::compile(vector.code, tier, vector.name);
  ASSERT_TRUE(compiled) << describe(compiled.error());
  std::vector<std::byte> memory = vector.memory;
  vm::Run run{.context = memory.data()};
  EXPECT_EQ(compiled->run(run, memory.empty() ? 0 : reinterpret_cast<std::uint64_t>(memory.data()), memory.size()), vector.expected);
}

TEST_P(Conformance, Baseline) { expect_compiled(GetParam(), Tier::baseline); }
TEST_P(Conformance, Optimised) { expect_compiled(GetParam(), Tier::optimised); }

/// As third-party runners start it, each vector in one of its ways to run.
TEST_P(Conformance, Plugin) {
  const Vector& vector = GetParam();
  const std::size_t number = std::hash<std::string>()(vector.name);
  constexpr const char* kWays[] = {"--interpret", "--jit", "--jit-baseline"};
  const std::string command = fmt::format("echo {} | " ESPY_BINARY_DIR "/espy_conformance_plugin {} {}", vector.text, vector.memory_text, kWays[number % 3]);
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char out[64] = {};
  EXPECT_NE(std::fgets(out, sizeof out, pipe), nullptr) << command;
  EXPECT_EQ(::pclose(pipe), 0) << command;
  EXPECT_EQ(std::strtoull(out, nullptr, 16), vector.expected) << command;
}

INSTANTIATE_TEST_SUITE_P(All, Conformance, ::testing::ValuesIn(vectors()), [](const auto& info) {
  std::string name = std::to_string(info.index) + "_";
  for (char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

}  // namespace
}  // namespace espy::vm
