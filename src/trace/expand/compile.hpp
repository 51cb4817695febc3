// C for eBPF, compiled by a clang of the system; private to the folder.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace espy::trace {

/// The object that clang makes of a `.bpf.c` file, which never touches the disk. Without a clang, or when that finds
/// mistakes, an error that says so; clang's words are its notes.
Result<std::vector<std::byte>> compile_bpf(const std::string& path, std::span<const std::string> include_directories);

}  // namespace espy::trace
