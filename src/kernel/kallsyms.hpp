// /proc/kallsyms: the addresses of the kernel's symbols.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "render/value.hpp"

namespace espy::kernel {

/// Finds one symbol (function or variable, per-CPU ones too) in the text of /proc/kallsyms; nullopt: it is not there. A
/// symbol with two addresses is an error, and so is an address of zero where all are zero, which is what a process without
/// CAP_SYSLOG is shown.
Result<std::optional<std::uint64_t>> find_symbol(std::string_view kallsyms, std::string_view symbol);

/// Where an address of the kernel's code is.
struct KernelPlace {
  std::string_view name;       ///< of the function; a view into the KernelFunctions
  std::string_view module;     ///< "nf_tables", "bpf"; empty: the kernel itself
  std::uint64_t address = 0;   ///< of the function's begin
  std::uint64_t offset = 0;    ///< from there
};

/// The kernel's functions, to be found by an address within them.
class KernelFunctions {
 public:
  /// Takes the text of /proc/kallsyms; lines without an address are left out.
  explicit KernelFunctions(std::string kallsyms);
  /// "vfs_read+0x10", "nf_hook+0x4 [nf_tables]"; empty where no function is near.
  std::string name(std::uint64_t address) const;
  /// The function that an address is in; nullopt where none is near.
  std::optional<KernelPlace> find(std::uint64_t address) const;
  /// The address of any symbol by name (find_symbol).
  Result<std::optional<std::uint64_t>> address_of(std::string_view symbol) const { return find_symbol(text_, symbol); }
  /// No address is shown: this process may not see any (find_symbol says why).
  bool empty() const { return symbols_.empty(); }

 private:
  struct Symbol {
    std::uint64_t address = 0;
    std::uint32_t begin = 0, length = 0;   ///< its name and module in text_
  };
  std::string text_;
  std::vector<Symbol> symbols_;            ///< by address
};

/// The running kernel's functions: /proc/kallsyms is opened now, while the process has the right to see addresses
/// (CAP_SYSLOG), and read and parsed at the first call of `get`. Copies share what was read.
class RunningKernelFunctions {
 public:
  RunningKernelFunctions();
  const KernelFunctions& get() const;
  /// Reads it again at the next `get`: modules and eBPF programs come and go.
  void refresh();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Names addresses of the running kernel. /proc/kallsyms is opened now, while the process has the right to see addresses
/// (CAP_SYSLOG), and read and parsed when the first address is asked for. Without that right, names are empty.
render::SymbolName kernel_function_names();

}  // namespace espy::kernel
