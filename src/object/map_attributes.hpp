// A map's definition as a line of assembly text, and back: one table of attributes serves both directions.
//
//   .map events type=ringbuf max_entries=262144
//   .map counts type=percpu_hash key=4 value=8 max_entries=1024 flags=0x1 pinning=by_name
//   .map .rodata origin=rodata type=array key=4 value=24 max_entries=1 flags=0x80
//   .bytes 00 01 …
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "isa/assemble.hpp"
#include "object/spec.hpp"

namespace espy::object {

/// The `.map` directive, with the lines of contents behind it. Names of inner maps and slots are looked up in `object`.
std::string map_directive(const ObjectSpec& object, const MapSpec& map);

/// A map without what refers to other maps or programs: see link_map. Unknown attributes and values that do not fit are
/// errors at their place in the text.
Result<MapSpec> map_from_text(const isa::AssembledMap& text, const std::string& file);

/// Fills in what names other maps and programs, once all are known: inner maps and slots.
Result<void> link_map(const isa::AssembledMap& text, ObjectSpec& object, MapSpec& map, const std::string& file);

/// "file:line:column", or "line L:C" without a file.
std::string place(const std::string& file, std::uint32_t line, std::uint32_t column);

}  // namespace espy::object
