// Reading and writing registers, and the names that messages give to what they hold.
#include "verifier/checker.hpp"

namespace espy::verifier {

bool Checker::read_reg(unsigned number) {
  const Reg& reg = regs()[number];
  if (reg.type != RegType::not_init) return true;
  return reject_reg(Rule::uninitialised_register, static_cast<int>(number), "R{} !read_ok", number);
}

bool Checker::write_reg(unsigned number) {
  if (number != isa::kFramePointer) return true;
  return reject(Rule::read_only, "frame pointer is read only");
}

void Checker::set_unknown(Reg& reg) const {
  reg = Reg::unknown();
  reg.precise = !capable_;
}

/// What a pointer is once what it pointed to is gone: a number that means nothing.
void Checker::invalidate(Reg& reg) const {
  const std::uint8_t live = reg.live;
  if (leaks_allowed_) set_unknown(reg);
  else reg = Reg{};
  reg.live = live;
}

void Checker::set_constant(Reg& reg, std::uint64_t number) const {
  reg = Reg::constant(number);
  reg.precise = !capable_;
}

/// Before a number is copied: both copies share an id, so that what one is found to be, the other is too. A constant needs none.
void Checker::give_scalar_id(Reg& reg) {
  if (!reg.is_scalar()) return;
  if ((reg.id & kIdPlusConstant) != 0) {
    reg.id = 0;
    reg.off = 0;
  }
  if (reg.id == 0 && !reg.value.is_const()) reg.id = new_id();
}

std::string type_name(RegType type, std::uint32_t flags) {
  const char* base = "?";
  switch (type) {
    case RegType::not_init: base = "?"; break;
    case RegType::scalar: base = "scalar"; break;
    case RegType::ctx: base = "ctx"; break;
    case RegType::map_ptr: base = "map_ptr"; break;
    case RegType::map_value: base = "map_value"; break;
    case RegType::map_key: base = "map_key"; break;
    case RegType::stack: base = "fp"; break;
    case RegType::packet_meta: base = "pkt_meta"; break;
    case RegType::packet: base = "pkt"; break;
    case RegType::packet_end: base = "pkt_end"; break;
    case RegType::flow_keys: base = "flow_keys"; break;
    case RegType::socket: base = "sock"; break;
    case RegType::sock_common: base = "sock_common"; break;
    case RegType::tcp_sock: base = "tcp_sock"; break;
    case RegType::tp_buffer: base = "tp_buffer"; break;
    case RegType::xdp_sock: base = "xdp_sock"; break;
    case RegType::btf: base = "ptr_"; break;
    case RegType::mem: base = "mem"; break;
    case RegType::arena: base = "arena"; break;
    case RegType::buffer: base = "buf"; break;
    case RegType::func: base = "func"; break;
    case RegType::dynptr: base = "dynptr_ptr"; break;
  }
  std::string name;
  if ((flags & kReadOnly) != 0) name += "rdonly_";
  if ((flags & kRingbuf) != 0) name += "ringbuf_";
  if ((flags & kUser) != 0) name += "user_";
  if ((flags & (kPerCpu | kPercpuMem)) != 0) name += "percpu_";
  if ((flags & kUntrusted) != 0) name += "untrusted_";
  if ((flags & kTrusted) != 0) name += "trusted_";
  if ((flags & kRcu) != 0) name += "rcu_";
  name += base;
  if ((flags & kMaybeNull) != 0) name += type == RegType::btf ? "or_null_" : "_or_null";
  return name;
}

std::string type_name(const Reg& reg) { return type_name(reg.type, reg.flags); }

}  // namespace espy::verifier
