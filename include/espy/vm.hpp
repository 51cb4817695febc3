// The user engine: load a linked object into this process, run its programs, read its maps. No privileges are needed.
// (For programs in C: espy/espy.h. An example of each: examples/embed.)
//
//   auto spec = TRY(espy::object::read("filter.bpf.o"));
//   auto linked = TRY(espy::object::link(std::move(spec), espy::vm::target()));
//   auto object = TRY(espy::vm::Object::load(std::move(linked)));       // interpreted, every access checked
//   espy::vm::TestRun input{.data_in = packet};
//   auto result = TRY(espy::vm::test_run(*object->find_program("filter"), input));
//
// Tiers. LoadOptions::tier says how programs run: the interpreter checks each instruction and stops at the first bad access,
// for programs that nobody vouches for; compiled ones are as fast as the kernel's and check no access. What the compiler lacks
// is interpreted (Program::fallback). `bounded` gives compiled programs a budget, `blinded` keeps their numbers out of the code.
//
// Functions of one's own. A Registry holds helpers (by number) and kfuncs (by name) with typed prototypes; link against
// vm::target(registry) and load with LoadOptions::registry.
//
// Sharing. Maps are shared_ptrs: LoadOptions::maps gives an object those of another. A loaded object does not change: its
// programs may be run, and its maps used, from many threads at once.
#pragma once

#include "vm/context/packet.hpp"
#include "vm/io/link.hpp"
#include "vm/io/pcap.hpp"
#include "vm/io/verdict.hpp"
#include "vm/map.hpp"
#include "vm/maps/perf_events.hpp"
#include "vm/maps/ring_buffer.hpp"
#include "vm/maps/shared.hpp"
#include "vm/maps/targets.hpp"
#include "vm/object.hpp"
#include "vm/registry.hpp"
#include "vm/test_run.hpp"
