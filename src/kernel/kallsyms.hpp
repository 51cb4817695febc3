// /proc/kallsyms: the addresses of the kernel's symbols.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "render/value.hpp"

namespace espy::kernel {

/// Finds one symbol in the text of /proc/kallsyms; nullopt: it is not there. A symbol with two addresses is an error, and
/// so is an address of zero, which is what a process without CAP_SYSLOG is shown.
Result<std::optional<std::uint64_t>> find_symbol(std::string_view kallsyms, std::string_view symbol);

/// The kernel's functions, to be found by an address within them.
class KernelFunctions {
 public:
  /// Takes the text of /proc/kallsyms; lines without an address are left out.
  explicit KernelFunctions(std::string kallsyms);
  /// "vfs_read+0x10", "nf_hook+0x4 [nf_tables]"; empty where no function is near.
  std::string name(std::uint64_t address) const;

 private:
  struct Symbol {
    std::uint64_t address = 0;
    std::uint32_t begin = 0, length = 0;   ///< its name and module in text_
  };
  std::string text_;
  std::vector<Symbol> symbols_;            ///< by address
};

/// Names addresses of the running kernel. /proc/kallsyms is opened now, while the process has the right to see addresses
/// (CAP_SYSLOG), and read and parsed when the first address is asked for. Without that right, names are empty.
render::SymbolName kernel_function_names();

}  // namespace espy::kernel
