// Names as their authors wrote them: of C++ (the Itanium ABI, `_ZN2ns1fEi` is `ns::f(int)`) and of Rust (legacy,
// `_ZN4core3fmt5write17h0123456789abcdefE` is `core::fmt::write`; and v0, `_RNvC5hello4main` is `hello::main`, RFC 2603).
// Names come from foreign files: recursion and output are bounded, and what is no mangled name stays as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace espy::symbol {

/// Whether `ns::f(int) const` keeps what follows the name. Rust's names have no parameters.
enum class Parameters : bool { dropped, kept };

/// The demangled name; the name itself where it is not mangled, is broken, or would grow beyond 16 KiB.
std::string demangle(std::string_view name, Parameters parameters = Parameters::kept);

/// The same for one language only; nullopt: it is no name of that language.
std::optional<std::string> demangle_cpp(std::string_view name);
std::optional<std::string> demangle_rust(std::string_view name);

}  // namespace espy::symbol
