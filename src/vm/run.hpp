// Run: what one execution of a program has: its context, what it may touch, what it holds. Helpers find the run of their thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/region.hpp"

namespace espy::vm {

class Object;
class Packet;
class Program;

/// Why a run ended before its `exit`.
struct Fault {
  std::uint32_t insn = 0;      ///< counted in slots of the linked program
  const Program* program = nullptr;   ///< that the instruction is of, where a tail call may have led; else null
  std::string message = {};    ///< "writes 8 bytes at 0x…, 16 bytes behind the end of the stack"
};

struct Run {
  const Object* object = nullptr;
  const Program* program = nullptr; ///< that runs now, where a tail call may have led
  void* context = nullptr;
  Packet* packet = nullptr;         ///< of a packet program; the context is its
  /// Safe mode: memory of this run (stack, context, records, what a test gives), and all maps' values; null: unchecked.
  Regions own = {};
  const Regions* shared = nullptr;
  std::span<const std::uint64_t> maps = {};   ///< handles that the program may pass, sorted
  std::vector<std::byte*> records = {};       ///< safe mode: reserved, and not yet given back
  bool safe = true;
  std::uint64_t budget = 0;         ///< instructions that may still run; counts down. Only in safe mode
  std::uint64_t cookie = 0;         ///< bpf_get_attach_cookie()
  std::uintptr_t instruction = 0, frame = 0;   ///< where the thread was when the program came to run, for stacks
  const std::function<void(std::string_view)>* print = nullptr;   ///< gets what the program prints; null: nobody
  std::string fault = {};           ///< set by a helper that must end the run
  /// Calls a function of the program, for helpers with callbacks. `function` is what the program passed.
  std::uint64_t (*call)(Run&, std::uint64_t function, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) = nullptr;
  std::optional<std::uint64_t> thrown = {};   ///< by bpf_throw: what the run gives
  unsigned tail_calls = 0;          ///< that were made
  void* engine = nullptr;           ///< the interpreter's state
  // Compiled programs: where a run goes on that ends early (a std::jmp_buf; null: it cannot); it is on its way there, through
  // helpers; the program that a tail call leads to, which is not compiled.
  void* way_out = nullptr;
  bool leaving = false;
  const Program* next = nullptr;

  bool may_touch(std::uint64_t address, std::uint64_t size, bool write) const {
    return !safe || own.find(address, size, write) != nullptr || (shared != nullptr && shared->find(address, size, write) != nullptr);
  }
};

/// The calling thread's run; set while a program runs.
Run*& current_run();

}  // namespace espy::vm
