// Kernel functions that programs may call. They have no numbers: a kernel (or a module) offers them by name in its BTF, in
// sets that it registers for program types. Whether a kernel at hand has one, its BTF says; these rows say since when to
// expect it, what the verifier makes of it, and who may call it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "facts/tables.hpp"

namespace espy::facts {

/// What the verifier knows of a kfunc beyond its prototype: include/linux/btf.h, KF_*.
enum KfuncFlags : std::uint32_t {
  acquire = 1 << 0,        ///< returns a reference that must be released
  release = 1 << 1,        ///< takes a reference away
  ret_null = 1 << 2,       ///< may return NULL
  trusted_args = 1 << 3,   ///< pointers must be trusted (on all, from 7.0 on)
  sleepable = 1 << 4,      ///< only from programs that may sleep
  destructive = 1 << 5,    ///< needs CAP_SYS_BOOT
  rcu = 1 << 6,            ///< pointers may be RCU protected
  iter_new = 1 << 7,
  iter_next = 1 << 8,
  iter_destroy = 1 << 9,
  rcu_protected = 1 << 10, ///< only inside an RCU read section
  fastcall = 1 << 11,      ///< keeps r1 to r5 where it is inlined
  arena_ret = 1 << 12,     ///< returns an arena pointer
  arena_arg2 = 1 << 13,    ///< its second argument is an arena pointer
  implicit_args = 1 << 14, ///< the kernel appends arguments that programs do not give
};

struct KfuncSetRow {
  std::string_view name{};  ///< as the kernel's source names it
  ProgTypes callers{};
};

struct KfuncRow {
  std::string_view name{};
  std::string_view set{};
  KernelVersion since{};
  std::uint32_t flags = 0;  ///< KfuncFlags
  ProgTypes callers{};      ///< where they differ from the set's; empty: the set's
};

std::span<const KfuncSetRow> kfunc_sets();
std::span<const KfuncRow> kfuncs();  ///< grouped by set

const KfuncRow* find_kfunc(std::string_view name);
const KfuncSetRow* find_kfunc_set(std::string_view name);

/// Program types that may call it, on the newest kernel that has it. Tracing types call most of them since 6.12 only, and
/// operations of a struct_ops may be narrower than the type.
ProgTypes callers_of(const KfuncRow& kfunc);

}  // namespace espy::facts
