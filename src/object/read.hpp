// ELF → ObjectSpec.
#pragma once

#include <string>

#include "object/spec.hpp"

namespace espy::object {

/// Reads an eBPF object file as clang, bpftool or older compilers make it. Objects of the other byte order are read too
/// (to show and disassemble; they cannot be loaded here). Oddities of old objects become warnings of the result.
/// Errors name file, section and offset.
Result<ObjectSpec> read(const std::string& path);

/// The same from memory; `path` is for names and messages.
Result<ObjectSpec> read(Bytes elf, const std::string& path);

}  // namespace espy::object
