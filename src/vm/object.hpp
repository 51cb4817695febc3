// The user engine's load: LinkedObject → maps and programs that live in this process. No privileges are needed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "object/link.hpp"
#include "vm/interp/interpreter.hpp"
#include "vm/jit/compiled.hpp"
#include "vm/map.hpp"
#include "vm/registry.hpp"

namespace espy::vm {

class Object;
class Packet;

struct RunInput {
  void* context = nullptr;             ///< what r1 points to
  std::size_t context_bytes = 0;
  Packet* packet = nullptr;            ///< for packet programs, which need one (vm/context/packet.hpp); its context is the program's
  std::uint64_t cookie = 0;
  std::uintptr_t instruction = 0, frame = 0;   ///< where stacks begin: an address in code, a frame pointer; 0: at the caller
  std::vector<Region> memory = {};     ///< more that the program may touch: packet data, what pointers in the context lead to
  std::function<void(std::string_view)> print = {};   ///< gets what the program prints with bpf_printk
  /// Instructions. Compiled programs count if they were loaded bounded, and then by turns: each as many as it may have.
  std::uint64_t budget = std::uint64_t{1} << 32;
};

struct RunResult {
  std::uint64_t value = 0;             ///< r0
  std::uint64_t instructions = 0;      ///< that ran; compiled programs do not count
};

/// A program of a loaded object. Many threads may run it at once.
class Program {
 public:
  const std::string& name() const { return spec_.name; }
  const object::ProgramSpec& spec() const { return spec_; }

  /// Machine code, if it was compiled. Where the compiler lacks something, a program is interpreted (fallback() says why).
  const std::optional<Compiled>& compiled() const { return compiled_; }
  /// Why it is interpreted though it should have been compiled; empty: it is as it was asked for.
  const std::string& fallback() const { return fallback_; }
  /// Calls it helpers that work on packets?
  bool needs_packet() const { return needs_packet_; }
  /// As the interpreter takes it.
  const Steps& steps() const { return steps_; }

  /// Runs it once. A fault is an error that says the instruction, its source line, and what the access hit.
  Result<RunResult> run(const RunInput& input) const;

  /// Is this what the program passes as one of its functions?
  bool has_function(std::uint64_t function) const;
  bool is_of(const Object& object) const { return object_ == &object; }
  /// Calls a timer's callback on a value of the map.
  void call_timer(Map& map, std::uint64_t function, std::uintptr_t value) const;

 private:
  friend class Object;
  Result<void> check_input(const RunInput& input) const;
  object::ProgramSpec spec_;
  Steps steps_;
  bool needs_packet_ = false;
  std::optional<Compiled> compiled_;   ///< runs in place of the steps
  std::string fallback_;
  const Object* object_ = nullptr;
};

struct LoadOptions {
  /// Compiled tiers are for programs that are trusted: what they do to memory is not checked.
  Tier tier = Tier::interpreter;
  /// Compiled programs end when their budget is spent, as interpreted ones always do.
  bool bounded = false;
  /// Numbers that a program chose do not stand in its machine code.
  bool blinded = false;
  /// What programs may call beside the engine's own functions; may be null.
  std::shared_ptr<const Registry> registry = nullptr;
  /// By name: maps that the object's programs use in place of its own, shared with whoever else has them.
  std::map<std::string, std::shared_ptr<Map>> maps = {};
};

class Object {
 public:
  /// Timers of its programs end first.
  ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  static Result<std::unique_ptr<Object>> load(object::LinkedObject linked, const LoadOptions& options);
  static Result<std::unique_ptr<Object>> load(object::LinkedObject linked, Tier tier = Tier::interpreter) {
    return load(std::move(linked), LoadOptions{.tier = tier});
  }

  const object::ObjectSpec& spec() const { return spec_; }
  /// maps()[i] is spec().maps[i]; null where its autocreate is off.
  const std::vector<std::shared_ptr<Map>>& maps() const { return maps_; }
  const std::deque<Program>& programs() const { return programs_; }
  std::shared_ptr<Map> find_map(std::string_view name) const;
  const Program* find_program(std::string_view name) const;

 private:
  friend class Program;
  Object() = default;
  Result<void> make_maps(const LoadOptions& options);
  Result<void> make_program(object::LinkedProgram& program, const LoadOptions& options);
  Result<void> compile(Program& program, std::span<const isa::Insn> code, const LoadOptions& options, const Calls& calls);
  Result<void> fill_slots();
  Result<void> bind(std::vector<isa::Insn>& code, const object::FunctionSpec& from) const;
  Result<Calls> bind_kfuncs(std::vector<isa::Insn>& code, std::span<const object::KfuncUse> uses) const;

  object::ObjectSpec spec_;
  std::vector<std::shared_ptr<Map>> maps_;
  std::deque<Program> programs_;
  Regions values_;                     ///< of all maps
  Regions constants_;                  ///< of those that nobody writes
  std::vector<std::uint64_t> handles_; ///< of all maps, sorted
  std::shared_ptr<const Registry> registry_;
};

}  // namespace espy::vm
