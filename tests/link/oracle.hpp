// libbpf's loader as an oracle: what would it hand to the kernel for each program of an object?
//
// The test program defines `syscall` itself, so libbpf's bpf(2) calls pass through here. All go on to the kernel, except
// the loads of the object's own programs: they are recorded and answered with a made-up descriptor. So every program that
// libbpf can relocate is compared, also those that this kernel does not load (fentry, LSM, poisoned instructions), while
// feature probes, maps and BTF are the real kernel's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "isa/insn.hpp"

namespace espy::test {

/// One BPF_PROG_LOAD as libbpf meant it; descriptors of maps are zero.
struct OracleProgram {
  std::string name, section;
  std::vector<isa::Insn> insns;
  std::vector<std::byte> func_info, line_info;
  std::uint32_t prog_type = 0, expected_attach_type = 0, attach_btf_id = 0, prog_flags = 0;
};

struct OracleResult {
  std::vector<OracleProgram> programs;
  std::vector<std::string> refused;     ///< programs that libbpf would not load
  std::vector<std::byte> kconfig;       ///< contents of the .kconfig map
  std::string log;                      ///< libbpf's warnings
};

/// Opens and loads an object, all programs, with libbpf; `btf` is a file to resolve CO-RE against, empty: the kernel's.
OracleResult load_with_libbpf(const std::string& path, const std::string& btf);

}  // namespace espy::test
