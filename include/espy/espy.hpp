// Espy: read, link, run and see eBPF programs.
//
// The whole way, in one function:
//
//   #include <espy/espy.hpp>
//
//   espy::Result<void> count_opens() {
//     espy::object::ObjectSpec spec = TRY(espy::object::read("opens.bpf.o"));        // a plain value
//     TRY(espy::object::set_variable(spec, "only_pid", "42"));                       // edit it
//     espy::object::Target target = TRY(espy::kernel::running_target());             // or target_from_btf("vmlinux.btf")
//     espy::object::LinkedObject linked = TRY(espy::object::link(std::move(spec), target));
//     espy::kernel::Object object = TRY(espy::kernel::Object::load(std::move(linked)));  // now it lives in the kernel
//     std::vector<espy::kernel::Link> links;
//     for (const auto& program : object.programs()) {
//       auto probe = TRY(espy::probe::probe_of(program.spec(), {}));
//       links.push_back(TRY(espy::kernel::attach(object, program, probe)));          // detached when the Link goes
//     }
//     auto events = TRY(espy::kernel::RingBuffer::open(*object.find_map("events")));
//     TRY(events.drain([](espy::Bytes record) { return true; }));
//     return {};
//   }
//
// Specs (ObjectSpec, ProgramSpec, MapSpec) are values: copy, compare and edit them freely. Live types (Map, Program, Link,
// Object, RingBuffer) own a kernel resource, are move-only and free it in their destructor. Every failure is an
// espy::Error with a kind, a place and a hint; nothing prints, exits or throws.
#pragma once

#include "espy/btf.hpp"
#include "espy/error.hpp"
#include "espy/facts.hpp"
#include "espy/isa.hpp"
#include "espy/kernel.hpp"
#include "espy/object.hpp"
#include "espy/render.hpp"
#include "espy/vm.hpp"
