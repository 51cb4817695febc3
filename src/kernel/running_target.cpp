// The running kernel as a Target: everything but its version is read when it is first asked for, and then kept.
#include <unistd.h>

#include <memory>
#include <mutex>

#include "kernel/features.hpp"
#include "kernel/kallsyms.hpp"
#include "kernel/kconfig.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/object.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

namespace {

// What the Target's functions share; they may be called from several threads.
struct Kept {
  std::mutex lock;
  std::shared_ptr<const btf::Btf> vmlinux;
  std::optional<std::vector<object::ModuleBtf>> modules;
  std::optional<std::string> kallsyms;

  Result<std::optional<std::uint64_t>> symbol_address(std::string_view symbol) {
    std::scoped_lock held(lock);
    if (!kallsyms) kallsyms = TRY(read_text_file("/proc/kallsyms"));
    return find_symbol(*kallsyms, symbol);
  }
};

#if defined(__x86_64__)
constexpr std::string_view kWrappedSyscall = "__x64_sys_bpf";
#elif defined(__aarch64__)
constexpr std::string_view kWrappedSyscall = "__arm64_sys_bpf";
#elif defined(__s390x__)
constexpr std::string_view kWrappedSyscall = "__s390x_sys_bpf";
#elif defined(__riscv)
constexpr std::string_view kWrappedSyscall = "__riscv_sys_bpf";
#else
constexpr std::string_view kWrappedSyscall = "";
#endif

// Do the kernel's system call functions take one struct of registers? BTF tells it without reading kallsyms. libbpf finds
// out by placing a kprobe, so the answer of a kernel without kprobes is no: what asks could not be attached there anyway.
bool has_syscall_wrapper(Kept& kept) {
  if (kWrappedSyscall.empty() || ::access("/sys/bus/event_source/devices/kprobe/type", F_OK) != 0) return false;
  if (kept.vmlinux && kept.vmlinux->find(kWrappedSyscall, btf::Kind::func)) return true;
  auto address = kept.symbol_address(kWrappedSyscall);
  // An address that is hidden is still one that is there.
  return address ? address->has_value() : address.error().kind == ErrorKind::permission;
}

}  // namespace

Result<object::Target> running_target() {
  auto kept = std::make_shared<Kept>();
  object::Target target;
  target.version = running_version();
  target.name = "running kernel " + facts::to_string(target.version);
  // No BTF (CONFIG_DEBUG_INFO_BTF is off): programs without CO-RE still load.
  if (auto vmlinux = vmlinux_btf()) target.vmlinux = kept->vmlinux = *vmlinux;
  else if (vmlinux.error().kind != ErrorKind::not_found) return std::unexpected(std::move(vmlinux.error()));

  target.modules = [kept]() -> Result<std::vector<object::ModuleBtf>> {
    std::scoped_lock held(kept->lock);
    if (!kept->modules) {
      kept->modules.emplace();
      if (kept->vmlinux) kept->modules = TRY(module_btfs(kept->vmlinux));
    }
    return *kept->modules;
  };
  target.symbol_address = [kept](std::string_view symbol) { return kept->symbol_address(symbol); };
  target.kconfig = running_kconfig;
  target.has = [kept](std::string_view virtual_kconfig) {
    if (virtual_kconfig == "LINUX_HAS_BPF_COOKIE") return has_feature(facts::Feature::bpf_cookie);
    if (virtual_kconfig == "LINUX_HAS_SYSCALL_WRAPPER") return has_syscall_wrapper(*kept);
    return false;
  };
  return target;
}

}  // namespace espy::kernel
