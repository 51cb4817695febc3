// The context: what a program may read and write of what it is called with, and what it reads there. Rows in
// src/facts/context_layouts.cpp say which bytes; contexts of kernel types (fentry, LSM, struct_ops, iterators) are read as the
// arguments that BTF tells.
#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

using facts::ContextValue;

bool access_fits(const facts::ContextField& field, std::int64_t off, unsigned size, bool writes) {
  const unsigned whole = field.element != 0 ? field.element : field.size;
  const std::int64_t inside = off - field.offset;
  if (off % size != 0) return false;
  if (size == whole) return inside % whole == 0;
  if (size < whole) return (field.access & (writes ? facts::ctx_narrow_write : facts::ctx_narrow_read)) != 0;
  return size == 8 && whole == 4 && (field.access & (writes ? facts::ctx_wide_write : facts::ctx_wide_read)) != 0 && inside % 8 == 0;
}

}  // namespace

void Checker::load_context_value(Reg& reg, ContextValue value) {
  const auto maybe_null = [&](RegType type) {
    reg = Reg::pointer(type, kMaybeNull);
    reg.id = new_id();
  };
  switch (value) {
    case ContextValue::scalar: set_unknown(reg); break;
    case ContextValue::packet: reg = Reg::pointer(RegType::packet); break;
    case ContextValue::packet_meta: reg = Reg::pointer(RegType::packet_meta); break;
    case ContextValue::packet_end: reg = Reg::pointer(RegType::packet_end); break;
    case ContextValue::flow_keys: reg = Reg::pointer(RegType::flow_keys); break;
    case ContextValue::socket: reg = Reg::pointer(RegType::socket); break;
    case ContextValue::socket_or_null: maybe_null(RegType::socket); break;
    case ContextValue::sock_common_or_null: maybe_null(RegType::sock_common); break;
    case ContextValue::xdp_sock_or_null: maybe_null(RegType::xdp_sock); break;
    case ContextValue::buffer: reg = Reg::pointer(RegType::packet); break;
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
  if (type_ == facts::ProgType::syscall) {
    // Memory of the caller's, of a size that the program asks for by touching it.
    const std::int64_t whole = std::int64_t{off} + reg.off;
    if (!reg.value.is_const() || whole < 0 || whole + size > 0xffff || whole % size != 0) return refuse();
    if (!writes && value_reg >= 0) set_unknown(regs()[value_reg]);
    return true;
  }
  if (typed_context_) return typed_context(off, size, access, value_reg);
  if (layout_ == nullptr || off < 0) return refuse();
  if (layout_->flat) {
    if (writes || off < static_cast<std::int64_t>(layout_->start) || off + size > layout_->size || off % size != 0) return refuse();
    if (value_reg >= 0) set_unknown(regs()[value_reg]);
    return true;
  }
  const facts::ContextField* field = facts::find_field(*layout_, off, size);
  if (field == nullptr || (field->access & (writes ? facts::ctx_write : facts::ctx_read)) == 0) return refuse();
  if (field->since != facts::KernelVersion{} && profile_.version < field->since) return refuse();
  if (field->attach != 0 && (!attach_ || std::to_underlying(*attach_) >= 64 || (field->attach >> std::to_underlying(*attach_) & 1) == 0)) return refuse();
  if (!access_fits(*field, off, size, writes)) return refuse();
  if (!writes && value_reg >= 0) load_context_value(regs()[value_reg], field->value);
  return true;
}

bool Checker::access_socket(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const Reg& reg = regs()[number];
  (void)access;
  if (reg.value.smin < 0)
    return reject_reg(Rule::unbounded_offset, static_cast<int>(number), "R{} min value is negative, either use unsigned index or do a if (index >=0) check.", number);
  constexpr std::int32_t kSock = 80, kTcpSock = 116, kXdpSock = 4;   // struct bpf_sock, bpf_tcp_sock, bpf_xdp_sock
  const std::int32_t limit = reg.type == RegType::tcp_sock ? kTcpSock : reg.type == RegType::xdp_sock ? kXdpSock : kSock;
  bool fine = off >= 0 && off + static_cast<std::int32_t>(size) <= limit && off % static_cast<std::int32_t>(size) == 0 && size <= 8;
  if (reg.type == RegType::tcp_sock) {
    const bool wide = off >= 48 && off < 64;   // bytes_received, bytes_acked
    fine = fine && (size == 4 || (wide && size == 8));
  } else if (reg.type != RegType::xdp_sock) {
    constexpr std::int32_t kSourcePort = 44, kDestinationPort = 48, kState = 72;
    const bool narrow = (off >= 24 && off < kSourcePort) || off < 24 || (off >= kDestinationPort && off < kState + 8);
    fine = fine && (size == 4 || (narrow && size < 4) || (off == kSourcePort && size == 2));
    if (reg.type == RegType::sock_common) fine = fine && !(off >= 0 && off < 4) && !(off >= 16 && off < 24);
  } else {
    fine = fine && size == 4;
  }
  if (!fine) return reject_reg(Rule::context_access, static_cast<int>(number), "R{} invalid {} access off={} size={}", number, type_name(reg), off, size);
  if (value_reg >= 0) set_unknown(regs()[value_reg]);
  return true;
}

}  // namespace espy::verifier
