// Reading the kernel's types, beside libbpf doing the same: from nothing to the first resolved type, candidates of CO-RE
// roots, and the whole as a header beside bpftool. Runs alternate, so that both meet the same machine; the median counts.
#include <bpf/btf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "btf/core.hpp"
#include "btf/print.hpp"

namespace {

using namespace espy;

constexpr int kRounds = 41;
constexpr std::array kRoots{"task_struct", "sock",      "sk_buff",  "file",        "inode",    "dentry",   "mm_struct", "cred",
                            "net_device",  "bio",       "request",  "cgroup",      "pid",      "signal_struct", "css_set", "path"};

double milliseconds(auto run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

void compare(std::string_view what, std::string_view other, auto ours, auto theirs, int rounds = kRounds) {
  std::vector<double> a, b;
  for (int i = 0; i < rounds; ++i) {
    a.push_back(milliseconds(ours));
    b.push_back(milliseconds(theirs));
  }
  std::ranges::nth_element(a, a.begin() + rounds / 2);
  std::ranges::nth_element(b, b.begin() + rounds / 2);
  const double mine = a[rounds / 2], their = b[rounds / 2];
  fmt::print("{:<44} {:>9.3f} ms  {:>8} {:>9.3f} ms  ratio {:.3f}\n", what, mine, other, their, mine / their);
}

void expect(bool true_thing, std::string_view what) {
  if (true_thing) return;
  fmt::print(stderr, "bench/btf: {} failed\n", what);
  std::exit(1);
}

// What libbpf does for each root type of an object: every type of vmlinux, by essential name.
std::size_t libbpf_candidates(const ::btf* types, std::string_view root) {
  std::size_t found = 0;
  const unsigned count = ::btf__type_cnt(types);
  for (unsigned id = 1; id < count; ++id) {
    const btf_type* type = ::btf__type_by_id(types, id);
    if (btf_kind(type) != BTF_KIND_STRUCT) continue;
    const char* name = ::btf__name_by_offset(types, type->name_off);
    if (name[0] == '\0' || btf::essential_name(name).size() != root.size()) continue;
    if (std::strncmp(name, root.data(), root.size()) == 0) ++found;
  }
  return found;
}

}  // namespace

int main() {
  if (!btf::Btf::kernel()) {
    fmt::print("needs /sys/kernel/btf/vmlinux\n");
    return 0;
  }
  fmt::print("{:<44} {:>12}\n", "", "espy");
  compare(
      "open vmlinux, find struct task_struct", "libbpf",
      [] {
        auto types = btf::Btf::kernel();
        expect(types && (*types)->find("task_struct", btf::Kind::struct_).has_value(), "find");
      },
      [] {
        ::btf* types = ::btf__load_vmlinux_btf();
        expect(::btf__find_by_name_kind(types, "task_struct", BTF_KIND_STRUCT) > 0, "btf__find_by_name_kind");
        ::btf__free(types);
      });
  ::btf* theirs = ::btf__load_vmlinux_btf();
  compare(
      "open, candidates of 16 CO-RE roots", "libbpf*",
      [] {
        auto types = btf::Btf::kernel();
        for (const char* root : kRoots) expect(!(*types)->find_flavours(root).empty(), root);
      },
      [] {
        ::btf* types = ::btf__load_vmlinux_btf();
        for (const char* root : kRoots) expect(libbpf_candidates(types, root) > 0, root);
        ::btf__free(types);
      });
  auto ours = btf::Btf::kernel();
  compare(
      "loaded: 16 finds by name and kind", "libbpf",
      [&] {
        for (const char* root : kRoots) expect((*ours)->find(root, btf::Kind::struct_).has_value(), root);
      },
      [&] {
        for (const char* root : kRoots) expect(::btf__find_by_name_kind(theirs, root, BTF_KIND_STRUCT) > 0, root);
      });
  ::btf__free(theirs);
  compare(
      "vmlinux.h (bpftool: whole process)", "bpftool",
      [] {
        auto types = btf::Btf::kernel();
        expect(btf::header(**types).size() > 100'000, "header");
      },
      [] { expect(std::system("bpftool btf dump file /sys/kernel/btf/vmlinux format c >/dev/null") == 0, "bpftool"); }, 7);
  fmt::print("* the search of libbpf's loader, rewritten with its public calls\n");
  return 0;
}
