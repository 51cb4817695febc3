// Random scripts: what stands at their head and at their end.
#include "maker.hpp"

namespace espy::test {

Script Maker::make() {
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

std::vector<Part> Maker::head(bool first) {
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

std::vector<Part> Maker::tail(bool last) {
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

Part Maker::sum_up(std::size_t which, std::uint64_t key) {
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

Script random_script(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace espy::test
