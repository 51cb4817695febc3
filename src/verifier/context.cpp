// The context: what a program may read and write of what it is called with, and what it reads there. Rows of src/facts say
// which bytes; contexts of kernel types (fentry, LSM, struct_ops, iterators) are read as the arguments that BTF tells.
#include "verifier/checker.hpp"

namespace espy::verifier {

using facts::ContextValue;

void Checker::load_context_value(Reg& reg, const facts::ContextFieldRow& field) {
  const auto maybe_null = [&](RegType type) {
    reg = Reg::pointer(type, kMaybeNull);
    reg.id = new_id();
  };
  switch (field.value) {
    case ContextValue::scalar: set_unknown(reg); break;
    case ContextValue::packet: reg = Reg::pointer(RegType::packet); break;
    case ContextValue::packet_meta: reg = Reg::pointer(RegType::packet_meta); break;
    case ContextValue::packet_end: reg = Reg::pointer(RegType::packet_end); break;
    case ContextValue::flow_keys: reg = Reg::pointer(RegType::flow_keys); break;
    case ContextValue::socket: reg = Reg::pointer(RegType::socket); break;
    case ContextValue::socket_or_null: maybe_null(RegType::socket); break;
    case ContextValue::sock_common_or_null: maybe_null(RegType::sock_common); break;
    case ContextValue::tracepoint_buffer: reg = Reg::pointer(RegType::tp_buffer); break;
    case ContextValue::btf: {
      const auto type = types_.kernel_struct(field.type);
      if (!type) {
        set_unknown(reg);
        break;
      }
      reg = Reg::pointer(RegType::btf, kTrusted);
      reg.type_id = static_cast<std::uint32_t>(*type);
      break;
    }
  }
}

bool Checker::access_context(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const bool writes = access == Access::write;
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const auto refuse = [&] {
    failure_.offset = off;
    failure_.size = size;
    return reject_reg(Rule::context_access, at, "invalid bpf_context access off={} size={}", off, size);
  };
  if (context_ == nullptr) return refuse();
  if (context_->kind == facts::ContextKind::arguments || typed_context_) return typed_context(off, size, access, value_reg);
  if (context_->kind == facts::ContextKind::bytes) {
    const std::int64_t whole = type_ == facts::ProgType::syscall ? std::int64_t{off} + reg.off : off;
    const bool inside = whole >= context_->first && whole + size <= context_->end && whole % size == 0;
    if (!inside || (writes && profile_.version < context_->writable)) return refuse();
    if (!writes && value_reg >= 0) {
      if (type_ == facts::ProgType::raw_tracepoint_writable && off == 0 && size == 8) regs()[value_reg] = Reg::pointer(RegType::tp_buffer);
      else set_unknown(regs()[value_reg]);
    }
    return true;
  }
  const bool extends = code_.insns[insn_].op == isa::Operation::load_signed;
  const facts::ContextFieldRow* field = facts::allowed_access(
      *context_->layout, context_->user, {.offset = off, .size = size, .write = writes, .sign_extends = extends, .version = profile_.version, .privileged = privileged()});
  if (field == nullptr) return refuse();
  if (!writes && value_reg >= 0) load_context_value(regs()[value_reg], *field);
  return true;
}

bool Checker::access_socket(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const Reg& reg = regs()[number];
  if (reg.value.smin < 0)
    return reject_reg(Rule::unbounded_offset, static_cast<int>(number), "R{} min value is negative, either use unsigned index or do a if (index >=0) check.", number);
  const facts::ContextLayout& layout = reg.type == RegType::tcp_sock      ? facts::tcp_sock_layout()
                                       : reg.type == RegType::xdp_sock    ? facts::xdp_sock_layout()
                                       : reg.type == RegType::sock_common ? facts::sock_common_layout()
                                                                          : facts::sock_layout();
  const facts::ContextFieldRow* field =
      facts::allowed_access(layout, facts::kPointerUser, {.offset = off, .size = size, .write = access == Access::write, .version = profile_.version});
  if (field == nullptr) {
    failure_.offset = off;
    failure_.size = size;
    return reject_reg(Rule::context_access, static_cast<int>(number), "R{} invalid {} access off={} size={}", number, type_name(reg), off, size);
  }
  if (value_reg >= 0) set_unknown(regs()[value_reg]);
  return true;
}

}  // namespace espy::verifier
