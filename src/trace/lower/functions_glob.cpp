// globmatch(): a pattern that is known now becomes a machine that reads a string byte by byte.
//
// The places in the pattern that may be reached are bits of one number: bit k stands in front of step k, and the last bit
// behind all of them. A byte moves every place at once, without a branch, so that the verifier follows one way through the
// loop whatever the pattern is. A `*` keeps its place, and the place behind it is reached along with it.
#include <fmt/format.h>

#include <span>
#include <vector>


#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::Op;
using ir::ValueId;

namespace {

struct Range { unsigned char first = 0, last = 0; };
struct Step {
  bool star = false, inverted = false;
  std::vector<Range> ranges = {};      ///< none: any byte
};
constexpr std::size_t kMostSteps = 62;

std::vector<Step> steps_of(std::string_view pattern) {
  std::vector<Step> out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(pattern[k]); };
    if (pattern[i] == '*') {
      if (out.empty() || !out.back().star) out.push_back({.star = true});
      continue;
    }
    if (pattern[i] == '?') {
      out.push_back({});
      continue;
    }
    if (pattern[i] == '[') {
      Step step;
      std::size_t k = i + 1;
      if (k < pattern.size() && (pattern[k] == '!' || pattern[k] == '^')) step.inverted = true, ++k;
      // A `]` that comes first is one of the bytes.
      for (const std::size_t begin = k; k < pattern.size() && (pattern[k] != ']' || k == begin); ++k) {
        const bool range = k + 2 < pattern.size() && pattern[k + 1] == '-' && pattern[k + 2] != ']';
        step.ranges.push_back({at(k), at(range ? k + 2 : k)});
        if (range) k += 2;
      }
      if (k < pattern.size()) {
        out.push_back(std::move(step));
        i = k;
        continue;
      }
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    out.push_back({.ranges = {{at(i), at(i)}}});
  }
  return out;
}

/// 1 if the byte is what the step wants, else 0.
ValueId wanted(ir::Builder& s, const Step& step, ValueId byte) {
  if (step.ranges.empty()) return s.i64(step.inverted ? 0 : 1);
  ValueId outside = s.i64(1);
  for (const Range& range : step.ranges) {
    const ValueId below = s.sub(byte, s.i64(range.first)), above = s.sub(s.i64(range.last), byte);
    outside = s.and_(outside, s.lshr(s.or_(below, above), s.i64(63)));
  }
  return step.inverted ? outside : s.xor_(outside, s.i64(1));
}

/// Places behind a `*` whose own place is reached.
std::uint64_t closed(std::uint64_t places, std::span<const Step> steps) {
  for (std::size_t k = 0; k < steps.size(); ++k)
    if (steps[k].star && (places >> k & 1) != 0) places |= std::uint64_t{1} << (k + 1);
  return places;
}

/// matches(text): 1 if the whole string, at most `bytes` long, is what the steps say.
void make_matches(ir::Builder& s, std::span<const Step> steps, std::uint32_t bytes) {
  const ir::BlockId head = s.block({kI64, kI64}), body = s.block(), next = s.block(), done = s.block();
  s.jump(head, {s.i64(0), s.i64(static_cast<std::int64_t>(closed(1, steps)))});
  s.at(head);
  const ValueId i = s.param_of(head, 0), places = s.param_of(head, 1);
  s.branch(s.compare(Op::ult, i, s.i64(bytes)), body, done);
  s.at(body);
  const ValueId byte = s.load(kI64, 8, s.ptr_add(s.param(0), i));
  s.branch(s.eq(byte, s.i64(0)), done, next);
  s.at(next);
  ValueId reached = s.i64(0);
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const auto shift = static_cast<std::int64_t>(k);
    const ValueId here = s.and_(s.lshr(places, s.i64(shift)), s.i64(1));
    if (steps[k].star) {
      // It takes the byte; or something reached it with this byte.
      const ValueId stays = s.and_(s.or_(here, s.lshr(reached, s.i64(shift))), s.i64(1));
      reached = s.or_(reached, s.or_(s.shl(stays, s.i64(shift)), s.shl(stays, s.i64(shift + 1))));
    } else {
      reached = s.or_(reached, s.shl(s.and_(here, wanted(s, steps[k], byte)), s.i64(shift + 1)));
    }
  }
  s.jump(head, {s.add(i, s.i64(1)), reached});
  s.at(done);
  s.ret(s.and_(s.lshr(places, s.i64(static_cast<std::int64_t>(steps.size()))), s.i64(1)));
}

}  // namespace

ValueId Lowering::glob_match(const Call& node, Span at) {
  const auto* pattern = std::get_if<String>(&node.arguments[1].node);
  if (pattern == nullptr) return i64(0);
  if (!unit.abilities.bounded_loops) {
    unit.error(at, "this kernel's verifier allows no loops, and globmatch() takes one", "it needs Linux 5.3 or newer");
    return i64(0);
  }
  const std::vector<Step> steps = steps_of(pattern->value);
  if (steps.size() > kMostSteps) {
    unit.error(node.arguments[1].at, fmt::format("a pattern has at most {} parts, and this has {}", kMostSteps, steps.size()));
    return i64(0);
  }
  const Text text = text_of(node.arguments[0]);
  const ir::Type parameters[] = {ir::ptr(ir::Space::memory)};
  // The name of a function says all that it was made of, and must be a name: patterns are numbered.
  const auto [number, added] = unit.patterns.try_emplace(pattern->value, unit.patterns.size());
  const ir::FuncId matches = library_function(fmt::format("matches_{}_{}", number->second, text.bytes), parameters, ir::Role::subprogram,
                                              [&](ir::Builder& s) { make_matches(s, steps, text.bytes); });
  return b.call(matches, kI64, {b.ptr_cast(pointer(text.at), ir::Space::memory)});
}

}  // namespace espy::trace::lowering
