// bpf(2), and the three commands of it that have outgrown the header of Linux 6.1: creating maps, loading programs and BTF.
//
// Everything else is in bpf_calls.hpp. What kernels added since has room here (the BTF of a module that a struct_ops value
// type lives in, 6.9; the true size of the log, 6.4). The structs mirror `union bpf_attr` of Linux 6.18; the kernel takes a
// longer struct than it knows as long as the rest is zero.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/fd.hpp"

namespace espy::kernel {

/// BPF_MAP_CREATE.
struct MapCreateAttr {
  std::uint32_t map_type = 0, key_size = 0, value_size = 0, max_entries = 0, map_flags = 0;
  std::uint32_t inner_map_fd = 0, numa_node = 0;
  char map_name[16] = {};
  std::uint32_t map_ifindex = 0;
  std::uint32_t btf_fd = 0, btf_key_type_id = 0, btf_value_type_id = 0, btf_vmlinux_value_type_id = 0;
  std::uint64_t map_extra = 0;
  std::int32_t value_type_btf_obj_fd = 0;  ///< with kVtypeBtfObjFd: the module BTF that btf_vmlinux_value_type_id is in
  std::int32_t map_token_fd = 0;
};
static_assert(sizeof(MapCreateAttr) == 80);

/// BPF_F_VTYPE_BTF_OBJ_FD, 6.9.
inline constexpr std::uint32_t kVtypeBtfObjFd = 1U << 15;

/// BPF_PROG_LOAD.
struct ProgLoadAttr {
  std::uint32_t prog_type = 0, insn_cnt = 0;
  std::uint64_t insns = 0, license = 0;
  std::uint32_t log_level = 0, log_size = 0;
  std::uint64_t log_buf = 0;
  std::uint32_t kern_version = 0, prog_flags = 0;
  char prog_name[16] = {};
  std::uint32_t prog_ifindex = 0, expected_attach_type = 0, prog_btf_fd = 0;
  std::uint32_t func_info_rec_size = 0;
  std::uint64_t func_info = 0;
  std::uint32_t func_info_cnt = 0, line_info_rec_size = 0;
  std::uint64_t line_info = 0;
  std::uint32_t line_info_cnt = 0, attach_btf_id = 0;
  std::uint32_t attach_fd = 0;             ///< attach_prog_fd, or attach_btf_obj_fd
  std::uint32_t core_relo_cnt = 0;
  std::uint64_t fd_array = 0, core_relos = 0;
  std::uint32_t core_relo_rec_size = 0;
  std::uint32_t log_true_size = 0;         ///< out, 6.4
  std::int32_t prog_token_fd = 0;
  std::uint32_t fd_array_cnt = 0;
};
static_assert(sizeof(ProgLoadAttr) == 152);

/// BPF_BTF_LOAD.
struct BtfLoadAttr {
  std::uint64_t btf = 0, log_buf = 0;
  std::uint32_t btf_size = 0, log_size = 0, log_level = 0;
  std::uint32_t log_true_size = 0;         ///< out, 6.4
  std::uint32_t flags = 0;
  std::int32_t token_fd = 0;
};
static_assert(sizeof(BtfLoadAttr) == 40);

/// bpf(2) itself: the command's result, or -1 with errno.
int sys_bpf(int command, void* attr, std::size_t size);

/// A new map's descriptor; empty with errno set. Memory is accounted by cgroup since 5.11; before, RLIMIT_MEMLOCK is
/// raised once (which may fail without CAP_SYS_RESOURCE).
UniqueFd map_create(MapCreateAttr& attr);

/// A new program's descriptor; empty with errno set. EAGAIN (a verifier that was interrupted) is tried again.
UniqueFd prog_load(ProgLoadAttr& attr);

/// A new BTF object's descriptor; empty with errno set.
UniqueFd btf_load(BtfLoadAttr& attr);

/// Raises RLIMIT_MEMLOCK where kernels charge it for eBPF objects (before 5.11), once; false if that was needed and refused.
bool raise_memlock();

/// A pointer as bpf(2) takes it.
inline std::uint64_t to_u64(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

/// Copies a name into bpf(2)'s 16 bytes: cut to 15, what the kernel does not take in names made `_`.
void copy_name(char (&to)[16], std::string_view name);

}  // namespace espy::kernel
