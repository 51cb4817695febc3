// One value from those that each CPU has of its own.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "render/shape.hpp"

namespace espy::render {

/// Joins the values of all CPUs, which stand `stride` bytes apart in `all`, by what their type says: integers and
/// floating-point numbers are added, points in time take the latest; what cannot be added (text, pointers, enums,
/// booleans, addresses, unions, bytes without a type) is taken from the first CPU where it is not zero.
std::vector<std::byte> sum_per_cpu(const Shape& shape, Bytes all, std::size_t value_size, std::size_t stride);

}  // namespace espy::render
