#include "vm/helpers/table.hpp"

#include <algorithm>
#include <array>
#include <csetjmp>

#include "facts/tables.hpp"
#include "vm/map.hpp"

namespace espy::vm {

Run*& current_run() {
  thread_local Run* run = nullptr;
  return run;
}

void leave(Run& run) {
  if (run.way_out != nullptr) std::longjmp(*static_cast<std::jmp_buf*>(run.way_out), 1);
}

const Callee* find_helper(std::uint32_t id) {
  static const auto by_id = [] {
    std::array<Callee, 256> rows{};
    for (auto family : {map_helpers(), record_helpers(), task_helpers(), memory_helpers(), loop_helpers(), packet_helpers(), checksum_helpers(), text_helpers(), dynptr_helpers(), lock_helpers(),
                        packet_shape_helpers(), target_helpers(), cgroup_helpers(), stack_helpers(), event_helpers(), storage_helpers(), timer_helpers(), route_helpers()}) {
      for (const Helper& row : family) {
        const facts::HelperRow* fact = facts::find_helper(row.id);
        rows[row.id] = {.name = fact == nullptr ? "?" : fact->name, .function = row.function, .prototype = &facts::prototypes()[row.id], .on_packet = row.on_packet};
      }
    }
    return rows;
  }();
  return id < by_id.size() && by_id[id].function != nullptr ? &by_id[id] : nullptr;
}

namespace {

// How many bytes an argument of memory must have, and whether they are written; 0: it is no memory.
struct Wanted {
  std::uint64_t bytes = 0;
  bool write = false;
};

Wanted memory_of(const facts::Prototype& prototype, unsigned i, const std::uint64_t* arguments) {
  using facts::Arg;
  const std::uint64_t next = i < 4 ? arguments[i + 1] : 0;
  const auto* map = pointer<const Map>(arguments[0]);   // maps come first
  switch (prototype.args[i].kind) {
    case Arg::mem: return {next, false};
    case Arg::write_mem:
    case Arg::uninit_mem: return {next, true};
    case Arg::fixed_mem: return {prototype.args[i].size, false};
    case Arg::fixed_write: return {prototype.args[i].size, true};
    case Arg::map_key: return {map->attributes().key_size, false};
    case Arg::map_value: return {map->attributes().value_size, false};
    case Arg::uninit_map_value: return {map->attributes().value_size, true};
    case Arg::spin_lock: return {4, true};
    case Arg::timer: return {16, true};
    case Arg::kptr: return {8, true};
    case Arg::dynptr: return {16, true};
    case Arg::dynptr_uninit: return {16, true};
    default: return {};
  }
}

bool has_size(facts::Arg kind) { return kind == facts::Arg::mem || kind == facts::Arg::write_mem || kind == facts::Arg::uninit_mem; }

// Does a string begin here that ends in the program's memory?
bool is_string(const Run& run, std::uint64_t at) {
  constexpr std::uint64_t kLongest = 1 << 16;
  for (std::uint64_t i = 0; i < kLongest && run.may_touch(at + i, 1, false); ++i) {
    if (*pointer<const char>(at + i) == '\0') return true;
  }
  return false;
}

}  // namespace

std::string check_arguments(const Run& run, const facts::Prototype& prototype, const std::uint64_t* arguments) {
  for (unsigned i = 0; i < prototype.args.size(); ++i) {
    const facts::Argument& argument = prototype.args[i];
    const std::uint64_t value = arguments[i];
    if (argument.kind == facts::Arg::ctx && value != reinterpret_cast<std::uint64_t>(run.context) && !(argument.or_null && value == 0)) {
      return fmt::format("argument {} is not the program's context", i + 1);
    }
    if (argument.kind == facts::Arg::const_map && !std::ranges::binary_search(run.maps, value)) {
      return fmt::format("argument {} is no map", i + 1);
    }
    if (argument.or_null && value == 0 && !has_size(argument.kind)) continue;   // null memory is allowed where its size is 0
    if (argument.kind == facts::Arg::const_str && !is_string(run, value)) return fmt::format("argument {} is no string", i + 1);
    const Wanted wanted = memory_of(prototype, i, arguments);
    if (wanted.bytes != 0 && !run.may_touch(value, wanted.bytes, wanted.write)) {
      return fmt::format("argument {}: {} bytes at {:#x} are not the program's to {}", i + 1, wanted.bytes, value, wanted.write ? "write" : "read");
    }
  }
  return {};
}

}  // namespace espy::vm
