// Calls of helpers: may this program call it, are the arguments what its prototype asks for, what does it leave behind.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

using facts::Arg;
using facts::Return;

enum HelperId : std::int32_t {
  kMapLookup = 1, kMapUpdate = 2, kMapDelete = 3, kTracePrintk = 6, kTailCall = 12, kGetLocalStorage = 81, kProbeReadStr = 45, kGetStack = 67,
  kSpinLock = 93, kSpinUnlock = 94, kProbeReadUserStr = 114, kProbeReadKernelStr = 115, kGetTaskStack = 141, kForEachMapElem = 164,
  kSnprintf = 165, kTimerInit = 169, kTimerSetCallback = 170, kTraceVprintk = 177, kSeqPrintf = 126, kFindVma = 180, kLoop = 181, kStrncmp = 182,
  kKptrXchg = 194, kDynptrWrite = 202, kLookupPercpu = 195, kUserRingbufDrain = 209, kGetSmpProcessorId = 8, kSkcToTcpSock = 137,
};

constexpr std::int32_t kPoison = 0xbad2310;   // what linking puts in place of an instruction whose CO-RE relocation found nothing

/// Helpers that hand the socket that they get on, as another kind of it: the result lives as long as the argument.
bool casts_pointer(std::int32_t helper) {
  return helper == 95 || helper == 96 || helper == 98 || (helper >= 136 && helper <= 140) || helper == 178 || helper == 196;
}

/// Helpers that programs without privileges may call, where their type has them.
constexpr std::uint32_t kUnprivileged[] = {1, 2, 3, 5, 7, 8, 12, 25, 26, 42, 46, 47, 68, 87, 88, 89, 125, 130, 131, 132, 133, 134, 195};

/// Helpers that only some attach types of a program type have.
bool attached_right(std::uint32_t helper, facts::ProgType type, std::optional<facts::AttachType> attach) {
  using facts::AttachType;
  const auto is = [&](auto... types) { return attach && ((*attach == types) || ...); };
  switch (helper) {
    case 64: return is(AttachType::cgroup_inet4_connect, AttachType::cgroup_inet6_connect);
    case 126:
    case 127:
    case 150: return is(AttachType::trace_iter);
    case 183:
    case 184:
    case 185: return type != facts::ProgType::tracing || is(AttachType::trace_fentry, AttachType::trace_fexit, AttachType::modify_return);
    default: return true;
  }
}

/// Helpers that get a map from something else than an argument of its own.
bool maps_by_value(std::int32_t helper) { return (helper >= kTimerInit && helper <= 172) || helper == kKptrXchg; }

}  // namespace

bool Checker::helper_allowed(const facts::HelperRow& helper) {
  const auto since = facts::callable_since(type_, helper);
  if (!since || profile_.version < *since || profile_.version < helper.since || !attached_right(helper.id, type_, attach_) ||
      (!privileged() && std::ranges::find(kUnprivileged, helper.id) == std::end(kUnprivileged)))
    return reject(Rule::helper_not_allowed, "program of this type cannot use helper {}#{}", helper.name, helper.id);
  if (helper.gpl_only && !gpl_compatible_)
    return reject(Rule::gpl_only, "cannot call GPL-restricted function from non-GPL compatible program");
  const facts::Prototype* for_type = facts::prototype_of(helper.id, program_.spec.type);
  const facts::Prototype& prototype = for_type != nullptr ? *for_type : facts::prototypes()[helper.id];
  if (prototype.might_sleep && !in_sleepable()) return reject(Rule::sleepable, "helper call might sleep in a non-sleepable prog");
  if (prototype.might_sleep && state_->rcu) return reject(Rule::rcu, "sleepable helper {}#{} in rcu_read_lock region", helper.name, helper.id);
  if (prototype.might_sleep && state_->preempt_disabled != 0)
    return reject(Rule::sleepable, "sleepable helper {}#{} in non-preemptible region", helper.name, helper.id);
  if (prototype.might_sleep && state_->active_irq != 0)
    return reject(Rule::irq, "sleepable helper {}#{} in IRQ-disabled region", helper.name, helper.id);
  return true;
}

bool Checker::call_helper(const Insn& insn) {
  if (insn.imm == 0) return reject(Rule::helper_not_allowed, "program of this type cannot use helper bpf_unspec#0");
  const facts::HelperRow* helper = insn.imm > 0 ? facts::find_helper(static_cast<std::uint32_t>(insn.imm)) : nullptr;
  if (insn.imm == kPoison) return reject(Rule::missing_core_field, "invalid func unknown#{}", insn.imm);
  if (helper == nullptr || static_cast<std::size_t>(insn.imm) >= facts::prototypes().size())
    return reject(Rule::helper_not_allowed, "invalid func unknown#{}", insn.imm);
  if (!helper_allowed(*helper)) return false;
  CallMeta meta;
  meta.name = helper->name;
  meta.helper = insn.imm;
  meta.prototype = facts::prototype_of(helper->id, program_.spec.type);
  for (unsigned i = 0; i < meta.prototype->args.size(); ++i) {
    if (meta.prototype->args[i].kind == Arg::none) break;
    if (!check_argument(i, meta)) return false;
  }
  if (meta.map && !maps_by_value(meta.helper) && !check_map_and_helper(maps_[*meta.map], meta.helper)) return false;
  if (meta.map) note_map(*meta.map);
  for (std::uint32_t i = 0; i < meta.access_size; ++i)
    if (!access_memory(static_cast<unsigned>(meta.raw_reg), static_cast<std::int32_t>(i), 1, Access::write, kNoRegister, false, false)) return false;
  if (!check_helper_specials(meta)) return false;
  if (!set_helper_result(meta)) return false;
  const bool writes_skb = meta.helper == kDynptrWrite && (meta.dynptr == DynptrType::skb || meta.dynptr == DynptrType::skb_meta);
  if (meta.prototype->changes_packet || writes_skb) forget_packet();
  return true;
}

bool Checker::check_helper_specials(CallMeta& meta) {
  if (meta.prototype->releases && meta.release_reg != 0) {
    const Reg& released = regs()[meta.release_reg];
    if (meta.dynptr != DynptrType::none) {
      if (!drop_dynptr(static_cast<unsigned>(meta.release_reg))) return false;
    } else if (meta.ref_id != 0) {
      if (!let_go(meta.ref_id)) return reject(Rule::leaked_reference, "func {}#{} reference has not been acquired before", meta.name, meta.helper);
    } else if (!released.is_null()) {
      return reject(Rule::leaked_reference, "func {}#{} reference has not been acquired before", meta.name, meta.helper);
    }
  }
  switch (meta.helper) {
    case kTailCall:
      if (!check_holds(false, "tail_call")) return false;
      if (code_.subprograms.size() > 1 && !profile_.has(Behaviour::tail_calls_in_functions))
        return reject(Rule::tail_call, "tail_calls are not allowed in programs with bpf-to-bpf calls");
      return true;
    case kGetLocalStorage:
      if (!regs()[2].is_null()) return reject_reg(Rule::wrong_argument, 2, "get_local_storage() doesn't support non-zero flags");
      return true;
    case kForEachMapElem:
    case kFindVma:
    case kUserRingbufDrain: return call_back(meta, false);
    case kTimerSetCallback: return call_back(meta, true);
    case kLoop: {
      // The first argument says when the turns are over.
      if (!need_precise(1)) return false;
      Frame& frame = state_->frame();
      if (frame.callback_depth < regs()[1].value.umax) return call_back(meta, false);
      frame.callback_depth = 0;
      return true;
    }
    case 173:   // bpf_get_func_ip: of a function that the program is attached to
      if (type_ == facts::ProgType::kprobe) return true;
      if (type_ == facts::ProgType::tracing && (attach_ == facts::AttachType::trace_fentry || attach_ == facts::AttachType::trace_fexit || attach_ == facts::AttachType::modify_return)) return true;
      return reject(Rule::helper_not_allowed, "func {}#{} not supported for program type {}", meta.name, meta.helper, std::to_underlying(type_));
    case kSnprintf: return check_formatting(3, 4);
    default: return true;
  }
}

bool Checker::set_helper_result(CallMeta& meta) {
  const facts::Prototype& prototype = *meta.prototype;
  for (unsigned reg = 0; reg <= 5; ++reg) regs()[reg] = Reg{};
  Reg& result = regs()[0];
  const auto typed = [&](std::uint32_t flags) {
    if (meta.helper == kKptrXchg && meta.kptr != nullptr) {
      result = Reg::pointer(RegType::btf, flags | (meta.kptr->btf == BtfRef::program ? kAlloc : kTrusted));
      result.btf = meta.kptr->btf;
      result.type_id = static_cast<std::uint32_t>(meta.kptr->type);
      return true;
    }
    const auto type = types_.kernel_struct(prototype.type);
    if (!type) return reject(Rule::missing_btf, "invalid return type {} of func {}#{}", prototype.type, meta.name, meta.helper);
    result = Reg::pointer(RegType::btf, flags | kTrusted);
    result.type_id = static_cast<std::uint32_t>(*type);
    return true;
  };
  switch (prototype.returns) {
    case Return::integer: set_unknown(result); break;
    case Return::nothing: break;
    case Return::map_value:
    case Return::map_value_or_null: {
      if (!meta.map) return reject(Rule::wrong_argument, "kernel subsystem misconfigured verifier");
      const MapView& map = maps_[*meta.map];
      bool maybe_null = prototype.returns == Return::map_value_or_null;
      const bool array = map.spec->type == facts::MapType::array || map.spec->type == facts::MapType::percpu_array;
      if (maybe_null && meta.helper == kMapLookup && array && !map.inner && profile_.has(Behaviour::lookup_constant_key) && meta.constant_key &&
          *meta.constant_key < map.spec->max_entries)
        maybe_null = false;
      InsnFacts& fact = facts_[insn_];
      fact.result_not_null = !maybe_null && (!fact.reached || fact.result_not_null);
      result = Reg::pointer(RegType::map_value, maybe_null ? kMaybeNull : 0U);
      result.map = *meta.map;
      result.map_uid = meta.map_uid;
      if (!maybe_null && map.record->has_lock()) result.id = new_id();
      if (!maybe_null && map.inner_view != 0) adopt_null_check(result);
      break;
    }
    case Return::socket_or_null: result = Reg::pointer(RegType::socket, kMaybeNull); break;
    case Return::tcp_sock_or_null: result = Reg::pointer(RegType::tcp_sock, kMaybeNull); break;
    case Return::sock_common_or_null: result = Reg::pointer(RegType::sock_common, kMaybeNull); break;
    case Return::mem_or_null:
      result = Reg::pointer(RegType::mem, kMaybeNull | kRingbuf);
      result.mem_size = static_cast<std::uint32_t>(meta.mem_size);
      break;
    case Return::dynptr_mem_or_null:
      result = Reg::pointer(RegType::mem, kMaybeNull);
      result.mem_size = static_cast<std::uint32_t>(meta.mem_size);
      result.second = meta.dynptr_id;
      break;
    case Return::btf:
      if (!typed(0)) return false;
      break;
    case Return::btf_or_null:
      if (!typed(kMaybeNull)) return false;
      break;
    case Return::percpu:
    case Return::percpu_or_null: {
      const std::uint32_t flags = prototype.returns == Return::percpu_or_null ? kMaybeNull : 0U;
      const btf::Btf* btf = types_.btf(meta.btf);
      const btf::Type type = btf != nullptr ? btf->resolve(btf::TypeId{meta.type_id}) : btf::Type(*types_.own()->find(btf::kVoid));
      if (type.kind() == btf::Kind::struct_ || type.kind() == btf::Kind::union_) {
        result = Reg::pointer(RegType::btf, flags);
        result.btf = meta.btf;
        result.type_id = static_cast<std::uint32_t>(type.id());
      } else {
        result = Reg::pointer(RegType::mem, flags | kReadOnly);
        result.mem_size = types_.size(meta.btf, btf::TypeId{meta.type_id});
      }
      break;
    }
  }
  if (result.is_pointer() && result.maybe_null()) result.id = new_id();
  if (meta.helper == 203) return true;   // dynptr_data: lives as long as the dynptr, which `second` names
  if (casts_pointer(meta.helper)) {
    result.ref_id = meta.ref_id;
  } else {
    const bool of_sockets = meta.helper == kMapLookup && meta.map &&
                            (maps_[*meta.map].spec->type == facts::MapType::sockmap || maps_[*meta.map].spec->type == facts::MapType::sockhash);
    if ((prototype.acquires && prototype.returns != Return::integer) || of_sockets) {
      const std::uint32_t id = hold(HoldKind::pointer);
      result.id = id;
      result.ref_id = id;
    }
  }
  bound_helper_result(meta);
  return true;
}

/// What helpers promise of the number that they return.
void Checker::bound_helper_result(CallMeta& meta) {
  Reg& result = regs()[0];
  if (!result.is_scalar()) return;
  switch (meta.helper) {
    case kGetStack:
    case kGetTaskStack:
    case kProbeReadStr:
    case kProbeReadKernelStr:
    case kProbeReadUserStr:
      result.value.smax = static_cast<std::int64_t>(meta.msize_max);
      result.value.s32max = static_cast<std::int32_t>(meta.msize_max);
      result.value.smin = -4095;
      result.value.s32min = -4095;
      break;
    case kGetSmpProcessorId: {
      if (!profile_.has(Behaviour::helper_ranges)) return;
      const std::uint32_t cpus = possible_cpus();
      result.value.umax = result.value.u32max = cpus - 1;
      result.value.smax = result.value.s32max = static_cast<std::int32_t>(cpus - 1);
      result.value.umin = result.value.u32min = 0;
      result.value.smin = result.value.s32min = 0;
      break;
    }
    default: return;
  }
  sync(result.value, how_);
}

/// Which helpers take maps of which types.
bool Checker::check_map_and_helper(const MapView& map, std::int32_t helper) {
  const facts::HelperRow* row = facts::find_helper(static_cast<std::uint32_t>(helper));
  const auto since = facts::takes_map_since(*row, map.spec->type);
  const bool changes = helper == kMapUpdate || helper == kMapDelete || helper == 87 || helper == 88;
  if (changes && (map_flags(map) & kReadOnlyProg) != 0) return reject(Rule::read_only, "write into map forbidden");
  if (since && profile_.version >= *since) return true;
  if (helper == kTailCall) return reject(Rule::tail_call, "expected prog array map for tail call");
  if (helper == kForEachMapElem) return reject(Rule::map_use, "callback function not allowed for map");
  return reject(Rule::map_use, "cannot pass map_type {} into func {}#{}", std::to_underlying(map.spec->type), row->name, helper);
}

}  // namespace espy::verifier
