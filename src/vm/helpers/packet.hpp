// The run's packet, for helpers.
#pragma once

#include "vm/context/packet.hpp"
#include "vm/run.hpp"

namespace espy::vm {

/// Changes the packet's bounds by `change(Packet&)`, and what safe mode lets the program touch. false: the packet did not let it.
template <typename Change>
bool change_packet(const Change& change) {
  Run& run = *current_run();
  const std::uintptr_t before = run.packet->region().begin;
  if (!change(*run.packet)) return false;
  if (!run.safe) return true;
  run.own.remove(before);
  run.own.add(run.packet->region());
  return true;
}

}  // namespace espy::vm
