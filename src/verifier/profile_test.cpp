#include "verifier/profile.hpp"

#include <gtest/gtest.h>

#include "btf/btf.hpp"

namespace espy::verifier {
namespace {

using enum Behaviour;

TEST(Profile, FollowsTheVersion) {
  const Profile old = profile_of({5, 4});
  EXPECT_EQ(old.name, "5.4");
  EXPECT_TRUE(old.has(bounded_loops));
  EXPECT_FALSE(old.has(bounds32));
  EXPECT_FALSE(old.has(global_functions));
  EXPECT_EQ(old.limits.insns_processed, 1'000'000U);
  EXPECT_EQ(profile_of({5, 1}).limits.insns_processed, 131'072U);
  EXPECT_TRUE(profile_of({6, 1, 170}).has(bpf_loop));
  EXPECT_FALSE(profile_of({6, 1, 170}).has(infinite_loop_by_iterators));
  EXPECT_TRUE(profile_of({6, 18}).has(may_goto));
}

TEST(Profile, NamesAreUniqueAndVersionsPlausible) {
  for (const BehaviourRow& row : behaviours()) {
    EXPECT_LT(row.since, row.until) << row.name;
    for (const BehaviourRow& other : behaviours()) EXPECT_EQ(row.name == other.name, &row == &other) << row.name;
  }
}

/// Types count more than the version, where they are a kernel's.
TEST(Profile, TheRunningKernelsTypesTellMore) {
  auto types = btf::Btf::kernel();
  if (!types) GTEST_SKIP() << "this kernel has no BTF";
  if (!(*types)->find("bpf_iter_num_new", btf::Kind::func)) GTEST_SKIP() << "this kernel has no bpf_iter_num_new";
  object::Target target{.name = "patched 5.4", .version = {5, 4}, .vmlinux = *types};
  const Profile profile = profile_of(target);
  EXPECT_EQ(profile.name, "patched 5.4");
  EXPECT_TRUE(profile.has(infinite_loop_by_iterators));
  EXPECT_TRUE(profile.has(bpf_loop));
  EXPECT_FALSE(profile.has(spill_scalars_narrow)) << "no type shows it";
}

}  // namespace
}  // namespace espy::verifier
