// What the tests of this folder share.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"

/// A bpf file system that only this process sees, and that goes with it; empty: not permitted.
inline std::string private_bpffs() {
  static const std::string path = []() -> std::string {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return {};
    if (::mount("bpf", "/mnt", "bpf", 0, nullptr) != 0) return {};
    return "/mnt";
  }();
  return path;
}

/// The value of a Result, or the test fails with the whole error.
#define ASSERT_OK(result)                                                             \
  do {                                                                                \
    const auto& assert_ok_ = (result);                                                \
    ASSERT_TRUE(assert_ok_.has_value()) << ::espy::describe(assert_ok_.error());      \
  } while (false)

/// Skips where the process may not use bpf(2) at all.
#define SKIP_WITHOUT_BPF()                                                                    \
  do {                                                                                        \
    if (!::espy::kernel::missing({::espy::kernel::Capability::bpf, ::espy::kernel::Capability::perfmon, \
                                  ::espy::kernel::Capability::net_admin}).empty())            \
      GTEST_SKIP() << "needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN";                          \
  } while (false)
