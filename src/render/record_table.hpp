// Records of one type as rows: a column for each field, nested structs flattened to `a.b`.
#pragma once

#include <string>
#include <vector>

#include "render/table.hpp"
#include "render/value.hpp"

namespace espy::render {

/// The fields of a type as columns, with widths to begin with. Does not change as records come.
class RecordColumns {
 public:
  /// The shape must outlive this. A type that is no struct has one column, named `name`.
  RecordColumns(const Shape& shape, std::string_view name);

  const std::vector<Table::Column>& columns() const { return columns_; }
  const std::vector<std::size_t>& widths() const { return widths_; }
  /// One cell for each column.
  std::vector<std::string> cells(Bytes record, const ValueOptions& options) const;

 private:
  void add(const std::string& title, const Place& place);
  void add_fields(const std::string& prefix, const Place& place, int depth);

  const Shape& shape_;   // owner: whoever made this
  std::vector<Place> places_;
  std::vector<Table::Column> columns_;
  std::vector<std::size_t> widths_;
};

}  // namespace espy::render
