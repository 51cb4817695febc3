// Reading, joining and sorting the entries of maps.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "trace/run/histogram.hpp"
#include "trace/run/maps.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

std::uint64_t word(Bytes value, std::size_t index) {
  std::uint64_t result = 0;
  if ((index + 1) * 8 <= value.size()) std::memcpy(&result, value.data() + index * 8, 8);
  return result;
}

void set_word(MutableBytes value, std::size_t index, std::uint64_t number) {
  if ((index + 1) * 8 <= value.size()) std::memcpy(value.data() + index * 8, &number, 8);
}

void add_words(Bytes from, MutableBytes to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) set_word(to, i, word(to, i) + word(from, i));
}

bool is_scalar(const MapPlan& plan) { return plan.key.kind == Kind::none; }

std::size_t padded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

bool less(std::int64_t a, std::int64_t b, bool is_signed) {
  return is_signed ? a < b : static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b);
}

void join_extreme(const MapPlan& plan, Bytes from, MutableBytes to) {
  if (word(from, 1) == 0) return;
  const auto value = static_cast<std::int64_t>(word(from, 0));
  const auto so_far = static_cast<std::int64_t>(word(to, 0));
  const bool better = plan.value.kind == Kind::min ? less(value, so_far, plan.value.is_signed) : less(so_far, value, plan.value.is_signed);
  if (word(to, 1) == 0 || better) set_word(to, 0, word(from, 0));
  set_word(to, 1, 1);
}

void join_series(const MapPlan& plan, Bytes from, MutableBytes to) {
  for (std::size_t slot = 0; slot < plan.value.shape.intervals; ++slot) {
    SeriesPoint theirs{word(from, slot * 3), static_cast<std::int64_t>(word(from, slot * 3 + 1)), word(from, slot * 3 + 2)};
    SeriesPoint ours{word(to, slot * 3), static_cast<std::int64_t>(word(to, slot * 3 + 1)), word(to, slot * 3 + 2)};
    if (theirs.count == 0 || (ours.count != 0 && theirs.epoch < ours.epoch)) continue;
    if (ours.count == 0 || theirs.epoch > ours.epoch) ours = theirs;
    else join_points(plan.value.shape.aggregate, plan.value.is_signed, ours, theirs);
    set_word(to, slot * 3, ours.epoch);
    set_word(to, slot * 3 + 1, static_cast<std::uint64_t>(ours.value));
    set_word(to, slot * 3 + 2, ours.count);
  }
}

void add_integers(const Type& type, Bytes from, MutableBytes to) {
  const std::uint32_t size = type.size == 0 || type.size > 8 ? 8 : type.size;
  const auto sum = static_cast<std::uint64_t>(load_integer(from, size, type.is_signed)) + static_cast<std::uint64_t>(load_integer(to, size, type.is_signed));
  std::memcpy(to.data(), &sum, std::min<std::size_t>(size, to.size()));
}

// Adds one CPU's value to the joined one.
void join(const MapPlan& plan, Bytes from, MutableBytes to) {
  switch (plan.value.kind) {
    case Kind::count: case Kind::sum: return add_words(from, to, 1);
    case Kind::avg: case Kind::stats: return add_words(from, to, 2);
    case Kind::min: case Kind::max: return join_extreme(plan, from, to);
    case Kind::hist: case Kind::lhist: return add_words(from, to, (from.size() - (is_scalar(plan) ? 8 : 0)) / 8);
    case Kind::tseries: return join_series(plan, from, to);
    case Kind::integer: return add_integers(plan.value, from, to);
    default:
      // What cannot be added up is that of a CPU that has any.
      if (std::ranges::any_of(from, [](std::byte b) { return b != std::byte{}; })) std::memcpy(to.data(), from.data(), std::min(from.size(), to.size()));
  }
}

std::size_t bucket_count(const Type& type) {
  return type.kind == Kind::hist ? hist_buckets(type.shape.bits) : lhist_buckets(type.shape.min, type.shape.max, type.shape.step);
}

// Entries whose keys end with a bucket's number become one for each key.
Entries join_buckets(const MapPlan& plan, const Entries& entries) {
  const std::size_t key_bytes = plan.key_bytes - 8;
  std::vector<std::uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0U);
  auto key_less = [&](std::uint32_t a, std::uint32_t b) { return std::memcmp(entries.key(a).data(), entries.key(b).data(), key_bytes) < 0; };
  std::ranges::sort(order, key_less);
  const std::size_t buckets = bucket_count(plan.value);
  Entries joined(key_bytes, buckets * 8);
  MutableBytes value;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || key_less(order[i - 1], order[i])) value = joined.add(entries.key(order[i]).first(key_bytes));
    const std::uint64_t bucket = word(entries.key(order[i]).subspan(key_bytes), 0);
    if (bucket < buckets) set_word(value, bucket, word(value, bucket) + word(entries.value(order[i]), 0));
  }
  return joined;
}

// Compares by the parts of a key that have an order: integers and strings, a tuple's from the first on.
int compare_keys(const Type& type, Bytes a, Bytes b) {
  if (type.kind == Kind::tuple || type.kind == Kind::record) {
    if (!type.fields) return 0;
    for (const Field& field : *type.fields) {
      if (field.offset > a.size() || field.offset > b.size()) return 0;
      if (int order = compare_keys(field.type, a.subspan(field.offset), b.subspan(field.offset)); order != 0) return order;
    }
    return 0;
  }
  if (type.kind == Kind::integer || type.kind == Kind::boolean || type.kind == Kind::pointer || type.kind == Kind::enumeration) {
    const std::uint32_t size = type.size == 0 ? 8 : type.size;
    const std::int64_t left = load_integer(a, size, type.is_signed), right = load_integer(b, size, type.is_signed);
    if (left == right) return 0;
    return less(left, right, type.is_signed) ? -1 : 1;
  }
  const std::size_t size = std::min({std::size_t{type.size}, a.size(), b.size()});
  return std::memcmp(a.data(), b.data(), size);
}

}  // namespace

MutableBytes Entries::add(Bytes key) {
  const std::size_t begin = data_.size();
  data_.resize(begin + key_bytes_ + value_bytes_);
  std::memcpy(data_.data() + begin, key.data(), std::min(key.size(), key_bytes_));
  return MutableBytes(data_).subspan(begin + key_bytes_);
}

void Entries::reorder(const std::vector<std::uint32_t>& order) {
  const std::size_t stride = key_bytes_ + value_bytes_;
  std::vector<std::byte> moved(order.size() * stride);
  for (std::size_t i = 0; i < order.size(); ++i) std::memcpy(moved.data() + i * stride, data_.data() + order[i] * stride, stride);
  data_ = std::move(moved);
}

bool join_cpus(const MapPlan& plan, Bytes values, unsigned cpus, MutableBytes joined) {
  const std::size_t stride = padded(plan.value_bytes);
  bool set = false;
  for (unsigned cpu = 0; cpu < cpus && (cpu + 1) * stride <= values.size(); ++cpu) {
    Bytes value = values.subspan(cpu * stride, plan.value_bytes);
    if (is_scalar(plan) && word(value.last(8), 0) == 0) continue;
    set = true;
    join(plan, value, joined);
  }
  return set;
}

void add_entry(const MapPlan& plan, Bytes key, Bytes values, unsigned cpus, Entries& entries) {
  if (plan.value_bytes < 8 && is_scalar(plan)) return;
  std::vector<std::byte> joined(plan.value_bytes);
  // A count without keys is 0 before the first.
  if (!join_cpus(plan, values, plan.per_cpu ? cpus : 1, joined) && !(is_scalar(plan) && plan.value.kind == Kind::count)) return;
  std::ranges::copy(joined, entries.add(key).begin());
}

Entries whole_entries(const MapPlan& plan, Entries entries) {
  if (plan.bucket_in_key && plan.key_bytes >= 8) return join_buckets(plan, entries);
  return entries;
}

Result<Entries> read_entries(const Engine& engine, MapHandle map, const MapPlan& plan) {
  Entries entries(plan.key_bytes, plan.value_bytes);
  TRY(engine.for_each(map, [&](Bytes key, Bytes value) {
    add_entry(plan, key, value, engine.cpus(), entries);
    return true;
  }));
  return whole_entries(plan, std::move(entries));
}

std::optional<std::int64_t> rank_of(const MapPlan& plan, Bytes value) {
  const Type& type = plan.value;
  switch (type.kind) {
    case Kind::count: case Kind::sum: case Kind::min: case Kind::max: return static_cast<std::int64_t>(word(value, 0));
    case Kind::integer: return load_integer(value, type.size, type.is_signed);
    case Kind::avg: case Kind::stats: {
      const std::uint64_t count = word(value, 1);
      if (count == 0) return 0;
      if (type.is_signed) return static_cast<std::int64_t>(word(value, 0)) / static_cast<std::int64_t>(count);
      return static_cast<std::int64_t>(word(value, 0) / count);
    }
    case Kind::hist: case Kind::lhist: {
      std::uint64_t sum = 0;
      for (std::uint64_t bucket : buckets_of(type, value)) sum += bucket;
      return static_cast<std::int64_t>(sum);
    }
    case Kind::tseries: return static_cast<std::int64_t>(latest_epoch(value));
    default: return std::nullopt;
  }
}

void sort_entries(const MapPlan& plan, Entries& entries) {
  if (entries.size() < 2) return;
  std::vector<std::int64_t> ranks(entries.size());
  for (std::size_t i = 0; i < ranks.size(); ++i) ranks[i] = rank_of(plan, entries.value(i)).value_or(0);
  std::vector<std::uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0U);
  const bool is_signed = plan.value.is_signed && plan.value.kind != Kind::count;
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    if (ranks[a] != ranks[b]) return less(ranks[a], ranks[b], is_signed);
    const int keys = compare_keys(plan.key, entries.key(a), entries.key(b));
    return keys != 0 ? keys < 0 : a < b;
  });
  entries.reorder(order);
}

namespace {

// All values become zero; of a scalar map's, the mark of being set stays if told.
Result<void> write_zeroes(Engine& engine, MapHandle map, const MapPlan& plan, bool keep_mark) {
  std::vector<std::pair<std::vector<std::byte>, std::vector<std::byte>>> entries;
  TRY(engine.for_each(map, [&](Bytes key, Bytes value) {
    entries.emplace_back(std::vector<std::byte>(key.begin(), key.end()), std::vector<std::byte>(value.size()));
    const std::size_t stride = padded(plan.value_bytes);
    if (!keep_mark || stride < 8) return true;
    for (std::size_t mark = stride - 8; mark + 8 <= value.size(); mark += stride)
      std::memcpy(entries.back().second.data() + mark, value.data() + mark, 8);
    return true;
  }));
  for (const auto& [key, value] : entries) TRY(engine.update(map, key, value));
  return {};
}

}  // namespace

Result<void> clear_map(Engine& engine, MapHandle map, const MapPlan& plan) {
  if (is_scalar(plan)) return write_zeroes(engine, map, plan, false);
  std::vector<std::byte> keys;
  TRY(engine.for_each(map, [&](Bytes key, Bytes) {
    keys.insert(keys.end(), key.begin(), key.end());
    return true;
  }));
  for (std::size_t at = 0; plan.key_bytes != 0 && at + plan.key_bytes <= keys.size(); at += plan.key_bytes)
    TRY(engine.erase(map, Bytes(keys).subspan(at, plan.key_bytes)));
  return {};
}

Result<void> zero_map(Engine& engine, MapHandle map, const MapPlan& plan) { return write_zeroes(engine, map, plan, is_scalar(plan)); }

}  // namespace espy::trace::run
