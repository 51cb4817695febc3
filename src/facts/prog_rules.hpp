// What the verifier asks of programs by their type: what they may return, whether they may write packets, sleep, hold locks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "facts/enum_set.hpp"
#include "facts/tables.hpp"

namespace espy::facts {

using AttachTypes = EnumSet<AttachType>;
inline constexpr KernelVersion kNoVersion{.major = 0xffff};  ///< on no kernel (yet)

// ---- return values ----

struct ReturnRange {
  std::int32_t min = 0, max = 0;
  bool as_32_bits = false;   ///< compared as a 32-bit value: an `int`
  friend bool operator==(const ReturnRange&, const ReturnRange&) = default;
};

/// What of the hook decides, for LSM programs.
enum class HookKind : std::uint8_t { any, returns_nothing, returns_error, returns_bool };

struct ReturnRuleRow {
  ProgType type{};
  AttachTypes attach{};      ///< empty: all
  ReturnRange range{};
  KernelVersion since{}, until = kNoVersion;  ///< on kernels from `since` to before `until`
  HookKind hook = HookKind::any;
  bool free = false;         ///< any value: ends the search
};

/// The values with which a program may leave; nullopt: any number will do.
std::optional<ReturnRange> return_range(ProgType type, std::optional<AttachType> attach, KernelVersion version,
                                        HookKind hook = HookKind::any);
std::span<const ReturnRuleRow> return_rules();

/// LSM hooks that return a truth value instead of 0 or a negative error.
bool is_bool_hook(std::string_view hook);

// ---- properties ----

struct ProgTraitsRow {
  ProgType type{};
  bool writes_packet = false;      ///< through packet pointers
  bool packet_to_helpers = false;  ///< packet pointers may be given to helpers that take them
  bool packet_to_any_helper = false;  ///< … and to those that do not say so
  bool ld_abs = false;             ///< the old packet loads LD_ABS and LD_IND
  bool tracing = false;            ///< may interrupt anything: no timers, lists and trees, on older kernels no locks
  bool unprivileged = false;       ///< without CAP_BPF, if the system lets anybody
  bool needs_attach_btf = false;   ///< attach_btf_id says what it attaches to
  KernelVersion sleepable = kNoVersion;  ///< since when such programs may ask to sleep
  AttachTypes sleepable_attach{};  ///< only those; empty: all
  bool always_sleepable = false;   ///< must ask to
  KernelVersion spin_lock{};       ///< since when they may take bpf_spin_lock
};

const ProgTraitsRow& traits_of(ProgType type);  ///< of an unknown type: a row that allows nothing
/// May programs of this type and attach type be loaded with BPF_F_SLEEPABLE?
bool may_sleep(ProgType type, std::optional<AttachType> attach, KernelVersion version);

}  // namespace espy::facts
