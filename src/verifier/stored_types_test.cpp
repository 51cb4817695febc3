#include "verifier/stored_types.hpp"

#include <gtest/gtest.h>

#include "facts/prototypes.hpp"
#include "verifier/check.hpp"

namespace espy::verifier {
namespace {

using V = facts::KernelVersion;

TEST(StoredTypes, NearestEarlierOnesStandIn) {
  for (auto [asked, stored] : {std::pair{V{5, 4}, V{5, 10}}, {V{5, 10, 200}, V{5, 10}}, {V{5, 15}, V{5, 10}}, {V{6, 6}, V{6, 1}},
                               {V{6, 18}, V{6, 18}}, {V{9, 0}, V{7, 3}}}) {
    auto types = stored_types(asked);
    ASSERT_TRUE(types) << to_string(asked);
    EXPECT_EQ(types->version, stored) << to_string(asked);
  }
}

TEST(StoredTypes, AreWholeAndOfTheirVersion) {
  for (V version : {V{5, 10}, V{6, 1}, V{6, 12}, V{6, 18}, V{7, 3}}) {
    const btf::Btf& types = *stored_types(version)->types;
    EXPECT_TRUE(types.validate()) << to_string(version);
    EXPECT_TRUE(types.find("task_struct", btf::Kind::struct_)) << to_string(version);
    EXPECT_TRUE(types.find("btf_trace_sched_switch", btf::Kind::typedef_)) << to_string(version);
    EXPECT_TRUE(types.find("bpf_lsm_file_open", btf::Kind::func)) << to_string(version);
    EXPECT_LE(version_of(types), version) << to_string(version);
    EXPECT_GE(version_of(types).major, version.major) << to_string(version);
  }
}

/// What prototypes of helpers name can be found.
TEST(StoredTypes, HoldWhatHelpersTake) {
  const btf::Btf& types = *stored_types({6, 12})->types;
  for (const facts::Prototype& row : facts::prototypes()) {
    for (const facts::Argument& argument : row.args)
      EXPECT_TRUE(argument.type.empty() || types.find(argument.type, btf::Kind::struct_)) << argument.type;
    EXPECT_TRUE(row.type.empty() || types.find(row.type, btf::Kind::struct_)) << row.type;
  }
}

}  // namespace
}  // namespace espy::verifier
