// Statements of random scripts, and what they do.
#include "maker.hpp"

namespace espy::test {

Part Maker::part(std::string text, std::function<void(State&)> does) {
  return {indent() + std::move(text) + "\n", [does = std::move(does)](State& state) { return does(state), Flow::next; }};
}

Part Maker::print() {
  Expression what = expression(kDepth);
  int id = ++printed_;
  return part(fmt::format("printf(\"{}: %{}\\n\", {});", id, what.type.is_signed ? "d" : "u", what.text), [=](State& state) {
    state.output.push_back(fmt::format("{}: {}", id, printed({what.value(state), what.type})));
  });
}

Part Maker::set_number() {
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

Part Maker::set_string() {
  std::size_t variable = below(3);
  std::string word = any(kWords), other = any(kWords);
  Expression condition = expression(2);
  return part(fmt::format("$s{} = {} ? \"{}\" : \"{}\";", variable, condition.text, word, other),
              [=](State& state) { state.strings[variable] = condition.value(state) != 0 ? word : other; });
}

Expression Maker::quiet(Width type, int depth) {
  quiet_ = true;
  Expression value = cast(type, expression(depth));
  quiet_ = false;
  return value;
}

Part Maker::set_map() {
  std::size_t map = below(maps_.size());
  auto [text, key] = access(map);
  if (one_in(5)) return part(fmt::format("delete({});", text), [=](State& state) { state.maps[map].erase(key(state)); });
  Expression value = quiet(maps_[map].value, kDepth);
  return part(fmt::format("{} = {};", text, value.text), [=](State& state) { state.maps[map][key(state)] = value.value(state); });
}

Part Maker::set_tuple() {
  Expression first = cast(tuple_.first, expression(2)), second = cast(tuple_.second, expression(2));
  std::size_t string = below(3);
  return part(fmt::format("$t = ({}, $s{}, {}); print($t);", first.text, string, second.text), [=, types = tuple_](State& state) {
    std::uint64_t a = first.value(state);
    std::uint64_t b = second.value(state);
    state.tuple = {a, b};
    state.output.push_back(fmt::format("({}, {}, {})", printed({a, types.first}), state.strings[string], printed({b, types.second})));
  });
}

Part Maker::aggregate() {
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

std::vector<Part> Maker::block(int depth, std::uint64_t most) {
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

std::string Maker::texts(const std::vector<Part>& parts) {
  std::string out;
  for (const Part& part : parts) out += part.text;
  return out;
}

Flow Maker::run(const std::vector<Part>& parts, State& state) {
  for (const Part& part : parts) {
    if (Flow flow = part.run(state); flow != Flow::next) return flow;
  }
  return Flow::next;
}

Part Maker::branch(int depth) {
  Expression condition = expression(3);
  std::vector<Part> then = block(depth, 3), otherwise = block(depth, 3);
  return {fmt::format("{0}if ({1}) {{\n{2}{0}}} else {{\n{3}{0}}}\n", indent(), condition.text, texts(then), texts(otherwise)),
          [=](State& state) { return run(condition.value(state) != 0 ? then : otherwise, state); }};
}

Part Maker::loop(int depth) {
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

Part Maker::statement(int depth) {
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

}  // namespace espy::test
