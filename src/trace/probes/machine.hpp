// Machine: what probes are looked up in (tracefs, BTF, kallsyms, ELF files), each read when first asked for and then kept.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "btf/btf.hpp"
#include "facts/features.hpp"
#include "object/target.hpp"
#include "probe/tracefs.hpp"
#include "symbol/elf_file.hpp"

namespace espy::trace::probes {

/// A function, or a raw tracepoint, of the kernel. The Machine owns the names.
struct KernelFunction {
  std::string_view name;
  std::string_view module;        ///< "vmlinux", or a module's name
};

struct MachineOptions {
  std::string functions_file = {};   ///< a list of the kernel's functions that can be traced, as ftrace has it; empty: the kernel's own
};

class Machine {
 public:
  /// The one this runs on. Nothing is read yet.
  static Machine running(MachineOptions options = {});
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;
  ~Machine();

  Result<const probe::Tracefs*> tracefs();
  /// All tracepoints that are events, by category and name.
  Result<const std::vector<probe::TracepointName>*> tracepoints();
  Result<std::string> format(const std::string& category, const std::string& event);

  Result<std::shared_ptr<const btf::Btf>> vmlinux();
  /// Modules' BTF, in the kernel's order; none where the kernel has no BTF for modules.
  const std::vector<object::ModuleBtf>& modules();
  /// "vmlinux" or a module's.
  Result<std::shared_ptr<const btf::Btf>> btf_of(std::string_view module);

  /// Functions that can be probed: ftrace's list where it can be read, else /proc/kallsyms. By name.
  Result<const std::vector<KernelFunction>*> functions();
  /// Functions that BTF describes, of vmlinux and modules. By name.
  Result<const std::vector<KernelFunction>*> typed_functions();
  /// Raw tracepoints that BTF describes (typedef btf_trace_NAME). By name.
  Result<const std::vector<KernelFunction>*> raw_tracepoints();

  /// Is there a raw tracepoint of this name that BTF describes? Cheaper than the whole list.
  bool has_raw_tracepoint(std::string_view name);

  Result<const symbol::ElfFile*> elf(const std::string& path);
  /// Functions of a file, by name.
  Result<const std::vector<symbol::Function>*> functions_of(const std::string& path);

  bool has(facts::Feature feature);
  facts::KernelVersion version();

 private:
  struct State;
  explicit Machine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace espy::trace::probes
