// Runs IR, slowly and with every access checked: the reference that passes and back ends are compared with.
//
// Memory is regions of bytes, each at an address of its own, far from all others, so that an access that runs over the end
// of one is an error and not a hit on the next. A function's stack slots are such regions while it runs; a slot's bytes are
// 0 before they are written (programs must not rely on it). Calls that leave the module go to the host.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "ir/ir.hpp"

namespace espy::ir {

class Memory {
 public:
  /// A new region's address, never 0.
  std::uint64_t add(std::span<const std::byte> bytes);
  std::uint64_t add(std::size_t zeros);
  /// The bytes at an address; an error unless all of them lie in one region.
  Result<std::span<std::byte>> at(std::uint64_t address, std::uint64_t size);
  /// The region that begins at this address, whole.
  std::span<std::byte> region(std::uint64_t base);
  /// Drops regions until `count` are left.
  void shrink(std::size_t count) { regions_.resize(count); }
  std::size_t count() const { return regions_.size(); }

 private:
  std::vector<std::vector<std::byte>> regions_;
};

class Machine {
 public:
  /// What a helper, a kfunc or a tail call does. A tail call that gives 0 failed; any other value is the program's result.
  using Host = std::function<Result<std::uint64_t>(Machine&, const Function& caller, const Inst& call,
                                                   std::span<const std::uint64_t> arguments)>;

  explicit Machine(const Module& module, Host host = nullptr) : module_(&module), host_(std::move(host)) {}

  Memory memory;
  std::vector<std::uint64_t> map_values;   ///< by MapId: the address of its value; missing: no such memory
  std::vector<std::uint64_t> externs;      ///< by ExternId: its address
  std::uint64_t steps = 1'000'000;         ///< that may still be run; then it fails as `exhausted`

  /// The function's result (0 if it gives none). Numbers are given and returned zero-extended.
  Result<std::uint64_t> run(FuncId function, std::span<const std::uint64_t> arguments);

  const Module& module() const { return *module_; }
  /// What the handle of a map, and the address of a function, look like as numbers.
  static constexpr std::uint64_t map_handle(MapId id) { return std::uint64_t{0x4d} << 56 | index_of(id); }
  static constexpr std::uint64_t code_address(FuncId id) { return std::uint64_t{0x46} << 56 | index_of(id); }

 private:
  friend class Frame;
  const Module* module_;
  Host host_;
  unsigned depth_ = 0;
};

}  // namespace espy::ir
