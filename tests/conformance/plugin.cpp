// espy_conformance_plugin [HEXMEM] [--interpret | --jit | --jit-baseline] [--elf]
//
// Runs the program on standard input (hex text) once and prints r0 in hex, for third-party runners of the instruction set's
// vectors. r1 is the address of HEXMEM's bytes, r2 their count. With --elf the input is an ELF object, whose first program runs.
#include <cstdio>
#include <iostream>
#include <iterator>

#include "hex.hpp"
#include "object/link.hpp"
#include "object/read.hpp"
#include "object/target.hpp"
#include "vm/interp/interpreter.hpp"
#include "vm/jit/compiled.hpp"

namespace espy::vm {
namespace {

struct Arguments {
  std::vector<std::byte> memory;
  Tier tier = Tier::optimised;
  bool elf = false;
};

Result<Arguments> parse(std::span<char* const> given) {
  Arguments arguments;
  for (std::string_view text : given) {
    if (text == "--interpret") arguments.tier = Tier::interpreter;
    else if (text == "--jit") arguments.tier = Tier::optimised;
    else if (text == "--jit-baseline") arguments.tier = Tier::baseline;
    else if (text == "--elf") arguments.elf = true;
    else if (text.starts_with("--")) return fail(ErrorKind::invalid_argument, "there is no option {}", text);
    else arguments.memory = TRY(bytes_of_hex(text));
  }
  return arguments;
}

Result<std::vector<isa::Insn>> program_of(const Arguments& arguments, std::string_view text) {
  const std::vector<std::byte> bytes = TRY(bytes_of_hex(text));
  if (!arguments.elf) return code_of_bytes(bytes);
  object::ObjectSpec spec = TRY(object::read(bytes, "standard input"));
  object::LinkedObject linked = TRY(object::link(std::move(spec), object::Target{}));
  if (linked.programs.empty()) return fail(ErrorKind::not_found, "the object has no program");
  if (!linked.programs[0].spec.code.relocations.empty()) return fail(ErrorKind::unsupported, "the program uses maps");
  return linked.programs[0].spec.code.insns;
}

Result<std::uint64_t> run(Arguments& arguments, std::string_view text) {
  const std::vector<isa::Insn> code = TRY(program_of(arguments, text));
  const std::uint64_t begin = arguments.memory.empty() ? 0 : reinterpret_cast<std::uint64_t>(arguments.memory.data());
  Run run{.context = arguments.memory.data(), .budget = std::uint64_t{1} << 32};
  if (arguments.tier != Tier::interpreter) return TRY(Compiled::compile(code, arguments.tier, "plugin")).run(run, begin, arguments.memory.size());
  const Steps steps = TRY(steps_of(code));
  if (begin != 0) run.own.add({.begin = begin, .end = begin + arguments.memory.size(), .what = "memory"});
  const Outcome outcome = interpret(steps, run, {begin, arguments.memory.size(), 0, 0, 0});
  if (outcome.fault) return fail(ErrorKind::rejected, "instruction {} {}", outcome.fault->insn, outcome.fault->message);
  return outcome.value;
}

int main_of(std::span<char* const> given) {
  auto arguments = parse(given);
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  auto result = arguments ? run(*arguments, text) : Result<std::uint64_t>(std::unexpected(arguments.error()));
  if (!result) return fmt::print(stderr, "{}\n", describe(result.error())), 1;
  fmt::print("{:x}\n", *result);
  return 0;
}

}  // namespace
}  // namespace espy::vm

int main(int argc, char** argv) { return espy::vm::main_of({argv + 1, static_cast<std::size_t>(argc - 1)}); }
