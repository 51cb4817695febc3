#include "vm/jit/inline_lookups.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "vm/helpers/table.hpp"
#include "vm/map.hpp"

namespace espy::vm {
namespace {

using namespace ir;

constexpr std::int64_t kMapLookup = 1;

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
    ValueId value = emit({.op = Op::add, .type = kI64}, offset, f_.constant(kI64, static_cast<std::int64_t>(array->begin)));
    const std::array operands{inside, value, f_.constant(kI64, 0)};
    Inst& call = f_[id];
    call.op = Op::select;
    call.flags = 0;
    call.imm = 0;
    f_.set_operands(call, operands);
  }

  template <typename... Operands>
  ValueId emit(Inst inst, Operands... operands) {
    inst.mark = at_.mark;
    inst.block = at_.block;
    ValueId id = f_.add_inst(inst, std::array{operands...});
    out_.push_back(id);
    return id;
  }

  Function& f_;
  std::span<const std::uint64_t> maps_;
  Inst at_;                      // a copy of the one that is looked at
  std::vector<ValueId> out_;
};

}  // namespace

void inline_lookups(ir::Module& module, std::span<const std::uint64_t> maps) {
  for (Function& function : module.functions) Inliner(function, maps).run();
}

}  // namespace espy::vm
