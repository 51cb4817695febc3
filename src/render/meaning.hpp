// What a field means beyond its C type. The kernel's types say "four bytes"; whether these are an IPv4 address, a port in
// network order or nanoseconds since boot stands in a tag, in a typedef's name or in the field's own name. The rules are
// one table in meaning.cpp; docs/records.md lists it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "btf/btf.hpp"

namespace espy::render {

enum class Meaning : std::uint8_t {
  plain,
  text,            ///< bytes up to the first NUL
  ipv4,
  ipv6,
  mac,
  socket_address,  ///< struct sockaddr and its kin, by the family in its first two bytes
  be16,            ///< network byte order
  be32,
  be64,
  time_ns,         ///< CLOCK_MONOTONIC nanoseconds: shown as wall-clock time in text
  duration_ns,     ///< shown with a unit in text
  duration_us,
  duration_ms,
  kernel_symbol,   ///< a kernel address: name+offset where a resolver is given
};

/// The meaning's name, which is also the tag that asks for it: `btf_decl_tag("ipv4")`.
std::string_view to_string(Meaning meaning);

/// Where a rule looks.
enum class RuleSource : std::uint8_t { typedef_name, struct_name, field_name, field_suffix };

struct MeaningRule {
  RuleSource source{};
  std::string_view word;
  Meaning first{};                      ///< taken if it fits the value's size and kind
  Meaning second = Meaning::plain;      ///< else this one: a field `saddr` is IPv4 in 4 bytes, IPv6 in 16
};
std::span<const MeaningRule> meaning_rules();

/// The meaning of a value of this type in a field of this name. Tags come first (those given, which are the field's
/// `btf_decl_tag`s, then `btf_type_tag`s of the type), then the field's name, then the type's. A rule applies only where
/// the value has the size and kind for it.
Meaning meaning_of(const btf::Btf& btf, btf::TypeId type, std::string_view field_name,
                   std::span<const std::string_view> tags = {});

}  // namespace espy::render
