// Tables whose columns align, and histograms: what a person reads on a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espy::render {

enum class Align { left, right };

/// Columns that a string takes on a terminal: its code points.
std::size_t display_width(std::string_view text);

/// A table that is complete before it is printed: columns are as wide as they need to be.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// Title line and rows, each ended by a newline, no trailing spaces. Widths count code points.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Rows that come one at a time: widths begin at a guess from the types and only grow.
class StreamingTable {
 public:
  explicit StreamingTable(std::vector<Table::Column> columns, std::vector<std::size_t> widths);
  std::string header() const;
  std::string row(const std::vector<std::string>& cells);

 private:
  std::vector<Table::Column> columns_;
  std::vector<std::size_t> widths_;
};

struct Bucket {
  std::string label;   ///< "[4, 8)" or "4 -> 7"
  std::uint64_t count = 0;
};

/// Bars scaled to the largest bucket; empty buckets at both ends left out. `unit` heads the labels: "usecs". Empty if
/// nothing was counted.
std::string histogram(const std::vector<Bucket>& buckets, std::string_view unit);

/// Buckets of a power-of-two histogram: slots[i] counts values in [2^i, 2^(i+1)), slot 0 also 0.
std::vector<Bucket> log2_buckets(const std::vector<std::uint64_t>& slots);
/// Buckets of one value (or one step) each: slots[i] counts i.
std::vector<Bucket> linear_buckets(const std::vector<std::uint64_t>& slots);

}  // namespace espy::render
