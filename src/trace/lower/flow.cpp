// Ways through a function: branches, and where they meet again.
#include <algorithm>

#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::BlockId;
using ir::kNoValue;
using ir::ValueId;

// ---- Environment ----

namespace {

constexpr std::size_t kRemembered = 16;

template <typename T>
void remember_in(std::vector<T>& all, T one) {
  if (all.size() >= kRemembered) all.erase(all.begin());
  all.push_back(std::move(one));
}

}  // namespace

void Environment::remember(KnownKey key) { remember_in(keys, std::move(key)); }
void Environment::remember(KnownElement element) { remember_in(elements, std::move(element)); }
void Environment::remember(KnownValue value) { remember_in(values, std::move(value)); }

void Environment::forget_map(std::uint32_t map) {
  std::erase_if(elements, [&](const KnownElement& element) { return element.map == map; });
}

KnownElement* Environment::find_element(std::uint32_t map, std::string_view key) {
  for (KnownElement& element : elements)
    if (element.map == map && element.key == key) return &element;
  return nullptr;
}

void Environment::keep_common(const Environment& other) {
  std::erase_if(keys, [&](const KnownKey& key) { return std::ranges::find(other.keys, key) == other.keys.end(); });
  std::erase_if(values, [&](const KnownValue& value) { return std::ranges::find(other.values, value) == other.values.end(); });
  std::erase_if(elements, [&](KnownElement& element) {
    const auto same = std::ranges::find_if(other.elements, [&](const KnownElement& theirs) {
      return theirs.map == element.map && theirs.key == element.key && theirs.pointer == element.pointer;
    });
    if (same == other.elements.end()) return true;
    element.present = element.present && same->present;
    return false;
  });
}

// ---- Lowering ----

Lowering::Lowering(Unit& shared, ir::FuncId id, std::span<const CheckedVariable> script_variables)
    : unit(shared), function(id), b(shared.module[id]), variables(script_variables) {
  env.variables.assign(variables.size(), kNoValue);
  homes.resize(variables.size());
}

void Lowering::refresh() {
  const BlockId here = b.here();
  const ir::Mark mark = b.mark;
  b = ir::Builder(unit.module[function]);
  b.at(here);
  b.mark = mark;
}

void Lowering::go(Join& to, ValueId value) {
  if (!reachable_) return;
  to.ways.push_back({b.here(), env, value});
  reachable_ = false;
}

void Lowering::nothing_follows() {
  reachable_ = false;
  b.at(b.cold_block());
}

void Lowering::seal() {
  for (ir::Block& block : fn().blocks) {
    const bool open = block.insts.empty() || !fn()[block.insts.back()].terminator();
    if (!open) continue;
    b.at(BlockId{static_cast<std::uint32_t>(&block - fn().blocks.data())});
    b.unreachable();
  }
  std::vector<bool> reached(fn().blocks.size(), false);
  std::vector<BlockId> todo{fn().entry()};
  reached[ir::index_of(fn().entry())] = true;
  while (!todo.empty()) {
    const BlockId block = todo.back();
    todo.pop_back();
    for (const ir::Edge& edge : fn().successors(block)) {
      if (reached[ir::index_of(edge.to)]) continue;
      reached[ir::index_of(edge.to)] = true;
      todo.push_back(edge.to);
    }
  }
  std::erase_if(fn().order, [&](BlockId block) { return !reached[ir::index_of(block)]; });
}

void Lowering::branch(ValueId condition, Join& yes, Join& no) {
  if (!reachable_) return;
  const BlockId if_so = b.block(), if_not = b.block();
  b.branch(condition, if_so, if_not);
  yes.ways.push_back({if_so, env, kNoValue});
  no.ways.push_back({if_not, env, kNoValue});
  reachable_ = false;
}

void Lowering::branch_cold(ValueId condition, Join& usual, Join& rare) {
  if (!reachable_) return;
  const BlockId if_so = b.block(), if_not = b.cold_block();
  b.branch(condition, if_so, if_not);
  usual.ways.push_back({if_so, env, kNoValue});
  rare.ways.push_back({if_not, env, kNoValue});
  reachable_ = false;
}

ValueId Lowering::enter(Join& join, bool cold) {
  // A place that nothing leads to: what is lowered there goes into a block without predecessors, which passes drop.
  if (join.ways.empty()) {
    nothing_follows();
    return i64(0);
  }
  if (join.ways.size() == 1) {
    b.at(join.ways[0].from);
    env = std::move(join.ways[0].environment);
    reachable_ = true;
    return join.ways[0].value;
  }
  const BlockId meeting = cold ? b.cold_block() : b.block();
  Environment merged = join.ways[0].environment;
  for (const Join::Way& way : join.ways) merged.keep_common(way.environment);

  // Values that differ become parameters. One that some way never set is 0 there: nothing reads it but by mistake.
  std::vector<std::size_t> differ;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const ValueId first = join.ways[0].environment.variables[i];
    const bool same = std::ranges::all_of(join.ways, [&](const Join::Way& way) { return way.environment.variables[i] == first; });
    if (same) continue;
    differ.push_back(i);
    merged.variables[i] = fn().add_param(meeting, ir_type(variables[i].type));
  }
  const bool has_value = join.ways[0].value != kNoValue;
  const bool same_value = has_value && std::ranges::all_of(join.ways, [&](const Join::Way& w) { return w.value == join.ways[0].value; });
  ValueId value = has_value ? join.ways[0].value : kNoValue;
  if (has_value && !same_value) value = fn().add_param(meeting, fn().type_of(value));

  for (const Join::Way& way : join.ways) {
    std::vector<ValueId> arguments;
    for (const std::size_t i : differ) {
      const ValueId known = way.environment.variables[i];
      const ir::Type type = ir_type(variables[i].type);
      arguments.push_back(known != kNoValue ? known : type.is_ptr() ? b.null(type.space) : b.constant(type, 0));
    }
    if (has_value && !same_value) arguments.push_back(way.value);
    b.at(way.from);
    b.jump(meeting, arguments);
  }
  b.at(meeting);
  env = std::move(merged);
  reachable_ = true;
  return value;
}

void Lowering::when(ValueId condition, const std::function<void()>& body, bool cold) {
  Join yes, no;
  if (cold) {
    if (!reachable_) return;
    const BlockId if_so = b.cold_block(), if_not = b.block();
    b.branch(condition, if_so, if_not);
    yes.ways.push_back({if_so, env, kNoValue});
    no.ways.push_back({if_not, env, kNoValue});
    reachable_ = false;
  } else {
    branch(condition, yes, no);
  }
  enter(yes);
  body();
  if (reachable_) go(no);
  enter(no);
}

ValueId Lowering::choose(ValueId condition, const std::function<ValueId()>& yes, const std::function<ValueId()>& no) {
  Join if_so, if_not, meeting;
  branch(condition, if_so, if_not);
  enter(if_so);
  const ValueId first = yes();
  go(meeting, first);
  enter(if_not);
  const ValueId second = no();
  go(meeting, second);
  return enter(meeting);
}

ValueId Lowering::once(std::string_view name, const std::function<ValueId()>& make) {
  for (const KnownValue& known : env.values)
    if (known.name == name) return known.value;
  const ValueId value = make();
  env.remember(KnownValue{std::string(name), value});
  return value;
}

}  // namespace espy::trace::lowering
