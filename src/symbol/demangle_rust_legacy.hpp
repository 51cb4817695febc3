// Rust's first mangling: it looks like C++'s nested names, with escapes for what those cannot hold and a hash as the last
// part, which is how the two are told apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace espy::symbol {

/// "4core3fmt5write17h0123456789abcdefE", what follows "_ZN", is "core::fmt::write"; nullopt: it is no such name.
std::optional<std::string> demangle_rust_legacy(std::string_view rest);

}  // namespace espy::symbol
