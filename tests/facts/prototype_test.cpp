// The prototypes of helpers against the running kernel: for each helper and each kind of program that may call it, a call with
// what the row asks for is taken, and with one argument wrong it is refused; and whether packet pointers, references and
// licences matter. So each row is checked by what the kernel does, argument by argument.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "facts/map_rules.hpp"
#include "probe_program.hpp"

namespace espy::facts {
namespace {

/// The last thing that the log says before its summary.
std::string last_line(const std::string& log) {
  std::string text = log.substr(0, log.rfind("processed "));
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

bool is_memory(Arg kind) {
  using enum Arg;
  return kind == mem || kind == map_key || kind == map_value || kind == fixed_mem;
}
bool is_written(Arg kind) {
  using enum Arg;
  return kind == uninit_mem || kind == write_mem || kind == fixed_write || kind == uninit_map_value;
}
bool is_size(Arg kind) { return kind == Arg::const_size || kind == Arg::const_size_or_zero || kind == Arg::alloc_size; }

/// Does the row let this kind of argument be that?
bool allows(const Prototype& prototype, std::size_t index, Instead instead) {
  const Argument& argument = prototype.args[index];
  const bool any = argument.kind == Arg::anything;
  const bool sized = index < 4 && (prototype.args[index + 1].kind == Arg::const_size || prototype.args[index + 1].kind == Arg::const_size_or_zero) && !is_size(argument.kind);
  switch (instead) {
    case Instead::nothing_else: return true;
    case Instead::number: return any || is_size(argument.kind);
    case Instead::null:
      if (sized) return argument.or_null && prototype.args[index + 1].kind == Arg::const_size_or_zero;
      return any || argument.or_null || argument.kind == Arg::const_size_or_zero || argument.kind == Arg::alloc_size;
    case Instead::frame_pointer: return any || is_memory(argument.kind) || is_written(argument.kind);
    case Instead::packet: return any || ((is_memory(argument.kind) || is_written(argument.kind)) && prototype.packet_access);
    case Instead::read_only_value: return any || is_memory(argument.kind) || argument.kind == Arg::const_str;
  }
  return false;
}

/// Calls whose arguments have rules beyond their prototypes.
bool special(std::uint32_t helper, std::size_t index) {
  switch (helper) {
    case 81: return index == 1;   // bpf_get_local_storage: flags must be zero
    case 165: return index == 4;  // bpf_snprintf: the size must be a multiple of 8
    case 187: return kernel_version() >= KernelVersion{7, 0};  // bpf_set_retval: an error number
    default: return false;
  }
}

class Prototypes : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "loading programs needs root";
    // Rows say what newest kernels want; older ones were more and less strict here and there.
    if (kernel_version() < KernelVersion{6, 12}) GTEST_SKIP() << "rows describe kernels since 6.12";
    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
  }

  /// Calls `check` for each helper and the first kinds of program for which the right call is taken.
  static constexpr std::size_t kKinds = 3;
  template <typename Check>
  static std::size_t for_each_call(Check check) {
    std::size_t calls = 0;
    const auto kinds = probe_kinds();
    for (const Prototype& row : prototypes()) {
      std::size_t of_helper = 0;
      for (const ProbeKind& kind : kinds) {
        const Prototype& prototype = *prototype_of(row.id, kind.type);
        if (of_helper == kKinds || !can_call(prototype, kind)) continue;
        std::string log;
        if (!kernel_takes(kind, {.prototype = &prototype}, log)) continue;
        check(prototype, kind, std::string(find_helper(row.id)->name) + " of " + kind.name());
        ++calls, ++of_helper;
      }
    }
    return calls;
  }
};

/// What these say has nothing to do with arguments.
bool is_about_the_program(std::string_view log) {
  for (std::string_view other : {"Sleepable programs can only use", "cannot use helper", "might sleep", "not supported for program type", "supported only for", "unknown func", "use a non-sleepable helper"})
    if (log.find(other) != log.npos) return true;
  return false;
}

/// A map that cannot be made of what others are made of, and a stack slot that 7.3 takes for dead, say nothing of maps and helpers.
bool is_about_the_test(std::string_view log) {
  return log.find("is not pointing to valid bpf_map") != log.npos || log.find("slot poisoned by dead code elimination") != log.npos;
}

TEST_F(Prototypes, WhatTheRowAsksForIsTaken) {
  std::size_t taken = 0;
  const auto kinds = probe_kinds();
  for (const Prototype& row : prototypes()) {
    for (const ProbeKind& kind : kinds) {
      const Prototype& prototype = *prototype_of(row.id, kind.type);
      if (!can_call(prototype, kind)) continue;
      std::string log;
      const bool takes = kernel_takes(kind, {.prototype = &prototype}, log);
      taken += takes ? 1 : 0;
      if (!takes) {
        EXPECT_TRUE(is_about_the_program(log)) << find_helper(row.id)->name << " of " << kind.name() << ": " << last_line(log);
      }
    }
  }
  EXPECT_GT(taken, 1000U);
}

TEST_F(Prototypes, WrongArgumentsAreRefused) {
  for_each_call([](const Prototype& prototype, const ProbeKind& kind, const std::string& name) {
    for (std::size_t i = 0; i < 5 && prototype.args[i].kind != Arg::none; ++i) {
      for (Instead instead : {Instead::number, Instead::null, Instead::frame_pointer, Instead::packet, Instead::read_only_value}) {
        if ((instead == Instead::packet && !has_packet(kind)) || special(prototype.id, i)) continue;
        // Some rows did not say that they write, which was a hole.
        if (instead == Instead::read_only_value && is_written(prototype.args[i].kind) && kernel_version() < KernelVersion{6, 18}) continue;
        std::string log;
        const bool takes = kernel_takes(kind, {.prototype = &prototype, .argument = static_cast<int>(i), .instead = instead}, log);
        EXPECT_EQ(takes, allows(prototype, i, instead)) << name << ", argument " << i + 1 << ", instead " << static_cast<int>(instead) << ": " << last_line(log);
      }
    }
  });
}

TEST_F(Prototypes, EffectsAreAsTheRowSays) {
  for_each_call([](const Prototype& prototype, const ProbeKind& kind, const std::string& name) {
    std::string log;
    EXPECT_EQ(kernel_takes(kind, {.prototype = &prototype, .keeps = true}, log), !prototype.acquires) << name << ": " << last_line(log);
    if (!has_packet(kind) || kind.type == ProgType::cgroup_skb) return;
    EXPECT_EQ(kernel_takes(kind, {.prototype = &prototype, .reads_packet_after = true}, log), !prototype.changes_packet) << name << ": " << last_line(log);
  });
}

TEST_F(Prototypes, LicencesAreAskedForAsTheRowSays) {
  for_each_call([](const Prototype& prototype, const ProbeKind& kind, const std::string& name) {
    std::string log;
    const bool free = kernel_takes(kind, {.prototype = &prototype}, log, "Proprietary");
    const bool task = std::ranges::any_of(prototype.args, [](const Argument& argument) { return argument.type == "task_struct"; });
    if (task) return;  // the task comes from a helper that asks for one
    EXPECT_EQ(free, !needs_gpl(kind.type, *find_helper(prototype.id))) << name << ": " << last_line(log);
  });
}

TEST_F(Prototypes, HelpersTakeTheMapsOfTheTable) {
  const auto kinds = probe_kinds();
  std::size_t checked = 0;
  for (const Prototype& row : prototypes()) {
    auto kind = std::ranges::find_if(kinds, [&](const ProbeKind& one) {
      const Prototype& prototype = *prototype_of(row.id, one.type);
      std::string log;
      return can_call(prototype, one) && std::ranges::any_of(prototype.args, [](const Argument& argument) { return argument.kind == Arg::const_map; }) &&
             kernel_takes(one, {.prototype = &prototype}, log);
    });
    if (kind == kinds.end()) continue;
    const HelperRow& helper = *find_helper(row.id);
    for (const MapTypeRow& map : map_types().subspan(1)) {
      if (map.since > kernel_version() || map.type == MapType::arena || map.type == MapType::struct_ops || map.type == MapType::insn_array) continue;
      std::string log;
      const bool takes = kernel_takes(*kind, {.prototype = prototype_of(row.id, kind->type), .map = map.type}, log);
      if (is_about_the_test(log)) continue;
      auto since = takes_map_since(helper, map.type);
      const bool sockets = map.type == MapType::sockmap || map.type == MapType::sockhash;
      if (sockets && row.id <= 3) continue;  // a lookup acquires; who may update says may_update_sockets
      EXPECT_EQ(takes, since && *since <= kernel_version()) << helper.name << " with " << map.name << " in " << kind->name() << ": " << last_line(log);
      ++checked;
    }
  }
  EXPECT_GT(checked, 500U);
}

}  // namespace
}  // namespace espy::facts
