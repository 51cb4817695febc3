// What the records of a map are: chosen from what an object says of itself. A pure function of its spec.
//
// Ring buffers and perf event arrays have no type of their own. From the surest to the weakest, the type is
//   1. what the user says (`--type MAP=TYPE`);
//   2. a declaration tag on the map: `__attribute__((btf_decl_tag("record:struct event")))`; or a type tag that names the
//      map, on what a global points to: `struct event __attribute__((btf_type_tag("record:events"))) *kept`;
//   3. the map's value type: `__type(value, struct event)`;
//   4. what the code says where it writes to the map: the constant size it reserves or outputs, matched with the structs
//      that the source lines of that function name;
//   5. a global pointer that only exists to keep a type: `struct event *unused`;
//   6. the only struct of the object that has that size;
//   7. a struct named `event`, where sizes are not constant.
// A map that several sizes are written to has several types, told apart by size. Where nothing fits, records are bytes.
#pragma once

#include <string>
#include <string_view>

#include "object/spec.hpp"
#include "render/record.hpp"

namespace espy::kernel {

/// Does a map of this type carry records to user space?
bool carries_records(facts::MapType type);

struct RecordChoice {
  render::RecordFormat format;   ///< no types: records are shown as bytes
  std::string reason;            ///< "the map's value type", for people
};

/// The types of a map's records. `wanted` (rule 1) is a type's name as C spells it, `struct` may be left out; that there is
/// no such type is the only error.
Result<RecordChoice> choose_record_types(const object::ObjectSpec& object, const object::MapSpec& map, std::string_view wanted = {});

}  // namespace espy::kernel
