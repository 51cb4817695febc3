#include "render/meaning.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace espy::render {

namespace {

constexpr std::array kNames{
    std::pair{Meaning::plain, std::string_view("plain")},
    std::pair{Meaning::text, std::string_view("text")},
    std::pair{Meaning::ipv4, std::string_view("ipv4")},
    std::pair{Meaning::ipv6, std::string_view("ipv6")},
    std::pair{Meaning::mac, std::string_view("mac")},
    std::pair{Meaning::socket_address, std::string_view("socket_address")},
    std::pair{Meaning::be16, std::string_view("be16")},
    std::pair{Meaning::be32, std::string_view("be32")},
    std::pair{Meaning::be64, std::string_view("be64")},
    std::pair{Meaning::time_ns, std::string_view("time_ns")},
    std::pair{Meaning::duration_ns, std::string_view("duration_ns")},
    std::pair{Meaning::duration_us, std::string_view("duration_us")},
    std::pair{Meaning::duration_ms, std::string_view("duration_ms")},
    std::pair{Meaning::kernel_symbol, std::string_view("kernel_symbol")},
};
static_assert([] {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (static_cast<std::size_t>(kNames[i].first) != i) return false;
  return true;
}());

using enum RuleSource;

// First match wins, so the narrower name stands before the wider.
constexpr std::array kRules{
    MeaningRule{field_name, "ts", Meaning::time_ns},
    MeaningRule{field_name, "ts_ns", Meaning::time_ns},
    MeaningRule{field_name, "time_ns", Meaning::time_ns},
    MeaningRule{field_name, "ktime", Meaning::time_ns},
    MeaningRule{field_name, "ktime_ns", Meaning::time_ns},
    MeaningRule{field_name, "timestamp", Meaning::time_ns},
    MeaningRule{field_name, "timestamp_ns", Meaning::time_ns},
    MeaningRule{field_name, "start_ns", Meaning::time_ns},
    MeaningRule{field_name, "start_time", Meaning::time_ns},
    MeaningRule{field_name, "end_ns", Meaning::time_ns},
    MeaningRule{field_suffix, "_ts", Meaning::time_ns},
    MeaningRule{field_suffix, "_ts_ns", Meaning::time_ns},
    MeaningRule{field_suffix, "_time_ns", Meaning::time_ns},
    MeaningRule{field_suffix, "_timestamp", Meaning::time_ns},
    MeaningRule{field_suffix, "_ns", Meaning::duration_ns},
    MeaningRule{field_name, "ns", Meaning::duration_ns},
    MeaningRule{field_name, "ts_us", Meaning::plain},  // a point in time, not a duration
    MeaningRule{field_name, "ts_ms", Meaning::plain},
    MeaningRule{field_suffix, "_us", Meaning::duration_us},
    MeaningRule{field_suffix, "_ms", Meaning::duration_ms},
    MeaningRule{field_name, "saddr", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_name, "daddr", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_name, "laddr", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_name, "raddr", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_name, "addr", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_name, "ip", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_suffix, "_addr", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_suffix, "addr_v4", Meaning::ipv4},
    MeaningRule{field_suffix, "addr_v6", Meaning::ipv6},
    MeaningRule{field_suffix, "addr4", Meaning::ipv4},
    MeaningRule{field_suffix, "addr6", Meaning::ipv6},
    MeaningRule{field_suffix, "_ip", Meaning::ipv4, Meaning::ipv6},
    MeaningRule{field_suffix, "_ip4", Meaning::ipv4},
    MeaningRule{field_suffix, "_ip6", Meaning::ipv6},
    MeaningRule{field_suffix, "_v4", Meaning::ipv4},
    MeaningRule{field_suffix, "_v6", Meaning::ipv6},
    MeaningRule{field_suffix, "ipv4", Meaning::ipv4},
    MeaningRule{field_suffix, "ipv6", Meaning::ipv6},
    MeaningRule{field_suffix, "mac", Meaning::mac},
    MeaningRule{field_suffix, "addr", Meaning::mac},  // haddr, hwaddr, lladdr, dev_addr
    MeaningRule{field_name, "h_dest", Meaning::mac},
    MeaningRule{field_name, "h_source", Meaning::mac},
    MeaningRule{field_name, "comm", Meaning::text},
    MeaningRule{field_suffix, "_comm", Meaning::text},
    MeaningRule{field_suffix, "name", Meaning::text},
    MeaningRule{field_suffix, "path", Meaning::text},
    MeaningRule{field_suffix, "_be", Meaning::be16, Meaning::be32},
    MeaningRule{field_name, "ksym", Meaning::kernel_symbol},
    MeaningRule{field_name, "kaddr", Meaning::kernel_symbol},
    MeaningRule{field_name, "func_ip", Meaning::kernel_symbol},
    MeaningRule{field_suffix, "_kip", Meaning::kernel_symbol},
    MeaningRule{typedef_name, "__be16", Meaning::be16},
    MeaningRule{typedef_name, "__be32", Meaning::be32},
    MeaningRule{typedef_name, "__be64", Meaning::be64},
    MeaningRule{typedef_name, "be16", Meaning::be16},
    MeaningRule{typedef_name, "be32", Meaning::be32},
    MeaningRule{typedef_name, "in_port_t", Meaning::be16},
    MeaningRule{typedef_name, "in_addr_t", Meaning::ipv4},
    MeaningRule{struct_name, "in_addr", Meaning::ipv4},
    MeaningRule{struct_name, "in6_addr", Meaning::ipv6},
    MeaningRule{struct_name, "sockaddr", Meaning::socket_address},
    MeaningRule{struct_name, "sockaddr_in", Meaning::socket_address},
    MeaningRule{struct_name, "sockaddr_in6", Meaning::socket_address},
    MeaningRule{struct_name, "sockaddr_un", Meaning::socket_address},
    MeaningRule{struct_name, "sockaddr_storage", Meaning::socket_address},
    MeaningRule{struct_name, "__kernel_sockaddr_storage", Meaning::socket_address},
};

// The outline of a type that decides which meanings fit.
struct Outline {
  btf::Kind kind{};
  std::uint32_t size = 0;
  bool byte_array = false;     // one-byte integers
  bool is_array = false;
};

Outline outline_of(const btf::Btf& btf, btf::TypeId id) {
  btf::Type type = btf.resolve(id);
  Outline outline{.kind = type.kind()};
  if (auto size = btf.size_of(type.id())) outline.size = *size;
  if (type.kind() == btf::Kind::array) {
    btf::Type element = btf.resolve(type.array().element);
    outline.is_array = element.kind() == btf::Kind::int_;
    outline.byte_array = outline.is_array && element.size() == 1;
  }
  return outline;
}

bool fits(Meaning meaning, const Outline& outline) {
  bool integer = outline.kind == btf::Kind::int_;
  bool aggregate = outline.kind == btf::Kind::struct_ || outline.kind == btf::Kind::union_;
  switch (meaning) {
    case Meaning::plain: return true;
    case Meaning::text: return outline.byte_array;
    case Meaning::ipv4: return outline.size == 4 && (integer || outline.byte_array || aggregate);
    case Meaning::ipv6: return outline.size == 16 && (integer || outline.is_array || aggregate);
    case Meaning::mac: return outline.size == 6 && outline.byte_array;
    case Meaning::socket_address: return aggregate && outline.size >= 16;
    case Meaning::be16: return integer && outline.size == 2;
    case Meaning::be32: return integer && outline.size == 4;
    case Meaning::be64: return integer && outline.size == 8;
    case Meaning::time_ns: return integer && outline.size == 8;
    case Meaning::duration_ns:
    case Meaning::duration_us:
    case Meaning::duration_ms: return integer && (outline.size == 8 || outline.size == 4);
    case Meaning::kernel_symbol: return outline.size == 8 && (integer || outline.kind == btf::Kind::ptr);
  }
  return false;
}

std::optional<Meaning> meaning_of_tag(std::string_view tag, const Outline& outline) {
  if (tag.starts_with("espy:")) tag.remove_prefix(5);
  for (const auto& [meaning, name] : kNames)
    if (name == tag && fits(meaning, outline)) return meaning;
  return std::nullopt;
}

std::optional<Meaning> meaning_by(RuleSource source, std::string_view word, const Outline& outline) {
  if (word.empty()) return std::nullopt;
  for (const MeaningRule& rule : kRules) {
    bool by_field = source == field_name && rule.source == field_suffix && word.ends_with(rule.word);
    if (!by_field && (rule.source != source || rule.word != word)) continue;
    if (fits(rule.first, outline)) return rule.first;
    if (rule.second != Meaning::plain && fits(rule.second, outline)) return rule.second;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Meaning meaning) { return kNames[static_cast<std::size_t>(meaning)].second; }

std::span<const MeaningRule> meaning_rules() { return kRules; }

Meaning meaning_of(const btf::Btf& btf, btf::TypeId id, std::string_view field, std::span<const std::string_view> tags) {
  if (!btf.contains(id)) return Meaning::plain;
  Outline outline = outline_of(btf, id);
  for (std::string_view tag : tags)
    if (auto meaning = meaning_of_tag(tag, outline)) return *meaning;
  std::optional<Meaning> by_type;
  for (int depth = 0; depth < 32 && btf.contains(id); ++depth) {  // foreign bytes may hold a loop
    btf::Type type = btf.type(id);
    btf::Kind kind = type.kind();
    if (kind == btf::Kind::type_tag) {
      if (auto meaning = meaning_of_tag(type.name(), outline)) return *meaning;
    } else if (kind == btf::Kind::typedef_) {
      if (!by_type) by_type = meaning_by(typedef_name, type.name(), outline);
    } else if (kind == btf::Kind::struct_ || kind == btf::Kind::union_) {
      if (!by_type) by_type = meaning_by(struct_name, type.name(), outline);
      break;
    } else if (kind != btf::Kind::const_ && kind != btf::Kind::volatile_ && kind != btf::Kind::restrict_) {
      break;
    }
    id = type.target();
  }
  if (auto meaning = meaning_by(field_name, field, outline)) return *meaning;
  return by_type.value_or(Meaning::plain);
}

}  // namespace espy::render
