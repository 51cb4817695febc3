// Separate debug files: what `strip` took from a program, found again by its build-id or its .gnu_debuglink.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "symbol/elf_file.hpp"

namespace espy::symbol {

/// Where debug files are looked for before /usr/lib/debug, by all that looks for them from now on: folders laid out like that
/// one, or that hold the debug files themselves. To be said once, before anything is looked up.
void set_debug_folders(std::vector<std::string> folders);

/// The GNU build-id in hexadecimal; empty: the file has none.
std::string build_id(const ElfFile& file);

/// The file with the symbols and debug information that `file` lacks: /usr/lib/debug/.build-id/ab/cdef….debug (whose own
/// build-id must be the same), or what .gnu_debuglink names beside it, in .debug/ beside it, or under /usr/lib/debug (whose
/// checksum must be right). `root` is looked through before this process's own file system: "/proc/PID/root" of a
/// container, where `file` has the path `path`. nullopt: there is none.
std::optional<ElfFile> find_debug_file(const ElfFile& file, const std::string& path, const std::string& root = {});

/// The file that holds what dwz moved out of several debug files (.gnu_debugaltlink), by build-id or by its path.
/// nullopt: `file` refers to none; `not_found`: it does, and that is not there.
Result<std::optional<ElfFile>> find_shared_debug_file(const ElfFile& file, const std::string& root = {});

}  // namespace espy::symbol
