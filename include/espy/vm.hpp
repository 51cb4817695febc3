// The user engine: load a linked object into this process, run its programs, read its maps. No privileges are needed.
//
//   auto spec = TRY(espy::object::read("filter.bpf.o"));
//   auto linked = TRY(espy::object::link(std::move(spec), espy::object::Target{}));
//   auto object = TRY(espy::vm::Object::load(std::move(linked)));
//   espy::vm::TestRun input{.data_in = packet};
//   auto result = TRY(espy::vm::test_run(*object->find_program("filter"), input));
#pragma once

#include "vm/context/packet.hpp"
#include "vm/map.hpp"
#include "vm/maps/ring_buffer.hpp"
#include "vm/object.hpp"
#include "vm/test_run.hpp"
