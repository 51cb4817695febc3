// Fields of map values that mean something to the engine: locks, timers, pointers. Nobody copies over them.
#pragma once

#include <cstdint>
#include <vector>

#include "btf/btf.hpp"

namespace espy::vm {

struct ValueField {
  enum class Kind : std::uint8_t { lock, timer, pointer, opaque };
  Kind kind{};
  std::uint32_t offset = 0, size = 0;
  friend bool operator==(const ValueField&, const ValueField&) = default;
};

/// Those of a type, in structures and arrays inside it too, by offset.
std::vector<ValueField> value_fields(const btf::Btf& types, btf::TypeId type);

}  // namespace espy::vm
