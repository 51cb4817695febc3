// Makes scripts at random: what the files of the maker share.
//
// Every part of a script is made with a closure that does what the part means to a State. The script is run by calling
// them, so that loops and branches cost nothing to describe twice.
//
// What each probe of a script has: variables of every integer type, set once at its head from maps (so that the compiler knows nothing
// of their values) or from literals (so that it knows all); strings; maps with keys of one and two parts; aggregates; a
// tuple. Maps outlive their probe. Every assignment is cast to its target's type, which the rules of inference would otherwise widen.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "number.hpp"
#include "script.hpp"

namespace espy::test {

inline constexpr std::array kWidths{Width{.bytes = 1}, Width{.bytes = 1, .is_signed = false}, Width{.bytes = 2}, Width{.bytes = 2, .is_signed = false},
                             Width{.bytes = 4}, Width{.bytes = 4, .is_signed = false}, Width{}, Width{.is_signed = false}};
inline constexpr std::array kWords{"", "a", "abc", "abd", "abcdefg", "abcdefgh", "a longer text, of more than thirty-two bytes", "ABC"};
inline constexpr std::array kAggregates{"count", "sum", "min", "max", "avg"};
inline constexpr int kDepth = 4, kProbes = 10, kStatements = 4;

struct Aggregate {
  std::uint64_t count = 0, sum = 0, least = 0, most = 0;
};

using Key = std::pair<std::uint64_t, std::string>;

struct State {
  std::vector<std::uint64_t> numbers;       // $n0 …
  std::vector<std::string> strings;         // $s0 …
  std::pair<std::uint64_t, std::uint64_t> tuple;
  std::vector<std::map<Key, std::uint64_t>> maps;
  std::map<std::pair<int, std::uint64_t>, Aggregate> aggregates;
  std::vector<std::string> output;
};

enum class Flow { next, leave_loop, next_round };

struct Expression {
  std::string text;
  Width type;
  std::function<std::uint64_t(State&)> value;
  bool is_constant = false;
};

struct Part {
  std::string text;
  std::function<Flow(State&)> run;
};

// A map with a number as its key, or a number and a string.
struct MapShape {
  Width key, value;
  bool has_text = false;
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Script make();

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class Range>
  typename Range::value_type any(const Range& range) {
    return range[below(range.size())];
  }

  // Small numbers, those at the ends of types, and any at all.
  std::uint64_t interesting(Width type) {
    std::uint64_t value = 0;
    switch (below(4)) {
      case 0: value = below(10); break;
      case 1: value = (std::uint64_t{1} << below(64)) - below(2); break;
      case 2: value = 0 - below(5); break;
      default: value = random_() >> below(64);
    }
    return fitted(value, type);
  }

  // ---- expressions (expressions.cpp) ----
  static Expression cast(Width type, Expression inner) {
    Width to = type;
    to.is_literal = false;
    return {fmt::format("({})({})", spelled(to), inner.text), to,
            [to, value = inner.value](State& state) { return fitted(value(state), to); }};
  }
  Expression number(std::uint64_t value);
  Expression leaf();
  Expression binary(int depth);
  Expression unary(int depth);
  Expression logic(int depth);
  // A variable of 64 bits that is counted as it is read.
  Expression counted_up();
  Expression ternary(int depth);
  Expression of_strings();
  Expression expression(int depth);
  // @mK[key], and what finds its key. Few keys, so that they meet.
  std::pair<std::string, std::function<Key(State&)>> access(std::size_t map);

  // ---- statements (statements.cpp) ----
  std::string indent() const { return std::string(static_cast<std::size_t>(2 + 2 * nesting_), ' '); }
  Part part(std::string text, std::function<void(State&)> does);
  Part print();
  Part set_number();
  Part set_string();
  // A value without effects: nobody says whether a key, or the left side of `+=`, is calculated before or after it.
  Expression quiet(Width type, int depth);
  Part set_map();
  Part set_tuple();
  Part aggregate();
  std::vector<Part> block(int depth, std::uint64_t most);
  static std::string texts(const std::vector<Part>& parts);
  static Flow run(const std::vector<Part>& parts, State& state);
  Part branch(int depth);
  Part loop(int depth);
  Part statement(int depth);

  // ---- a script's first and last statements (script.cpp) ----
  std::vector<Part> head(bool first);
  // All that the script still knows.
  std::vector<Part> tail(bool last);
  Part sum_up(std::size_t which, std::uint64_t key);

  std::mt19937_64 random_;
  std::vector<Width> numbers_, sums_;
  std::vector<MapShape> maps_;
  std::pair<Width, Width> tuple_;
  bool quiet_ = false;
  int nesting_ = 0, loops_ = 0, loop_names_ = 0, printed_ = 0;
};

}  // namespace espy::test
