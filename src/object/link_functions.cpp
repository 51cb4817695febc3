// Joining subprograms to a program.
//
// The kernel loads a program as one run of instructions: the entry function first, then the subprograms it reaches. An
// object shares subprograms between programs, so each program gets its own copy. The order is libbpf's: the code is
// walked from its first instruction; a subprogram met for the first time is appended at the end and walked at once,
// before the walk goes on where it was. Calls and callback loads then hold the distance, in slots from the next
// instruction, between themselves and the subprogram's first instruction.
//
// The walk keeps its own stack: how deep calls nest is the object's choice, and must not be able to exhaust ours.
#include <algorithm>
#include <unordered_map>

#include "object/link_steps.hpp"

namespace espy::object {
namespace {

/// BPF_COMPLEXITY_LIMIT_INSNS: no kernel loads more.
constexpr std::size_t kMaxProgramInsns = 1'000'000;

class Joiner {
 public:
  Joiner(FunctionSpec& entry, const std::function<Result<const FunctionSpec*>(FunctionIdx)>& source)
      : entry_(entry), source_(source) {}

  Result<std::vector<JoinedFunction>> run() {
    const std::vector<Relocation> own = std::move(entry_.relocations);
    entry_.relocations.clear();
    stack_.push_back({.start = 0, .size = entry_.insns.size(), .relocations = own});
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      if (frame.next == frame.relocations.size()) {
        stack_.pop_back();
        continue;
      }
      TRY(settle(frame, frame.relocations[frame.next]));
    }
    // References to maps were met in the order of the walk; their instructions are in the order of the code.
    std::ranges::stable_sort(entry_.relocations, {}, &Relocation::insn);
    // The kernel takes information about all functions or none.
    if (!all_func_info_) entry_.func_info.clear();
    if (!all_line_info_) entry_.line_info.clear();
    return std::move(joined_);
  }

 private:
  struct Frame {
    isa::InsnIdx start = 0;
    std::size_t size = 0;                        // instructions
    std::span<const Relocation> relocations;     // the function's own, by instruction
    std::size_t next = 0;
  };

  Result<void> settle(Frame& frame, const Relocation& relocation) {
    if (relocation.insn >= frame.size)
      return fail(ErrorKind::malformed, "a relocation is for instruction {} of a function that has {}", relocation.insn, frame.size);
    isa::InsnIdx insn = frame.start + relocation.insn;
    const auto* call = std::get_if<CallRef>(&relocation.to);
    const auto* load = std::get_if<FunctionRef>(&relocation.to);
    if (!call && !load) {
      entry_.relocations.push_back({insn, relocation.to});
      ++frame.next;
      return {};
    }
    FunctionIdx function = call ? call->function : load->function;
    auto placed = starts_.find(function);
    if (placed == starts_.end()) return append(function);  // walked first; this relocation is seen again after it
    ++frame.next;
    isa::Insn& instruction = entry_.insns[insn];
    if (call && instruction.opcode != isa::kOpCall)
      return fail(ErrorKind::malformed, "instruction {} refers to a subprogram but is no call", relocation.insn);
    if (load && !isa::is_ld_imm64(instruction))
      return fail(ErrorKind::malformed, "instruction {} refers to a subprogram's address but loads none", relocation.insn);
    instruction.src = call ? static_cast<std::uint8_t>(isa::CallKind::subprogram) : static_cast<std::uint8_t>(isa::Pseudo::func);
    instruction.imm = static_cast<std::int32_t>(placed->second) - static_cast<std::int32_t>(insn) - 1;
    return {};
  }

  Result<void> append(FunctionIdx index) {
    const FunctionSpec& function = *TRY(source_(index));
    auto start = static_cast<isa::InsnIdx>(entry_.insns.size());
    if (entry_.insns.size() + function.insns.size() > kMaxProgramInsns)
      return fail(ErrorKind::exhausted, "with its subprograms it has more than {} instructions, the most a kernel loads", kMaxProgramInsns);
    entry_.insns.insert(entry_.insns.end(), function.insns.begin(), function.insns.end());
    all_func_info_ &= !function.func_info.empty() && !entry_.func_info.empty();
    all_line_info_ &= !function.line_info.empty() && !entry_.line_info.empty();
    for (btf::FuncInfo info : function.func_info) {
      info.insn += start;
      entry_.func_info.push_back(info);
    }
    for (btf::LineInfo info : function.line_info) {
      info.insn += start;
      entry_.line_info.push_back(info);
    }
    starts_.emplace(index, start);
    joined_.push_back({index, start});
    stack_.push_back({.start = start, .size = function.insns.size(), .relocations = function.relocations});
    return {};
  }

  FunctionSpec& entry_;
  const std::function<Result<const FunctionSpec*>(FunctionIdx)>& source_;
  std::vector<Frame> stack_;
  std::unordered_map<FunctionIdx, isa::InsnIdx> starts_;
  std::vector<JoinedFunction> joined_;
  bool all_func_info_ = true, all_line_info_ = true;
};

}  // namespace

Result<std::vector<JoinedFunction>> join_functions(FunctionSpec& entry,
                                                   const std::function<Result<const FunctionSpec*>(FunctionIdx)>& source) {
  return Joiner(entry, source).run();
}

}  // namespace espy::object
