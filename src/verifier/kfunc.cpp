// Calls of kernel functions. Their BTF is the prototype; flags (src/facts/kfuncs.cpp) and the ends of parameter names say what
// else they ask: `__sz` the size of the memory before it, `__k` a constant, `__nullable`, `__uninit`, `__ign`, …
#include <algorithm>
#include <cstdint>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

bool is_struct(btf::Kind kind) { return kind == btf::Kind::struct_ || kind == btf::Kind::union_; }

/// bpf_iter_NAME_new and its like: "NAME"; empty: another function.
std::string_view iterator_of(std::string_view function, std::uint32_t flags) {
  if ((flags & (facts::iter_new | facts::iter_next | facts::iter_destroy)) == 0 || !function.starts_with("bpf_iter_")) return {};
  function.remove_prefix(9);
  const auto end = function.rfind('_');
  return end == std::string_view::npos ? std::string_view{} : function.substr(0, end);
}

bool is_list_push(std::string_view name) { return name.starts_with("bpf_list_push_"); }

}  // namespace

bool Checker::describe_kfunc(const Insn& insn, std::uint32_t at, CallMeta& meta) const {
  meta.btf = types_.module_of(at);
  const btf::Btf* btf = types_.btf(meta.btf);
  if (btf == nullptr) return false;
  const btf::Type func = btf->type(btf::TypeId{static_cast<std::uint32_t>(insn.imm)});
  if (func.kind() != btf::Kind::func) return false;
  meta.name = func.name();
  meta.proto = btf->type(func.target());
  meta.kfunc = facts::find_kfunc(meta.name);
  meta.flags = meta.kfunc != nullptr ? meta.kfunc->flags : 0;
  meta.iterator = iterator_of(meta.name, meta.flags);
  return true;
}

/// Marks the calls that advance iterators: there loops converge.
void Checker::find_iterators() {
  for (std::uint32_t at = 0; at < code_.size(); ++at) {
    Insn& insn = code_.insns[at];
    if (insn.second_half || insn.op != isa::Operation::call || insn.call != isa::CallKind::kfunc) continue;
    CallMeta meta;
    if (!describe_kfunc(insn, at, meta)) continue;
    if ((meta.flags & facts::iter_next) != 0) {
      iter_next_[at] = true;
      insn.prune_point = insn.force_checkpoint = true;
    }
    if (meta.name.starts_with("bpf_rbtree_add")) insn.calls_callback = insn.prune_point = insn.jump_point = insn.force_checkpoint = true;
    if ((meta.flags & facts::sleepable) != 0) code_.subprograms[code_.subprogram_of(at)].might_sleep = true;
  }
}

bool Checker::check_kfunc_allowed(CallMeta& meta) {
  if (!privileged()) return reject(Rule::privileges, "loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN");
  if (!gpl_compatible_) return reject(Rule::gpl_only, "cannot call kernel function from non-GPL compatible program");
  if (meta.name.starts_with("bpf_xdp_metadata_")) return reject(Rule::kfunc, "metadata kfuncs require device-bound program");
  if (meta.kfunc == nullptr || !facts::callers_of(*meta.kfunc).has(type_)) return reject(Rule::kfunc, "calling kernel function {} is not allowed", meta.name);
  if ((meta.flags & facts::sleepable) != 0 && !in_sleepable())
    return reject(Rule::sleepable, "program must be sleepable to call sleepable kfunc {}", meta.name);
  return true;
}

/// Regions: RCU, preemption, interrupts.
bool Checker::enter_or_leave_region(CallMeta& meta) {
  State& state = *state_;
  const bool sleeps = (meta.flags & facts::sleepable) != 0;
  const bool lock = meta.name == "bpf_rcu_read_lock", unlock = meta.name == "bpf_rcu_read_unlock";
  if (state.rcu) {
    if (lock) return reject(Rule::rcu, "nested rcu read lock (kernel function {})", meta.name);
    if (unlock) {
      for (std::uint32_t i = 0; i <= state.current; ++i) {
        Frame& frame = *state.frames[i];
        const auto distrust = [](Reg& reg) {
          if (!reg.has(kRcu)) return;
          reg.flags = (reg.flags & ~(kRcu | kMaybeNull)) | kUntrusted;
        };
        for (Reg& reg : frame.regs) distrust(reg);
        for (unsigned slot = 0; slot < frame.slots; ++slot)
          if (frame.stack[slot].is_spill()) distrust(frame.stack[slot].reg);
      }
      state.rcu = false;
    } else if (sleeps) {
      return reject(Rule::rcu, "kernel func {} is sleepable within rcu_read_lock region", meta.name);
    }
  } else if (lock) {
    state.rcu = true;
  } else if (unlock) {
    return reject(Rule::rcu, "unmatched rcu read unlock (kernel function {})", meta.name);
  }
  const bool disable = meta.name == "bpf_preempt_disable", enable = meta.name == "bpf_preempt_enable";
  if (state.preempt_disabled != 0 && !disable && !enable && sleeps)
    return reject(Rule::sleepable, "kernel func {} is sleepable within non-preemptible region", meta.name);
  if (enable && state.preempt_disabled == 0) return reject(Rule::lock_held, "unmatched attempt to enable preemption (kernel function {})", meta.name);
  if (disable) ++state.preempt_disabled;
  if (enable) --state.preempt_disabled;
  if (state.active_irq != 0 && sleeps) return reject(Rule::irq, "kernel func {} is sleepable within IRQ-disabled region", meta.name);
  if ((meta.flags & facts::rcu_protected) != 0 && !in_rcu()) return reject(Rule::rcu, "kernel func {} requires RCU critical section protection", meta.name);
  return true;
}

Checker::Next Checker::call_kfunc(const Insn& insn) {
  CallMeta meta;
  if (!describe_kfunc(insn, insn_, meta)) {
    if (types_.btf(meta.btf) == nullptr) reject(Rule::missing_btf, "calling kernel function is not supported without CONFIG_DEBUG_INFO_BTF");
    else reject(Rule::kfunc, "kernel btf_id {} is not a function", insn.imm);
    return Next::failed;
  }
  const bool graph = is_list_push(meta.name) || meta.name.starts_with("bpf_list_pop_") || meta.name.starts_with("bpf_rbtree_") ||
                     meta.name.starts_with("bpf_list_front") || meta.name.starts_with("bpf_list_back") || meta.name.starts_with("bpf_iter_num_") ||
                     meta.name.starts_with("bpf_res_spin_") || meta.name.starts_with("bpf_refcount_acquire");
  if (state_->locks != 0 && !graph) {
    reject(Rule::lock_held, "function calls are not allowed while holding a lock");
    return Next::failed;
  }
  if (!check_kfunc_allowed(meta) || !check_kfunc_arguments(meta) || !enter_or_leave_region(meta)) return Next::failed;
  if (meta.name == "bpf_throw") {
    if (regs()[1].is_scalar() && !check_return(1, "R1")) return Next::failed;
    return leave(true);
  }
  if (meta.name.starts_with("bpf_rbtree_add") && meta.subprog != 0 && !call_back(meta, false)) return Next::failed;
  const bool later = meta.name.starts_with("bpf_wq_set_callback") || meta.name.starts_with("bpf_task_work_schedule_");
  if (later && !call_back(meta, true)) return Next::failed;
  if (meta.release_reg != 0) {
    const std::uint32_t id = regs()[meta.release_reg].ref_id;
    if (is_list_push(meta.name) || meta.name.starts_with("bpf_rbtree_add")) {
      share_reference(id);
    } else if (!let_go(id)) {
      reject(Rule::kfunc_reference, "kfunc {}#{} reference has not been acquired before", meta.name, insn.imm);
      return Next::failed;
    }
  }
  if (!set_kfunc_result(insn, meta)) return Next::failed;
  if (meta.name == "bpf_xdp_pull_data") forget_packet();
  if ((meta.flags & facts::iter_next) != 0 && !advance_iterator(insn, meta)) return Next::failed;
  insn_ += 1;
  return Next::go_on;
}

/// What was put into a list or tree belongs to that: the program may look at it until it unlocks.
void Checker::share_reference(std::uint32_t id) {
  std::erase_if(state_->holds, [&](const Hold& hold) { return hold.kind == HoldKind::pointer && hold.id == id; });
  for (std::uint32_t i = 0; i <= state_->current; ++i) {
    Frame& frame = *state_->frames[i];
    const auto convert = [&](Reg& reg) {
      if (reg.ref_id != id) return;
      reg.ref_id = 0;
      reg.flags |= kNonOwning;
    };
    for (Reg& reg : frame.regs) convert(reg);
    for (unsigned slot = 0; slot < frame.slots; ++slot)
      if (frame.stack[slot].is_spill()) convert(frame.stack[slot].reg);
  }
}

/// A lock that may not be had: the path on which it is not held.
bool Checker::fail_to_lock(const Insn& insn) {
  State* failed = push(insn_ + insn.slots, insn_);
  if (failed == nullptr) return false;
  Reg error = Reg::unknown();
  error.value.smin = error.value.s32min = -4095;
  error.value.smax = error.value.s32max = -1;
  sync(error.value, how_);
  failed->reg(0) = error;
  failed->holds.pop_back();
  --failed->locks;
  failed->lock_id = 0;
  failed->lock_object = 0;
  for (const Hold& held : failed->holds)
    if (held.kind == HoldKind::lock || held.kind == HoldKind::res_lock || held.kind == HoldKind::res_lock_irq) failed->lock_id = held.id, failed->lock_object = held.object;
  return true;
}

/// Results that the function's name tells of: objects of the program's own, casts, slices; nullopt: it is none of these.
std::optional<bool> Checker::set_named_result(const CallMeta& meta) {
  Reg& result = regs()[0];
  const auto object = [&](BtfRef ref, std::uint32_t id, std::uint32_t flags) {
    result = Reg::pointer(RegType::btf, flags);
    result.btf = ref;
    result.type_id = id;
    return true;
  };
  const auto constant = [&] { return meta.arg_constant ? static_cast<std::uint32_t>(*meta.arg_constant) : 0U; };
  if (meta.name.starts_with("bpf_obj_new") || meta.name.starts_with("bpf_percpu_obj_new")) {
    const btf::Btf* own = types_.own();
    const bool known = own != nullptr && meta.arg_constant && own->contains(btf::TypeId{constant()});
    if (!known || own->type(btf::TypeId{constant()}).kind() != btf::Kind::struct_)
      return reject(Rule::kfunc, "bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct");
    return object(BtfRef::program, constant(), kAlloc | (meta.name.starts_with("bpf_percpu") ? std::uint32_t{kPercpuMem} : 0U));
  }
  if (meta.name.starts_with("bpf_refcount_acquire")) return object(meta.arg_btf, meta.arg_type_id, kAlloc);
  if (meta.graph_root != nullptr && !meta.name.starts_with("bpf_rbtree_add")) {
    object(meta.graph_root->btf, static_cast<std::uint32_t>(meta.graph_root->type), kAlloc);
    result.off = static_cast<std::int32_t>(meta.graph_root->node_offset);
    return true;
  }
  if (meta.name == "bpf_rbtree_remove" || meta.name == "bpf_rbtree_left" || meta.name == "bpf_rbtree_right") {
    object(meta.arg_btf, meta.arg_type_id, kAlloc);
    result.off = static_cast<std::int32_t>(meta.mem_size);
    return true;
  }
  if (meta.name == "bpf_cast_to_kern_ctx") {
    const auto kernel = types_.kernel_struct(kernel_context_name());
    if (!kernel) return reject(Rule::missing_btf, "the kernel's context type is not known");
    return object(BtfRef::vmlinux, static_cast<std::uint32_t>(*kernel), kTrusted);
  }
  if (meta.name == "bpf_rdonly_cast" && constant() == 0) {
    result = Reg::pointer(RegType::mem, kReadOnly | kUntrusted);
    result.mem_size = 0;
    return true;
  }
  if (meta.name == "bpf_rdonly_cast") {
    if (types_.kernel() == nullptr || !is_struct(types_.kernel()->resolve(btf::TypeId{constant()}).kind()))
      return reject(Rule::kfunc, "kfunc bpf_rdonly_cast type ID argument must be of a struct or void");
    return object(BtfRef::vmlinux, constant(), kUntrusted);
  }
  if (meta.name != "bpf_dynptr_slice" && meta.name != "bpf_dynptr_slice_rdwr") return std::nullopt;
  const bool packet = meta.dynptr == DynptrType::skb || meta.dynptr == DynptrType::xdp;
  const bool writable = meta.name == "bpf_dynptr_slice_rdwr";
  if (writable && !facts::traits_of(type_).writes_packet) return reject(Rule::dynptr, "the prog does not allow writes to packet data");
  result = Reg::pointer(RegType::mem, (packet ? std::uint32_t{kPacketSlice} : 0U) | (writable ? 0U : std::uint32_t{kReadOnly}));
  result.mem_size = constant();
  result.second = meta.dynptr_id;
  return true;
}

/// Memory of a size that the call gave, or of the type's; objects of the kernel.
void Checker::set_result_by_type(const btf::Type& target, const CallMeta& meta) {
  Reg& result = regs()[0];
  if (target.kind() == btf::Kind::void_) {
    result = Reg::pointer(RegType::mem, kReadOnly);
    result.mem_size = static_cast<std::uint32_t>(meta.mem_size);
    return;
  }
  if (!is_struct(target.kind())) {
    result = Reg::pointer(RegType::mem, meta.mem_size == 0 || meta.read_only_memory ? std::uint32_t{kReadOnly} : 0U);
    result.mem_size = meta.mem_size != 0 ? static_cast<std::uint32_t>(meta.mem_size) : types_.size(meta.btf, target.id());
    result.ref_id = meta.ref_id;
    return;
  }
  std::uint32_t flags = 0;
  if (meta.name == "bpf_get_kmem_cache") flags = kUntrusted;
  else if ((meta.flags & facts::rcu_protected) != 0) flags = kRcu;
  if ((meta.flags & facts::iter_next) != 0) {
    const Reg& iterator = state_->frames[static_cast<std::size_t>(meta.iter_frame)]->stack[meta.iter_slot].reg;
    flags |= iterator.has(kRcu) ? kRcu : kTrusted;
  }
  result = Reg::pointer(RegType::btf, flags);
  result.btf = meta.btf;
  result.type_id = static_cast<std::uint32_t>(target.id());
}

bool Checker::set_kfunc_result(const Insn& insn, CallMeta& meta) {
  const btf::Btf& btf = *types_.btf(meta.btf);
  for (unsigned reg = 0; reg <= 5; ++reg) regs()[reg] = Reg{};
  Reg& result = regs()[0];
  const btf::Type type = btf.resolve(meta.proto->target());
  if (type.kind() == btf::Kind::void_) return true;
  if (type.kind() != btf::Kind::ptr) {
    set_unknown(result);
    if (meta.name != "bpf_res_spin_lock" && meta.name != "bpf_res_spin_lock_irqsave") return true;
    if (!fail_to_lock(insn)) return false;
    set_constant(result, 0);
    return true;
  }
  if ((meta.flags & facts::arena_ret) != 0) {
    result = Reg::unknown();
    result.type = RegType::arena;
    return true;
  }
  const auto named = set_named_result(meta);
  if (named && !*named) return false;
  if (!named) set_result_by_type(btf.resolve(type.target()), meta);
  if ((meta.flags & facts::ret_null) != 0 || meta.name.starts_with("bpf_list_front") || meta.name.starts_with("bpf_list_back") ||
      meta.name == "bpf_rbtree_root" || meta.name == "bpf_rbtree_left" || meta.name == "bpf_rbtree_right") {
    result.flags |= kMaybeNull;
    result.id = new_id();
  }
  if ((meta.flags & facts::acquire) != 0) {
    const std::uint32_t id = hold(HoldKind::pointer);
    if (result.maybe_null()) result.id = id;
    result.ref_id = id;
  } else if (result.type == RegType::btf && result.has(kAlloc) && result.ref_id == 0) {
    result.flags |= kNonOwning;
    if (result.id == 0) result.id = new_id();
  }
  return true;
}

/// What a context is inside the kernel.
std::string_view Checker::kernel_context_name() const {
  using enum facts::ProgType;
  switch (type_) {
    case xdp: return "xdp_buff";
    case cgroup_sock: return "sock";
    case cgroup_sock_addr: return "bpf_sock_addr_kern";
    case sock_ops: return "bpf_sock_ops_kern";
    case sk_msg: return "sk_msg";
    case kprobe: return "pt_regs";
    case perf_event: return "bpf_perf_event_data_kern";
    case cgroup_sysctl: return "bpf_sysctl_kern";
    case cgroup_sockopt: return "bpf_sockopt_kern";
    case sk_reuseport: return "sk_reuseport_kern";
    case sk_lookup: return "bpf_sk_lookup_kern";
    case netfilter: return "bpf_nf_ctx";
    case socket_filter: case sched_cls: case sched_act: case cgroup_skb: case lwt_in: case lwt_out: case lwt_xmit: case lwt_seg6local:
    case sk_skb: return "sk_buff";
    default: return "";
  }
}

}  // namespace espy::verifier
