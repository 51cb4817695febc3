// Unit: what all functions of one compilation share: the IR module, the maps that are used, counters, records, places.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/ir.hpp"
#include "object/spec.hpp"
#include "trace/lower/lower.hpp"

namespace espy::trace::lowering {

/// Levels of nesting that have scratch of their own on each CPU.
inline constexpr std::uint32_t kScratchLevels = 4;
/// Value of the scratch map: u64 busy, then the area.
inline constexpr std::uint32_t kScratchHeader = 8;
/// A per-CPU value is at most this big.
inline constexpr std::uint32_t kMaxPerCpuValue = 32 * 1024;

/// What the values of one script's map look like to a program: beyond MapPlan, what the code needs.
struct MapShape {
  MapPlan plan;
  std::uint32_t set_offset = 0;      ///< scalar maps: of the word that says whether it was set
  std::uint32_t buckets = 0;         ///< hist, lhist
  /// Not 0: the map is one global array of so many values, one for each CPU: shorter to reach than a per-CPU array's, and
  /// the same bytes for user space.
  std::uint32_t rows = 0;
  /// There are fewer keys that it can get than it has room for: its keys are all names of probes or numbers of the script.
  bool never_full = false;
  bool scalar() const { return plan.key.kind == Kind::none; }
};

/// What stands in the scratch rather than on the stack, so that a script fits the stack.
enum class Economy : std::uint8_t {
  none,        ///< what is larger than the configured limit
  temporaries, ///< all memory but what the kernel wants on the stack
  variables,   ///< the script's numbers, too, where the verifier need not follow them
};

/// How a subprogram is called. What does not fit registers goes through the scratch: its parameters and its result lie at the
/// head of the piece that the caller hands to it, and what it makes itself behind them.
struct SubprogramShape {
  bool in_scratch = false;                  ///< called with the context and that piece; else with its parameters in registers
  std::vector<std::uint32_t> parameters;    ///< where each stands in the piece, bytes
  std::uint32_t result = 0;                 ///< where its result does, if it is no number
  std::uint32_t bytes = 0;                  ///< of the piece
};

class Unit {
 public:
  Unit(const Checked& checked, const LowerOptions& options, Diagnostics& diagnostics, Economy economy = Economy::none);

  const Economy economy;

  const Checked& checked;
  const LowerOptions& options;
  const Abilities& abilities;
  Diagnostics& diagnostics;
  ir::Module module;
  Plan plan;
  std::vector<MapShape> maps;              ///< by CheckedMap's index
  std::vector<SubprogramShape> subprograms;  ///< by CheckedSubprogram's index

  // ---- maps: asking for one makes it part of the object ----
  ir::MapId script_map(std::uint32_t index);
  ir::MapId ring();
  ir::MapId control_ring();
  ir::MapId counters();
  ir::MapId scratch();
  ir::MapId stacks(std::uint32_t frames, bool build_id);
  /// An array of one entry of this many zero bytes at least.
  ir::MapId zeros(std::uint32_t bytes);
  /// Words that programs keep something in from one time to the next: an array of one.
  ir::MapId kept();
  /// Where the word stands in which a program keeps the id of a stack of so many frames.
  std::uint32_t keep(std::uint32_t program, std::uint32_t frames);
  /// Constant bytes that programs read: where they stand in the value of the map `constants`.
  std::uint32_t constant(std::string_view bytes, std::uint32_t align = 8);
  ir::MapId constants();

  /// The area that a program needs; the map gets the greatest.
  void need_scratch(std::uint32_t bytes);
  std::uint32_t scratch_bytes() const { return scratch_bytes_; }
  /// Areas are too big for per-CPU memory: they are elements of a plain array, four for each CPU.
  bool scratch_by_cpu = false;

  /// Where this counter stands in the value of the map of counters, in bytes.
  std::uint32_t counter(Counter::Kind kind, std::uint32_t index);

  /// The action that a call with this number means, in the plan.
  Action& action(std::uint32_t index) { return plan.actions[index]; }
  /// An action of user space's own that reports a failure (-k); one for each place and text.
  std::uint32_t runtime_error(Span at, std::string what);

  // ---- the kernel's types ----
  /// Byte offset of a member of a kernel struct, dots for what is inside; nullopt: not known, which is in the diagnostics.
  std::optional<std::uint32_t> kernel_offset(std::string_view structure, std::string_view path, Span at);

  /// A function or per-CPU variable of the kernel that programs may refer to by its type; nullopt: this kernel has none.
  std::optional<ir::ExternId> kernel_object(std::string_view name, ir::ExternKind kind);
  /// Its id in the kernel's BTF; `external` is one that kernel_object gave.
  std::int32_t kernel_object_id(std::uint32_t external) const { return kernel_objects_.at(external); }

  /// A function of an imported object, as something that is called from outside.
  ir::ExternId imported(std::uint32_t function);
  /// Which one this is; null: it is the kernel's.
  const ImportedFunction* imported_at(std::uint32_t external) const;

  // ---- places ----
  ir::Mark mark(Span at);
  Span place(ir::Mark mark) const { return marks_[static_cast<std::size_t>(mark)]; }
  void error(Span at, std::string message, std::string hint = {}) { diagnostics.error(at, std::move(message), std::move(hint)); }

  /// Functions that programs share, made when first used: by name.
  std::map<std::string, ir::FuncId, std::less<>> library;

  /// Patterns of globmatch(), numbered.
  std::map<std::string, std::size_t, std::less<>> patterns;

  /// The maps as they are to be created: those that were asked for.
  std::vector<object::MapSpec> map_specs() const;

 private:
  MapShape shape_of(const CheckedMap& map) const;
  std::uint32_t entries_of(const CheckedMap& map) const;
  void find_never_full();
  ir::MapId use(std::string_view name);
  object::MapSpec script_spec(const MapShape& shape, const CheckedMap& map) const;

  std::vector<bool> used_maps_;
  bool ring_ = false, control_ring_ = false;
  std::uint32_t scratch_bytes_ = 0, zero_bytes_ = 0;
  std::string constants_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> kept_;          // program and frames → offset
  std::map<std::string, std::pair<std::uint32_t, bool>, std::less<>> stacks_;  // name → frames, build ids
  std::map<std::pair<Counter::Kind, std::uint32_t>, std::uint32_t> counters_;
  std::map<std::uint32_t, std::int32_t> kernel_objects_;
  std::map<std::uint32_t, std::uint32_t> imported_;   // extern → index into Imported::functions
  std::vector<Span> marks_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> runtime_errors_;
};

}  // namespace espy::trace::lowering
