#include "trace/lower/unit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/walk.hpp"
#include "trace/rings.hpp"
#include "trace/run/histogram.hpp"

namespace espy::trace::lowering {
namespace {

constexpr std::string_view kZerosMap = "zeros";
constexpr std::string_view kKeptMap = "kept";
constexpr std::string_view kConstantsMap = ".rodata";
constexpr std::uint32_t kStackTraces = 16 * 1024;       // stacks that a map of them holds
constexpr std::uint32_t kInPlaceHistogram = 1024;       // bytes: up to this a keyed histogram is one element
constexpr std::uint32_t kCacheLine = 64;
constexpr std::uint32_t kNoPrealloc = 1;                // BPF_F_NO_PREALLOC
constexpr std::uint32_t kStackBuildId = 1U << 5;        // BPF_F_STACK_BUILD_ID
constexpr std::uint32_t kReadOnlyProg = 1U << 7;        // BPF_F_RDONLY_PROG

constexpr std::uint32_t padded(std::uint32_t bytes) { return (bytes + 7) / 8 * 8; }

std::string object_name(std::string_view script_name) { return fmt::format("AT_{}", script_name); }

struct KindRow {
  std::string_view name;
  facts::MapType type;
  bool per_cpu;
};
constexpr KindRow kDeclared[] = {
    {"hash", facts::MapType::hash, false},
    {"lruhash", facts::MapType::lru_hash, false},
    {"percpuhash", facts::MapType::percpu_hash, true},
    {"percpulruhash", facts::MapType::lru_percpu_hash, true},
};
const KindRow* declared_kind(std::string_view name) {
  const auto* row = std::ranges::find(kDeclared, name, &KindRow::name);
  return row == std::end(kDeclared) ? nullptr : row;
}

}  // namespace

Unit::Unit(const Checked& script, const LowerOptions& how, Diagnostics& found, Economy stack)
    : economy(stack), checked(script), options(how), abilities(how.abilities), diagnostics(found), used_maps_(script.maps.size()), marks_(1) {
  plan.config = script.config;
  plan.actions = script.actions;
  plan.formats = script.formats;
  plan.cgroup_filters = script.cgroup_filters;
  for (const CheckedMap& map : script.maps) {
    maps.push_back(shape_of(map));
    plan.maps.push_back(maps.back().plan);
  }
  find_never_full();
}

void Unit::find_never_full() {
  std::size_t probes = 0;
  for (const CheckedProbe& probe : checked.probes) probes += probe.instance.targets.size();
  std::vector<std::size_t> keys(maps.size(), probes);
  std::vector<bool> open(maps.size(), false);
  const Visitor visitor{.expr = [&](const Expr& e) {
    const auto* access = std::get_if<MapAccess>(&e.node);
    if (access == nullptr || access->id >= maps.size()) return;
    // Without a key it is the map that is meant: what has its key beside it, like has_key(@m, k), may not make elements.
    if (!access->key || is_probe_name(**access->key)) return;
    if (std::holds_alternative<Integer>((*access->key)->node)) ++keys[access->id];
    else open[access->id] = true;
  }};
  for (const CheckedProbe& probe : checked.probes) {
    if (probe.predicate) walk(*probe.predicate, visitor);
    walk(probe.body, visitor);
  }
  for (const CheckedSubprogram& subprogram : checked.subprograms) walk(subprogram.body, visitor);
  for (std::size_t i = 0; i < maps.size(); ++i)
    maps[i].never_full = !open[i] && !maps[i].plan.bucket_in_key && keys[i] <= entries_of(checked.maps[i]);
}

std::uint32_t Unit::entries_of(const CheckedMap& map) const {
  return map.max_entries != 0 ? map.max_entries : static_cast<std::uint32_t>(checked.config.max_map_keys);
}

MapShape Unit::shape_of(const CheckedMap& map) const {
  MapShape shape;
  MapPlan& out = shape.plan;
  out.name = "@" + map.name;
  out.map = object_name(map.name);
  out.key = map.key;
  out.value = map.value;
  const AggregateShape& how = map.value.shape;
  switch (map.value.kind) {
    case Kind::count: case Kind::sum: out.value_bytes = 8; break;
    case Kind::avg: case Kind::stats: case Kind::min: case Kind::max: out.value_bytes = 16; break;
    case Kind::hist: shape.buckets = hist_buckets(how.bits); out.value_bytes = 8 * shape.buckets; break;
    case Kind::lhist: shape.buckets = lhist_buckets(how.min, how.max, how.step); out.value_bytes = 8 * shape.buckets; break;
    case Kind::tseries: out.value_bytes = 24 * how.intervals; break;
    default: out.value_bytes = padded(map.value.size);
  }
  const KindRow* declared = declared_kind(map.declared_kind);
  out.per_cpu = declared != nullptr ? declared->per_cpu : map.value.is_aggregate();
  if (shape.scalar()) {
    out.key_bytes = 4;
    out.value_bytes += 8;
    if (out.per_cpu && abilities.global_data && declared == nullptr) {
      shape.rows = std::max(options.cpus, 1U);
      out.value_bytes = (out.value_bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
    }
    shape.set_offset = out.value_bytes - 8;
    return shape;
  }
  out.key_bytes = padded(map.key.size);
  const std::uint32_t in_place = abilities.lazy_hash ? kMaxPerCpuValue / 2 : kInPlaceHistogram;
  if (shape.buckets != 0 && out.value_bytes > in_place) {
    out.bucket_in_key = true;
    out.key_bytes += 8;
    out.value_bytes = 8;
  }
  return shape;
}

// ---- maps ----

ir::MapId Unit::use(std::string_view name) { return module.map(name); }

ir::MapId Unit::script_map(std::uint32_t index) {
  used_maps_[index] = true;
  return use(maps[index].plan.map);
}
ir::MapId Unit::ring() {
  ring_ = true;
  return use(kRingMap);
}
ir::MapId Unit::control_ring() {
  control_ring_ = true;
  return use(kControlRingMap);
}
ir::MapId Unit::counters() { return use(kCountersMap); }
ir::MapId Unit::scratch() { return use(kScratchMap); }
ir::MapId Unit::constants() { return use(kConstantsMap); }

ir::MapId Unit::stacks(std::uint32_t frames, bool build_id) {
  const std::string name = fmt::format("{}_{}{}", kStacksMap, frames, build_id ? "_ids" : "");
  stacks_[name] = {frames, build_id};
  return use(name);
}

ir::MapId Unit::zeros(std::uint32_t bytes) {
  zero_bytes_ = std::max(zero_bytes_, padded(bytes));
  return use(kZerosMap);
}

std::uint32_t Unit::constant(std::string_view bytes, std::uint32_t align) {
  for (std::size_t at = constants_.find(bytes); at != std::string::npos; at = constants_.find(bytes, at + 1))
    if (at % align == 0) return static_cast<std::uint32_t>(at);
  constants_.resize((constants_.size() + align - 1) / align * align);
  const auto offset = static_cast<std::uint32_t>(constants_.size());
  constants_ += bytes;
  return offset;
}

ir::MapId Unit::kept() { return use(kKeptMap); }

std::uint32_t Unit::keep(std::uint32_t program, std::uint32_t frames) {
  return kept_.try_emplace({program, frames}, static_cast<std::uint32_t>(8 * kept_.size())).first->second;
}

void Unit::need_scratch(std::uint32_t bytes) { scratch_bytes_ = std::max(scratch_bytes_, padded(bytes)); }

std::uint32_t Unit::counter(Counter::Kind kind, std::uint32_t index) {
  const auto [at, added] = counters_.try_emplace({kind, index}, static_cast<std::uint32_t>(plan.counters.size()));
  if (added) plan.counters.push_back({.kind = kind, .index = index});
  return 8 * at->second;
}

std::uint32_t Unit::runtime_error(Span at, std::string what) {
  const auto [known, added] = runtime_errors_.try_emplace({at.begin, what}, static_cast<std::uint32_t>(plan.actions.size()));
  if (added)
    plan.actions.push_back({.kind = Action::Kind::runtime_error, .at = at, .arguments = {{.name = {}, .type = int64_type(), .offset = 8}},
                            .text = {std::move(what)}, .size = 16, .control = true});
  return known->second;
}

object::MapSpec Unit::script_spec(const MapShape& shape, const CheckedMap& map) const {
  object::MapSpec spec{.name = shape.plan.map, .key_size = shape.plan.key_bytes, .value_size = shape.plan.value_bytes};
  if (shape.scalar()) {
    spec.type = shape.plan.per_cpu && shape.rows == 0 ? facts::MapType::percpu_array : facts::MapType::array;
    spec.value_size *= std::max(shape.rows, 1U);
    spec.max_entries = 1;
    return spec;
  }
  const KindRow* declared = declared_kind(map.declared_kind);
  spec.type = declared != nullptr ? declared->type : shape.plan.per_cpu ? facts::MapType::percpu_hash : facts::MapType::hash;
  spec.max_entries = entries_of(map);
  // Big elements are made when they are first used: 4,096 of them for each CPU in advance would be hundreds of megabytes.
  const bool lru = spec.type == facts::MapType::lru_hash || spec.type == facts::MapType::lru_percpu_hash;
  if (!lru && abilities.lazy_hash && spec.value_size > kInPlaceHistogram / 4) spec.flags |= kNoPrealloc;
  return spec;
}

std::vector<object::MapSpec> Unit::map_specs() const {
  std::vector<object::MapSpec> out;
  for (std::size_t i = 0; i < maps.size(); ++i) out.push_back(script_spec(maps[i], checked.maps[i]));
  if (ring_) {
    object::MapSpec ring{.name = std::string(kRingMap)};
    if (abilities.ring_buffer) {
      ring.type = facts::MapType::ringbuf;
      ring.max_entries = options.ring_bytes;
    } else {
      ring.type = facts::MapType::perf_event_array;
      ring.key_size = ring.value_size = 4;
    }
    out.push_back(std::move(ring));
  }
  if (control_ring_) out.push_back({.name = std::string(kControlRingMap), .type = facts::MapType::ringbuf, .max_entries = kControlRingBytes});
  const auto array = [&](std::string_view name, facts::MapType type, std::uint32_t bytes, std::uint32_t entries) {
    out.push_back({.name = std::string(name), .type = type, .key_size = 4, .value_size = bytes, .max_entries = entries});
  };
  if (!plan.counters.empty())
    array(kCountersMap, facts::MapType::array, 8 * static_cast<std::uint32_t>(plan.counters.size()), 1);
  if (scratch_bytes_ != 0)
    array(kScratchMap, scratch_by_cpu ? facts::MapType::array : facts::MapType::percpu_array, kScratchHeader + scratch_bytes_,
          scratch_by_cpu ? kScratchLevels * options.cpus : kScratchLevels);
  if (zero_bytes_ != 0) array(kZerosMap, facts::MapType::array, zero_bytes_, 1);
  if (!kept_.empty()) array(kKeptMap, facts::MapType::array, 8 * static_cast<std::uint32_t>(kept_.size()), 1);
  if (!constants_.empty()) {
    // A data section: the loader fills it in and freezes it, so that the verifier knows its bytes.
    object::MapSpec spec{.name = std::string(kConstantsMap), .origin = object::MapOrigin::rodata, .type = facts::MapType::array, .key_size = 4,
                         .value_size = static_cast<std::uint32_t>(constants_.size()), .max_entries = 1, .flags = kReadOnlyProg};
    for (const char c : constants_) spec.contents.push_back(static_cast<std::byte>(c));
    out.push_back(std::move(spec));
  }
  for (const auto& [name, what] : stacks_)
    out.push_back({.name = name, .type = facts::MapType::stack_trace, .key_size = 4, .value_size = what.first * (what.second ? 32 : 8),
                   .max_entries = kStackTraces, .flags = what.second ? kStackBuildId : 0});
  return out;
}

// ---- the kernel's types ----

namespace {

/// A member's offset in bits, looked for in anonymous members too.
std::optional<std::pair<std::uint32_t, btf::TypeId>> member_offset(const btf::Btf& btf, const btf::Type& type, std::string_view name, int depth = 0) {
  if (depth > 8) return std::nullopt;
  for (std::uint32_t i = 0; i < type.vlen(); ++i) {
    const btf::Member member = type.member(i);
    if (member.name == name) return std::pair{member.bit_offset, member.type};
    if (!member.name.empty()) continue;
    if (const auto inner = member_offset(btf, btf.resolve(member.type), name, depth + 1))
      return std::pair{member.bit_offset + inner->first, inner->second};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> Unit::kernel_offset(std::string_view structure, std::string_view path, Span at) {
  const auto missing = [&]() -> std::optional<std::uint32_t> {
    error(at, fmt::format("this kernel's types do not say where `{}` lies in `struct {}`", path, structure),
          "it needs a kernel with BTF (CONFIG_DEBUG_INFO_BTF)");
    return std::nullopt;
  };
  const std::shared_ptr<const btf::Btf> vmlinux = options.vmlinux ? options.vmlinux() : nullptr;
  if (vmlinux == nullptr) return missing();
  const auto found = vmlinux->find(structure, btf::Kind::struct_);
  if (!found) return missing();
  btf::Type type = *found;
  std::uint32_t bits = 0;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const auto member = member_offset(*vmlinux, type, path.substr(0, dot));
    if (!member) return missing();
    bits += member->first;
    type = vmlinux->resolve(member->second);
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return bits / 8;
}

std::optional<ir::ExternId> Unit::kernel_object(std::string_view name, ir::ExternKind kind) {
  const std::shared_ptr<const btf::Btf> vmlinux = options.vmlinux ? options.vmlinux() : nullptr;
  if (vmlinux == nullptr) return std::nullopt;
  const auto found = vmlinux->find(name, kind == ir::ExternKind::kfunc ? btf::Kind::func : btf::Kind::var);
  if (!found) return std::nullopt;
  const ir::ExternId id = module.external(name, kind);
  kernel_objects_[ir::index_of(id)] = static_cast<std::int32_t>(found->id());
  return id;
}

ir::ExternId Unit::imported(std::uint32_t function) {
  // No function of the kernel has a name like this.
  const ir::ExternId id = module.external("import " + options.imported->functions[function].name, ir::ExternKind::kfunc);
  imported_[ir::index_of(id)] = function;
  return id;
}

const ImportedFunction* Unit::imported_at(std::uint32_t external) const {
  const auto found = imported_.find(external);
  return found != imported_.end() ? &options.imported->functions[found->second] : nullptr;
}

ir::Mark Unit::mark(Span at) {
  if (marks_.back() == at) return ir::Mark{static_cast<std::uint32_t>(marks_.size() - 1)};
  marks_.push_back(at);
  return ir::Mark{static_cast<std::uint32_t>(marks_.size() - 1)};
}

}  // namespace espy::trace::lowering
