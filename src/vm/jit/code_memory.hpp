// Memory that holds machine code: written while it is made, then executed, never both.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace espy::vm {

class CodeMemory {
 public:
  /// Puts these bytes into pages of their own. An error where the system lets no process make code.
  static Result<CodeMemory> create(std::span<const std::uint8_t> code);

  const std::uint8_t* at(std::uint32_t offset) const { return reinterpret_cast<const std::uint8_t*>(region_.data()) + offset; }
  std::size_t size() const { return size_; }

 private:
  CodeMemory(MappedRegion region, std::size_t size) : region_(std::move(region)), size_(size) {}
  MappedRegion region_;
  std::size_t size_ = 0;
};

}  // namespace espy::vm
