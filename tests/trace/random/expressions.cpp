// Expressions of random scripts, and what they give.
#include "maker.hpp"

namespace espy::test {

Expression Maker::number(std::uint64_t value) {
  auto as_signed = static_cast<std::int64_t>(value);
  Width type = literal(as_signed);
  // The least number has no literal of its own.
  if (as_signed == INT64_MIN) return {"(int64)0x8000000000000000", kInt64, [value](State&) { return value; }};
  std::string text = as_signed < 0 ? "(-" + std::to_string(-as_signed) + ")" : std::to_string(as_signed);
  return {text, type, [value](State&) { return value; }, true};
}

Expression Maker::leaf() {
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

Expression Maker::binary(int depth) {
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

Expression Maker::unary(int depth) {
  Expression inner = expression(depth - 1);
  if (inner.type.is_literal) inner = cast(kInt64, inner);
  switch (below(3)) {
    case 0: return {fmt::format("(-{})", inner.text), kInt64, [value = inner.value](State& state) { return 0 - value(state); }};
    case 1: return {fmt::format("(~{})", inner.text), {.is_signed = inner.type.is_signed || inner.type.is_boolean}, [value = inner.value](State& state) { return ~value(state); }};
    default: return {fmt::format("(!{})", inner.text), kBool, [value = inner.value](State& state) { return std::uint64_t{value(state) == 0}; }};
  }
}

Expression Maker::logic(int depth) {
  bool both = one_in(2);
  Expression left = expression(depth - 1), right = one_in(4) && !quiet_ ? counted_up() : expression(depth - 1);
  return {fmt::format("({} {} {})", left.text, both ? "&&" : "||", right.text), kBool, [=](State& state) {
            bool first = left.value(state) != 0;
            return std::uint64_t{both ? first && right.value(state) != 0 : first || right.value(state) != 0};
          }};
}

Expression Maker::counted_up() {
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

Expression Maker::ternary(int depth) {
  Expression condition = expression(depth - 1), then = expression(depth - 1), otherwise = expression(depth - 1);
  if (then.type.is_literal && otherwise.type.is_literal) then = cast(any(kWidths), then);
  Width type = joined(then.type, otherwise.type);
  const std::string text = one_in(3) ? fmt::format("(if ({}) {{ {} }} else {{ {} }})", condition.text, then.text, otherwise.text)
                                     : fmt::format("({} ? {} : {})", condition.text, then.text, otherwise.text);
  return {text, type,
          [=](State& state) { return fitted(condition.value(state) != 0 ? then.value(state) : otherwise.value(state), type); }};
}

Expression Maker::of_strings() {
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

Expression Maker::expression(int depth) {
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

std::pair<std::string, std::function<Key(State&)>> Maker::access(std::size_t map) {
  Width key = maps_[map].key;
  std::size_t variable = below(numbers_.size());
  std::string text = fmt::format("({})($n{} & 3)", spelled(key), variable);
  if (!maps_[map].has_text) return {fmt::format("@m{}[{}]", map, text), [=](State& state) { return Key(state.numbers[variable] & 3, ""); }};
  std::size_t string = below(3);
  return {fmt::format("@m{}[{}, $s{}]", map, text, string), [=](State& state) { return Key(state.numbers[variable] & 3, state.strings[string]); }};
}

}  // namespace espy::test
