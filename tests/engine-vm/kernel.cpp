#include "kernel.hpp"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace espy::vm {
namespace {

long bpf_call(int command, bpf_attr& attr) { return ::syscall(SYS_bpf, command, &attr, sizeof attr); }
std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

Result<UniqueFd> load_into_kernel(std::span<const isa::Insn> code) {
  std::vector<char> log(1 << 16);
  bpf_attr attr{};
  attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attr.insns = address_of(code.data());
  attr.insn_cnt = static_cast<std::uint32_t>(code.size());
  attr.license = address_of("GPL");
  long fd = bpf_call(BPF_PROG_LOAD, attr);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  const int error_number = errno;
  attr.log_level = 1;
  attr.log_buf = address_of(log.data());
  attr.log_size = static_cast<std::uint32_t>(log.size());
  fd = bpf_call(BPF_PROG_LOAD, attr);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  auto error = fail_sys(error_number, "load a program of {} instructions", code.size());
  error.error().notes.emplace_back(log.data());
  return error;
}

Result<std::uint32_t> run_on_kernel(const UniqueFd& program) {
  const std::array<std::uint8_t, 64> packet{};
  bpf_attr attr{};
  attr.test.prog_fd = static_cast<std::uint32_t>(program.get());
  attr.test.data_in = address_of(packet.data());
  attr.test.data_size_in = packet.size();
  if (bpf_call(BPF_PROG_TEST_RUN, attr) != 0) return fail_sys(errno, "run a program");
  return attr.test.retval;
}

}  // namespace espy::vm
