#include "kernel/program_functions.hpp"

#include <linux/bpf.h>

#include <cerrno>

#include "kernel/capabilities.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/syscall.hpp"

namespace espy::kernel {

namespace {

struct IdAttr { std::uint32_t id = 0, next = 0, flags = 0; };
struct InfoAttr { std::uint32_t fd = 0, length = 0; std::uint64_t info = 0; };

UniqueFd open_by_id(int command, std::uint32_t id) {
  IdAttr attr{.id = id};
  return UniqueFd(sys_bpf(command, &attr, sizeof attr));
}

Result<bpf_prog_info> info_of(const UniqueFd& program) {
  bpf_prog_info info{};
  InfoAttr attr{.fd = static_cast<std::uint32_t>(program.get()), .length = sizeof info, .info = to_u64(&info)};
  if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr) != 0) return fail_sys(errno, "ask the kernel about an eBPF program");
  return info;
}

Result<std::shared_ptr<const btf::Btf>> btf_by_id(std::uint32_t id) {
  UniqueFd fd = open_by_id(BPF_BTF_GET_FD_BY_ID, id);
  if (!fd) return fail_sys(errno, "open the BTF of an eBPF program");
  return btf::Btf::parse(TRY(btf_bytes(fd.get())), nullptr, "an eBPF program's BTF");
}

// The functions of one program, by the kernel's list of what its BTF calls them.
Result<std::vector<std::string>> functions_in(const UniqueFd& program, const btf::Btf& btf, std::uint32_t count) {
  std::vector<bpf_func_info> functions(count);
  bpf_prog_info info{};
  info.nr_func_info = count;
  info.func_info_rec_size = sizeof(bpf_func_info);
  info.func_info = to_u64(functions.data());
  InfoAttr attr{.fd = static_cast<std::uint32_t>(program.get()), .length = sizeof info, .info = to_u64(&info)};
  if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr) != 0) return fail_sys(errno, "list the functions of an eBPF program");
  std::vector<std::string> names;
  for (const bpf_func_info& f : functions)
    if (btf::Type type = btf.type(btf::TypeId{f.type_id}); type.kind() == btf::Kind::func) names.emplace_back(type.name());
  return names;
}

}  // namespace

Result<std::shared_ptr<const btf::Btf>> btf_of_program(std::uint32_t program_id) {
  UniqueFd program = open_by_id(BPF_PROG_GET_FD_BY_ID, program_id);
  if (!program) return fail_sys(errno, "open eBPF program {}", program_id);
  auto info = TRY(info_of(program));
  if (info.btf_id == 0) return fail(ErrorKind::unsupported, "eBPF program {} was loaded without BTF: nothing can attach to its functions", program_id);
  return btf_by_id(info.btf_id);
}

Result<std::vector<ProgramFunction>> program_functions() {
  std::vector<ProgramFunction> found;
  for (IdAttr at;;) {
    if (sys_bpf(BPF_PROG_GET_NEXT_ID, &at, sizeof at) != 0) {
      if (errno == ENOENT) return found;
      auto failure = fail_sys(errno, "list the kernel's eBPF programs");
      explain_permission(failure.error(), {Capability::sys_admin});
      return failure;
    }
    at.id = at.next;
    UniqueFd program = open_by_id(BPF_PROG_GET_FD_BY_ID, at.id);
    if (!program) continue;   // it went meanwhile
    auto info = info_of(program);
    if (!info || info->btf_id == 0 || info->nr_func_info == 0) continue;
    auto btf = btf_by_id(info->btf_id);
    if (!btf) continue;
    for (std::string& name : functions_in(program, **btf, info->nr_func_info).value_or(std::vector<std::string>{})) found.push_back({at.id, std::move(name)});
  }
}

}  // namespace espy::kernel
