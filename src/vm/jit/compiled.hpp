// A program as machine code: lifted into the IR, improved as the tier says, and emitted for this processor.
//
// Compiled code checks no memory access: it is for programs that were verified, or come from who may do anything here anyway.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "isa/insn.hpp"
#include "vm/interp/interpreter.hpp"
#include "vm/jit/announce.hpp"
#include "vm/jit/code_memory.hpp"
#include "vm/run.hpp"

namespace espy::vm {

/// How a program runs.
enum class Tier : std::uint8_t {
  interpreter,   ///< each instruction and access checked
  baseline,      ///< compiled as it stands
  optimised,     ///< compiled well
};

/// What a program is compiled with.
struct CompileOptions {
  std::span<const std::uint64_t> maps = {};   ///< handles, sorted, of maps that live as long as the code: lookups may be inlined
  const Calls* calls = nullptr;               ///< null: the engine's own helpers
  const Regions* constants = nullptr;         ///< memory whose bytes never change again; null: none is known
  bool bounded = false;                       ///< runs end when their budget is spent
  bool blinded = false;                       ///< numbers that the program chose do not stand in the code
};

class Compiled {
 public:
  /// Of a program whose map references are addresses already. `unsupported` where the compiler lacks an instruction or the user
  /// engine a helper, and on processors that are no x86-64.
  static Result<Compiled> compile(std::span<const isa::Insn> code, Tier tier, std::string_view name, const CompileOptions& options = {});

  /// Runs it with these in r1 and r2. The run is the calling thread's while it does.
  std::uint64_t run(Run& run, std::uint64_t context, std::uint64_t second = 0) const;

  /// Calls one of its functions by itself.
  std::uint64_t call(Run& run, std::uint64_t function, std::uint64_t a, std::uint64_t b, std::uint64_t c) const;
  /// Is this an address in it?
  bool contains(std::uint64_t address) const { return address - reinterpret_cast<std::uint64_t>(code()) < code_bytes(); }

  /// Where it begins; takes the context in rdi.
  std::uint64_t entry() const { return reinterpret_cast<std::uint64_t>(entry_); }
  std::size_t code_bytes() const { return memory_.size(); }
  const std::uint8_t* code() const { return memory_.at(0); }
  /// So many bytes of its context it is known to touch.
  std::uint32_t context_bytes() const { return context_bytes_; }

 private:
  using Entry = std::uint64_t (*)(std::uint64_t, std::uint64_t);
  Compiled(CodeMemory memory, std::uint32_t entry);
  CodeMemory memory_;
  Announcement announcement_;    // withdrawn before the memory goes
  Entry entry_ = nullptr;
  std::uint32_t context_bytes_ = 0;
  bool may_leave_ = false;       // it may end before its exit: by an exception, a tail call that goes wrong
};

}  // namespace espy::vm
