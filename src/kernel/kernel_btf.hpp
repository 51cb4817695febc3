// The kernel's own BTF objects: vmlinux and modules, and their descriptors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "object/target.hpp"

namespace espy::kernel {

/// vmlinux' BTF, opened once and kept while somebody holds it.
Result<std::shared_ptr<const btf::Btf>> vmlinux_btf();
/// Takes the kernel's types from this file from now on (BTF, or an ELF file with it), for kernels that do not show their own.
void set_vmlinux_btf(std::string path);

struct KernelBtf {
  std::uint32_t id = 0;
  std::string name;        ///< "vmlinux", "nf_conntrack"
  UniqueFd fd;
};

/// All BTF objects of kernel and modules that are loaded now (5.11, CAP_SYS_ADMIN), in the kernel's order.
Result<std::vector<KernelBtf>> kernel_btfs();

/// A descriptor of a module's BTF.
Result<UniqueFd> module_btf_fd(const std::string& module);

/// The modules' BTF on top of vmlinux', in the kernel's order: by descriptor where that is allowed, else from /sys/kernel/btf.
Result<std::vector<object::ModuleBtf>> module_btfs(std::shared_ptr<const btf::Btf> vmlinux);

/// The bytes of a BTF object, by descriptor.
Result<std::vector<std::byte>> btf_bytes(int fd);

/// The function of this name in the BTF of an eBPF program that is loaded: what an extension or a tracer of it attaches to.
Result<btf::TypeId> function_in_program(int prog_fd, const std::string& function);

/// Gives the kernel an object's BTF. The error has the kernel's words in its notes.
Result<UniqueFd> upload_btf(const btf::Btf& btf);

}  // namespace espy::kernel
