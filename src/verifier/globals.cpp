// Global functions: verified once, alone, on what their BTF promises of the arguments; a call checks that it keeps the promise.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

bool is_struct(btf::Kind kind) { return kind == btf::Kind::struct_ || kind == btf::Kind::union_; }
bool is_number(btf::Kind kind) { return kind == btf::Kind::int_ || kind == btf::Kind::enum_ || kind == btf::Kind::enum64; }

/// The context's structure, by program type, as programs name it.
std::string_view context_name(facts::ProgType type) {
  using enum facts::ProgType;
  switch (type) {
    case socket_filter: case sched_cls: case sched_act: case cgroup_skb: case lwt_in: case lwt_out: case lwt_xmit: case lwt_seg6local:
    case sk_skb: case flow_dissector: return "__sk_buff";
    case xdp: return "xdp_md";
    case cgroup_sock: return "bpf_sock";
    case cgroup_sock_addr: return "bpf_sock_addr";
    case sock_ops: return "bpf_sock_ops";
    case sk_msg: return "sk_msg_md";
    case kprobe: return "bpf_user_pt_regs_t";
    case perf_event: return "bpf_perf_event_data";
    case raw_tracepoint: case raw_tracepoint_writable: return "bpf_raw_tracepoint_args";
    case cgroup_device: return "bpf_cgroup_dev_ctx";
    case cgroup_sysctl: return "bpf_sysctl";
    case cgroup_sockopt: return "bpf_sockopt";
    case sk_reuseport: return "sk_reuseport_md";
    case sk_lookup: return "bpf_sk_lookup";
    case netfilter: return "bpf_nf_ctx";
    default: return "";
  }
}

/// What an argument's declaration tags say.
struct ArgumentTags {
  bool trusted = false, untrusted = false, nullable = false, nonnull = false, context = false, arena = false;
};
ArgumentTags tags_of(const btf::Btf& btf, btf::TypeId function, std::uint32_t argument) {
  ArgumentTags tags;
  for (std::uint32_t id = btf.start_id(); id < btf.type_count(); ++id) {
    const btf::Type tag = btf.type(btf::TypeId{id});
    if (tag.kind() != btf::Kind::decl_tag || tag.target() != function || tag.component_index() != static_cast<std::int32_t>(argument)) continue;
    const std::string_view text = tag.name();
    tags.context = tags.context || text == "arg:ctx";
    tags.trusted = tags.trusted || text == "arg:trusted";
    tags.untrusted = tags.untrusted || text == "arg:untrusted";
    tags.nullable = tags.nullable || text == "arg:nullable";
    tags.nonnull = tags.nonnull || text == "arg:nonnull";
    tags.arena = tags.arena || text == "arg:arena";
  }
  return tags;
}

/// Is this the context's structure, or a typedef that goes by its name?
bool is_context_type(const btf::Btf& btf, btf::TypeId id, facts::ProgType type) {
  const std::string_view context = context_name(type);
  if (context.empty()) return false;   // structures without a name are nobody's context
  const btf::Type target = btf.resolve(id);
  if (is_struct(target.kind()) && target.name() == context) return true;
  btf::Type named = btf.type(id);
  for (int depth = 0; depth < 8 && named.kind() != btf::Kind::struct_; ++depth) {
    if (named.kind() == btf::Kind::typedef_ && named.name() == context) return true;
    if (named.kind() != btf::Kind::typedef_ && named.kind() != btf::Kind::const_ && named.kind() != btf::Kind::volatile_) return false;
    named = btf.type(named.target());
  }
  return false;
}

}  // namespace

/// What BTF says of the arguments of a function of the program. False: it says nothing that can be relied on.
bool Checker::describe_arguments(std::uint32_t number) {
  if (global_arguments_.size() != code_.subprograms.size()) global_arguments_.resize(code_.subprograms.size());
  GlobalFunction& function = global_arguments_[number];
  if (function.described) return true;
  const Subprogram& subprogram = code_.subprograms[number];
  const btf::Btf* btf = types_.own();
  if (btf == nullptr || subprogram.func == btf::kVoid) return reject(Rule::missing_btf, "Func#{} has no BTF", number);
  const btf::Type proto = btf->type(btf->type(subprogram.func).target());
  if (proto.vlen() > 5) return reject(Rule::subprogram, "Global function {}() with {} > 5 args. Buggy compiler.", subprogram.name, proto.vlen());
  if (!is_number(btf->resolve(proto.target()).kind()))
    return reject(Rule::subprogram, "Global function {}() return value not void or int: Global function {}() doesn't return scalar. Only those are supported.", subprogram.name, subprogram.name);
  for (std::uint32_t i = 0; i < proto.vlen(); ++i) {
    GlobalArgument argument;
    const btf::Type type = btf->resolve(proto.param(i).type);
    if (type.kind() == btf::Kind::ptr) {
      if (!describe_pointer(number, i, type.target(), argument)) return false;
    } else if (!is_number(type.kind())) {
      return reject(Rule::subprogram, "Arg#{} type {} in {}() is not supported yet.", i, btf::to_string(type.kind()), subprogram.name);
    }
    function.arguments.push_back(argument);
  }
  function.described = true;
  return true;
}

bool Checker::describe_pointer(std::uint32_t number, std::uint32_t index, btf::TypeId pointee, GlobalArgument& argument) {
  using Kind = GlobalArgument::Kind;
  const btf::Btf& btf = *types_.own();
  const ArgumentTags tags = profile_.has(Behaviour::global_by_tags) ? tags_of(btf, code_.subprograms[number].func, index) : ArgumentTags{};
  const btf::Type target = btf.resolve(pointee);
  if (tags.context || is_context_type(btf, pointee, type_)) {
    argument.kind = Kind::context;
  } else if (tags.arena) {
    argument.kind = Kind::arena;
  } else if (tags.trusted || (tags.untrusted && is_struct(target.kind()) && types_.kernel_struct(btf::essential_name(target.name())))) {
    const auto kernel = types_.kernel_struct(btf::essential_name(target.name()));
    if (!kernel) return reject(Rule::subprogram, "arg#{} type {} is not found in the kernel", index, target.name());
    argument = {.kind = Kind::object, .type = *kernel, .nullable = tags.nullable, .untrusted = tags.untrusted};
  } else if (is_struct(target.kind()) && target.name() == "bpf_dynptr") {
    argument.kind = Kind::dynptr;
  } else if (tags.untrusted) {
    argument = {.kind = Kind::memory, .untrusted = true};
  } else {
    const auto size = btf.size_of(pointee);
    if (target.kind() == btf::Kind::void_ || target.kind() == btf::Kind::fwd || !size || *size == 0)
      return reject(Rule::subprogram, "arg#{} reference type('{}') size cannot be determined: -22", index, btf.type_name(pointee));
    argument = {.kind = Kind::memory, .size = *size, .nullable = !tags.nonnull};
  }
  return true;
}

/// At a function's entry (`entry`) its registers become what the arguments are; at a call they are held against that.
bool Checker::check_global_arguments(std::uint32_t number, bool entry) {
  if (!entry && types_.own() == nullptr) return true;
  if (!describe_arguments(number)) return false;
  const auto& arguments = global_arguments_[number].arguments;
  for (std::uint32_t i = 0; i < arguments.size(); ++i) {
    if (entry) regs()[i + 1] = promised(arguments[i]);
    else if (!read_reg(i + 1) || !keeps_promise(i + 1, arguments[i])) return false;
  }
  return true;
}

Reg Checker::promised(const GlobalArgument& argument) {
  Reg reg;
  switch (argument.kind) {
    case GlobalArgument::Kind::scalar: set_unknown(reg); break;
    case GlobalArgument::Kind::context: reg = Reg::pointer(RegType::ctx); break;
    case GlobalArgument::Kind::arena:
      reg = Reg::unknown();
      reg.type = RegType::arena;
      break;
    case GlobalArgument::Kind::dynptr:
      reg = Reg::pointer(RegType::dynptr);
      reg.dynptr = DynptrType::local;
      reg.id = new_id();
      break;
    case GlobalArgument::Kind::memory:
      reg = Reg::pointer(RegType::mem, argument.untrusted ? kReadOnly | kUntrusted : argument.nullable ? std::uint32_t{kMaybeNull} : 0U);
      reg.mem_size = argument.size;
      if (argument.nullable && !argument.untrusted) reg.id = new_id();
      break;
    case GlobalArgument::Kind::object:
      reg = Reg::pointer(RegType::btf, (argument.untrusted ? kUntrusted : kTrusted) | (argument.nullable ? kMaybeNull : 0U));
      reg.type_id = static_cast<std::uint32_t>(argument.type);
      if (reg.maybe_null()) reg.id = new_id();
      break;
  }
  return reg;
}

bool Checker::keeps_promise(unsigned number, const GlobalArgument& argument) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const bool any = argument.untrusted || (reg.is_null() && argument.nullable);
  switch (argument.kind) {
    case GlobalArgument::Kind::scalar:
      return reg.is_scalar() || reject_reg(Rule::subprogram, at, "R{} is not a scalar", number);
    case GlobalArgument::Kind::context:
      if (reg.type != RegType::ctx) return reject_reg(Rule::subprogram, at, "arg#{} expects pointer to ctx", number - 1);
      return check_pointer_offset(reg, number, false);
    case GlobalArgument::Kind::arena:
      return reg.type == RegType::arena || reg.is_scalar() || reject_reg(Rule::subprogram, at, "R{} is not a pointer to arena or scalar.", number);
    case GlobalArgument::Kind::dynptr: {
      CallMeta meta;
      return use_dynptr(number, facts::DynptrKind::any, meta, false);
    }
    case GlobalArgument::Kind::memory: return any || keeps_memory_promise(number, argument);
    case GlobalArgument::Kind::object: {
      if (any) return true;
      const std::uint32_t flags = argument.nullable ? reg.flags & ~kMaybeNull : reg.flags;
      const bool right = reg.type == RegType::btf && (flags == kTrusted || flags == 0 || flags == kRcu || reg.ref_id != 0) &&
                         types_.matches(reg.btf, btf::TypeId{reg.type_id}, reg.off, BtfRef::vmlinux, argument.type, false) && !reg.has(kUntrusted) &&
                         (argument.nullable || !reg.maybe_null());
      return right || reject_reg(Rule::subprogram, at, "R{} type={} expected={}", number, type_name(reg), "ptr_, trusted_ptr_, rcu_ptr_");
    }
  }
  return true;
}

bool Checker::keeps_memory_promise(unsigned number, const GlobalArgument& argument) {
  const auto accessible = [&] {
    return check_memory_argument(number, argument.size, Access::read, false, nullptr) && check_memory_argument(number, argument.size, Access::write, false, nullptr);
  };
  Reg& reg = regs()[number];
  if (!reg.is_pointer() || !reg.maybe_null()) return accessible();
  if (!argument.nullable) return reject_reg(Rule::missing_null_check, static_cast<int>(number), "arg#{} is expected to be non-NULL", number - 1);
  const Reg kept = reg;
  reg.flags &= ~kMaybeNull;
  const bool fine = accessible();
  regs()[number] = kept;
  return fine;
}

}  // namespace espy::verifier
