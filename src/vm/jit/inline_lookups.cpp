#include "vm/jit/inline_lookups.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "ir/x86/emit.hpp"
#include "vm/helpers/table.hpp"
#include "vm/map.hpp"

namespace espy::vm {
namespace {

using namespace ir;

constexpr std::int64_t kMapLookup = 1, kMapUpdate = 2;

class Inliner {
 public:
  Inliner(Function& function, std::span<const std::uint64_t> maps) : f_(function), maps_(maps) {}

  void run() {
    for (BlockId block : f_.order) {
      std::vector<ValueId> old;
      old.swap(f_[block].insts);
      for (ValueId id : old) {
        at_ = f_[id];
        if (at_.is(Op::call_helper) && at_.imm == kMapLookup) look_up(id);
        if (at_.is(Op::call_helper) && at_.imm == kMapUpdate) update(id);
        out_.push_back(id);
      }
      f_[block].insts.swap(out_);
      out_.clear();
    }
  }

 private:
  /// The map's place among the handles, if it is a constant.
  std::optional<std::size_t> known_map() const {
    const std::int64_t* handle = f_.constant_value(f_.operands(at_)[0]);
    if (handle == nullptr) return std::nullopt;
    auto found = std::ranges::lower_bound(maps_, static_cast<std::uint64_t>(*handle));
    if (found == maps_.end() || *found != static_cast<std::uint64_t>(*handle)) return std::nullopt;
    return found - maps_.begin();
  }

  /// The call becomes: key < entries ? values + key * stride : null.
  void look_up(ValueId id) {
    const std::optional<std::size_t> known = known_map();
    if (!known) return;
    const Map& map = *pointer<const Map>(maps_[*known]);
    const std::optional<ArrayLayout> array = map.array_layout();
    if (!array) {
      if (map.direct_lookup() != nullptr) f_[id].imm = kFirstDirectLookup + static_cast<std::int64_t>(*known);
      return;
    }
    ValueId key_at = f_.operands(at_)[1];
    if (!f_.type_of(key_at).is_ptr()) key_at = emit({.op = Op::int_to_ptr, .type = ptr(Space::memory)}, key_at);
    ValueId key = emit({.op = Op::load, .type = kI32, .width = 32}, key_at);
    ValueId inside = emit({.op = Op::ult, .type = kI1}, key, f_.constant(kI32, static_cast<std::int32_t>(array->entries)));
    ValueId wide = emit({.op = Op::zext, .type = kI64, .width = 32}, key);
    ValueId offset = emit({.op = Op::mul, .type = kI64}, wide, f_.constant(kI64, array->stride));
    if (array->cpu_stride != 0) {
      ValueId cpu = emit({.op = Op::call_helper, .type = kI64, .flags = kRemovable | kReadsOnly, .imm = x86::kThisCpu});
      ValueId block = emit({.op = Op::mul, .type = kI64}, cpu, f_.constant(kI64, static_cast<std::int64_t>(array->cpu_stride)));
      offset = emit({.op = Op::add, .type = kI64}, offset, block);
    }
    ValueId value = emit({.op = Op::add, .type = kI64}, offset, f_.constant(kI64, static_cast<std::int64_t>(array->begin)));
    const std::array operands{inside, value, f_.constant(kI64, 0)};
    Inst& call = f_[id];
    call.op = Op::select;
    call.flags = 0;
    call.imm = 0;
    f_.set_operands(call, operands);
  }

  void update(ValueId id) {
    const std::optional<std::size_t> known = known_map();
    if (known && pointer<const Map>(maps_[*known])->direct_update() != nullptr) f_[id].imm = kFirstDirectUpdate + static_cast<std::int64_t>(*known);
  }

  template <typename... Operands>
  ValueId emit(Inst inst, Operands... operands) {
    inst.mark = at_.mark;
    inst.block = at_.block;
    ValueId id = f_.add_inst(inst, std::array<ValueId, sizeof...(operands)>{operands...});
    out_.push_back(id);
    return id;
  }

  Function& f_;
  std::span<const std::uint64_t> maps_;
  Inst at_;                      // a copy of the one that is looked at
  std::vector<ValueId> out_;
};

/// The number at a constant address, if it lies in memory that does not change.
std::optional<std::int64_t> constant_at(const Function& f, const Inst& load, const Regions& constants) {
  if (!load.is(Op::load) || load.flag(kOrdered)) return std::nullopt;
  const Inst& pointer = f[f.operands(load)[0]];
  const std::int64_t* base = pointer.is(Op::int_to_ptr) ? f.constant_value(f.operands(pointer)[0]) : nullptr;
  if (base == nullptr) return std::nullopt;
  const auto at = static_cast<std::uint64_t>(*base) + static_cast<std::uint64_t>(load.imm);
  if (constants.find(at, load.width / 8, false) == nullptr) return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, vm::pointer<const void>(at), load.width / 8);
  const unsigned unused = 64U - load.width;
  if (load.flag(kSigned)) return static_cast<std::int64_t>(value << unused) >> unused;
  return static_cast<std::int64_t>(value);
}

}  // namespace

void read_constants(ir::Module& module, const Regions& constants) {
  if (constants.all().empty()) return;
  for (Function& f : module.functions)
    for (BlockId block : f.order)
      for (ValueId id : f[block].insts) {
        const auto value = constant_at(f, f[id], constants);
        if (!value || f[id].type != kI64) continue;
        const std::array operands{f.constant(kI64, *value), f.constant(kI64, 0)};
        Inst& inst = f[id];
        inst.op = Op::add;
        inst.width = 0, inst.flags = 0, inst.imm = 0;
        f.set_operands(inst, operands);
      }
}

void inline_lookups(ir::Module& module, std::span<const std::uint64_t> maps) {
  for (Function& function : module.functions) Inliner(function, maps).run();
}

}  // namespace espy::vm
