// The contents of a map, and of data sections, as JSON and as tables and histograms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "render/table.hpp"
#include "render/value.hpp"

namespace espy::render {

/// What a map's values are, beyond their type.
enum class MapNature : std::uint8_t {
  plain,
  array,        ///< plain, but every slot exists: those that are zero say nothing
  stack_trace,  ///< addresses, innermost first
  ids,          ///< of programs or maps: what a lookup of a prog array or a map of maps gives
};

/// A copy of a map's contents. Values of per-CPU maps are joined (see sum_per_cpu).
struct MapView {
  struct Entry {
    std::vector<std::byte> key, value;
  };
  std::string name;
  MapNature nature = MapNature::plain;
  Shape key = {}, value = {};
  std::vector<Entry> entries = {};
  bool truncated = false;   ///< there were more entries than the reader was allowed
};

/// `[{"key":…,"value":…},…]`, as the map gave them.
void write_entries(JsonWriter& json, const MapView& map, const ValueOptions& options = {});

/// A histogram for each entry if the values are one (see find_histogram), else a table: a column for each field of key
/// and value, rows by falling value where values are numbers or begin with one, else by key; at most `limit` rows
/// (0: all), and a line that says how many were left out. An empty map says so.
std::string text(const MapView& map, const ValueOptions& options = {}, std::size_t limit = 0);

/// Counters in a row, found by their type and name.
struct Histogram {
  Place slots;                 ///< the array of counters, in the value
  bool linear = false;         ///< slot i counts i, not [2^i, 2^(i+1))
  std::string unit;            ///< "usecs", from a name that ends so; "value"
};
/// A value that holds a histogram: a struct with a member `slots`, `buckets` or `hist` that is an array of 2 to 64 u32 or
/// u64 (as BCC and libbpf's tools lay them out), or such an array itself named `…hist…`. `linear` in a name makes it so.
std::optional<Histogram> find_histogram(const Shape& value, std::string_view name);
std::optional<Histogram> find_histogram(const Shape& shape, const Place& value, std::string_view name);

/// What a histogram of this name counts: `lat_us_hist` and `lat_hist_us` are "usecs"; "value" if the name does not say.
std::string histogram_unit(std::string_view name);

/// The global variables of a data section: `VAR = value` lines; histograms drawn.
std::string section_text(const Shape& section, Bytes contents, const ValueOptions& options = {});

}  // namespace espy::render
