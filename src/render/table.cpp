#include "render/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace espy::render {

namespace {

constexpr std::size_t kBarWidth = 40;

void append_padded(std::string& line, std::string_view cell, Align align, std::size_t width) {
  std::size_t used = display_width(cell), pad = width > used ? width - used : 0;
  if (align == Align::right) line.append(pad, ' ');
  line += cell;
  if (align == Align::left) line.append(pad, ' ');
}

template <typename Cell>
std::string line_of(const std::vector<Table::Column>& columns, const std::vector<std::size_t>& widths, Cell cell) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line += "  ";
    append_padded(line, cell(i), columns[i].align, widths[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string_view cell_at(const std::vector<std::string>& row, std::size_t column) {
  return column < row.size() ? std::string_view(row[column]) : std::string_view();
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(cell_at(row, i)));
    widths.push_back(width);
  }
  std::string out = line_of(columns_, widths, [&](std::size_t i) { return std::string_view(columns_[i].title); });
  for (const auto& row : rows_) out += line_of(columns_, widths, [&](std::size_t i) { return cell_at(row, i); });
  return out;
}

StreamingTable::StreamingTable(std::vector<Table::Column> columns, std::vector<std::size_t> widths)
    : columns_(std::move(columns)), widths_(std::move(widths)) {
  widths_.resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) widths_[i] = std::max(widths_[i], display_width(columns_[i].title));
}

std::string StreamingTable::header() const {
  return line_of(columns_, widths_, [&](std::size_t i) { return std::string_view(columns_[i].title); });
}

std::string StreamingTable::row(const std::vector<std::string>& cells) {
  // The last column pushes nothing, so that a long path does not widen what never follows.
  for (std::size_t i = 0; i + 1 < columns_.size(); ++i) widths_[i] = std::max(widths_[i], display_width(cell_at(cells, i)));
  return line_of(columns_, widths_, [&](std::size_t i) { return cell_at(cells, i); });
}

std::string histogram(const std::vector<Bucket>& buckets, std::string_view unit) {
  auto counted = [](const Bucket& b) { return b.count != 0; };
  auto first = std::ranges::find_if(buckets, counted);
  if (first == buckets.end()) return {};
  auto last = std::find_if(buckets.rbegin(), buckets.rend(), counted).base();
  std::uint64_t most = std::ranges::max_element(first, last, {}, &Bucket::count)->count;
  std::size_t label_width = display_width(unit), count_width = std::string_view("count").size();
  for (auto b = first; b != last; ++b) {
    label_width = std::max(label_width, display_width(b->label));
    count_width = std::max(count_width, std::to_string(b->count).size());
  }
  std::string out;
  append_padded(out, unit, Align::left, label_width);
  out += "  ";
  append_padded(out, "count", Align::right, count_width);
  out += '\n';
  for (auto b = first; b != last; ++b) {
    append_padded(out, b->label, Align::left, label_width);
    out += "  ";
    append_padded(out, std::to_string(b->count), Align::right, count_width);
    // A double holds the ratio well enough; the product of integers could overflow.
    auto bar = static_cast<std::size_t>(static_cast<double>(b->count) / static_cast<double>(most) * kBarWidth + 0.5);
    if (b->count != 0) bar = std::max<std::size_t>(bar, 1);
    out += " |" + std::string(bar, '@') + std::string(kBarWidth - bar, ' ') + "|\n";
  }
  return out;
}

namespace {

// 2^exponent in the units of 1024 that keep labels short.
std::string power_text(std::size_t exponent) {
  constexpr std::string_view kUnits[] = {"", "K", "M", "G", "T", "P", "E"};
  std::size_t unit = std::min<std::size_t>(exponent / 10, std::size(kUnits) - 1);
  if (exponent >= 70) return fmt::format("2^{}", exponent);
  return fmt::format("{}{}", std::uint64_t{1} << (exponent - unit * 10), kUnits[unit]);
}

}  // namespace

std::vector<Bucket> log2_buckets(const std::vector<std::uint64_t>& slots) {
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < slots.size(); ++i)
    buckets.push_back({fmt::format("[{}, {})", i == 0 ? "0" : power_text(i), power_text(i + 1)), slots[i]});
  return buckets;
}

std::vector<Bucket> linear_buckets(const std::vector<std::uint64_t>& slots) {
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < slots.size(); ++i) buckets.push_back({std::to_string(i), slots[i]});
  return buckets;
}

}  // namespace espy::render
