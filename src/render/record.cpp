#include "render/record.hpp"

namespace espy::render {

const RecordType* RecordFormat::type_of(std::size_t record_size) const {
  constexpr std::size_t kPadding = 7;
  const RecordType* best = nullptr;
  for (const RecordType& type : types) {
    if (type.size == record_size) return &type;
    bool fits = type.size < record_size && (type.open_ended || record_size - type.size <= kPadding);
    if (fits && (best == nullptr || type.size > best->size)) best = &type;
  }
  if (best == nullptr && types.size() == 1) return &types.front();
  return best;
}

}  // namespace espy::render
