#include "ir/lift/stack.hpp"

#include <algorithm>
#include <bit>

namespace espy::ir::lifting {
namespace {

using isa::Operation;

constexpr std::int32_t kFar = 1 << 16;

bool is_memory(const isa::Instruction& instruction) {
  return instruction.row->is_atomic() || instruction.operation() == Operation::load || instruction.operation() == Operation::load_signed ||
         instruction.operation() == Operation::store;
}

bool is_load(const isa::Instruction& instruction) {
  return instruction.operation() == Operation::load || instruction.operation() == Operation::load_signed ||
         instruction.operation() == Operation::load_acquire;
}

class FrameFinder {
 public:
  FrameFinder(const Shape& shape, const Function& function) : shape_(shape), f_(function) {}

  Frame find() {
    find_places();
    for (std::size_t i = 0; i < f_.blocks.size(); ++i) {
      Places places = frame_.at_begin[i];
      for (std::uint32_t at = f_.blocks[i].begin; at < f_.blocks[i].end; at += shape_.insns[at].slots()) {
        see(at, places);
        step(shape_.effects[at], places);
      }
      for (std::uint32_t to : {f_.blocks[i].taken, f_.blocks[i].next})
        if (to != kNone) leave(places, to);
    }
    join();
    return std::move(frame_);
  }

 private:
  /// Forwards until nothing changes; a place that two ways disagree on is nowhere.
  void find_places() {
    Places none;
    none.fill(kNowhere);
    none[isa::kFramePointer] = 0;
    frame_.at_begin.assign(f_.blocks.size(), none);
    std::vector<bool> reached(f_.blocks.size(), false);
    reached[0] = true;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < f_.blocks.size(); ++i) {
        Places places = frame_.at_begin[i];
        for (std::uint32_t at = f_.blocks[i].begin; at < f_.blocks[i].end; at += shape_.insns[at].slots()) step(shape_.effects[at], places);
        for (std::uint32_t to : {f_.blocks[i].taken, f_.blocks[i].next})
          if (to != kNone) changed |= enter(to, places, reached);
      }
    }
  }

  bool enter(std::uint32_t block, const Places& places, std::vector<bool>& reached) {
    Places& have = frame_.at_begin[block];
    if (!reached[block]) return reached[block] = true, have = places, true;
    bool changed = false;
    for (std::size_t r = 0; r < places.size(); ++r) {
      if (have[r] == places[r] || have[r] == kNowhere) continue;
      have[r] = kNowhere;
      changed = true;
    }
    return changed;
  }

  void see(std::uint32_t at, const Places& places) {
    const isa::Instruction& instruction = shape_.insns[at];
    const Effect& effect = shape_.effects[at];
    if (effect.kind == Effect::copy) return;
    if (effect.kind == Effect::moved) {
      std::int64_t sum = places[instruction.dst] + effect.by;
      if (places[instruction.dst] != kNowhere && (sum <= -kFar || sum >= kFar)) whole_ = true;   // step does not follow it
      return;
    }
    if (instruction.operation() == Operation::call) return see_call(at, places);
    isa::RegisterSet escaping = shape_.reads(at);
    if (is_memory(instruction)) {
      const unsigned base = is_load(instruction) ? instruction.src : instruction.dst;
      if (places[base] != kNowhere) object(std::int64_t{places[base]} + instruction.off, instruction.row->bits / 8);
      // As a base it is followed; as what is stored it is not.
      if (is_load(instruction) || instruction.src != base || (instruction.row->fields() & isa::kSrc) == 0) escaping &= static_cast<isa::RegisterSet>(~isa::registers(base));
    }
    escape(escaping, places);
  }

  void see_call(std::uint32_t at, const Places& places) {
    if (shape_.effects[at].prototype == nullptr) return escape(shape_.reads(at), places);
    const facts::Prototype& prototype = *shape_.effects[at].prototype;
    for (unsigned i = 0; i < prototype.args.size(); ++i) {
      std::int32_t place = places[i + 1];
      if (prototype.args[i].kind == facts::Arg::none || place == kNowhere) continue;
      switch (prototype.args[i].kind) {
        case facts::Arg::fixed_mem:
        case facts::Arg::fixed_write: object(place, prototype.args[i].size); break;
        case facts::Arg::dynptr:
        case facts::Arg::dynptr_uninit: object(place, 16); break;
        // How much of it the helper touches is not known here: what is at higher addresses goes with it.
        case facts::Arg::map_key: case facts::Arg::map_value: case facts::Arg::uninit_map_value:
        case facts::Arg::mem: case facts::Arg::write_mem: case facts::Arg::uninit_mem: object(place, -std::int64_t{place}); break;
        default: whole_ = true;
      }
    }
  }

  void leave(const Places& places, std::uint32_t to) {
    for (unsigned r = 0; r < isa::kFramePointer; ++r)
      if ((f_.blocks[to].live_in >> r & 1) != 0 && places[r] != kNowhere && frame_.at_begin[to][r] == kNowhere) whole_ = true;
  }

  void escape(isa::RegisterSet registers, const Places& places) {
    for (unsigned r = 0; r < places.size(); ++r) whole_ |= (registers >> r & 1) != 0 && places[r] != kNowhere;
  }

  void object(std::int64_t from, std::int64_t bytes) {
    if (bytes <= 0 || from < -isa::kStackBytes || from + bytes > 0) whole_ = true;
    else frame_.objects.push_back({static_cast<std::int32_t>(from), static_cast<std::int32_t>(from + bytes)});
  }

  /// Objects that overlap become one.
  void join() {
    std::vector<FrameObject>& objects = frame_.objects;
    if (whole_) objects = {{-isa::kStackBytes, 0}};
    std::ranges::sort(objects, {}, &FrameObject::from);
    std::size_t kept = 0;
    for (const FrameObject& object : objects) {
      if (kept != 0 && object.from < objects[kept - 1].to) objects[kept - 1].to = std::max(objects[kept - 1].to, object.to);
      else objects[kept++] = object;
    }
    objects.resize(kept);
  }

  const Shape& shape_;
  const Function& f_;
  Frame frame_;
  bool whole_ = false;
};

}  // namespace

void step(const Effect& effect, Places& places) {
  if (effect.kind == Effect::copy) {
    places[effect.dst] = places[effect.src];
    return;
  }
  if (effect.kind == Effect::moved) {
    if (places[effect.dst] == kNowhere) return;
    const std::int64_t sum = places[effect.dst] + effect.by;
    places[effect.dst] = sum > -kFar && sum < kFar ? static_cast<std::int32_t>(sum) : kNowhere;
    return;
  }
  for (unsigned written = effect.writes; written != 0; written &= written - 1) places[static_cast<unsigned>(std::countr_zero(written))] = kNowhere;
}

Frame frame_of(const Shape& shape, const Function& function) { return FrameFinder(shape, function).find(); }

}  // namespace espy::ir::lifting
