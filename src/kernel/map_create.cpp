#include "kernel/map_create.hpp"

#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "facts/tables.hpp"
#include "kernel/explain.hpp"
#include "kernel/syscall.hpp"

namespace espy::kernel {

using facts::MapType;
using object::MapOrigin;
using object::MapSpec;

namespace {

constexpr std::size_t kNameBytes = 15;  // BPF_OBJ_NAME_LEN less its NUL

// Types whose creation with BTF ids of key or value every kernel refuses, or whose values are descriptors.
bool takes_btf(MapType type) {
  switch (type) {
    case MapType::perf_event_array: case MapType::cgroup_array: case MapType::stack_trace: case MapType::array_of_maps:
    case MapType::hash_of_maps: case MapType::devmap: case MapType::devmap_hash: case MapType::cpumap: case MapType::xskmap:
    case MapType::sockmap: case MapType::sockhash: case MapType::queue: case MapType::stack: case MapType::prog_array:
    case MapType::ringbuf: case MapType::user_ringbuf: case MapType::arena: case MapType::reuseport_sockarray:
    case MapType::insn_array: case MapType::struct_ops: return false;
    default: return true;
  }
}

bool is_storage(MapType type) {
  return type == MapType::sk_storage || type == MapType::inode_storage || type == MapType::task_storage || type == MapType::cgrp_storage;
}

// A ring's size as the kernel takes it: a power of two that is a multiple of the page size.
std::uint32_t ring_bytes(std::uint32_t wanted) {
  auto page = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
  if (wanted == 0 || wanted > (1U << 31)) return wanted;
  return std::bit_ceil(std::max(wanted, page));
}

std::unexpected<Error> refuse(const MapSpec& spec, std::string_view rule) {
  return fail(ErrorKind::invalid_argument, "map `{}` ({}): {}", spec.name, facts::to_string(spec.type), rule);
}

// What the kernel would answer with a bare EINVAL.
Result<void> check_rules(const MapSpec& spec) {
  const bool keyless = spec.type == MapType::queue || spec.type == MapType::stack || spec.type == MapType::bloom_filter ||
                       spec.type == MapType::ringbuf || spec.type == MapType::user_ringbuf || spec.type == MapType::arena;
  if (spec.type == MapType::unspec) return refuse(spec, "it has no type");
  if (keyless && spec.key_size != 0) return refuse(spec, fmt::format("this type has no keys, yet the key has {} bytes", spec.key_size));
  if (!keyless && spec.key_size == 0) return refuse(spec, "its key has no size");
  const bool rings = spec.type == MapType::ringbuf || spec.type == MapType::user_ringbuf || spec.type == MapType::arena;
  if (rings && spec.value_size != 0) return refuse(spec, "this type has no values: leave value and value_size out");
  if (!rings && spec.value_size == 0) return refuse(spec, "its value has no size");
  if (is_storage(spec.type)) {
    if (spec.max_entries != 0) return refuse(spec, "a local storage map has no max_entries: it must be 0");
    if ((spec.flags & BPF_F_NO_PREALLOC) == 0) return refuse(spec, "a local storage map must have map_flags BPF_F_NO_PREALLOC");
    return {};
  }
  if (spec.type == MapType::cgroup_storage || spec.type == MapType::percpu_cgroup_storage)
    return spec.max_entries == 0 ? Result<void>{} : refuse(spec, "a cgroup storage map has no max_entries: it must be 0");
  if (spec.max_entries == 0) return refuse(spec, "max_entries is 0");
  if (spec.type == MapType::lpm_trie && (spec.flags & BPF_F_NO_PREALLOC) == 0)
    return refuse(spec, "an LPM trie must have map_flags BPF_F_NO_PREALLOC");
  if (spec.type == MapType::arena && (spec.flags & BPF_F_MMAPABLE) == 0)
    return refuse(spec, "an arena must have map_flags BPF_F_MMAPABLE");
  if ((spec.type == MapType::array_of_maps || spec.type == MapType::hash_of_maps) && !spec.inner)
    return refuse(spec, "a map of maps needs to know its inner map: `__array(values, struct { … })`");
  return {};
}

// An inner map lives only until the outer one has taken its shape.
Result<Map> create_inner(const MapSpec& outer, const MapSetting& setting) {
  auto settled = settle(*outer.inner);
  if (!settled) return std::unexpected(wrap(std::move(settled.error()), fmt::format("inner map of `{}`", outer.name)));
  if (settled->name.empty()) settled->name = outer.name + ".inner";
  return create_map(*settled, setting);
}

}  // namespace

std::string kernel_name(const MapSpec& spec, std::string_view object_name) {
  if (!spec.is_data()) return spec.name.substr(0, kNameBytes);
  // A section of one's own, ".data.mine", is long enough to say what it is.
  if (spec.name.find('.', 1) != std::string::npos) return spec.name.substr(0, kNameBytes);
  constexpr std::size_t kShortest = 7;  // room for ".rodata", so that the names of one object's sections begin alike
  std::size_t suffix = std::min(std::max(kShortest, spec.name.size()), kNameBytes);
  return std::string(object_name.substr(0, kNameBytes - suffix)) + spec.name.substr(0, suffix);
}

Result<MapSpec> settle(MapSpec spec) {
  if (spec.type == MapType::perf_event_array && spec.max_entries == 0) spec.max_entries = TRY(possible_cpus());
  if (spec.type == MapType::ringbuf || spec.type == MapType::user_ringbuf) spec.max_entries = ring_bytes(spec.max_entries);
  // What carries records has no values of its own: a value type says what the records are (docs/records.md), and only
  // to us. A perf event array's slots hold descriptors.
  if (spec.value_type != btf::kVoid && (spec.type == MapType::ringbuf || spec.type == MapType::user_ringbuf)) spec.value_size = 0;
  if (spec.type == MapType::perf_event_array) spec.key_size = spec.value_size = sizeof(std::uint32_t);
  if (spec.is_data() && spec.type == MapType::array) spec.flags |= BPF_F_MMAPABLE;
  if (spec.origin == MapOrigin::rodata || spec.origin == MapOrigin::kconfig) spec.flags |= BPF_F_RDONLY_PROG;
  if (spec.numa_node != 0) spec.flags |= BPF_F_NUMA_NODE;
  TRY(check_rules(spec));
  return spec;
}

Result<Map> create_map(const MapSpec& spec, const MapSetting& setting) {
  Map inner;
  if (spec.inner) inner = TRY(create_inner(spec, setting));
  MapCreateAttr attr;
  attr.map_type = static_cast<std::uint32_t>(spec.type);
  attr.key_size = spec.key_size;
  attr.value_size = spec.value_size;
  attr.max_entries = spec.max_entries;
  attr.map_flags = spec.flags;
  attr.numa_node = (spec.flags & BPF_F_NUMA_NODE) != 0 ? spec.numa_node : 0;
  attr.map_extra = spec.map_extra;
  attr.inner_map_fd = inner.valid() ? static_cast<std::uint32_t>(inner.fd()) : 0;
  copy_name(attr.map_name, kernel_name(spec, setting.object_name));
  if (setting.btf_fd >= 0 && takes_btf(spec.type)) {
    attr.btf_key_type_id = static_cast<std::uint32_t>(spec.is_data() ? btf::kVoid : spec.key_type);
    attr.btf_value_type_id = static_cast<std::uint32_t>(spec.value_type);
    if (attr.btf_value_type_id != 0) attr.btf_fd = static_cast<std::uint32_t>(setting.btf_fd);
    else attr.btf_key_type_id = 0;
  }
  if (spec.type == MapType::struct_ops) {
    attr.btf_fd = static_cast<std::uint32_t>(setting.btf_fd);
    attr.btf_vmlinux_value_type_id = setting.vmlinux_value_type;
    if (setting.value_btf_fd >= 0) attr.value_type_btf_obj_fd = setting.value_btf_fd, attr.map_flags |= kVtypeBtfObjFd;
  }
  UniqueFd fd = map_create(attr);
  if (!fd && spec.is_data() && errno == EINVAL) {  // before 5.5 arrays could not be mapped
    attr.map_flags &= ~static_cast<std::uint32_t>(BPF_F_MMAPABLE);
    fd = map_create(attr);
  }
  if (!fd && attr.btf_value_type_id != 0 && errno != EPERM && !is_storage(spec.type)) {
    attr.btf_fd = attr.btf_key_type_id = attr.btf_value_type_id = 0;
    fd = map_create(attr);
  }
  if (!fd) return explain_map_failure(errno, spec);
  return Map::adopt(std::move(fd));
}

Result<void> check_fits(const MapSpec& spec, const MapInfo& there) {
  std::vector<std::string> notes;
  auto compare = [&](std::string_view what, auto here, auto found) {
    if (here != found) notes.push_back(fmt::format("{}: the object wants {}, the map has {}", what, here, found));
  };
  compare("type", facts::to_string(spec.type), facts::to_string(there.type));
  compare("key_size", spec.key_size, there.key_size);
  compare("value_size", spec.value_size, there.value_size);
  compare("max_entries", spec.max_entries, there.max_entries);
  compare("map_extra", spec.map_extra, there.map_extra);
  // Kernels make device maps read-only for programs by themselves; whether a data section can be mapped is our choice.
  std::uint32_t ignored = spec.is_data() ? BPF_F_MMAPABLE : 0;
  if (spec.type == MapType::devmap || spec.type == MapType::devmap_hash) ignored |= BPF_F_RDONLY_PROG;
  compare("map_flags", fmt::format("{:#x}", spec.flags & ~ignored), fmt::format("{:#x}", there.flags & ~ignored));
  if (notes.empty()) return {};
  Error error{.kind = ErrorKind::invalid_argument, .message = fmt::format("map `{}` is not what the object declares", spec.name)};
  error.notes = std::move(notes);
  return std::unexpected(std::move(error));
}

namespace {

bool is_bpf_file_system(const std::string& path) {
  constexpr auto kBpfFsMagic = 0xcafe4a11U;
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 && static_cast<std::uint32_t>(status.f_type) == kBpfFsMagic;
}

std::string folder_of(const std::string& path) {
  auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Before anything is made: a folder in another file system would stay there, empty.
Result<void> check_pinnable(const MapSpec& spec, const std::string& path) {
  constexpr const char* kUsual = "/sys/fs/bpf";
  const std::string folder = folder_of(path);
  if (is_bpf_file_system(::access(folder.c_str(), F_OK) == 0 ? folder : folder_of(folder))) return {};
  return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                               .message = fmt::format("pin map `{}`: {} is not in a bpf file system", spec.name, folder),
                               .hint = is_bpf_file_system(kUsual) ? fmt::format("one is mounted at {0}: {0}/NAME", kUsual)
                                                                  : fmt::format("mount one: mount -t bpf bpf {}", kUsual)});
}

}  // namespace

Result<PinnedMap> create_or_reuse_pinned(const MapSpec& spec, const MapSetting& setting, const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) {
    Map map = TRY(Map::open_pinned(path));
    if (auto fits = check_fits(spec, map.info()); !fits) {
      Error error = std::move(fits.error());
      error.where = path;
      error.hint = fmt::format("remove the pin (rm {}) or change the object", path);
      return std::unexpected(std::move(error));
    }
    return PinnedMap{std::move(map), true};
  }
  TRY(check_pinnable(spec, path));
  Map map = TRY(create_map(spec, setting));
  ::mkdir(folder_of(path).c_str(), 0700);
  TRY(map.pin(path));
  return PinnedMap{std::move(map), false};
}

Result<void> fill_data(const MapSpec& spec, const Map& map) {
  std::vector<std::byte> value = spec.contents;
  value.resize(spec.value_size);
  const std::uint32_t zero = 0;
  // A new map's memory is zero already, and .bss is large more often than not.
  if (std::ranges::any_of(value, [](std::byte b) { return b != std::byte{}; })) TRY(map.update(bytes_of(zero), value));
  if (spec.origin == MapOrigin::rodata || spec.origin == MapOrigin::kconfig) {
    auto frozen = map.freeze();
    if (!frozen && frozen.error().sys != EINVAL) return frozen;  // before 5.2 there was no freezing
  }
  return {};
}

}  // namespace espy::kernel
