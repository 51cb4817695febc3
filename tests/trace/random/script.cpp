// Every part of a script is made with a closure that does what the part means to a State. The script is run by calling
// them, so that loops and branches cost nothing to describe twice.
//
// What each probe of a script has: variables of every integer type, set once at its head from maps (so that the compiler knows nothing
// of their values) or from literals (so that it knows all); strings; maps with keys of one and two parts; aggregates; a
// tuple. Maps outlive their probe. Every assignment is cast to its target's type, which the rules of inference would otherwise widen.
#include "script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <random>
#include <utility>

#include "number.hpp"

namespace espy::test {
namespace {

constexpr std::array kWidths{Width{.bytes = 1}, Width{.bytes = 1, .is_signed = false}, Width{.bytes = 2}, Width{.bytes = 2, .is_signed = false},
                             Width{.bytes = 4}, Width{.bytes = 4, .is_signed = false}, Width{}, Width{.is_signed = false}};
constexpr std::array kWords{"", "a", "abc", "abd", "abcdefg", "abcdefgh", "a longer text, of more than thirty-two bytes", "ABC"};
constexpr std::array kAggregates{"count", "sum", "min", "max", "avg"};
constexpr int kDepth = 4, kProbes = 10, kStatements = 4;

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

  Script make() {
    for (int i = 0; i < 10; ++i) numbers_.push_back(any(kWidths));
    numbers_.push_back(kInt64);
    numbers_.push_back(kUint64);
    for (int i = 0; i < 3; ++i) maps_.push_back({.key = any(kWidths), .value = any(kWidths), .has_text = i == 2});
    tuple_ = {any(kWidths), any(kWidths)};
    for (int i = 0; i < 5; ++i) sums_.push_back(any(kWidths));
    State state{.numbers = std::vector<std::uint64_t>(numbers_.size()), .strings = std::vector<std::string>(3), .tuple = {},
                .maps = std::vector<std::map<Key, std::uint64_t>>(maps_.size()), .aggregates = {}, .output = {}};
    Script script{.text = "config = { print_maps_on_exit = 0; max_strlen = 64 }\n", .output = {}};
    for (int probe = 0; probe < kProbes; ++probe) {
      std::vector<Part> parts = head(probe == 0);
      for (int i = 0; i < kStatements; ++i) parts.push_back(statement(2));
      for (Part& part : tail(probe == kProbes - 1)) parts.push_back(std::move(part));
      script.text += "begin {\n" + texts(parts) + (probe == kProbes - 1 ? "  exit();\n" : "") + "}\n";
      run(parts, state);
    }
    script.output = std::move(state.output);
    return script;
  }

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

  // ---- expressions ----

  static Expression cast(Width type, Expression inner) {
    Width to = type;
    to.is_literal = false;
    return {fmt::format("({})({})", spelled(to), inner.text), to,
            [to, value = inner.value](State& state) { return fitted(value(state), to); }};
  }

  Expression number(std::uint64_t value) {
    auto as_signed = static_cast<std::int64_t>(value);
    Width type = literal(as_signed);
    // The least number has no literal of its own.
    if (as_signed == INT64_MIN) return {"(int64)0x8000000000000000", kInt64, [value](State&) { return value; }};
    std::string text = as_signed < 0 ? "(-" + std::to_string(-as_signed) + ")" : std::to_string(as_signed);
    return {text, type, [value](State&) { return value; }, true};
  }

  Expression leaf() {
    switch (below(6)) {
      case 0: return number(interesting(any(kWidths)));
      case 1: {
        Width type = any(kWidths);
        return cast(type, number(interesting(type)));
      }
      case 2: {
        std::size_t map = below(maps_.size());
        auto [key, find] = access(map);
        return {key, maps_[map].value, [map, find](State& state) {
                  auto found = state.maps[map].find(find(state));
                  return found == state.maps[map].end() ? 0 : found->second;
                }};
      }
      case 3:
        if (one_in(2)) return {"$t.0", tuple_.first, [](State& state) { return state.tuple.first; }};
        return {"$t.2", tuple_.second, [](State& state) { return state.tuple.second; }};
      default: {
        std::size_t variable = below(numbers_.size());
        return {fmt::format("$n{}", variable), numbers_[variable], [variable](State& state) { return state.numbers[variable]; }};
      }
    }
  }

  Expression binary(int depth) {
    static constexpr std::array kOperators{"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">="};
    std::string op = any(kOperators);
    Expression left = expression(depth - 1), right = expression(depth - 1);
    if (op == "<<" || op == ">>") {
      if (one_in(2)) right = number(below(64));
      else right = {fmt::format("({} & 63)", right.text), type_of("&", right.type, number(63).type), [value = right.value](State& state) { return value(state) & 63; }};
    }
    // Two literals make a literal, whose type is that of its value: tested where the compiler's cases are.
    if (left.type.is_literal && right.type.is_literal) left = cast(any(kWidths), left);
    return {fmt::format("({} {} {})", left.text, op, right.text), type_of(op, left.type, right.type), [=](State& state) {
              std::uint64_t a = left.value(state), b = right.value(state);
              return calculate(op, {a, left.type}, {b, right.type}).value;
            }};
  }

  Expression unary(int depth) {
    Expression inner = expression(depth - 1);
    if (inner.type.is_literal) inner = cast(kInt64, inner);
    switch (below(3)) {
      case 0: return {fmt::format("(-{})", inner.text), kInt64, [value = inner.value](State& state) { return 0 - value(state); }};
      case 1: return {fmt::format("(~{})", inner.text), {.is_signed = inner.type.is_signed || inner.type.is_boolean}, [value = inner.value](State& state) { return ~value(state); }};
      default: return {fmt::format("(!{})", inner.text), kBool, [value = inner.value](State& state) { return std::uint64_t{value(state) == 0}; }};
    }
  }

  Expression logic(int depth) {
    bool both = one_in(2);
    Expression left = expression(depth - 1), right = one_in(4) && !quiet_ ? counted_up() : expression(depth - 1);
    return {fmt::format("({} {} {})", left.text, both ? "&&" : "||", right.text), kBool, [=](State& state) {
              bool first = left.value(state) != 0;
              return std::uint64_t{both ? first && right.value(state) != 0 : first || right.value(state) != 0};
            }};
  }

  // A variable of 64 bits that is counted as it is read.
  Expression counted_up() {
    std::size_t variable = numbers_.size() - 1 - below(2);
    bool before = one_in(2), up = one_in(2);
    std::string name = fmt::format("$n{}", variable), sign = up ? "++" : "--";
    return {before ? sign + name : name + sign, numbers_[variable], [=](State& state) {
              std::uint64_t& value = state.numbers[variable];
              std::uint64_t old = value;
              value = up ? value + 1 : value - 1;
              return before ? value : old;
            }};
  }

  Expression ternary(int depth) {
    Expression condition = expression(depth - 1), then = expression(depth - 1), otherwise = expression(depth - 1);
    if (then.type.is_literal && otherwise.type.is_literal) then = cast(any(kWidths), then);
    Width type = joined(then.type, otherwise.type);
    return {fmt::format("({} ? {} : {})", condition.text, then.text, otherwise.text), type,
            [=](State& state) { return fitted(condition.value(state) != 0 ? then.value(state) : otherwise.value(state), type); }};
  }

  Expression of_strings() {
    std::size_t variable = below(3);
    std::string name = fmt::format("$s{}", variable), word = any(kWords);
    switch (below(4)) {
      case 0: return {fmt::format("({} == \"{}\")", name, word), kBool, [=](State& state) { return std::uint64_t{state.strings[variable] == word}; }};
      case 1: {
        std::size_t other = below(3);
        return {fmt::format("({} != $s{})", name, other), kBool, [=](State& state) { return std::uint64_t{state.strings[variable] != state.strings[other]}; }};
      }
      case 2: return {fmt::format("(int64)strlen({})", name), kInt64, [=](State& state) { return std::uint64_t{state.strings[variable].size()}; }};
      default: {
        std::size_t length = below(9) + 1;
        return {fmt::format("(strncmp({}, \"{}\", {}) == 0)", name, word, length), kBool, [=](State& state) {
                  return std::uint64_t{state.strings[variable].substr(0, length) == word.substr(0, length)};
                }};
      }
    }
  }

  Expression expression(int depth) {
    if (depth <= 0) return leaf();
    switch (below(12)) {
      case 0: return cast(one_in(6) ? kBool : any(kWidths), expression(depth - 1));
      case 1: return unary(depth);
      case 2: return logic(depth);
      case 3: return ternary(depth);
      case 4: return of_strings();
      case 5: return leaf();
      default: return binary(depth);
    }
  }

  // @mK[key], and what finds its key. Few keys, so that they meet.
  std::pair<std::string, std::function<Key(State&)>> access(std::size_t map) {
    Width key = maps_[map].key;
    std::size_t variable = below(numbers_.size());
    std::string text = fmt::format("({})($n{} & 3)", spelled(key), variable);
    if (!maps_[map].has_text) return {fmt::format("@m{}[{}]", map, text), [=](State& state) { return Key(state.numbers[variable] & 3, ""); }};
    std::size_t string = below(3);
    return {fmt::format("@m{}[{}, $s{}]", map, text, string), [=](State& state) { return Key(state.numbers[variable] & 3, state.strings[string]); }};
  }

  // ---- statements ----

  std::string indent() const { return std::string(static_cast<std::size_t>(2 + 2 * nesting_), ' '); }
  Part part(std::string text, std::function<void(State&)> does) {
    return {indent() + std::move(text) + "\n", [does = std::move(does)](State& state) { return does(state), Flow::next; }};
  }

  Part print() {
    Expression what = expression(kDepth);
    int id = ++printed_;
    return part(fmt::format("printf(\"{}: %{}\\n\", {});", id, what.type.is_signed ? "d" : "u", what.text), [=](State& state) {
      state.output.push_back(fmt::format("{}: {}", id, printed({what.value(state), what.type})));
    });
  }

  Part set_number() {
    std::size_t variable = below(numbers_.size());
    Width type = numbers_[variable];
    if (type.bytes == 8 && one_in(2)) {
      static constexpr std::array kOperators{"+", "*", "/", "%", "&", "|", "^"};
      std::string op = any(kOperators);
      Expression value = quiet(type, kDepth - 1);
      return part(fmt::format("$n{} {}= {};", variable, op, value.text), [=](State& state) {
        state.numbers[variable] = calculate(op, {state.numbers[variable], type}, {value.value(state), type}).value;
      });
    }
    Expression value = cast(type, expression(kDepth));
    return part(fmt::format("$n{} = {};", variable, value.text), [=](State& state) { state.numbers[variable] = value.value(state); });
  }

  Part set_string() {
    std::size_t variable = below(3);
    std::string word = any(kWords), other = any(kWords);
    Expression condition = expression(2);
    return part(fmt::format("$s{} = {} ? \"{}\" : \"{}\";", variable, condition.text, word, other),
                [=](State& state) { state.strings[variable] = condition.value(state) != 0 ? word : other; });
  }

  // A value without effects: nobody says whether a key, or the left side of `+=`, is calculated before or after it.
  Expression quiet(Width type, int depth) {
    quiet_ = true;
    Expression value = cast(type, expression(depth));
    quiet_ = false;
    return value;
  }

  Part set_map() {
    std::size_t map = below(maps_.size());
    auto [text, key] = access(map);
    if (one_in(5)) return part(fmt::format("delete({});", text), [=](State& state) { state.maps[map].erase(key(state)); });
    Expression value = quiet(maps_[map].value, kDepth);
    return part(fmt::format("{} = {};", text, value.text), [=](State& state) { state.maps[map][key(state)] = value.value(state); });
  }

  Part set_tuple() {
    Expression first = cast(tuple_.first, expression(2)), second = cast(tuple_.second, expression(2));
    std::size_t string = below(3);
    return part(fmt::format("$t = ({}, $s{}, {}); print($t);", first.text, string, second.text), [=, types = tuple_](State& state) {
      std::uint64_t a = first.value(state);
      std::uint64_t b = second.value(state);
      state.tuple = {a, b};
      state.output.push_back(fmt::format("({}, {}, {})", printed({a, types.first}), state.strings[string], printed({b, types.second})));
    });
  }

  Part aggregate() {
    std::size_t which = below(kAggregates.size());
    Width type = sums_[which];
    type.bytes = 8;
    std::size_t variable = below(numbers_.size());
    Expression value = quiet(sums_[which], 3);
    return part(fmt::format("@{}[(int64)($n{} & 1)] = {}({});", kAggregates[which], variable, kAggregates[which], which == 0 ? "" : value.text), [=](State& state) {
      std::uint64_t number = which == 0 ? 0 : value.value(state);
      Aggregate& at = state.aggregates[{static_cast<int>(which), state.numbers[variable] & 1}];
      bool less = type.is_signed ? static_cast<std::int64_t>(number) < static_cast<std::int64_t>(at.least) : number < at.least;
      bool more = type.is_signed ? static_cast<std::int64_t>(number) > static_cast<std::int64_t>(at.most) : number > at.most;
      if (at.count == 0 || less) at.least = number;
      if (at.count == 0 || more) at.most = number;
      ++at.count;
      at.sum += number;
    });
  }

  std::vector<Part> block(int depth, std::uint64_t most) {
    ++nesting_;
    std::vector<Part> parts;
    for (std::uint64_t i = 1 + below(most); i > 0; --i) parts.push_back(statement(depth - 1));
    if (loops_ > 0 && one_in(3)) {
      bool leave = one_in(2);
      Expression condition = expression(2);
      parts.push_back({indent() + fmt::format("if ({}) {{ {}; }}\n", condition.text, leave ? "break" : "continue"), [=](State& state) {
                         if (condition.value(state) == 0) return Flow::next;
                         return leave ? Flow::leave_loop : Flow::next_round;
                       }});
    }
    --nesting_;
    return parts;
  }
  static std::string texts(const std::vector<Part>& parts) {
    std::string out;
    for (const Part& part : parts) out += part.text;
    return out;
  }
  static Flow run(const std::vector<Part>& parts, State& state) {
    for (const Part& part : parts) {
      if (Flow flow = part.run(state); flow != Flow::next) return flow;
    }
    return Flow::next;
  }

  Part branch(int depth) {
    Expression condition = expression(3);
    std::vector<Part> then = block(depth, 3), otherwise = block(depth, 3);
    return {fmt::format("{0}if ({1}) {{\n{2}{0}}} else {{\n{3}{0}}}\n", indent(), condition.text, texts(then), texts(otherwise)),
            [=](State& state) { return run(condition.value(state) != 0 ? then : otherwise, state); }};
  }

  Part loop(int depth) {
    ++loops_;
    std::uint64_t rounds = 1 + below(4);
    std::vector<Part> body = block(depth, 3);
    --loops_;
    std::string name = fmt::format("$i{}", ++loop_names_);
    std::string head = one_in(2) ? fmt::format("{0}{1} = 0;\n{0}while ({1} < {2}) {{\n{0}  {1}++;\n", indent(), name, rounds)
                                 : fmt::format("{0}for ({1} : 0..{2}) {{\n", indent(), name, rounds);
    return {fmt::format("{0}{1}{2}}}\n", head, texts(body), indent()), [=](State& state) {
              for (std::uint64_t i = 0; i < rounds && run(body, state) != Flow::leave_loop; ++i) {}
              return Flow::next;
            }};
  }

  Part statement(int depth) {
    switch (below(depth > 0 && loops_ == 0 ? 16 : depth > 0 ? 15 : 13)) {
      case 0: case 1: case 2: case 3: return print();
      case 4: case 5: case 6: return set_number();
      case 7: return set_string();
      case 8: case 9: return set_map();
      case 10: return set_tuple();
      case 11: case 12: return aggregate();
      case 13: case 14: return branch(depth);
      default: return loop(depth);
    }
  }

  // ---- a script's first and last statements ----

  std::vector<Part> head(bool first) {
    std::vector<Part> parts;
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      Width type = numbers_[i];
      std::uint64_t value = interesting(type);
      std::string text = fmt::format("({}){}", spelled(type), number(value).text);
      std::string line = one_in(3) ? fmt::format("$n{} = {};", i, text) : fmt::format("@v{0} = {1}; $n{0} = @v{0};", i, text);
      parts.push_back(part(line, [=](State& state) { state.numbers[i] = value; }));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      std::string word = any(kWords);
      parts.push_back(part(fmt::format("$s{} = \"{}\";", i, word), [=](State& state) { state.strings[i] = word; }));
    }
    for (std::size_t i = 0; first && i < maps_.size(); ++i) {
      std::string key = fmt::format("({})0{}", spelled(maps_[i].key), maps_[i].has_text ? ", \"\"" : "");
      parts.push_back(part(fmt::format("@m{}[{}] = ({})1;", i, key, spelled(maps_[i].value)), [=](State& state) { state.maps[i][{0, ""}] = 1; }));
    }
    parts.push_back(part(fmt::format("$t = (({})0, $s0, ({})0);", spelled(tuple_.first), spelled(tuple_.second)), [](State& state) { state.tuple = {}; }));
    return parts;
  }

  // All that the script still knows.
  std::vector<Part> tail(bool last) {
    std::vector<Part> parts;
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      Width type = numbers_[i];
      parts.push_back(part(fmt::format("printf(\"n{0} %{1}\\n\", $n{0});", i, type.is_signed ? "d" : "u"),
                           [=](State& state) { state.output.push_back(fmt::format("n{} {}", i, printed({state.numbers[i], type}))); }));
    }
    if (!last) return parts;
    for (std::size_t i = 0; i < maps_.size(); ++i) {
      parts.push_back(part(fmt::format("printf(\"len %d\\n\", len(@m{0})); for ($kv : @m{0}) {{ @total{0} += (int64)$kv.1; }} printf(\"%d\\n\", @total{0});", i), [=](State& state) {
        std::uint64_t total = 0;
        for (const auto& [key, value] : state.maps[i]) total += value;
        state.output.push_back(fmt::format("len {}", state.maps[i].size()));
        state.output.push_back(printed({total, kInt64}));
      }));
    }
    for (std::size_t which = 0; which < kAggregates.size(); ++which) {
      for (std::uint64_t key : {0, 1}) parts.push_back(sum_up(which, key));
    }
    return parts;
  }

  Part sum_up(std::size_t which, std::uint64_t key) {
    Width type{.is_signed = which == 0 || sums_[which].is_signed};
    std::string cast_to = which == 0 ? "1" : fmt::format("({})1", spelled(sums_[which]));
    std::string first = fmt::format("@{0}[(int64){1}] = {0}({2});", kAggregates[which], key, which == 0 ? "" : cast_to);
    return part(fmt::format("{} printf(\"{} %{}\\n\", @{}[(int64){}]);", first, kAggregates[which], type.is_signed ? "d" : "u", kAggregates[which], key), [=](State& state) {
      Aggregate& at = state.aggregates[{static_cast<int>(which), key}];
      bool less = at.count == 0 || (type.is_signed ? static_cast<std::int64_t>(at.least) > 1 : at.least > 1);
      bool more = at.count == 0 || (type.is_signed ? static_cast<std::int64_t>(at.most) < 1 : at.most < 1);
      if (less) at.least = 1;
      if (more) at.most = 1;
      ++at.count;
      ++at.sum;
      std::uint64_t average = calculate("/", {at.sum, type}, {at.count, type}).value;
      std::uint64_t values[] = {at.count, at.sum, at.least, at.most, average};
      state.output.push_back(fmt::format("{} {}", kAggregates[which], printed({values[which], type})));
    });
  }

  std::mt19937_64 random_;
  std::vector<Width> numbers_, sums_;
  std::vector<MapShape> maps_;
  std::pair<Width, Width> tuple_;
  bool quiet_ = false;
  int nesting_ = 0, loops_ = 0, loop_names_ = 0, printed_ = 0;
};

}  // namespace

Script random_script(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace espy::test
