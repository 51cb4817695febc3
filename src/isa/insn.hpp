// The instruction as it stands in memory: one 8-byte slot (RFC 9669, section 3). A 64-bit immediate load is two slots.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace espy::isa {

/// One instruction slot, in native byte order. The reader of a foreign-endian object swaps it once, on the way in.
struct Insn {
  std::uint8_t opcode = 0;
  std::uint8_t dst : 4 = 0;
  std::uint8_t src : 4 = 0;
  std::int16_t off = 0;
  std::int32_t imm = 0;

  friend bool operator==(const Insn&, const Insn&) = default;
};
static_assert(sizeof(Insn) == 8);

/// Counts instruction slots from the start of a function or program.
using InsnIdx = std::uint32_t;

// Instruction classes: the low three bits of the opcode.
enum class Class : std::uint8_t { ld = 0, ldx = 1, st = 2, stx = 3, alu = 4, jmp = 5, jmp32 = 6, alu64 = 7 };
constexpr Class class_of(Insn insn) { return static_cast<Class>(insn.opcode & 0x07); }

/// What the source register field of a 64-bit immediate load says about its immediate (`BPF_PSEUDO_*`).
enum class Pseudo : std::uint8_t {
  none = 0,           ///< a plain 64-bit constant
  map_fd = 1,         ///< imm: a map's file descriptor
  map_value = 2,      ///< imm: a map's file descriptor; next imm: offset into its only value
  btf_id = 3,         ///< imm: BTF id of a kernel variable; next imm: the module's BTF descriptor, 0 vmlinux
  func = 4,           ///< imm: distance in slots to a subprogram, for callbacks
  map_idx = 5,        ///< like map_fd, imm: index into the load's fd_array
  map_idx_value = 6,  ///< like map_value, imm: index into the load's fd_array
};

/// What the source register field of a call says about its immediate.
enum class CallKind : std::uint8_t {
  helper = 0,      ///< imm: helper number
  subprogram = 1,  ///< imm: distance in slots, from the next instruction (`BPF_PSEUDO_CALL`)
  kfunc = 2,       ///< imm: BTF id; off: index into fd_array, 0 vmlinux (`BPF_PSEUDO_KFUNC_CALL`)
};

inline constexpr std::uint8_t kOpLdImm64 = 0x18;
inline constexpr std::uint8_t kOpCall = 0x85;
inline constexpr std::uint8_t kOpCallX = 0x8d;
inline constexpr std::uint8_t kOpExit = 0x95;

/// Is this the first slot of a two-slot 64-bit immediate load?
constexpr bool is_ld_imm64(Insn insn) { return insn.opcode == kOpLdImm64; }
constexpr bool is_call(Insn insn, CallKind kind) {
  return insn.opcode == kOpCall && insn.src == static_cast<std::uint8_t>(kind);
}
constexpr bool is_ld_imm64(Insn insn, Pseudo pseudo) {
  return is_ld_imm64(insn) && insn.src == static_cast<std::uint8_t>(pseudo);
}

inline constexpr int kRegisters = 11;      ///< r0 … r10
inline constexpr int kFramePointer = 10;   ///< r10, read only
inline constexpr int kStackBytes = 512;    ///< per frame

}  // namespace espy::isa
