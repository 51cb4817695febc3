#include "facts/context_layouts.hpp"

#include <algorithm>

namespace espy::facts {
namespace {

constexpr std::uint8_t kRead = ctx_read;
constexpr std::uint8_t kNarrow = ctx_read | ctx_narrow_read;
constexpr std::uint8_t kWrite = kNarrow | ctx_write;

constexpr ContextField kXdp[] = {
    {.name = "data", .offset = 0, .access = kRead, .value = ContextValue::packet},
    {.name = "data_end", .offset = 4, .access = kRead, .value = ContextValue::packet_end},
    {.name = "data_meta", .offset = 8, .access = kRead, .value = ContextValue::packet_meta},
    {.name = "ingress_ifindex", .offset = 12, .access = kRead},
    {.name = "rx_queue_index", .offset = 16, .access = kRead},
    {.name = "egress_ifindex", .offset = 20, .access = kRead, .since = {5, 8}, .attach = std::uint64_t{1} << 33},
};

constexpr ContextField kSocketFilter[] = {
    {.name = "len", .offset = 0, .access = kNarrow},
    {.name = "pkt_type", .offset = 4, .access = kNarrow},
    {.name = "mark", .offset = 8, .access = kNarrow},
    {.name = "queue_mapping", .offset = 12, .access = kNarrow},
    {.name = "protocol", .offset = 16, .access = kNarrow},
    {.name = "vlan_present", .offset = 20, .access = kNarrow},
    {.name = "vlan_tci", .offset = 24, .access = kNarrow},
    {.name = "vlan_proto", .offset = 28, .access = kNarrow},
    {.name = "priority", .offset = 32, .access = kNarrow},
    {.name = "ingress_ifindex", .offset = 36, .access = kNarrow},
    {.name = "ifindex", .offset = 40, .access = kNarrow},
    {.name = "tc_index", .offset = 44, .access = kNarrow},
    {.name = "cb", .offset = 48, .size = 20, .access = kWrite | ctx_narrow_write | ctx_wide_read | ctx_wide_write, .element = 4},
    {.name = "hash", .offset = 68, .access = kNarrow},
    {.name = "napi_id", .offset = 84, .access = kNarrow},
    {.name = "gso_segs", .offset = 164, .access = kNarrow},
    {.name = "sk", .offset = 168, .size = 8, .access = kRead, .value = ContextValue::sock_common_or_null},
    {.name = "gso_size", .offset = 176, .access = kNarrow},
};

constexpr ContextField kTc[] = {
    {.name = "len", .offset = 0, .access = kNarrow},
    {.name = "pkt_type", .offset = 4, .access = kNarrow},
    {.name = "mark", .offset = 8, .access = kWrite},
    {.name = "queue_mapping", .offset = 12, .access = kWrite},
    {.name = "protocol", .offset = 16, .access = kNarrow},
    {.name = "vlan_present", .offset = 20, .access = kNarrow},
    {.name = "vlan_tci", .offset = 24, .access = kNarrow},
    {.name = "vlan_proto", .offset = 28, .access = kNarrow},
    {.name = "priority", .offset = 32, .access = kWrite},
    {.name = "ingress_ifindex", .offset = 36, .access = kNarrow},
    {.name = "ifindex", .offset = 40, .access = kNarrow},
    {.name = "tc_index", .offset = 44, .access = kWrite},
    {.name = "cb", .offset = 48, .size = 20, .access = kWrite | ctx_narrow_write | ctx_wide_read | ctx_wide_write, .element = 4},
    {.name = "hash", .offset = 68, .access = kNarrow},
    {.name = "tc_classid", .offset = 72, .access = kWrite},
    {.name = "data", .offset = 76, .access = kRead, .value = ContextValue::packet},
    {.name = "data_end", .offset = 80, .access = kRead, .value = ContextValue::packet_end},
    {.name = "napi_id", .offset = 84, .access = kNarrow},
    {.name = "data_meta", .offset = 140, .access = kRead, .value = ContextValue::packet_meta},
    {.name = "tstamp", .offset = 152, .size = 8, .access = kRead | ctx_write},
    {.name = "wire_len", .offset = 160, .access = kNarrow},
    {.name = "gso_segs", .offset = 164, .access = kNarrow},
    {.name = "sk", .offset = 168, .size = 8, .access = kRead, .value = ContextValue::sock_common_or_null},
    {.name = "gso_size", .offset = 176, .access = kNarrow},
    {.name = "tstamp_type", .offset = 180, .size = 1, .access = kRead},
    {.name = "hwtstamp", .offset = 184, .size = 8, .access = kRead},
};

struct LayoutRow {
  ProgType type{};
  ContextLayout layout{};
};
constexpr LayoutRow kLayouts[] = {
    {ProgType::socket_filter, {.name = "__sk_buff", .size = 192, .fields = kSocketFilter}},
    {ProgType::kprobe, {.name = "pt_regs", .size = 168, .flat = true}},
    {ProgType::sched_cls, {.name = "__sk_buff", .size = 192, .fields = kTc}},
    {ProgType::sched_act, {.name = "__sk_buff", .size = 192, .fields = kTc}},
    {ProgType::tracepoint, {.name = "the tracepoint's fields", .size = 8192, .flat = true, .start = 8}},
    {ProgType::xdp, {.name = "xdp_md", .size = 24, .fields = kXdp}},
    {ProgType::raw_tracepoint, {.name = "bpf_raw_tracepoint_args", .size = 96, .flat = true}},
};

}  // namespace

const ContextLayout* context_layout(ProgType type) {
  auto found = std::ranges::find(kLayouts, type, &LayoutRow::type);
  return found == std::end(kLayouts) ? nullptr : &found->layout;
}

const ContextField* find_field(const ContextLayout& layout, std::int64_t offset, std::uint32_t size) {
  auto found = std::ranges::find_if(layout.fields, [&](const ContextField& field) {
    return offset >= field.offset && offset + size <= std::int64_t{field.offset} + field.size;
  });
  return found == layout.fields.end() ? nullptr : &*found;
}

}  // namespace espy::facts
