// Arguments of helpers, against the prototype: the register's type, then what lies behind it.
#include <array>
#include <initializer_list>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

using facts::Arg;

constexpr std::int64_t kMaxSize = std::int64_t{1} << 29;

/// A kind of register that an argument takes, as the message names it.
struct Taken {
  RegType type{};
  std::uint32_t flags = 0;
};

std::initializer_list<Taken> taken_by(Arg kind) {
  static constexpr std::initializer_list<Taken> kMemory = {{RegType::stack}, {RegType::packet}, {RegType::packet_meta}, {RegType::map_key},
                                                           {RegType::map_value}, {RegType::mem}, {RegType::mem, kRingbuf}, {RegType::buffer},
                                                           {RegType::btf, kTrusted}};
  static constexpr std::initializer_list<Taken> kRingbufMem = {{RegType::mem, kRingbuf}};
  static constexpr std::initializer_list<Taken> kNumber = {{RegType::scalar}};
  static constexpr std::initializer_list<Taken> kContext = {{RegType::ctx}};
  static constexpr std::initializer_list<Taken> kMap = {{RegType::map_ptr}};
  static constexpr std::initializer_list<Taken> kValue = {{RegType::map_value}};
  static constexpr std::initializer_list<Taken> kLock = {{RegType::map_value}, {RegType::btf, kAlloc}};
  static constexpr std::initializer_list<Taken> kFunction = {{RegType::func}};
  static constexpr std::initializer_list<Taken> kStack = {{RegType::stack}};
  static constexpr std::initializer_list<Taken> kDynptr = {{RegType::stack}, {RegType::dynptr}};
  static constexpr std::initializer_list<Taken> kSockCommon = {{RegType::sock_common}, {RegType::socket}, {RegType::tcp_sock}, {RegType::xdp_sock}};
  static constexpr std::initializer_list<Taken> kBtfSockCommon = {{RegType::sock_common}, {RegType::socket}, {RegType::tcp_sock}, {RegType::xdp_sock},
                                                                  {RegType::btf}, {RegType::btf, kTrusted}};
  static constexpr std::initializer_list<Taken> kSocket = {{RegType::socket}};
  static constexpr std::initializer_list<Taken> kBtf = {{RegType::btf}, {RegType::btf, kTrusted}, {RegType::btf, kRcu}};
  static constexpr std::initializer_list<Taken> kPercpu = {{RegType::btf, kPerCpu}, {RegType::btf, kPerCpu | kRcu}, {RegType::btf, kPerCpu | kTrusted}};
  static constexpr std::initializer_list<Taken> kNothing = {};
  switch (kind) {
    case Arg::map_key:
    case Arg::map_value:
    case Arg::uninit_map_value:
    case Arg::mem:
    case Arg::write_mem:
    case Arg::uninit_mem:
    case Arg::fixed_mem:
    case Arg::fixed_write: return kMemory;
    case Arg::const_size:
    case Arg::const_size_or_zero:
    case Arg::alloc_size: return kNumber;
    case Arg::ringbuf_mem: return kRingbufMem;
    case Arg::ctx: return kContext;
    case Arg::const_map: return kMap;
    case Arg::spin_lock: return kLock;
    case Arg::kptr: return kLock;
    case Arg::timer:
    case Arg::const_str: return kValue;
    case Arg::callback: return kFunction;
    case Arg::dynptr_uninit: return kDynptr;
    case Arg::stack_or_null: return kStack;
    case Arg::dynptr: return kDynptr;
    case Arg::sock_common:
    case Arg::sock_or_null: return kSockCommon;
    case Arg::btf_sock_common: return kBtfSockCommon;
    case Arg::socket: return kSocket;
    case Arg::btf:
    case Arg::btf_or_null: return kBtf;
    case Arg::percpu_btf: return kPercpu;
    case Arg::none:
    case Arg::anything: return kNothing;
  }
  return kNothing;
}

bool takes_null(const facts::Argument& argument) {
  return argument.or_null || argument.kind == Arg::btf_or_null || argument.kind == Arg::sock_or_null || argument.kind == Arg::stack_or_null;
}

bool is_memory(Arg kind) {
  return kind == Arg::map_key || kind == Arg::map_value || kind == Arg::uninit_map_value || kind == Arg::mem || kind == Arg::write_mem ||
         kind == Arg::uninit_mem || kind == Arg::fixed_mem || kind == Arg::fixed_write;
}

}  // namespace

bool Checker::check_argument_type(unsigned number, facts::Argument argument, CallMeta& meta) {
  const Reg& reg = regs()[number];
  std::uint32_t flags = reg.flags & ~(kPacketSlice);
  if (argument.read_only_ok) flags &= ~kReadOnly;
  if (takes_null(argument)) flags &= ~kMaybeNull;
  if (argument.kind == Arg::kptr || argument.kind == Arg::spin_lock) flags &= ~(kNonOwning | kTrusted);
  if (meta.helper == 194 && number == 2) flags &= ~(kAlloc | kPercpuMem | kTrusted);   // what is exchanged: checked by the kptr
  for (const Taken& taken : taken_by(argument.kind))
    if (taken.type == reg.type && taken.flags == flags) {
      // Trusted pointers, and numbers of a pointer's own object, are compared with the type by name.
      return true;
    }
  std::string expected;
  for (const Taken& taken : taken_by(argument.kind)) expected += (expected.empty() ? "" : ", ") + type_name(taken.type, taken.flags);
  return reject_reg(reg.is_pointer() && reg.maybe_null() ? Rule::missing_null_check : Rule::wrong_argument, static_cast<int>(number), "R{} type={} expected={}",
                    number, type_name(reg), expected);
}

bool Checker::check_argument(unsigned index, CallMeta& meta) {
  const unsigned number = index + 1;
  facts::Argument argument = meta.prototype->args[index];
  if (!read_reg(number)) return false;
  Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (argument.kind == Arg::anything) {
    if (is_pointer_value(reg)) return reject_reg(Rule::pointer_leak, at, "R{} leaks addr into helper function", number);
    return true;
  }
  if (reg.is_packet() && !may_access_packet(&meta, Access::read)) return reject_reg(Rule::wrong_argument, at, "helper access to the packet is not allowed");
  // Values of socket maps are sockets.
  if ((argument.kind == Arg::map_value) && meta.map) {
    const facts::MapType type = maps_[*meta.map].spec->type;
    if (type == facts::MapType::sockmap || type == facts::MapType::sockhash) argument.kind = Arg::btf_sock_common;
    if (type == facts::MapType::bloom_filter && meta.helper == 89) argument.kind = Arg::map_value;
  }
  if (argument.kind == Arg::uninit_map_value && meta.map && maps_[*meta.map].spec->type == facts::MapType::bloom_filter && meta.helper == 89)
    argument.kind = Arg::map_value;
  const bool null = reg.is_null() && takes_null(argument);
  if (!null) {
    if (!check_argument_type(number, argument, meta)) return false;
    const bool movable = is_memory(argument.kind) || argument.kind == Arg::spin_lock || argument.kind == Arg::timer || argument.kind == Arg::kptr ||
                         argument.kind == Arg::const_str || argument.kind == Arg::dynptr || argument.kind == Arg::dynptr_uninit ||
                         argument.kind == Arg::stack_or_null || reg.type == RegType::scalar;
    const bool release = meta.prototype->releases && index == (meta.helper == 194 ? 1U : 0U);
    if (!movable || release) {
      if (release && reg.type != RegType::stack && reg.is_pointer() && reg.off != 0)
        return reject_reg(Rule::modified_pointer, at, "R{} must have zero offset when passed to release func or trusted arg to kfunc", number);
      if (reg.type != RegType::stack && reg.is_pointer() && !check_pointer_offset(reg, number, reg.type == RegType::btf)) return false;
    }
  }
  if (meta.prototype->releases && index == (meta.helper == 194 ? 1U : 0U) && !check_release_argument(number, reg, meta)) return false;
  if (reg.ref_id != 0 && argument.kind != Arg::kptr && argument.kind != Arg::dynptr) {
    if (meta.ref_id != 0) return reject(Rule::leaked_reference, "verifier internal error: more than one arg with ref_obj_id R{} {} {}", number, reg.ref_id, meta.ref_id);
    meta.ref_id = reg.ref_id;
  }
  if (null) return true;
  switch (argument.kind) {
    case Arg::const_map: {
      if (meta.map && meta.helper == 169 && (meta.map_uid != reg.map_uid || *meta.map != reg.map))
        return reject_reg(Rule::map_field, at, "timer pointer in R1 map_uid={} doesn't match map pointer in R2 map_uid={}", meta.map_uid, reg.map_uid);
      meta.map = reg.map;
      meta.map_uid = reg.map_uid;
      return true;
    }
    case Arg::map_key: {
      if (!meta.map) return reject(Rule::wrong_argument, "invalid map_ptr to access map->key");
      const MapView& map = maps_[*meta.map];
      if (!check_memory_argument(number, map.spec->key_size, Access::read, false, nullptr)) return false;
      const bool array = map.spec->type == facts::MapType::array || map.spec->type == facts::MapType::percpu_array;
      if (array && meta.helper == 1 && profile_.has(Behaviour::lookup_constant_key)) meta.constant_key = constant_key_of(number, map.spec->key_size);
      return true;
    }
    case Arg::map_value:
    case Arg::uninit_map_value: {
      if (!meta.map) return reject(Rule::wrong_argument, "invalid map_ptr to access map->value");
      const bool raw = argument.kind == Arg::uninit_map_value;
      if (raw) meta.raw_reg = at;
      return check_memory_argument(number, maps_[*meta.map].spec->value_size, raw ? Access::write : Access::read, false, &meta);
    }
    case Arg::mem:
    case Arg::write_mem: return true;   // with the size that follows
    case Arg::uninit_mem:
      meta.raw_reg = at;
      return true;
    case Arg::fixed_mem: return check_memory_argument(number, argument.size, Access::read, false, &meta);
    case Arg::fixed_write:
      meta.raw_reg = at;
      if (!check_memory_argument(number, argument.size, Access::write, false, &meta)) return false;
      return check_alignment(reg, 0, argument.size, true);
    case Arg::const_size:
    case Arg::const_size_or_zero: {
      const Arg memory = index > 0 ? meta.prototype->args[index - 1].kind : Arg::none;
      const bool writes = memory == Arg::uninit_mem || memory == Arg::write_mem;
      return check_size_argument(number - 1, number, writes ? Access::write : Access::read, argument.kind == Arg::const_size_or_zero, &meta);
    }
    case Arg::alloc_size:
      if (!reg.value.is_const()) return reject_reg(Rule::wrong_argument, at, "R{} is not a known constant'", number);
      meta.mem_size = reg.value.bits.value;
      return need_precise(number);
    default: return check_special_argument(number, argument, meta);
  }
}

bool Checker::check_release_argument(unsigned number, const Reg& reg, CallMeta& meta) {
  meta.release_reg = static_cast<int>(number);
  if (meta.prototype != nullptr && meta.prototype->args[number - 1].kind == Arg::dynptr) {
    if (reg.type != RegType::stack) return true;
    Frame* frame = nullptr;
    unsigned slot = 0;
    if (!object_slot(number, 2, "dynptr", frame, slot)) return false;
    if (slot < frame->slots && frame->stack[slot].kinds[7] == SlotKind::dynptr && frame->stack[slot].reg.ref_id != 0) return true;
    return reject_reg(Rule::dynptr, static_cast<int>(number), "arg {} is an unacquired reference", number);
  }
  if (reg.ref_id == 0 && !reg.is_null())
    return reject_reg(Rule::leaked_reference, static_cast<int>(number), "R{} must be referenced when passed to release function", number);
  return true;
}

bool Checker::check_memory_argument(unsigned number, std::uint64_t size, Access access, bool zero_ok, CallMeta* meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const auto bytes = static_cast<std::int64_t>(size);
  switch (reg.type) {
    case RegType::packet:
    case RegType::packet_meta: return check_packet_region(number, reg.off, bytes, zero_ok);
    case RegType::map_key:
      if (access == Access::write) return reject_reg(Rule::read_only, at, "R{} cannot write into {}", number, type_name(reg));
      return check_region(number, reg.off, bytes, maps_[reg.map].spec->key_size, zero_ok);
    case RegType::map_value: {
      const std::uint32_t flags = map_flags(maps_[reg.map]);
      if (access == Access::write && (flags & kReadOnlyProg) != 0)
        return reject_reg(Rule::read_only, at, "write into map forbidden, value_size={} off={} size={}", maps_[reg.map].spec->value_size, reg.off + reg.value.smin, bytes);
      if (access == Access::read && (flags & kWriteOnlyProg) != 0)
        return reject_reg(Rule::map_use, at, "read from map forbidden, value_size={} off={} size={}", maps_[reg.map].spec->value_size, reg.off + reg.value.smin, bytes);
      return check_map_region(number, reg.off, bytes, zero_ok, true);
    }
    case RegType::mem:
      if (access == Access::write && reg.has(kReadOnly)) return reject_reg(Rule::read_only, at, "R{} cannot write into {}", number, type_name(reg));
      return check_region(number, reg.off, bytes, reg.mem_size, zero_ok);
    case RegType::buffer:
      if (access == Access::write && reg.has(kReadOnly)) return reject_reg(Rule::read_only, at, "R{} cannot write into {}", number, type_name(reg));
      return access_buffer(number, reg.off, static_cast<unsigned>(size), Access::read, kNoRegister);
    case RegType::stack: return stack_initialised(number, 0, bytes, zero_ok, meta, access);
    case RegType::btf: return access_btf(number, 0, static_cast<unsigned>(size), Access::read, kNoRegister);
    default: break;
  }
  if (zero_ok && size == 0 && reg.is_null()) return true;
  return reject_reg(Rule::wrong_argument, at, "R{} type={} expected={}", number, type_name(reg), "fp");
}

bool Checker::check_size_argument(unsigned memory, unsigned number, Access access, bool zero_ok, CallMeta* meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (meta != nullptr) meta->msize_max = reg.value.umax;
  CallMeta* raw = meta;
  if (!reg.value.is_const() && meta != nullptr) {
    // How much will be written is not known, so all of it must be initialised.
    meta->raw_reg = 0;
    raw = nullptr;
  }
  if (reg.value.smin < 0) return reject_reg(Rule::unbounded_offset, at, "R{} min value is negative, either use unsigned or 'var &= const'", number);
  if (reg.value.umin == 0 && !zero_ok)
    return reject_reg(Rule::zero_size, at, "R{} invalid zero-sized read: u64=[{},{}]", number, reg.value.umin, reg.value.umax);
  if (reg.value.umax >= static_cast<std::uint64_t>(kMaxSize))
    return reject_reg(Rule::unbounded_offset, at, "R{} unbounded memory access, use 'var &= const' or 'if (var < const)'", number);
  return check_memory_argument(memory, reg.value.umax, access, zero_ok, raw) && need_precise(number);
}

/// The number that a key on the stack is, where it is one.
std::optional<std::uint64_t> Checker::constant_key_of(unsigned number, std::uint32_t key_size) {
  const Reg& reg = regs()[number];
  if (reg.type != RegType::stack || !reg.value.is_const()) return std::nullopt;
  Frame& frame = frame_of(reg);
  const std::int64_t off = reg.off + static_cast<std::int64_t>(reg.value.bits.value);
  if (off >= 0) return std::nullopt;
  const auto byte = static_cast<unsigned>(-off - 1);
  if (byte / 8 >= frame.slots) return std::nullopt;
  const StackSlot& slot = frame.stack[byte / 8];
  unsigned zeroes = 0, spilled = 0;
  for (unsigned i = byte % 8 + 1; i-- > 0 && slot.kinds[i] == SlotKind::zero;) ++zeroes;
  if (zeroes >= key_size) return 0;
  if (!slot.is_scalar_spill()) return std::nullopt;
  for (unsigned i = byte % 8 + 1; i-- > 0 && slot.kinds[i] == SlotKind::spill;) ++spilled;
  if (spilled != key_size || !slot.reg.value.is_const()) return std::nullopt;
  const std::uint64_t value = slot.reg.value.bits.value;
  // That it is this number decides whether the result may be NULL.
  back_regs_.fill(0);
  back_slots_.fill(0);
  back_frame_ = state_->current;
  back_slots_[frame.frameno] |= std::uint64_t{1} << (byte / 8);
  if (!track_back(*state_, kNoRegister, nullptr)) return std::nullopt;
  return value;
}

}  // namespace espy::verifier
