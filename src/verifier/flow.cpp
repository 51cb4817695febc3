// The shape of the program before anything is known of values: control stays inside each function, every instruction can be
// reached, and (for those who may not loop) there is no way back. On the way, instructions where paths meet are marked: there
// the walk looks whether it has been there before.
#include <fmt/format.h>

#include <algorithm>

#include "facts/prototypes.hpp"
#include "verifier/code.hpp"

namespace espy::verifier {
namespace {

using isa::Operation;

bool is_conditional(const Insn& insn) {
  return (insn.op >= Operation::jeq && insn.op <= Operation::jset) || insn.op == Operation::may_goto;
}
bool is_jump(const Insn& insn) { return is_conditional(insn) || insn.op == Operation::goto_; }

std::int64_t written_target(const Insn& insn, std::uint32_t at) {
  return std::int64_t{at} + 1 + (insn.op == Operation::goto_ && insn.bits == 32 ? insn.imm : insn.off);
}

/// Jumps stay in their function, and no function runs on into the next.
std::optional<Flaw> check_bounds(Code& code) {
  for (Subprogram& subprogram : code.subprograms) {
    for (std::uint32_t at = subprogram.start; at < subprogram.end; at += code.insns[at].slots) {
      const Insn& insn = code.insns[at];
      if (insn.op == Operation::call && insn.call == isa::CallKind::helper && insn.imm == 12) subprogram.has_tail_call = true;
      if (insn.op == Operation::ld_abs || insn.op == Operation::ld_ind) subprogram.has_ld_abs = true;
      if (is_jump(insn) && (insn.target < subprogram.start || insn.target >= subprogram.end))
        return Flaw{at, Flaw::Kind::jump, fmt::format("jump out of range from insn {} to {}", at, written_target(insn, at)),
                    "the jump leaves the function that it is in"};
      if (at + insn.slots == subprogram.end && insn.op != Operation::exit && insn.op != Operation::goto_ &&
          insn.op != Operation::gotox && !(insn.op == Operation::call && insn.call == isa::CallKind::kfunc))
        return Flaw{at, Flaw::Kind::end, "last insn is not an exit or jmp", "the function ends without `exit` or a jump back"};
    }
  }
  return std::nullopt;
}

/// Helpers that call a function of the program before they return.
bool calls_back(const Insn& insn) {
  if (insn.op != Operation::call || insn.call != isa::CallKind::helper) return false;
  constexpr std::int32_t kForEachMapElem = 164, kFindVma = 180, kLoop = 181, kUserRingbufDrain = 209;
  return insn.imm == kForEachMapElem || insn.imm == kFindVma || insn.imm == kLoop || insn.imm == kUserRingbufDrain;
}

class Search {
 public:
  Search(Code& code, const CodeRules& rules) : code_(code), rules_(rules), state_(code.size(), 0) {}

  /// Depth first from an entry; false: flaw_ says why not.
  bool from(std::uint32_t entry) {
    if (!visit(entry, entry)) return false;
    while (!stack_.empty()) {
      const std::uint32_t at = stack_.back().at;
      const unsigned next = stack_.back().next++;
      const unsigned edges = edges_of(at);
      if (next >= edges) {
        state_[at] = kDone;
        stack_.pop_back();
        continue;
      }
      if (!visit(at, edge(at, next))) return false;
    }
    return true;
  }

  bool reached(std::uint32_t at) const { return state_[at] != 0; }
  std::optional<Flaw> flaw;

 private:
  enum : std::uint8_t { kUnseen = 0, kOpen = 1, kDone = 2 };
  struct Position {
    std::uint32_t at;
    unsigned next;
  };

  void mark_meeting(std::uint32_t at) {
    if (at >= code_.size()) return;
    code_.insns[at].prune_point = true;
    code_.insns[at].jump_point = true;
  }

  bool enters(const Insn& insn) const {
    return (insn.op == Operation::call && insn.call == isa::CallKind::subprogram) ||
           (insn.op == Operation::ld_imm64 && insn.literal == Literal::function);
  }

  unsigned edges_of(std::uint32_t at) const {
    const Insn& insn = code_.insns[at];
    if (insn.op == Operation::exit || insn.op == Operation::gotox) return 0;
    return is_conditional(insn) || enters(insn) ? 2 : 1;
  }

  std::uint32_t edge(std::uint32_t at, unsigned number) const {
    const Insn& insn = code_.insns[at];
    return insn.op == Operation::goto_ || number == 1 ? insn.target : at + insn.slots;
  }

  void mark(std::uint32_t at) {
    Insn& insn = code_.insns[at];
    if (insn.op == Operation::goto_) mark_meeting(insn.target);
    if (is_conditional(insn)) {
      insn.prune_point = true;
      mark_meeting(insn.target);
      if (insn.op == Operation::may_goto) insn.force_checkpoint = true;
    }
    if (insn.op == Operation::call) {
      mark_meeting(at + 1);
      if (calls_back(insn)) {
        insn.calls_callback = insn.force_checkpoint = insn.prune_point = insn.jump_point = true;
      }
    }
    if (enters(insn)) {
      insn.prune_point = true;
      mark_meeting(at + insn.slots);
      mark_meeting(insn.target);
    }
  }

  bool visit(std::uint32_t from, std::uint32_t to) {
    if (to >= code_.size()) {
      flaw = Flaw{from, Flaw::Kind::jump, fmt::format("jump out of range from insn {} to {}", from, to), "execution runs past the program's end"};
      return false;
    }
    if (state_[to] == kUnseen) {
      state_[to] = kOpen;
      mark(to);
      stack_.push_back({to, 0});
    } else if (state_[to] == kOpen && from != to && !rules_.allow_back_edges && !enters(code_.insns[from])) {
      flaw = Flaw{from, Flaw::Kind::loop, fmt::format("back-edge from insn {} to {}", from, to),
                  "the program loops, and neither this kernel nor programs without privileges may"};
      return false;
    } else if (state_[to] == kOpen && from == to && code_.insns[from].op == Operation::goto_ && !rules_.allow_back_edges) {
      flaw = Flaw{from, Flaw::Kind::loop, fmt::format("back-edge from insn {} to {}", from, to), "the instruction jumps to itself"};
      return false;
    }
    return true;
  }

  Code& code_;
  const CodeRules& rules_;
  std::vector<std::uint8_t> state_;
  std::vector<Position> stack_;
};

}  // namespace

std::optional<Flaw> check_flow(Code& code, const CodeRules& rules) {
  if (auto flaw = check_bounds(code)) return flaw;
  Search search(code, rules);
  if (!search.from(0)) return search.flaw;
  for (std::uint32_t at = 0; at < code.size(); at += code.insns[at].slots) {
    if (search.reached(at)) {
      if (code.insns[at].slots == 2 && search.reached(at + 1))
        return Flaw{at, Flaw::Kind::jump, fmt::format("jump into the middle of ldimm64 insn {}", at), "a jump lands inside this instruction"};
      continue;
    }
    return Flaw{at, Flaw::Kind::unreachable, fmt::format("unreachable insn {}", at), "no path of the program leads here"};
  }
  return std::nullopt;
}

// Tarjan's strongly connected components, without recursion. Only loops get a number: components of more than one instruction,
// or of one that jumps to itself.
void compute_loops(Code& code) {
  const std::uint32_t size = code.size();
  std::vector<std::uint32_t> order(size, 0), low(size, 0);
  std::vector<bool> open(size, false);
  std::vector<std::uint32_t> component;
  struct Position {
    std::uint32_t at, next;
  };
  std::vector<Position> stack;
  std::uint32_t clock = 0, number = 0;
  for (std::uint32_t root = 0; root < size; ++root) {
    if (order[root] != 0 || code.insns[root].second_half) continue;
    stack.push_back({root, 0});
    while (!stack.empty()) {
      auto& [at, next] = stack.back();
      if (next == 0) {
        order[at] = low[at] = ++clock;
        component.push_back(at);
        open[at] = true;
      }
      const Successors following = successors(code, at);
      if (next < following.count) {
        const std::uint32_t to = following.at[next++];
        if (order[to] == 0) stack.push_back({to, 0});
        else if (open[to]) low[at] = std::min(low[at], order[to]);
        continue;
      }
      const std::uint32_t done = at;
      stack.pop_back();
      if (!stack.empty()) low[stack.back().at] = std::min(low[stack.back().at], low[done]);
      if (low[done] != order[done]) continue;
      const bool itself = following.count > 0 && (following.at[0] == done || (following.count > 1 && following.at[1] == done));
      const bool loop = component.back() != done || itself;
      if (loop) ++number;
      for (std::uint32_t member = size; member != done;) {
        member = component.back();
        component.pop_back();
        open[member] = false;
        code.insns[member].scc = loop ? number : 0;
      }
    }
  }
}

}  // namespace espy::verifier
