#include <gtest/gtest.h>

#include "facts/contexts.hpp"
#include "facts/features.hpp"
#include "facts/kfuncs.hpp"
#include "facts/prog_rules.hpp"
#include "facts/prototypes.hpp"
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

TEST(Facts, AttachTypesNarrowWhoMayCall) {
  const HelperRow& bind = *find_helper("bpf_bind");
  EXPECT_TRUE(callable_since(ProgType::cgroup_sock_addr, AttachType::cgroup_inet4_connect, bind));
  EXPECT_FALSE(callable_since(ProgType::cgroup_sock_addr, AttachType::cgroup_inet4_bind, bind));
  EXPECT_FALSE(callable_since(ProgType::cgroup_sock_addr, std::nullopt, bind));
  EXPECT_TRUE(callable_since(ProgType::xdp, AttachType::xdp, *find_helper("bpf_ringbuf_output")));
  for (const HelperAttachRow& row : helper_attach()) EXPECT_TRUE(find_helper(row.helper)->callers.has(row.type)) << row.helper;
}

TEST(Facts, OneNumberMayBeTwoFunctions) {
  EXPECT_EQ(prototype_of(49, ProgType::sock_ops)->args[0].kind, Arg::ctx);
  EXPECT_EQ(prototype_of(49, ProgType::cgroup_sockopt)->args[0].kind, Arg::btf_sock_common);
  EXPECT_EQ(prototype_of(9999, ProgType::xdp), nullptr);
  EXPECT_FALSE(needs_gpl(ProgType::perf_event, *find_helper("bpf_get_stackid")));
}

TEST(Facts, EveryProgramTypeHasAContextAndTraits) {
  for (const ProgTypeRow& row : prog_types().subspan(1)) {
    EXPECT_EQ(traits_of(row.type).type, row.type);
    EXPECT_TRUE(row.type == ProgType::ext || find_context(row.type, std::nullopt) != nullptr) << row.name;
  }
  for (const ContextRow& row : contexts()) {
    if (row.layout == nullptr) continue;
    std::uint32_t end = 0;
    for (const ContextFieldRow& field : row.layout->fields) {
      EXPECT_GE(field.offset, end) << row.layout->name << "." << field.name;
      end = field.offset + field.size;
      EXPECT_EQ(field.size % field.element, 0U) << field.name;
      EXPECT_EQ(field_at(*row.layout, field.offset), &field);
    }
    EXPECT_LE(end, row.layout->size) << row.layout->name;
  }
  EXPECT_EQ(allowed_access(sock_layout(), kPointerUser, {.offset = 0, .size = 4, .write = true, .version = {6, 0}}), nullptr);
  EXPECT_EQ(traits_of(ProgType{99}).type, ProgType::unspec);
}

TEST(Facts, ReturnRangesFollowVersionAndHook) {
  using enum ProgType;
  EXPECT_EQ(return_range(cgroup_sock_addr, AttachType::cgroup_inet4_bind, {5, 10}), (ReturnRange{0, 1}));
  EXPECT_EQ(return_range(cgroup_sock_addr, AttachType::cgroup_inet4_bind, {5, 15}), (ReturnRange{0, 3}));
  EXPECT_EQ(return_range(xdp, {}, {6, 1}), std::nullopt);
  EXPECT_EQ(return_range(lsm, AttachType::lsm_mac, {6, 1}, HookKind::returns_error), std::nullopt);
  EXPECT_EQ(return_range(lsm, AttachType::lsm_mac, {6, 12}, HookKind::returns_error)->min, -4095);
  EXPECT_EQ(return_range(lsm, AttachType::lsm_mac, {6, 12}, HookKind::returns_nothing), std::nullopt);
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
