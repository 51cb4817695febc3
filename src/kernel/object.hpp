// The kernel engine's load: LinkedObject → maps and programs that live in the kernel.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "kernel/map.hpp"
#include "kernel/program.hpp"
#include "object/link.hpp"

namespace espy::kernel {

/// The running kernel as a Target: BTF, version, /proc/kallsyms, /proc/config.gz or /boot/config-*, modules.
/// Everything is read on first need.
Result<object::Target> running_target();

struct LoadOptions {
  /// Where maps with `pinning: by_name` are pinned and found again; empty: /sys/fs/bpf.
  std::string pin_dir;
  /// Maps to use instead of creating them, by name: an open map, which must fit.
  std::map<std::string, int> reuse_fds;
  /// BPF_LOG level for programs that load (0: none). A rejected program is always loaded once more for its log.
  std::uint32_t log_level = 0;
};

/// A loaded object: owns its maps and programs; all are released when it goes, unless pinned or attached.
class Object {
 public:
  static Result<Object> load(object::LinkedObject linked, const LoadOptions& options = {});

  const object::ObjectSpec& spec() const { return spec_; }
  std::deque<Map>& maps() { return maps_; }            ///< maps()[i] is spec().maps[i]; see has_map for autocreate off
  std::deque<Program>& programs() { return programs_; }
  const Map* find_map(std::string_view name) const;
  const Program* find_program(std::string_view name) const;

  /// The bytes of a data section as they are now; through its mapping where the kernel allows it (5.5).
  Result<std::vector<std::byte>> data(object::MapIdx map) const;

 private:
  Object() = default;
  object::ObjectSpec spec_;
  std::deque<Map> maps_;
  std::deque<Program> programs_;
  std::vector<UniqueFd> btf_fds_;
};

}  // namespace espy::kernel
