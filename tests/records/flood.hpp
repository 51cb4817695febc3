// The flood programs, loaded by libbpf and run on demand.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include "kernel/map.hpp"

namespace espy {

class Flood {
 public:
  /// Loads the object; null if this kernel or user may not.
  static std::unique_ptr<Flood> load(const char* path) {
    libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
    bpf_object* object = bpf_object__open_file(path, nullptr);
    if (object == nullptr) return nullptr;
    if (bpf_object__load(object) != 0) {
      bpf_object__close(object);
      return nullptr;
    }
    return std::unique_ptr<Flood>(new Flood(object));
  }
  ~Flood() { bpf_object__close(object_); }

  kernel::Map map(const char* name) const {
    int fd = ::fcntl(bpf_object__find_map_fd_by_name(object_, name), F_DUPFD_CLOEXEC, 0);
    auto map = kernel::Map::adopt(UniqueFd(fd));
    EXPECT_TRUE(map.has_value()) << name;
    return std::move(*map);
  }

  /// Runs a program once; returns what it returned.
  std::uint32_t run(const char* program, std::uint64_t count = 0, std::uint64_t first = 0, int cpu = -1) const {
    std::uint64_t arguments[12] = {count, first};
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.ctx_in = arguments;
    options.ctx_size_in = sizeof arguments;
    if (cpu >= 0) {
      options.flags = BPF_F_TEST_RUN_ON_CPU;
      options.cpu = static_cast<std::uint32_t>(cpu);
    }
    int fd = bpf_program__fd(bpf_object__find_program_by_name(object_, program));
    EXPECT_EQ(bpf_prog_test_run_opts(fd, &options), 0) << program;
    return options.retval;
  }

  /// A global variable of .bss by its place: refused, order_sum, order_count.
  std::uint64_t global(std::size_t index) const {
    std::uint64_t values[3] = {};
    std::uint32_t key = 0;
    EXPECT_EQ(bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(object_, ".bss"), &key, values), 0);
    return values[index];
  }
  std::uint64_t refused() const { return global(0); }

 private:
  explicit Flood(bpf_object* object) : object_(object) {}
  bpf_object* object_;
};

}  // namespace espy
