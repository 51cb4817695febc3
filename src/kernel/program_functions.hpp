// Functions of the eBPF programs in the kernel, which other programs can trace.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "btf/btf.hpp"

namespace espy::kernel {

/// A function of an eBPF program in the kernel, which fentry:bpf can trace.
struct ProgramFunction {
  std::uint32_t program_id = 0;
  std::string name;
};
/// All functions of eBPF programs that have BTF. Needs CAP_SYS_ADMIN.
Result<std::vector<ProgramFunction>> program_functions();
Result<std::shared_ptr<const btf::Btf>> btf_of_program(std::uint32_t program_id);

}  // namespace espy::kernel
