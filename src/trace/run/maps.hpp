// A script's maps: read from the engine, CPUs' values joined, sorted as print() has them, as text and as JSON.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "trace/plan.hpp"
#include "trace/run/engine.hpp"
#include "trace/run/names.hpp"

namespace espy::trace::run {

/// The entries of a map at one moment, values of all CPUs joined, in one stretch of memory. Keys and values have the
/// layout that MapPlan describes; of maps with the bucket in their keys, entries are one for each key with all buckets.
class Entries {
 public:
  Entries(std::size_t key_bytes, std::size_t value_bytes) : key_bytes_(key_bytes), value_bytes_(value_bytes) {}
  std::size_t size() const { return key_bytes_ + value_bytes_ == 0 ? 0 : data_.size() / (key_bytes_ + value_bytes_); }
  Bytes key(std::size_t i) const { return Bytes(data_).subspan(i * (key_bytes_ + value_bytes_), key_bytes_); }
  Bytes value(std::size_t i) const { return Bytes(data_).subspan(i * (key_bytes_ + value_bytes_) + key_bytes_, value_bytes_); }
  /// Adds an entry, its value zero; returns where that is.
  MutableBytes add(Bytes key);
  MutableBytes value_to_change(std::size_t i) { return MutableBytes(data_).subspan(i * (key_bytes_ + value_bytes_) + key_bytes_, value_bytes_); }
  /// The entries in this order, which names each at most once.
  void reorder(const std::vector<std::uint32_t>& order);

 private:
  std::size_t key_bytes_, value_bytes_;
  std::vector<std::byte> data_;
};

/// Adds an entry as the map has it, values of CPUs apart; not that of a scalar map that was not set, unless it counts.
void add_entry(const MapPlan& plan, Bytes key, Bytes values, unsigned cpus, Entries& entries);
/// The same entries, of maps with the bucket in their keys one for each key.
Entries whole_entries(const MapPlan& plan, Entries entries);

/// Reads all of a map. A scalar map that was not set has no entry.
Result<Entries> read_entries(const Engine& engine, MapHandle map, const MapPlan& plan);

/// Joins the values of a per-CPU map's CPUs, `cpus` of them, each `plan.value_bytes` padded to 8, into `joined`, which
/// begins as zeroes; false: none of them was ever set.
bool join_cpus(const MapPlan& plan, Bytes values, unsigned cpus, MutableBytes joined);

/// Sorts as print() does: by value, histograms by their sum, values that have no order by key. Entries that are equal in
/// that stand by key.
void sort_entries(const MapPlan& plan, Entries& entries);

/// One number that an entry is sorted by: the count, average, sum of buckets. nullopt: its values have no order.
std::optional<std::int64_t> rank_of(const MapPlan& plan, Bytes value);

struct PrintOptions {
  std::uint64_t top = 0;   ///< only so many, the largest; 0: all
  std::uint64_t div = 1;   ///< values are divided by this
};

/// Appends a map as text: `@name[key]: value` lines, histograms as rows of bars.
void append_map_text(const MapPlan& plan, const Entries& sorted, const PrintOptions& options, Names& names, std::string& out);
/// Appends the data of a map as JSON: `{"@name": {"key": value}}`.
void append_map_json(const MapPlan& plan, const Entries& sorted, const PrintOptions& options, Names& names, std::string& out);
/// The "type" that JSON output gives a map: "map", "hist", "stats", "tseries".
std::string_view json_type(const MapPlan& plan, const Entries& entries);

/// One value of a map, aggregates too: `5`, `{ .count = 1, … }`. Histograms and time series are empty.
void append_map_value(const MapPlan& plan, Bytes value, std::uint64_t div, bool json, Names& names, std::string& out);

/// A key as it stands between brackets: a tuple's parentheses left out.
void append_map_key(const MapPlan& plan, Bytes key, Names& names, std::string& out);

/// clear(@m): all entries go. zero(@m): all values become zero.
Result<void> clear_map(Engine& engine, MapHandle map, const MapPlan& plan);
Result<void> zero_map(Engine& engine, MapHandle map, const MapPlan& plan);

// ---- values of many numbers (histogram_text.cpp, time_series.cpp) ----

/// The buckets of a hist or lhist value.
std::vector<std::uint64_t> buckets_of(const Type& type, Bytes value);
void append_histogram_text(const Type& type, const std::vector<std::uint64_t>& buckets, std::uint64_t div, std::string& out);
void append_histogram_json(const Type& type, const std::vector<std::uint64_t>& buckets, std::uint64_t div, std::string& out);

/// One slot of a tseries value.
struct SeriesPoint {
  std::uint64_t epoch = 0;
  std::int64_t value = 0;
  std::uint64_t count = 0;   ///< of values recorded; 0: none. Of last values, those of the CPU with most count
};
/// Joins two CPUs' points of one epoch.
void join_points(Kind aggregate, bool is_signed, SeriesPoint& to, const SeriesPoint& from);
/// The latest epoch of a tseries value; 0: it has none.
std::uint64_t latest_epoch(Bytes value);
/// `last`: the latest epoch of all entries, where the series ends.
void append_series_text(const Type& type, Bytes value, std::uint64_t last, Names& names, std::string& out);
void append_series_json(const Type& type, Bytes value, std::uint64_t last, Names& names, std::string& out);

}  // namespace espy::trace::run
