#include "differential.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "generator.hpp"
#include "object/listing.hpp"
#include "vm/object.hpp"
#include "vm/test_run.hpp"

namespace espy::corpus {
namespace {

using object::LinkedProgram;

bool jumps(isa::Insn insn) {
  const isa::Class cls = isa::class_of(insn);
  return (cls == isa::Class::jmp || cls == isa::Class::jmp32) && insn.opcode != isa::kOpCall && insn.opcode != isa::kOpExit;
}

/// The program without slots [first, first + count): jumps over them are shorter, jumps into them land behind them.
LinkedProgram without(const LinkedProgram& program, std::size_t first, std::size_t count) {
  LinkedProgram left = program;
  auto& code = left.spec.code.insns;
  const std::size_t end = first + count;
  auto moved = [&](std::int64_t to) {
    if (to <= static_cast<std::int64_t>(first)) return to;
    return to >= static_cast<std::int64_t>(end) ? to - static_cast<std::int64_t>(count) : static_cast<std::int64_t>(first);
  };
  for (std::size_t i = 0; i < code.size(); ++i) {
    const auto next = static_cast<std::int64_t>(i) + 1, from = moved(next);
    if (jumps(code[i])) code[i].off = static_cast<std::int16_t>(moved(next + code[i].off) - from);
    else if (isa::is_call(code[i], isa::CallKind::subprogram)) code[i].imm = static_cast<std::int32_t>(moved(next + code[i].imm) - from);
  }
  code.erase(code.begin() + static_cast<std::ptrdiff_t>(first), code.begin() + static_cast<std::ptrdiff_t>(end));
  auto& relocations = left.spec.code.relocations;
  std::erase_if(relocations, [&](const object::Relocation& r) { return r.insn + 1 >= first && r.insn < end; });
  for (object::Relocation& r : relocations)
    if (r.insn >= end) r.insn -= static_cast<isa::InsnIdx>(count);
  return left;
}

/// No half of a wide load is left alone.
bool cuts_a_wide_load(const LinkedProgram& program, std::size_t first, std::size_t count) {
  for (const object::Relocation& r : program.spec.code.relocations) {
    const bool one = r.insn >= first && r.insn < first + count, other = r.insn + 1 >= first && r.insn + 1 < first + count;
    if (one != other) return true;
  }
  return false;
}

}  // namespace

Result<Judge> Judge::create() {
  auto target = TRY(kernel::running_target());
  return Judge(TRY(KernelMaps::create(random_maps())), std::move(target));
}

Verdicts Judge::judge(const LinkedProgram& program) const {
  static const object::LinkedObject maps = random_maps();
  const KernelVerdict kernel = maps_.ask(program);
  const verifier::Verdict ours = verifier::verify(maps, program, target_, profile_);
  Verdicts verdicts{.kernel = kernel.answer == Answer::accepted, .ours = ours.accepted, .kernel_message = kernel.message,
                    .kernel_insns = kernel.insns_processed, .our_insns = ours.stats.insns_processed,
                    .kernel_microseconds = kernel.microseconds, .our_nanoseconds = ours.stats.nanoseconds};
  if (!ours.errors.empty()) verdicts.our_message = ours.errors.front().kernel_says.empty() ? ours.errors.front().message : ours.errors.front().kernel_says;
  return verdicts;
}

std::optional<std::string> Judge::run_safely(const LinkedProgram& program, std::uint64_t seed) const {
  object::LinkedObject linked = random_maps();
  linked.programs.push_back(program);
  auto object = vm::Object::load(std::move(linked));
  if (!object) return std::nullopt;   // what the engine refuses to load it does not run either
  std::mt19937_64 random(seed);
  for (int run = 0; run < 4; ++run) {
    vm::TestRun input{.data_in = std::vector<std::byte>(14 + random() % 100), .ctx_in = {}, .budget = 1U << 22};
    for (std::byte& byte : input.data_in) byte = static_cast<std::byte>(random() % 3 == 0 ? random() % 64 : random());
    auto result = vm::test_run((*object)->programs().front(), input);
    if (result || result.error().kind == ErrorKind::unsupported || result.error().kind == ErrorKind::exhausted) continue;
    const std::string fault = describe(result.error());
    // Kernels take a pointer that may be NULL, with any size, where a helper's memory may be missing.
    if (fault.find("calls `bpf_csum_diff`") != fault.npos && fault.find(" bytes at 0x0 ") != fault.npos) continue;
    return fault;
  }
  return std::nullopt;
}

LinkedProgram shrink(LinkedProgram program, const std::function<bool(const LinkedProgram&)>& interesting) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t count = std::max<std::size_t>(program.spec.code.insns.size() / 2, 1); count > 0; count /= 2) {
      for (std::size_t first = 0; first + count <= program.spec.code.insns.size();) {
        if (cuts_a_wide_load(program, first, count)) {
          ++first;
          continue;
        }
        LinkedProgram less = without(program, first, count);
        if (!less.spec.code.insns.empty() && interesting(less)) program = std::move(less), smaller = true;
        else first += count > 4 ? count / 2 : 1;
      }
    }
  }
  return program;
}

std::string corpus_text(const LinkedProgram& program, const std::string& name, const Verdicts& verdicts) {
  static const object::LinkedObject maps = random_maps();
  const std::string code = object::listing(program, maps.object, {.jumps = isa::JumpStyle::relative, .numbers = false, .source_lines = false});
  return fmt::format("== {} | {} | {}\n# {}\n{}", name, program.spec.type == facts::ProgType::xdp ? "xdp" : "socket",
                     verdicts.kernel ? "accept" : "reject: " + verdicts.kernel_message, verdicts.ours ? "accepted" : verdicts.our_message, code);
}

}  // namespace espy::corpus
