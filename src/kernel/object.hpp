// The kernel engine's load: LinkedObject → maps and programs that live in the kernel.
#pragma once

#include <deque>
#include <functional>
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
  /// Maps to use instead of creating them, by name: an open map, which must fit. The descriptor is duplicated.
  std::map<std::string, int> reuse_fds;
  /// What programs extend or trace when that is another eBPF program (freplace, fentry of a program), by the name of the
  /// program that does: an open program. Borrowed for the load.
  std::map<std::string, int> attach_prog_fds;
  /// BPF_LOG level for programs that load (0: none). A rejected program is always loaded once more for its log.
  std::uint32_t log_level = 0;
  /// Gets the verifier's whole log of each program that was loaded with log_level, and of one that was rejected.
  std::function<void(const std::string& program, std::string_view log)> log_sink;
};

/// A loaded object: owns its maps and programs; all are released when it goes, unless pinned or attached.
/// Loading is all or nothing: after a failure nothing is left in the kernel, nor pinned.
class Object {
 public:
  static Result<Object> load(object::LinkedObject linked, const LoadOptions& options = {});

  /// What was loaded; warnings of the load (BTF that the kernel does not take) stand behind those of the reader.
  const object::ObjectSpec& spec() const { return spec_; }
  /// maps()[i] is spec().maps[i]; one whose autocreate is off is not `valid`.
  std::deque<Map>& maps() { return maps_; }
  const std::deque<Map>& maps() const { return maps_; }
  /// The programs that were linked and loaded: those with autoload, or those that were asked for.
  std::deque<Program>& programs() { return programs_; }
  const std::deque<Program>& programs() const { return programs_; }
  bool has_map(object::MapIdx map) const { return maps_[static_cast<std::size_t>(map)].valid(); }
  /// By the name the object gives it; nullptr if there is none, or it was not created or loaded.
  const Map* find_map(std::string_view name) const;
  const Program* find_program(std::string_view name) const;

  /// The bytes of a data section as they are now; through its mapping where the kernel allows it (5.5).
  Result<std::vector<std::byte>> data(object::MapIdx map) const;
  /// A global variable's bytes as they are now. The error suggests a name that exists.
  Result<std::vector<std::byte>> read_variable(std::string_view name) const;
  /// Writes a whole global variable while programs run. Only its own bytes are touched where the section is mapped;
  /// constants (.rodata, .kconfig) are frozen and cannot be written any more.
  Result<void> write_variable(std::string_view name, Bytes value);

  /// The memory of an arena, as programs see it too; nullptr: this map is none.
  const MappedRegion* arena(object::MapIdx map) const;

  /// The value to register a struct_ops map with (update of key 0): the kernel's layout, its function pointers the
  /// descriptors of this object's programs.
  Result<std::vector<std::byte>> struct_ops_value(object::MapIdx map) const;

  /// The object's BTF in the kernel; -1: it has none, or the kernel did not take it.
  int btf_fd() const { return btf_fds_.empty() ? -1 : btf_fds_.front().get(); }

 private:
  friend class Loader;
  Object() = default;
  const MappedRegion* mapping(object::MapIdx map) const;

  object::ObjectSpec spec_;
  std::deque<Map> maps_;
  std::deque<Program> programs_;
  std::vector<UniqueFd> btf_fds_;                    ///< the object's own (perhaps empty), then modules'
  std::map<std::size_t, std::vector<std::byte>> struct_ops_values_;  ///< by map
  mutable std::map<std::size_t, MappedRegion> mappings_;             ///< by map, made on first use
};

}  // namespace espy::kernel
