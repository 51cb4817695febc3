// bpf_timer: a field of a map's value that calls a function of the program later, on a thread of the engine's.
#pragma once

#include <cstddef>

namespace espy::vm {

class Map;
class Object;

/// The value goes: its timers never fire again. A callback that runs at this moment runs to its end.
void forget_timers(const Map& map, const std::byte* value);
/// The map goes: waits for callbacks on its values.
void forget_timers(const Map& map);
/// The programs go: waits for their callbacks.
void forget_timers(const Object& object);

}  // namespace espy::vm
