// LinkedProgram + descriptors → a program in the kernel.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel/program.hpp"
#include "object/link.hpp"

namespace espy::kernel {

/// What a program refers to by descriptor, all borrowed for the call.
struct ProgramSetting {
  const object::ObjectSpec& object;
  std::vector<int> map_fds;              ///< by MapIdx; -1: not created
  int btf_fd = -1;                       ///< the object's BTF in the kernel; -1: none, and so no line information
  std::vector<int> module_btf_fds;       ///< of LinkedProgram::module_btfs, in their order
  std::uint32_t attach_btf_id = 0;
  int attach_fd = 0;                     ///< the BTF or the program which attach_btf_id is in; 0: vmlinux
  std::uint32_t log_level = 0;           ///< ask for the log though the program loads
  const std::vector<object::CoreOutcome>* core = nullptr;  ///< what CO-RE relocations became, for errors
  std::function<void(const std::string& program, std::string_view log)> log_sink = {};
};

/// Loads one program. A refusal is explained from the verifier's log, which only then is asked for.
Result<UniqueFd> load_program(const object::LinkedProgram& program, const ProgramSetting& setting);

/// The instructions with descriptors filled in, and the fd_array that module kfuncs need.
struct BoundCode {
  std::vector<isa::Insn> insns;
  std::vector<int> fd_array;
};
Result<BoundCode> bind(const object::LinkedProgram& program, const ProgramSetting& setting);

}  // namespace espy::kernel
