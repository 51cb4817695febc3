// Names that C accepts, each once per name space: tags (struct, union, enum) and ordinary identifiers (typedefs,
// enumerators, functions).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "btf/btf.hpp"

namespace espy::btf {

/// "a::b<c>" becomes "a__b_c_": what is not part of a C identifier becomes an underscore.
std::string identifier(std::string_view name);

class Names {
 public:
  /// Names of the types as they are, repeated or not.
  Names() = default;
  /// Unique names for all of a Btf's types.
  explicit Names(const Btf& btf);

  /// The tag or typedef name of a type; empty: anonymous.
  std::string of(const Type& type) const;
  /// An ordinary identifier that is free: `name`, or with a suffix. Each call takes one.
  std::string take(std::string_view name);
  bool taken(std::string_view name) const { return ordinary_.contains(std::string(name)); }

 private:
  bool unique_ = false;
  std::unordered_map<std::string, std::uint32_t> tags_, ordinary_;   // how often each was taken
  std::unordered_map<std::uint32_t, std::string> renamed_;           // types whose name is not their own
};

}  // namespace espy::btf
