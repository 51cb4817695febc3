// Programs that attach to a kernel type: the BTF id of the function or tracepoint that their section names.
#include "object/link_steps.hpp"

namespace espy::object {
namespace {

using facts::AttachType;
using facts::ProgType;

/// How the kernel names, in its BTF, what a program of this type attaches to.
struct AttachBtfRow {
  ProgType type{};
  AttachType attach_type{};
  std::string_view prefix;
  btf::Kind kind = btf::Kind::func;
  std::string_view what;
};
constexpr AttachBtfRow kAttachBtf[] = {
    {ProgType::tracing, AttachType::trace_raw_tp, "btf_trace_", btf::Kind::typedef_, "tracepoint"},
    {ProgType::tracing, AttachType::trace_fentry, "", btf::Kind::func, "function"},
    {ProgType::tracing, AttachType::trace_fexit, "", btf::Kind::func, "function"},
    {ProgType::tracing, AttachType::modify_return, "", btf::Kind::func, "function"},
    {ProgType::tracing, AttachType::trace_iter, "bpf_iter_", btf::Kind::func, "iterator"},
    {ProgType::lsm, AttachType::lsm_mac, "bpf_lsm_", btf::Kind::func, "LSM hook"},
    {ProgType::lsm, AttachType::lsm_cgroup, "bpf_lsm_", btf::Kind::func, "LSM hook"},
};

const AttachBtfRow* find_row(const ProgramSpec& program) {
  for (const AttachBtfRow& row : kAttachBtf)
    if (row.type == program.type && row.attach_type == program.attach_type) return &row;
  return nullptr;
}

}  // namespace

Result<void> resolve_attach_type(LinkedProgram& program, const Target& target) {
  const AttachBtfRow* row = find_row(program.spec);
  std::string_view wanted = program.spec.attach_target;
  if (!row || wanted.empty() || !target.vmlinux) return {};

  // "nf_conntrack:nf_confirm" asks for a module's; vmlinux then counts as a module of that name.
  std::string_view only_in;
  if (std::size_t colon = wanted.find(':'); colon != std::string_view::npos) {
    only_in = wanted.substr(0, colon);
    wanted = wanted.substr(colon + 1);
  }
  std::string name = std::string(row->prefix) + std::string(wanted);
  if (only_in.empty() || only_in == "vmlinux") {
    if (auto type = target.vmlinux->find(name, row->kind)) {
      program.attach_btf_id = type->id();
      return {};
    }
  }
  if (target.modules) {
    for (const ModuleBtf& module : TRY(target.modules())) {
      if (!only_in.empty() && module.name != only_in) continue;
      auto type = module.btf->find(name, row->kind);
      if (!type || static_cast<std::uint32_t>(type->id()) < module.btf->start_id()) continue;
      program.attach_btf_id = type->id();
      program.attach_btf_module = module.name;
      return {};
    }
  }
  auto error = fail(ErrorKind::not_found, "{} has no {} `{}` to attach to", target.name, row->what, program.spec.attach_target);
  error.error().hint = nearest_name(wanted, target.vmlinux.get(), row->kind, row->prefix);
  return error;
}

}  // namespace espy::object
