// What programs know of kernel types: CO-RE, attach targets, struct_ops.
#include "object/link.hpp"

#include <gtest/gtest.h>

#include "object/link_steps.hpp"
#include "object/link_test.hpp"

namespace espy::object {
namespace {

// ---- CO-RE patches ----

btf::CoreResult resolved(std::uint64_t original, std::uint64_t value) {
  btf::CoreResult result;
  result.original = original, result.value = value;
  return result;
}

TEST(LinkCore, PatchesWhatAnInstructionCanHold) {
  std::vector<Insn> insns{kMov, {.opcode = 0x61, .dst = 1, .src = 2, .off = 8}, kWide, Insn{}, kExit, {.opcode = 0xbf}};
  ASSERT_TRUE(patch_core(insns, 0, resolved(7, 9)));
  EXPECT_EQ(insns[0].imm, 9);
  EXPECT_FALSE(patch_core(insns, 0, resolved(7, 9)));  // no longer what the types say
  btf::CoreResult grown = resolved(8, 16);
  grown.original_size = 4, grown.new_size = 8;
  ASSERT_TRUE(patch_core(insns, 1, grown));
  EXPECT_EQ(insns[1], (Insn{.opcode = 0x79, .dst = 1, .src = 2, .off = 16}));
  ASSERT_TRUE(patch_core(insns, 2, resolved(0, 0x1122334455667788)));
  EXPECT_EQ(insns[2].imm, 0x55667788);
  EXPECT_EQ(insns[3].imm, 0x11223344);
  EXPECT_FALSE(patch_core(insns, 1, resolved(16, 40000)));  // past 16 bits
  EXPECT_FALSE(patch_core(insns, 3, resolved(0, 1)));       // the second half of a load
  EXPECT_FALSE(patch_core(insns, 4, resolved(0, 1)));
  EXPECT_FALSE(patch_core(insns, 5, resolved(0, 1)));       // a register, no immediate
  EXPECT_FALSE(patch_core(insns, 6, resolved(0, 1)));
}

TEST(LinkCore, PoisonsWhatIsMissing) {
  std::vector<Insn> insns{kWide, Insn{}, kMov, {.opcode = 0x61, .off = 4}};
  btf::CoreResult missing;
  missing.poisoned = true;
  const Insn poison{.opcode = isa::kOpCall, .imm = 0xbad2310};
  ASSERT_TRUE(patch_core(insns, 0, missing));
  EXPECT_EQ(insns[0], poison);
  EXPECT_EQ(insns[1], poison);
  ASSERT_TRUE(patch_core(insns, 2, missing));
  EXPECT_EQ(insns[2], poison);
  btf::CoreResult signed_change = resolved(4, 8);
  signed_change.fail_memory_size = true;
  ASSERT_TRUE(patch_core(insns, 3, signed_change));
  EXPECT_EQ(insns[3], poison);
}

TEST(LinkCore, TakesItsTypesFromAFileIfToldTo) {
  btf::Builder builder;
  auto integer = builder.add_int("int", 4, {.bits = 32, .is_signed = true});
  auto local = builder.add_struct(btf::Kind::struct_, "task", 8, {{"state", integer, 0, 0}, {"pid", integer, 32, 0}});
  btf::Builder there;
  integer = there.add_int("int", 4, {.bits = 32, .is_signed = true});
  there.add_struct(btf::Kind::struct_, "task", 24, {{"states", integer, 0, 0}, {"pid", integer, 160, 0}});
  FunctionSpec code = function("f", {{.opcode = 0x61, .off = 4}, {.opcode = 0x61, .off = 0}, kExit});
  code.core_relocations = {{.insn = 0, .type = local, .access = "0:1", .kind = btf::CoreKind::field_byte_offset},
                           {.insn = 1, .type = local, .access = "0:0", .kind = btf::CoreKind::field_byte_offset}};
  ObjectSpec object = object_of(code);
  object.btf = builder.build().value();
  Target target;
  auto linked = link(object, target);
  ASSERT_FALSE(linked);  // no types at all
  EXPECT_EQ(linked.error().kind, ErrorKind::unsupported);
  target.vmlinux = kernel_btf();
  target.core_types = there.build().value();
  linked = link(object, target);
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_EQ(linked->programs[0].spec.code.insns[0].off, 20);
  ASSERT_EQ(linked->core.size(), 2U);
  EXPECT_NE(linked->core[0].text.find("4 → 20"), std::string::npos) << linked->core[0].text;
  EXPECT_TRUE(linked->core[1].poisoned);
  EXPECT_EQ(linked->core[1].hint, "did you mean `states`?");
}

TEST(LinkAttach, FindsTheKernelTypeAProgramNames) {
  Target target;
  target.name = "made-up kernel";
  target.vmlinux = kernel_btf();
  ObjectSpec object = object_of(function("f", {kExit}));
  ProgramSpec& entry = object.programs[0];
  entry.type = facts::ProgType::tracing;
  entry.attach_type = facts::AttachType::trace_fentry;
  entry.attach_target = "there";
  auto linked = link(object, target);
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_EQ(linked->programs[0].attach_btf_id, target.vmlinux->find("there", btf::Kind::func)->id());
  entry.attach_type = facts::AttachType::trace_raw_tp;
  entry.attach_target = "sched_switch";
  EXPECT_EQ(link(object, target)->programs[0].attach_btf_id, target.vmlinux->find("btf_trace_sched_switch", btf::Kind::typedef_)->id());
  entry.attach_target = "sched_swich";
  linked = link(object, target);
  ASSERT_FALSE(linked);
  EXPECT_NE(describe(linked.error()).find("did you mean `sched_switch`?"), std::string::npos) << describe(linked.error());
}

TEST(LinkAttach, FindsWhatModulesHave) {
  Target target;
  target.vmlinux = kernel_btf();
  ModuleBtf module = module_btf(target.vmlinux);
  target.modules = [&]() -> Result<std::vector<ModuleBtf>> { return std::vector{module}; };
  ObjectSpec object = object_of(function("f", {kExit}));
  object.programs[0].type = facts::ProgType::tracing;
  object.programs[0].attach_type = facts::AttachType::trace_raw_tp;
  object.programs[0].attach_target = "module_event";
  auto linked = link(object, target);
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_EQ(linked->programs[0].attach_btf_module, "mod");
  object.programs[0].attach_type = facts::AttachType::trace_fentry;
  for (auto [text, found] : {std::pair{"mod:in_module", true}, {"other:in_module", false}, {"vmlinux:there", true}, {"mod:there", false}}) {
    object.programs[0].attach_target = text;
    EXPECT_EQ(link(object, target).has_value(), found) << text;
  }
}

TEST(LinkStructOps, MembersGoWhereTheKernelHasThem) {
  btf::Builder builder;
  auto integer = builder.add_int("int", 4, {.bits = 32, .is_signed = true});
  auto pointer = builder.add_ref(btf::Kind::ptr, "", builder.add_func_proto(integer, {}));
  auto local = builder.add_struct(btf::Kind::struct_, "ops___mine", 24, {{"start", pointer, 0, 0}, {"gone", pointer, 64, 0}, {"flags", integer, 128, 0}});
  ObjectSpec object = object_of(function("starts", {kExit}));
  object.programs[0].type = facts::ProgType::struct_ops;
  object.programs.push_back(program(function("unused", {kExit})));
  object.programs[1].type = facts::ProgType::struct_ops;
  object.btf = builder.build().value();
  MapSpec map;
  map.name = "my_ops";
  map.origin = MapOrigin::struct_ops;
  map.value_type = local;
  map.contents.resize(24);
  map.contents[16] = std::byte{9};
  map.struct_ops_members = {{0, "start", "starts"}};
  object.maps.push_back(map);
  Target target;
  target.vmlinux = kernel_btf();

  auto linked = link(object, target);
  ASSERT_TRUE(linked) << describe(linked.error());
  ASSERT_EQ(linked->struct_ops.size(), 1U);
  const LinkedStructOps& ops = linked->struct_ops[0];
  EXPECT_EQ(ops.value_type, target.vmlinux->find("bpf_struct_ops_ops", btf::Kind::struct_)->id());
  ASSERT_EQ(ops.value.size(), 40U);
  EXPECT_EQ(ops.value[16 + 4], std::byte{9});
  ASSERT_EQ(ops.programs.size(), 1U);
  EXPECT_EQ(ops.programs[0].offset, 16U + 16);
  ASSERT_EQ(linked->programs.size(), 1U);  // the other one belongs to no map
  EXPECT_EQ(linked->programs[0].attach_btf_id, target.vmlinux->find("ops", btf::Kind::struct_)->id());
  EXPECT_EQ(std::to_underlying(*linked->programs[0].spec.attach_type), 3U);

  object.maps[0].struct_ops_members.push_back({8, "gone", "starts"});
  linked = link(object, target);
  ASSERT_FALSE(linked);
  EXPECT_NE(describe(linked.error()).find("`gone`"), std::string::npos);
}

}  // namespace
}  // namespace espy::object
