#include "kernel/syscall.hpp"

#include <linux/bpf.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "kernel/version.hpp"

namespace espy::kernel {

int sys_bpf(int command, void* attr, std::size_t size) {
  return static_cast<int>(::syscall(__NR_bpf, command, attr, size));
}

bool raise_memlock() {
  static const bool raised = [] {
    if (running_version() >= facts::KernelVersion{5, 11, 0}) return true;
    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0;
  }();
  return raised;
}

UniqueFd map_create(MapCreateAttr& attr) {
  raise_memlock();
  return UniqueFd(sys_bpf(BPF_MAP_CREATE, &attr, sizeof attr));
}

UniqueFd prog_load(ProgLoadAttr& attr) {
  raise_memlock();
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    UniqueFd fd(sys_bpf(BPF_PROG_LOAD, &attr, sizeof attr));
    if (fd || errno != EAGAIN || attempt == kAttempts) return fd;
  }
}

UniqueFd btf_load(BtfLoadAttr& attr) {
  raise_memlock();
  return UniqueFd(sys_bpf(BPF_BTF_LOAD, &attr, sizeof attr));
}

void copy_name(char (&to)[16], std::string_view name) {
  std::size_t size = std::min(name.size(), sizeof to - 1);
  for (std::size_t i = 0; i < size; ++i) {
    char c = name[i];
    to[i] = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ? c : '_';
  }
  to[size] = '\0';
}

}  // namespace espy::kernel
