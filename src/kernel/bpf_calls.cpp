#include "kernel/bpf_calls.hpp"

#include "kernel/syscall.hpp"

namespace espy::kernel {
namespace {

int call(bpf_cmd command, bpf_attr& attr) { return sys_bpf(command, &attr, sizeof attr); }

// What commands on an element take.
bpf_attr element(int fd, const void* key, const void* value, std::uint64_t flags) {
  bpf_attr attr{};
  attr.map_fd = static_cast<std::uint32_t>(fd);
  attr.key = to_u64(key);
  attr.value = to_u64(value);
  attr.flags = flags;
  return attr;
}

}  // namespace

int bpf_map_lookup_elem(int fd, const void* key, void* value, std::uint64_t flags) {
  bpf_attr attr = element(fd, key, value, flags);
  return call(BPF_MAP_LOOKUP_ELEM, attr);
}

int bpf_map_update_elem(int fd, const void* key, const void* value, std::uint64_t flags) {
  bpf_attr attr = element(fd, key, value, flags);
  return call(BPF_MAP_UPDATE_ELEM, attr);
}

int bpf_map_delete_elem(int fd, const void* key) {
  bpf_attr attr = element(fd, key, nullptr, 0);
  return call(BPF_MAP_DELETE_ELEM, attr);
}

int bpf_map_get_next_key(int fd, const void* key, void* next) {
  bpf_attr attr = element(fd, key, next, 0);
  return call(BPF_MAP_GET_NEXT_KEY, attr);
}

int bpf_map_lookup_and_delete_elem(int fd, const void* key, void* value, std::uint64_t flags) {
  bpf_attr attr = element(fd, key, value, flags);
  return call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, attr);
}

int bpf_map_lookup_batch(int fd, const void* cursor, void* next, void* keys, void* values, std::uint32_t* count) {
  bpf_attr attr{};
  attr.batch.map_fd = static_cast<std::uint32_t>(fd);
  attr.batch.in_batch = to_u64(cursor);
  attr.batch.out_batch = to_u64(next);
  attr.batch.keys = to_u64(keys);
  attr.batch.values = to_u64(values);
  attr.batch.count = *count;
  const int result = call(BPF_MAP_LOOKUP_BATCH, attr);
  *count = attr.batch.count;
  return result;
}

int bpf_map_freeze(int fd) {
  bpf_attr attr{};
  attr.map_fd = static_cast<std::uint32_t>(fd);
  return call(BPF_MAP_FREEZE, attr);
}

int bpf_obj_pin(int fd, const char* path) {
  bpf_attr attr{};
  attr.pathname = to_u64(path);
  attr.bpf_fd = static_cast<std::uint32_t>(fd);
  return call(BPF_OBJ_PIN, attr);
}

UniqueFd bpf_obj_get(const char* path) {
  bpf_attr attr{};
  attr.pathname = to_u64(path);
  return UniqueFd(call(BPF_OBJ_GET, attr));
}

int bpf_obj_get_info_by_fd(int fd, void* info, std::uint32_t* size) {
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<std::uint32_t>(fd);
  attr.info.info_len = *size;
  attr.info.info = to_u64(info);
  const int result = call(BPF_OBJ_GET_INFO_BY_FD, attr);
  if (result == 0) *size = attr.info.info_len;
  return result;
}

int bpf_prog_bind_map(int program, int map) {
  bpf_attr attr{};
  attr.prog_bind_map.prog_fd = static_cast<std::uint32_t>(program);
  attr.prog_bind_map.map_fd = static_cast<std::uint32_t>(map);
  return call(BPF_PROG_BIND_MAP, attr);
}

UniqueFd bpf_prog_get_fd_by_id(std::uint32_t id) {
  bpf_attr attr{};
  attr.prog_id = id;
  return UniqueFd(call(BPF_PROG_GET_FD_BY_ID, attr));
}

int bpf_prog_test_run(TestRunAttr& run) {
  bpf_attr attr{};
  attr.test = run;
  const int result = call(BPF_PROG_TEST_RUN, attr);
  run = attr.test;
  return result;
}

UniqueFd bpf_enable_stats(std::uint32_t type) {
  bpf_attr attr{};
  attr.enable_stats.type = type;
  return UniqueFd(call(BPF_ENABLE_STATS, attr));
}

int bpf_btf_get_next_id(std::uint32_t id, std::uint32_t* next) {
  bpf_attr attr{};
  attr.start_id = id;
  const int result = call(BPF_BTF_GET_NEXT_ID, attr);
  if (result == 0) *next = attr.next_id;
  return result;
}

UniqueFd bpf_btf_get_fd_by_id(std::uint32_t id) {
  bpf_attr attr{};
  attr.btf_id = id;
  return UniqueFd(call(BPF_BTF_GET_FD_BY_ID, attr));
}

}  // namespace espy::kernel
