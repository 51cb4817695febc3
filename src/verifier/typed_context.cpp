// Programs that attach to kernel functions, tracepoints, hooks and operations: their context is the arguments, eight bytes
// each, and BTF says what each is.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

/// Tracepoints whose arguments may be NULL though nothing in their types says so: bit i, argument i.
struct NullableRow {
  std::string_view tracepoint;
  std::uint32_t arguments;
};
constexpr NullableRow kNullable[] = {
    {"kfree_skb", 1 << 3},        {"sched_pi_setprio", 1 << 1}, {"sched_stick_numa", 1 << 2}, {"sched_swap_numa", 1 << 2},
    {"tcp_send_reset", 1 | 1 << 1}, {"mm_page_alloc", 1},       {"netfs_failure", 1 << 1},    {"xs_data_ready", 0},
};

/// Hooks whose callers may sleep.
constexpr std::string_view kSleepableHooks[] = {
    "bpf", "bpf_map", "bpf_map_create", "bpf_map_free", "bpf_prog", "bpf_prog_load", "bpf_prog_free", "bpf_token_create", "bpf_token_free",
    "bpf_token_cmd", "bpf_token_capable", "bprm_check_security", "bprm_committed_creds", "bprm_committing_creds", "bprm_creds_for_exec",
    "bprm_creds_from_file", "capget", "capset", "cred_prepare", "file_ioctl", "file_lock", "file_open", "file_post_open", "file_receive",
    "inode_create", "inode_free_security", "inode_getattr", "inode_getxattr", "inode_mknod", "inode_need_killpriv", "inode_post_setxattr",
    "inode_post_removexattr", "inode_readlink", "inode_removexattr", "inode_rename", "inode_rmdir", "inode_setattr", "inode_setxattr",
    "inode_symlink", "inode_unlink", "kernel_module_request", "kernel_read_file", "kernfs_init_security", "key_free", "mmap_file", "netlink_send",
    "path_notify", "release_secctx", "sb_alloc_security", "sb_eat_lsm_opts", "sb_kern_mount", "sb_mount", "sb_remount", "sb_set_mnt_opts",
    "sb_show_options", "sb_statfs", "sb_umount", "settime", "socket_accept", "socket_bind", "socket_connect", "socket_create",
    "socket_getpeername", "socket_getpeersec_dgram", "socket_getsockname", "socket_getsockopt", "socket_listen", "socket_post_create",
    "socket_recvmsg", "socket_sendmsg", "socket_shutdown", "socket_socketpair", "syslog", "task_alloc", "task_getsecid_obj",
    "current_getsecid_subj", "task_prctl", "task_setscheduler", "task_to_inode", "userns_create",
};

/// Functions that the kernel lets fail on purpose: programs may change what they return, and sleep there.
bool may_fail_on_purpose(std::string_view function) {
  for (std::string_view prefix : {"__x64_sys_", "__ia32_sys_", "__arm64_sys_", "__se_sys_", "should_fail", "bpf_modify_return_test", "bpf_fentry_test", "bpf_fentry_shadow_test"})
    if (function.starts_with(prefix)) return true;
  return false;
}

bool is_struct(btf::Kind kind) { return kind == btf::Kind::struct_ || kind == btf::Kind::union_; }

}  // namespace

bool Checker::check_attach_target() {
  if (!typed_context_ && type_ != facts::ProgType::ext) return true;
  if (!program_.attach_btf_id) {
    if (type_ == facts::ProgType::struct_ops) return reject(Rule::program_type, "attach_btf_id 0 is not supported struct");
    return reject(Rule::program_type, "Tracing programs must provide btf_id");
  }
  attach_ref_ = BtfRef::vmlinux;
  const btf::Btf* btf = types_.kernel();
  if (!program_.attach_btf_module.empty()) {
    attach_ref_ = types_.module_named(program_.attach_btf_module);
    btf = types_.btf(attach_ref_);
  }
  if (btf == nullptr) return reject(Rule::missing_btf, "in-kernel BTF is malformed");
  btf::Type type = btf->type(*program_.attach_btf_id);
  attach_name_ = std::string(type.name());
  if (type_ == facts::ProgType::struct_ops) {
    const auto member = attach_ ? std::to_underlying(*attach_) : 0U;
    if (member >= type.vlen()) return reject(Rule::program_type, "attach to invalid member idx {} of struct {}", member, type.name());
    attach_name_ = std::string(type.member(member).name);
    type = btf->resolve(type.member(member).type);
    if (type.kind() == btf::Kind::ptr) type = btf->resolve(type.target());
  } else if (type.kind() == btf::Kind::typedef_) {
    // A tracepoint: `typedef void (*btf_trace_NAME)(void *, …)`.
    type = btf->resolve(type.target());
    if (type.kind() == btf::Kind::ptr) type = btf->resolve(type.target());
    first_argument_ = 1;
    if (attach_name_.starts_with("btf_trace_")) attach_name_.erase(0, 10);
  } else if (type.kind() == btf::Kind::func) {
    type = btf->type(type.target());
  }
  if (type.kind() != btf::Kind::func_proto) return reject(Rule::program_type, "attach_btf_id {} is not a function", static_cast<std::uint32_t>(*program_.attach_btf_id));
  attach_proto_ = type;
  if (type_ == facts::ProgType::lsm) {
    std::string hook = attach_name_;
    if (hook.starts_with("bpf_lsm_")) hook.erase(0, 8);
    if (sleepable_ && attach_ == facts::AttachType::lsm_mac && std::ranges::find(kSleepableHooks, hook) == std::end(kSleepableHooks))
      return reject(Rule::sleepable, "{} is not sleepable", attach_name_);
    hook_ = type.target() == btf::kVoid ? facts::HookKind::returns_nothing
            : facts::is_bool_hook(hook) ? facts::HookKind::returns_bool
                                        : facts::HookKind::returns_error;
  }
  const bool fentry = type_ == facts::ProgType::tracing && (attach_ == facts::AttachType::trace_fentry || attach_ == facts::AttachType::trace_fexit);
  const bool modifies = type_ == facts::ProgType::tracing && attach_ == facts::AttachType::modify_return;
  if (sleepable_ && (fentry || modifies) && !may_fail_on_purpose(attach_name_)) return reject(Rule::sleepable, "{} is not sleepable", attach_name_);
  if (modifies && !attach_name_.starts_with("security_") && !may_fail_on_purpose(attach_name_))
    return reject(Rule::program_type, "{}() is not modifiable", attach_name_);
  return true;
}

/// What is known of an argument that points to a structure.
std::uint32_t Checker::flags_of_argument(std::uint32_t argument, std::string_view name, btf::TypeId pointee) const {
  std::uint32_t flags = 0;
  const btf::Type tag = attach_proto_->btf().type(pointee);
  if (tag.kind() == btf::Kind::type_tag && tag.name() == "user") flags |= kUser;
  if (tag.kind() == btf::Kind::type_tag && tag.name() == "percpu") flags |= kPerCpu;
  const bool tracing = type_ == facts::ProgType::tracing;
  const bool iterator = tracing && attach_ == facts::AttachType::trace_iter;
  const bool tracepoint = attach_ == facts::AttachType::trace_raw_tp;
  if (type_ == facts::ProgType::lsm || type_ == facts::ProgType::struct_ops || (tracing && tracepoint) || iterator) flags |= kTrusted;
  if ((iterator && argument > 0) || name.ends_with("__nullable")) flags |= kMaybeNull;
  if (tracepoint && profile_.has(Behaviour::raw_tp_may_be_null))
    for (const NullableRow& row : kNullable)
      if (row.tracepoint == attach_name_ && (row.arguments >> argument & 1) != 0) flags |= kMaybeNull;
  return flags;
}

bool Checker::typed_context(std::int32_t off, unsigned size, Access access, int value_reg) {
  const auto refuse = [&](std::string says) {
    failure_.offset = off;
    failure_.size = size;
    const std::string last = fmt::format("invalid bpf_context access off={} size={}", off, size);
    return fail_with(Rule::context_access, 1, says.empty() ? last : says + "\n" + last);
  };
  if (access == Access::write || off < 0 || off >= 96 || off % static_cast<std::int32_t>(size) != 0 || !attach_proto_) return refuse({});
  if (off % 8 != 0) return refuse(fmt::format("func '{}' offset {} is not multiple of 8", attach_name_, off));
  const btf::Btf& btf = attach_proto_->btf();
  const std::uint32_t argument = static_cast<std::uint32_t>(off) / 8;
  const std::uint32_t count = attach_proto_->vlen() - std::min(attach_proto_->vlen(), first_argument_);
  const auto none = [&] { return refuse(fmt::format("func '{}' doesn't have {}-th argument", attach_name_, argument + 1)); };
  btf::Param param;
  if (argument < count) {
    param = attach_proto_->param(argument + first_argument_);
  } else {
    const bool result = attach_ == facts::AttachType::trace_fexit || attach_ == facts::AttachType::modify_return || attach_ == facts::AttachType::lsm_mac ||
                        attach_ == facts::AttachType::lsm_cgroup;
    if (argument != count || !result || type_ == facts::ProgType::struct_ops) return none();
    param = {.name = "", .type = attach_proto_->target()};
    if (param.type == btf::kVoid) return none();
  }
  const btf::Type type = btf.resolve(param.type);
  if (value_reg < 0) return true;
  Reg& dst = regs()[value_reg];
  if (type.kind() == btf::Kind::int_ || type.kind() == btf::Kind::enum_ || type.kind() == btf::Kind::enum64 || is_struct(type.kind())) {
    set_unknown(dst);
    return true;
  }
  if (type.kind() != btf::Kind::ptr)
    return refuse(fmt::format("func '{}' arg{} '{}' has type {}. Only pointer access is allowed", attach_name_, argument, param.name, btf::to_string(type.kind())));
  if (size != 8) return refuse(fmt::format("func '{}' size {} must be 8", attach_name_, size));
  const btf::Type target = btf.resolve(type.target());
  const bool iterator = attach_ == facts::AttachType::trace_iter && type_ == facts::ProgType::tracing;
  if (!is_struct(target.kind())) {
    if (target.kind() != btf::Kind::void_ && target.kind() != btf::Kind::int_)
      return refuse(fmt::format("func '{}' arg{} type {} is not a struct", attach_name_, argument, btf::to_string(target.kind())));
    if (iterator && (param.name == "key" || param.name == "value")) {
      dst = Reg::pointer(RegType::buffer, kMaybeNull | (param.name == "key" ? std::uint32_t{kReadOnly} : 0U));
      dst.id = new_id();
    } else {
      set_unknown(dst);
    }
    return true;
  }
  dst = Reg::pointer(RegType::btf, flags_of_argument(argument, param.name, type.target()));
  dst.btf = attach_ref_;
  dst.type_id = static_cast<std::uint32_t>(target.id());
  if (dst.maybe_null()) dst.id = new_id();
  return true;
}

}  // namespace espy::verifier
