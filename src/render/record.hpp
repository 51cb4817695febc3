// What the records of one map look like: one type, or several that their size tells apart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "render/shape.hpp"

namespace espy::render {

struct RecordType {
  std::string name;          ///< "struct event"
  Shape shape;
  std::uint32_t size = 0;    ///< bytes; of a struct with a flexible array, without it
  bool open_ended = false;   ///< ends in a flexible array
};

struct RecordFormat {
  std::string map;
  std::vector<RecordType> types = {};   ///< empty: not known, records are shown as bytes

  /// The type of a record by its size: that of this very size, or up to 7 bytes less (perf buffers pad), or open-ended
  /// and no longer; else, where there is only one type, that one. nullptr: none fits.
  const RecordType* type_of(std::size_t record_size) const;
};

}  // namespace espy::render
