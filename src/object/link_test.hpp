// Specs, and a kernel's types, built by hand for the tests of linking.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "btf/builder.hpp"
#include "object/link.hpp"

namespace espy::object {

using isa::Insn;

inline constexpr Insn kExit{.opcode = isa::kOpExit};
inline constexpr Insn kCall{.opcode = isa::kOpCall, .src = 1, .imm = -1};
inline constexpr Insn kMov{.opcode = 0xb7, .dst = 0, .imm = 7};
inline constexpr Insn kWide{.opcode = isa::kOpLdImm64, .dst = 1};

inline FunctionSpec function(std::string name, std::vector<Insn> insns, std::vector<Relocation> relocations = {}) {
  FunctionSpec spec;
  spec.name = std::move(name);
  spec.section = ".text";
  spec.insns = std::move(insns);
  spec.relocations = std::move(relocations);
  return spec;
}

inline ProgramSpec program(FunctionSpec code) {
  ProgramSpec spec;
  spec.name = code.name;
  spec.code = std::move(code);
  spec.code.section = "socket";
  spec.type = facts::ProgType::socket_filter;
  return spec;
}

inline ObjectSpec object_of(FunctionSpec entry) {
  ObjectSpec object;
  object.programs.push_back(program(std::move(entry)));
  return object;
}

inline ObjectSpec with_extern(Insn insn, ExternSpec external) {
  ObjectSpec object = object_of(function("f", {insn, Insn{}, kExit}, {{0, ExternRef{ExternIdx{0}}}}));
  object.externs.push_back(std::move(external));
  return object;
}

inline ExternSpec symbol(std::string name, bool weak) {
  return {.name = name, .essence = name, .weak = weak, .btf_id = {}, .kind = KsymExtern{.type = {}, .typeless = true}};
}

/// A made-up kernel: `int there(void)`, a tracepoint, and struct_ops with a member more than programs know.
inline std::shared_ptr<const btf::Btf> kernel_btf() {
  btf::Builder builder;
  auto integer = builder.add_int("int", 4, {.bits = 32, .is_signed = true});
  auto proto = builder.add_func_proto(integer, {});
  auto pointer = builder.add_ref(btf::Kind::ptr, "", proto);
  builder.add_func("there", proto, btf::Linkage::static_);
  builder.add_ref(btf::Kind::typedef_, "btf_trace_sched_switch", pointer);
  auto ops = builder.add_struct(btf::Kind::struct_, "ops", 24,
                                {{"added", integer, 0, 0}, {"flags", integer, 32, 0}, {"stop", pointer, 64, 0}, {"start", pointer, 128, 0}});
  builder.add_struct(btf::Kind::struct_, "bpf_struct_ops_ops", 40, {{"refcnt", integer, 0, 0}, {"data", ops, 128, 0}});
  return builder.build().value();
}

/// A module on top of the made-up kernel: a function, a variable, a tracepoint.
inline ModuleBtf module_btf(const std::shared_ptr<const btf::Btf>& kernel) {
  btf::Builder builder(kernel);
  auto integer = kernel->find("int", btf::Kind::int_)->id();
  auto proto = builder.add_func_proto(integer, {{"a", integer}});
  builder.add_func("in_module", proto, btf::Linkage::static_);
  builder.add_var("module_count", integer, btf::Linkage::global);
  builder.add_ref(btf::Kind::typedef_, "btf_trace_module_event", builder.add_ref(btf::Kind::ptr, "", proto));
  return {"mod", builder.build().value()};
}

}  // namespace espy::object
