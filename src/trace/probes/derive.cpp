// A row stands here only if the kernel's TP_fast_assign copies just that value; whether it fits this kernel (members, sizes)
// is seen in its BTF each time. Tests compare every row with the record's values as events happen.
#include "trace/probes/derive.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace espy::trace::probes {

namespace {

constexpr auto kDerivations = std::to_array<DerivationRow>({
    {"sched_switch", "prev_comm", "prev->comm"},
    {"sched_switch", "prev_pid", "prev->pid"},
    {"sched_switch", "prev_prio", "prev->prio"},
    {"sched_switch", "next_comm", "next->comm"},
    {"sched_switch", "next_pid", "next->pid"},
    {"sched_switch", "next_prio", "next->prio"},
    {"sched_waking sched_wakeup sched_wakeup_new sched_process_exit sched_process_free sched_migrate_task", "comm", "p->comm"},
    {"sched_waking sched_wakeup sched_wakeup_new sched_process_exit sched_process_free sched_migrate_task sched_process_exec", "pid", "p->pid"},
    {"sched_waking sched_wakeup sched_wakeup_new sched_process_exit sched_process_free sched_migrate_task", "prio", "p->prio"},
    {"sched_waking sched_wakeup sched_wakeup_new", "target_cpu", "p->thread_info.cpu|p->cpu"},
    {"sched_migrate_task", "orig_cpu", "p->thread_info.cpu|p->cpu"},
    {"sched_migrate_task", "dest_cpu", "dest_cpu"},
    {"sched_process_exit", "group_dead", "group_dead"},
    {"sched_process_exec", "filename", "bprm->filename"},
    {"sched_process_exec", "old_pid", "old_pid"},
    {"sched_process_fork", "parent_comm", "parent->comm"},
    {"sched_process_fork", "parent_pid", "parent->pid"},
    {"sched_process_fork", "child_comm", "child->comm"},
    {"sched_process_fork", "child_pid", "child->pid"},
    {"sys_enter", "id", "id"},
    {"sys_exit", "id", "regs->orig_ax|regs->syscallno"},
    {"sys_exit", "ret", "ret"},
    {"irq_handler_entry irq_handler_exit", "irq", "irq"},
    {"irq_handler_entry", "name", "action->name"},
    {"softirq_entry softirq_exit softirq_raise", "vec", "vec_nr"},
    {"netif_receive_skb net_dev_queue netif_rx net_dev_xmit kfree_skb consume_skb", "skbaddr", "skb"},
    {"netif_receive_skb net_dev_queue netif_rx", "len", "skb->len"},
    {"netif_receive_skb net_dev_queue netif_rx", "name", "skb->dev->name"},
    {"net_dev_xmit", "len", "skb_len"},
    {"net_dev_xmit", "rc", "rc"},
    {"net_dev_xmit", "name", "dev->name"},
    {"kfree_skb consume_skb", "location", "location"},
    {"kfree_skb", "reason", "reason"},
    {"inet_sock_set_state", "skaddr", "sk"},
    {"inet_sock_set_state", "oldstate", "oldstate"},
    {"inet_sock_set_state", "newstate", "newstate"},
    {"sk_data_ready", "skaddr", "sk"},
    {"sock_send_length sock_recv_length", "sk", "sk"},
    {"sock_send_length sock_recv_length", "flags", "flags"},
    {"kmalloc kfree kmem_cache_alloc kmem_cache_free", "call_site", "call_site"},
    {"kmalloc kfree kmem_cache_alloc kmem_cache_free", "ptr", "ptr"},
    {"kmalloc", "bytes_req", "bytes_req"},
    {"kmalloc", "bytes_alloc", "bytes_alloc"},
    {"signal_generate signal_deliver", "sig", "sig"},
    {"signal_generate", "comm", "task->comm"},
    {"signal_generate", "pid", "task->pid"},
    {"signal_generate", "group", "group"},
    {"signal_generate", "result", "result"},
    {"signal_deliver", "sa_handler", "ka->sa.sa_handler"},
    {"signal_deliver", "sa_flags", "ka->sa.sa_flags"},
    {"task_newtask task_rename", "pid", "task->pid"},
    {"task_newtask", "comm", "task->comm"},
    {"task_newtask", "clone_flags", "clone_flags"},
    {"task_newtask", "oom_score_adj", "task->signal->oom_score_adj"},
    {"task_rename", "oldcomm", "task->comm"},
    {"page_fault_user page_fault_kernel", "address", "address"},
    {"page_fault_user page_fault_kernel", "ip", "regs->ip"},
    {"page_fault_user page_fault_kernel", "error_code", "error_code"},
    {"workqueue_execute_start workqueue_execute_end", "work", "work"},
    {"workqueue_execute_start", "function", "work->func"},
    {"cpu_idle cpu_frequency", "state", "state"},
    {"cpu_idle cpu_frequency", "cpu_id", "cpu_id"},
    {"contention_begin contention_end", "lock_addr", "lock"},
    {"contention_begin", "flags", "flags"},
    {"contention_end", "ret", "ret"},
    {"cap_capable", "cred", "cred"},
    {"cap_capable", "target_ns", "targ_ns|target_ns"},
    {"cap_capable", "capable_ns", "capable_ns"},
    {"cap_capable", "cap", "cap"},
    {"cap_capable", "ret", "ret"},
    {"timer_start timer_cancel timer_expire_entry timer_expire_exit timer_init", "timer", "timer"},
    {"timer_start", "function", "timer->function"},
    {"timer_start", "expires", "timer->expires"},
});

const DerivationRow* row_of(std::string_view event, std::string_view field) {
  for (const DerivationRow& row : kDerivations) {
    if (row.field != field) continue;
    for (std::string_view name : split_words(row.events))
      if (name == event) return &row;
  }
  return nullptr;
}

struct MemberPlace { btf::TypeId type; std::uint32_t offset = 0; };

// A member of a struct, those of anonymous structs and unions in it too. Bit-fields are left out: they have no address.
std::optional<MemberPlace> member_of(const btf::Btf& btf, btf::TypeId type, std::string_view name, int depth = 0) {
  btf::Type composite = btf.resolve(type);
  if (depth > 8 || (composite.kind() != btf::Kind::struct_ && composite.kind() != btf::Kind::union_)) return std::nullopt;
  for (const btf::Member& member : composite.members()) {
    if (member.bitfield_size != 0 || member.bit_offset % 8 != 0) continue;
    if (member.name == name) return MemberPlace{member.type, member.bit_offset / 8};
    if (!member.name.empty()) continue;
    if (auto inner = member_of(btf, member.type, name, depth + 1)) return MemberPlace{inner->type, inner->offset + member.bit_offset / 8};
  }
  return std::nullopt;
}

struct Found {
  btf::TypeId type;
  Source source;
  bool loadable = true;   ///< by a typed program
};

// "prev->signal->x", "p->thread_info.cpu", "id": the type that is there, and how to get it.
std::optional<Found> follow(std::string_view path, const ArgumentSet& raw) {
  std::size_t end = path.find("->");
  auto parameter = std::ranges::find(raw.arguments, path.substr(0, end), &Argument::name);
  if (parameter == raw.arguments.end() || !std::holds_alternative<InContext>(parameter->source)) return std::nullopt;
  Found found{parameter->type, parameter->source, is_loadable(*raw.btf, parameter->type)};
  if (end == path.npos) return found;
  Behind behind{std::get<InContext>(parameter->source).offset, {}};
  while (end != path.npos) {
    path.remove_prefix(end + 2);
    end = path.find("->");
    btf::Type pointer = raw.btf->resolve(found.type);
    if (pointer.kind() != btf::Kind::ptr) return std::nullopt;
    MemberPlace at{pointer.target(), 0};
    for (std::string_view name : split(path.substr(0, end), '.')) {
      auto member = member_of(*raw.btf, at.type, name);
      if (!member) return std::nullopt;
      at = {member->type, at.offset + member->offset};
    }
    behind.steps.push_back(at.offset);
    found.type = at.type;
  }
  found.source = std::move(behind);
  return found;
}

// Is what was found the field, bit by bit? Text that the record holds elsewhere (`__data_loc char[]`) is an array that the
// arguments have, or a pointer to it.
std::optional<Source> as_field(const Found& found, const Argument& field, const ArgumentSet& record, const btf::Btf& btf) {
  btf::Type type = btf.resolve(found.type);
  if (std::holds_alternative<Located>(field.source)) {
    if (!std::holds_alternative<Behind>(found.source)) return std::nullopt;
    if (type.kind() == btf::Kind::array) return found.source;
    if (type.kind() != btf::Kind::ptr) return std::nullopt;
    Behind behind = std::get<Behind>(found.source);
    behind.steps.push_back(0);
    return behind;
  }
  btf::Type wanted = record.btf->resolve(field.type);
  if ((wanted.kind() == btf::Kind::array) != (type.kind() == btf::Kind::array)) return std::nullopt;
  if (btf.size_of(found.type).value_or(0) != field.size) {
    // An integer parameter has all 8 bytes of its slot; the record keeps what fits.
    bool is_slot = std::holds_alternative<InContext>(found.source);
    bool cut = is_slot && btf.size_of(found.type).value_or(0) > field.size && field.size <= 8;
    if (!cut) return std::nullopt;
  }
  return found.source;
}

}  // namespace

std::span<const DerivationRow> derivations() { return kDerivations; }

std::optional<ArgumentSet> derive(std::string_view event, const ArgumentSet& record, const ArgumentSet& raw, const std::vector<std::string>& needed) {
  ArgumentSet derived{.btf = record.btf, .typed_pointers = raw.typed_pointers};
  for (const std::string& name : needed) {
    auto field = std::ranges::find(record.arguments, name, &Argument::name);
    const DerivationRow* row = row_of(event, name);
    if (field == record.arguments.end() || row == nullptr) return std::nullopt;
    std::optional<Source> source;
    for (std::string_view path : split(row->from, '|')) {
      auto found = follow(path, raw);
      if (!found || !(source = as_field(*found, *field, record, *raw.btf))) continue;
      derived.typed_pointers = derived.typed_pointers && found->loadable;
      break;
    }
    if (!source) return std::nullopt;
    derived.arguments.push_back(*field);
    derived.arguments.back().source = std::move(*source);
  }
  return derived;
}

}  // namespace espy::trace::probes
