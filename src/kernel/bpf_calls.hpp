// The plain commands of bpf(2): those whose structs have not changed since Linux 6.1. 0 or a descriptor; -1 with errno.
#pragma once

#include <linux/bpf.h>

#include <cstdint>

#include "base/fd.hpp"

namespace espy::kernel {

// Elements of a map. `key` may be null where a map has none, or to begin with the first.
int bpf_map_lookup_elem(int fd, const void* key, void* value, std::uint64_t flags = 0);
int bpf_map_update_elem(int fd, const void* key, const void* value, std::uint64_t flags);
int bpf_map_delete_elem(int fd, const void* key);
int bpf_map_get_next_key(int fd, const void* key, void* next);
int bpf_map_lookup_and_delete_elem(int fd, const void* key, void* value, std::uint64_t flags);
/// As many as `count` says, from behind `cursor` (null: from the start) to `next`; `count` becomes how many there were.
int bpf_map_lookup_batch(int fd, const void* cursor, void* next, void* keys, void* values, std::uint32_t* count);
int bpf_map_freeze(int fd);

// Objects of any kind. Descriptors are close-on-exec.
int bpf_obj_pin(int fd, const char* path);
UniqueFd bpf_obj_get(const char* path);
/// `size` is that of `info`, and becomes how much of it the kernel wrote.
int bpf_obj_get_info_by_fd(int fd, void* info, std::uint32_t* size);

int bpf_prog_bind_map(int program, int map);
UniqueFd bpf_prog_get_fd_by_id(std::uint32_t id);
/// BPF_PROG_TEST_RUN: what the kernel gives back is written to the same struct.
using TestRunAttr = decltype(bpf_attr::test);
int bpf_prog_test_run(TestRunAttr& run);
UniqueFd bpf_enable_stats(std::uint32_t type);

int bpf_btf_get_next_id(std::uint32_t id, std::uint32_t* next);
UniqueFd bpf_btf_get_fd_by_id(std::uint32_t id);

}  // namespace espy::kernel
