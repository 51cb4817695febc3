// Target: what a program is linked against. The running kernel is one, a stored BTF file another: everything up to the
// load works for kernels that are not here, and without privileges.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "btf/btf.hpp"
#include "facts/types.hpp"

namespace espy::object {

/// The BTF of a kernel module, split on top of vmlinux'.
struct ModuleBtf {
  std::string name;                           ///< "nf_conntrack"
  std::shared_ptr<const btf::Btf> btf;
};

struct Target {
  std::string name;                           ///< "running kernel 6.18.44", "vmlinux-5.10.btf": for messages
  facts::KernelVersion version;
  std::shared_ptr<const btf::Btf> vmlinux;    ///< may be null: no BTF, and so no CO-RE against it
  /// CO-RE is resolved against this alone, if it is there: types from a file, for a kernel that brings none (or not these).
  /// What programs attach to, variables and kfuncs are numbered by `vmlinux` all the same.
  std::shared_ptr<const btf::Btf> core_types;

  // What is read only when a program asks for it. Any may be empty: then the answer is "not known here".

  /// Kernel modules' BTF, in the kernel's order.
  std::function<Result<std::vector<ModuleBtf>>()> modules;
  /// The address of a kernel symbol, as /proc/kallsyms shows it; nullopt: there is none.
  std::function<Result<std::optional<std::uint64_t>>(std::string_view symbol)> symbol_address;
  /// The kernel's configuration: CONFIG_X → "y", "m", "42", "\"text\"".
  std::function<Result<const std::unordered_map<std::string, std::string>*>()> kconfig;
  /// Does the kernel do this? For the virtual kconfig values that libbpf offers (LINUX_HAS_BPF_COOKIE,
  /// LINUX_HAS_SYSCALL_WRAPPER).
  std::function<bool(std::string_view virtual_kconfig)> has;
  /// Kernel functions that are offered by name alone, with no BTF to number them: the user engine's. Asked where BTF has none.
  std::function<bool(std::string_view kfunc)> offers;
};

/// A Target of a stored BTF file (raw, or an ELF with .BTF), with nothing but types.
Result<Target> target_from_btf(const std::string& path);

/// Reads the text of a kernel configuration (/proc/config.gz inflated, /boot/config-*).
std::unordered_map<std::string, std::string> parse_kconfig(std::string_view text);

}  // namespace espy::object
