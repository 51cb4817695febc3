#include <gtest/gtest.h>

#include "facts/features.hpp"
#include "facts/kfuncs.hpp"
#include "facts/tables.hpp"

namespace espy::facts {
namespace {

TEST(Facts, NumbersNamesAndHeaderNamesFindTheSameRow) {
  EXPECT_EQ(find(MapType::ringbuf)->name, "ringbuf");
  EXPECT_EQ(find_map_type("ringbuf"), find(MapType::ringbuf));
  EXPECT_EQ(find_map_type("BPF_MAP_TYPE_RINGBUF"), find(MapType::ringbuf));
  EXPECT_EQ(find_prog_type("BPF_PROG_TYPE_SCHED_CLS"), find(ProgType::sched_cls));
  EXPECT_EQ(find_attach_type("BPF_TRACE_FENTRY"), find(AttachType::trace_fentry));
  EXPECT_EQ(find_helper("bpf_ringbuf_output"), find_helper(130));
  EXPECT_EQ(find_helper("BPF_FUNC_ringbuf_output"), find_helper(130));
  EXPECT_EQ(find_helper("ringbuf_output"), find_helper(130));
}

TEST(Facts, WhatIsNotKnownHasNoRowButAName) {
  EXPECT_EQ(find(MapType{99}), nullptr);
  EXPECT_EQ(find_helper(212), nullptr);
  EXPECT_EQ(find_map_type("BPF_MAP_TYPE_"), nullptr);
  EXPECT_EQ(find_prog_type(""), nullptr);
  EXPECT_EQ(to_string(MapType{99}), "map type 99");
  EXPECT_EQ(to_string(ProgType::xdp), "xdp");
  EXPECT_FALSE(ProgTypes{ProgType::xdp}.has(ProgType{200}));
}

TEST(Facts, EveryRowSaysWhatItIs) {
  for (const ProgTypeRow& row : prog_types()) EXPECT_FALSE(row.what.empty()) << row.name;
  for (const MapTypeRow& row : map_types()) EXPECT_FALSE(row.what.empty()) << row.name;
  for (const HelperRow& row : helpers().subspan(1)) EXPECT_FALSE(row.callers.empty()) << row.name;
  for (const HelperGrantRow& row : helper_grants()) {
    const HelperRow* helper = find_helper(row.helper);
    ASSERT_NE(helper, nullptr) << row.helper;
    EXPECT_TRUE((row.types - helper->callers).empty()) << row.helper;
    EXPECT_LT(helper->since, row.since) << row.helper;
  }
}

TEST(Facts, HelpersComeToTypesAtTheirTime) {
  using V = KernelVersion;
  EXPECT_EQ(callable_since(ProgType::kprobe, *find_helper("bpf_map_lookup_elem")), (V{4, 1}));
  EXPECT_EQ(callable_since(ProgType::xdp, *find_helper("bpf_ringbuf_output")), (V{5, 8}));
  EXPECT_EQ(callable_since(ProgType::sched_cls, *find_helper("bpf_skb_change_head")), (V{5, 8}));
  EXPECT_EQ(callable_since(ProgType::xdp, *find_helper("bpf_skb_store_bytes")), std::nullopt);
  EXPECT_TRUE(find_helper("bpf_probe_read_kernel")->gpl_only);
}

TEST(Facts, FeaturesAndCapabilitiesHaveNames) {
  EXPECT_EQ(find_feature("ring_buffer"), &row_of(Feature::ring_buffer));
  EXPECT_EQ(find_feature("ringbuffer"), nullptr);
  EXPECT_EQ(describe(Feature::ring_buffer), "BPF ring buffers, which Linux has since 5.8");
  EXPECT_EQ(find_capability("cap_bpf"), find_capability(39));
  EXPECT_EQ(find_capability(41), nullptr);
}

TEST(Facts, EveryKfuncStandsInASetWithCallers) {
  for (const KfuncRow& row : kfuncs()) {
    EXPECT_NE(find_kfunc_set(row.set), nullptr) << row.name;
    EXPECT_FALSE(callers_of(row).empty()) << row.name;
    EXPECT_GE(row.since, (KernelVersion{5, 13})) << row.name;
  }
  const KfuncRow* acquire_task = find_kfunc("bpf_task_acquire");
  ASSERT_NE(acquire_task, nullptr);
  EXPECT_EQ(acquire_task->flags, KfuncFlags::acquire | KfuncFlags::rcu | KfuncFlags::ret_null);
  EXPECT_TRUE(callers_of(*acquire_task).has(ProgType::tracing));
  EXPECT_FALSE(callers_of(*acquire_task).has(ProgType::socket_filter));
}

TEST(KernelVersion, PrintsAndCodes) {
  EXPECT_EQ(to_string(KernelVersion{5, 8}), "5.8");
  EXPECT_EQ(to_string(KernelVersion{6, 1, 170}), "6.1.170");
  EXPECT_EQ((KernelVersion{4, 19, 300}).code(), 0x0413ffU);
}

}  // namespace
}  // namespace espy::facts
