// Linking specs built by hand: each step, and what is wrong with bad ones. The comparison with libbpf is in tests/link.
#include "object/link.hpp"

#include <gtest/gtest.h>

#include "btf/builder.hpp"
#include "object/link_steps.hpp"

namespace espy::object {
namespace {

using isa::Insn;

constexpr Insn kExit{.opcode = isa::kOpExit};
constexpr Insn kCall{.opcode = isa::kOpCall, .src = 1, .imm = -1};
constexpr Insn kMov{.opcode = 0xb7, .dst = 0, .imm = 7};
constexpr Insn kWide{.opcode = isa::kOpLdImm64, .dst = 1};

FunctionSpec function(std::string name, std::vector<Insn> insns, std::vector<Relocation> relocations = {}) {
  FunctionSpec spec;
  spec.name = std::move(name);
  spec.section = ".text";
  spec.insns = std::move(insns);
  spec.relocations = std::move(relocations);
  return spec;
}

ProgramSpec program(FunctionSpec code) {
  ProgramSpec spec;
  spec.name = code.name;
  spec.code = std::move(code);
  spec.code.section = "socket";
  spec.type = facts::ProgType::socket_filter;
  return spec;
}

ObjectSpec object_of(FunctionSpec entry) {
  ObjectSpec object;
  object.programs.push_back(program(std::move(entry)));
  return object;
}

/// A call in an otherwise empty function of `slots` instructions.
FunctionSpec calls(std::string name, std::uint32_t callee) {
  return function(std::move(name), {kCall, kExit}, {{0, CallRef{FunctionIdx{callee}}}});
}

TEST(Link, AppendsSubprogramsDepthFirstAtFirstMention) {
  // main calls 1 then 0; 1 calls 0 and loads 2's address.
  ObjectSpec object = object_of(function("main", {kCall, kCall, kExit}, {{0, CallRef{FunctionIdx{1}}}, {1, CallRef{FunctionIdx{0}}}}));
  object.functions.push_back(function("zero", {kMov, kExit}));
  object.functions.push_back(function("one", {kCall, kWide, Insn{}, kExit}, {{0, CallRef{FunctionIdx{0}}}, {1, FunctionRef{FunctionIdx{2}}}}));
  object.functions.push_back(function("two", {kMov, kMov, kExit}));
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  auto insns = linked_insns(linked->programs.at(0));
  ASSERT_EQ(insns.size(), 3U + 4 + 2 + 3);  // main, one, zero, two
  EXPECT_EQ(insns[0].imm, 2);               // 0 → 3
  EXPECT_EQ(insns[1].imm, 5);               // 1 → 7
  EXPECT_EQ(insns[3].imm, 3);               // 3 → 7
  EXPECT_EQ(insns[4].imm, 4);               // 4 → 9
  EXPECT_EQ(insns[4].src, 4);               // a function's address
  EXPECT_TRUE(linked->programs[0].spec.code.relocations.empty());
}

TEST(Link, JoinsEachFunctionOnceEvenInCircles) {
  ObjectSpec object = object_of(calls("main", 0));
  object.functions.push_back(calls("ping", 1));
  object.functions.push_back(calls("pong", 0));
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  auto insns = linked_insns(linked->programs.at(0));
  ASSERT_EQ(insns.size(), 6U);
  EXPECT_EQ(insns[4].imm, -3);  // pong back to ping
}

TEST(Link, FollowsChainsOfAnyDepth) {
  ObjectSpec object = object_of(calls("main", 0));
  constexpr std::uint32_t kDepth = 200'000;
  for (std::uint32_t i = 0; i < kDepth; ++i) object.functions.push_back(i + 1 < kDepth ? calls("f", i + 1) : function("last", {kExit}));
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_EQ(linked->programs[0].spec.code.insns.size(), 2 * kDepth + 1);
}

TEST(Link, RefusesProgramsThatNoKernelCouldLoad) {
  ObjectSpec object = object_of(calls("main", 0));
  object.functions.push_back(function("huge", std::vector<Insn>(1'000'000, kMov)));
  auto linked = link(object, Target{});
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().kind, ErrorKind::exhausted);
}

TEST(Link, MovesFunctionAndLineInformation) {
  FunctionSpec main = calls("main", 0), sub = function("sub", {kMov, kExit});
  main.func_info = {{0, btf::TypeId{5}}};
  main.line_info = {{.insn = 0, .file_name = 1, .line_text = 2, .line = 10, .column = 1}};
  sub.func_info = {{0, btf::TypeId{6}}};
  sub.line_info = {{.insn = 0, .file_name = 1, .line_text = 3, .line = 20, .column = 1}, {.insn = 1, .file_name = 1, .line_text = 3, .line = 21, .column = 1}};
  ObjectSpec object = object_of(main);
  object.functions.push_back(sub);
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked);
  const FunctionSpec& code = linked->programs.at(0).spec.code;
  ASSERT_EQ(code.func_info.size(), 2U);
  EXPECT_EQ(code.func_info[1].insn, 2U);
  EXPECT_EQ(code.func_info[1].type, btf::TypeId{6});
  ASSERT_EQ(code.line_info.size(), 3U);
  EXPECT_EQ(code.line_info[2].insn, 3U);

  object.functions[0].func_info.clear();  // the kernel takes information about all functions or none
  linked = link(object, Target{});
  ASSERT_TRUE(linked);
  EXPECT_TRUE(linked->programs.at(0).spec.code.func_info.empty());
  EXPECT_EQ(linked->programs.at(0).spec.code.line_info.size(), 3U);
}

TEST(Link, LeavesMapReferencesToTheLoad) {
  ObjectSpec object = object_of(function("main", {kWide, Insn{}, kWide, Insn{}, kWide, Insn{}, kExit},
                                         {{0, MapRef{MapIdx{0}}}, {2, MapValueRef{MapIdx{0}, 12}}, {4, MapRef{MapIdx{1}}}}));
  object.maps.resize(2);
  object.maps[1].autocreate = false;
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  const FunctionSpec& code = linked->programs.at(0).spec.code;
  EXPECT_EQ(code.insns[0].src, 1);
  EXPECT_EQ(code.insns[2].src, 2);
  EXPECT_EQ(code.insns[3].imm, 12);
  EXPECT_EQ(code.insns[4], (Insn{.opcode = isa::kOpCall, .imm = 2'001'000'001}));
  EXPECT_EQ(code.insns[5], code.insns[4]);
  EXPECT_EQ(code.relocations, (std::vector<Relocation>{{0, MapRef{MapIdx{0}}}, {2, MapValueRef{MapIdx{0}, 12}}}));
}

TEST(Link, NamesWhatIsWrongWithBadSpecs) {
  auto refused = [](FunctionSpec entry) {
    auto linked = link(object_of(std::move(entry)), Target{});
    return linked ? std::string{} : describe(linked.error());
  };
  EXPECT_NE(refused(function("f", {kExit}, {{5, CallRef{FunctionIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kCall, kExit}, {{0, CallRef{FunctionIdx{3}}}})), "");
  EXPECT_NE(refused(function("f", {kExit}, {{0, MapRef{MapIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kExit, kWide}, {{1, MapRef{MapIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kWide, Insn{}}, {{0, MapRef{MapIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kWide, Insn{}}, {{0, ExternRef{ExternIdx{0}}}})), "");
  FunctionSpec core = function("f", {kMov});
  core.core_relocations = {{.insn = 9, .type = btf::TypeId{1}, .access = "0", .kind = btf::CoreKind::type_exists}};
  EXPECT_NE(refused(core), "");
  std::string text = refused(function("f", {kMov, kExit}, {{0, MapRef{MapIdx{0}}}}));
  EXPECT_NE(text.find("link program `f`"), std::string::npos) << text;
  EXPECT_NE(text.find("section socket: function `f`: instruction 0"), std::string::npos) << text;
}

TEST(Link, ChoosesPrograms) {
  ObjectSpec object = object_of(function("on", {kExit}));
  object.programs.push_back(program(function("disabled", {kExit})));
  object.programs[1].autoload = false;
  EXPECT_EQ(link(object, Target{})->programs.size(), 1U);
  auto chosen = link(object, Target{}, {.programs = {"disabled"}});
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->programs.at(0).spec.name, "disabled");
  auto none = link(object, Target{}, {.programs = {"disable"}});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().hint.find("`disabled`"), std::string::npos);
}

TEST(Link, RenamesHelpersForOldKernels) {
  std::vector<Insn> insns;
  for (std::int32_t helper : {112, 113, 114, 115, 5}) insns.push_back({.opcode = isa::kOpCall, .imm = helper});
  // The second half of a wide load may look like a call.
  insns.insert(insns.end(), {kWide, Insn{.opcode = isa::kOpCall, .imm = 112}, kExit});
  auto numbers = [&](facts::KernelVersion version) {
    Target target;
    target.version = version;
    std::vector<std::int32_t> result;
    for (const Insn& insn : linked_insns(link(object_of(function("f", insns)), target)->programs.at(0))) result.push_back(insn.imm);
    return result;
  };
  EXPECT_EQ(numbers({5, 4, 200}), (std::vector<std::int32_t>{4, 4, 45, 45, 5, 0, 112, 0}));
  EXPECT_EQ(numbers({5, 5, 0}), (std::vector<std::int32_t>{112, 113, 114, 115, 5, 0, 112, 0}));
  EXPECT_EQ(numbers({}), numbers({6, 1, 0}));
}

ObjectSpec with_extern(Insn insn, ExternSpec external) {
  ObjectSpec object = object_of(function("f", {insn, Insn{}, kExit}, {{0, ExternRef{ExternIdx{0}}}}));
  object.externs.push_back(std::move(external));
  return object;
}

ExternSpec symbol(std::string name, bool weak) {
  return {.name = name, .essence = name, .weak = weak, .btf_id = {}, .kind = KsymExtern{.type = {}, .typeless = true}};
}

TEST(LinkExterns, SymbolsWithoutATypeAreAddresses) {
  Target target;
  target.symbol_address = [](std::string_view name) -> Result<std::optional<std::uint64_t>> {
    return name == "there" ? std::optional<std::uint64_t>(0xffffffff81234567) : std::nullopt;
  };
  auto linked = link(with_extern(kWide, symbol("there", false)), target);
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_EQ(linked->programs[0].spec.code.insns[0].imm, static_cast<std::int32_t>(0x81234567));
  EXPECT_EQ(linked->programs[0].spec.code.insns[1].imm, -1);
  EXPECT_TRUE(linked->programs[0].spec.code.relocations.empty());

  linked = link(with_extern(kWide, symbol("absent", true)), target);
  ASSERT_TRUE(linked);
  EXPECT_EQ(linked->programs[0].spec.code.insns[0], kWide);

  linked = link(with_extern(kWide, symbol("absent", false)), target);
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().kind, ErrorKind::not_found);
}

TEST(LinkExterns, CallsOfMissingWeakFunctionsFollowTheKernel) {
  ExternSpec weak{.name = "nothing", .essence = "nothing", .weak = true, .btf_id = {}, .kind = KfuncExtern{}};
  Target target;
  target.version = {6, 1, 0};
  auto linked = link(with_extern(kCall, weak), target);
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_EQ(linked->programs[0].spec.code.insns[0], (Insn{.opcode = isa::kOpCall, .src = 2}));
  target.version = {5, 10, 0};
  EXPECT_EQ(link(with_extern(kCall, weak), target)->programs[0].spec.code.insns[0], (Insn{.opcode = isa::kOpCall, .imm = 2'002'000'000}));
}

// ---- kernel configuration ----

struct KconfigCase {
  KconfigType type;
  std::uint32_t size;
  bool is_signed;
  std::string_view value;
  std::string_view expected;  ///< bytes in hex; "error"
};

TEST(LinkKconfig, ValuesOfEveryType) {
  static constexpr KconfigCase kCases[] = {
      {KconfigType::boolean, 1, false, "y", "01"},
      {KconfigType::boolean, 1, false, "n", "00"},
      {KconfigType::boolean, 1, false, "m", "error"},
      {KconfigType::boolean, 1, false, "1", "error"},
      {KconfigType::tristate, 4, false, "m", "02000000"},
      {KconfigType::tristate, 4, false, "y", "01000000"},
      {KconfigType::character, 1, true, "m", "6d"},
      {KconfigType::character, 1, true, "7", "07"},
      {KconfigType::integer, 4, true, "y", "error"},
      {KconfigType::integer, 4, true, "250", "fa000000"},
      {KconfigType::integer, 4, true, "-1", "ffffffff"},
      {KconfigType::integer, 4, false, "-1", "error"},
      {KconfigType::integer, 8, false, "0xffffffff81000000", "00000081ffffffff"},
      {KconfigType::integer, 2, false, "65535", "ffff"},
      {KconfigType::integer, 2, true, "65535", "error"},
      {KconfigType::integer, 1, false, "256", "error"},
      {KconfigType::integer, 4, true, "\"text\"", "error"},
      {KconfigType::characters, 4, true, "\"ab\"", "61620000"},
      {KconfigType::characters, 4, true, "\"abcdef\"", "61626300"},
      {KconfigType::characters, 4, true, "y", "error"},
      {KconfigType::characters, 4, true, "\"", "error"},
  };
  for (const KconfigCase& test : kCases) {
    SCOPED_TRACE(fmt::format("{} in {} bytes", test.value, test.size));
    ObjectSpec object;
    object.maps.resize(1);
    object.maps[0].origin = MapOrigin::kconfig;
    object.maps[0].value_size = 8;
    object.externs.push_back({.name = "CONFIG_X", .essence = {}, .weak = false, .btf_id = {},
                              .kind = KconfigExtern{.type = test.type, .size = test.size, .is_signed = test.is_signed, .offset = 0}});
    std::unordered_map<std::string, std::string> config{{"CONFIG_X", std::string(test.value)}};
    Target target;
    target.kconfig = [&]() -> Result<const std::unordered_map<std::string, std::string>*> { return &config; };
    auto filled = fill_kconfig(object, target);
    std::string bytes;
    for (std::uint32_t i = 0; i < test.size; ++i) bytes += fmt::format("{:02x}", std::to_integer<unsigned>(object.maps[0].contents[i]));
    EXPECT_EQ(filled ? bytes : "error", test.expected) << (filled ? "" : describe(filled.error()));
  }
}

TEST(LinkKconfig, MissingValuesAreZeroOrAnError) {
  ObjectSpec object;
  object.maps.resize(1);
  object.maps[0].origin = MapOrigin::kconfig;
  object.maps[0].value_size = 4;
  object.externs.push_back({.name = "LINUX_KERNEL_VERSION", .essence = {}, .weak = false, .btf_id = {},
                            .kind = KconfigExtern{.type = KconfigType::integer, .size = 4, .is_signed = true, .offset = 0}});
  Target target;
  EXPECT_FALSE(fill_kconfig(object, target));
  target.version = {6, 1, 300};
  ASSERT_TRUE(fill_kconfig(object, target));
  EXPECT_EQ(load<std::uint32_t>(object.maps[0].contents, 0), 0x0601ffU);
  object.externs[0].name = "CONFIG_NOT_SET";
  EXPECT_FALSE(fill_kconfig(object, target));
  object.externs[0].weak = true;
  ASSERT_TRUE(fill_kconfig(object, target));
  EXPECT_EQ(load<std::uint32_t>(object.maps[0].contents, 0), 0U);
  std::get<KconfigExtern>(object.externs[0].kind).offset = 2;
  EXPECT_FALSE(fill_kconfig(object, target));
}

TEST(LinkKconfig, ReadsConfigurationText) {
  auto config = parse_kconfig("# comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"a=b\"\r\nCONFIG_A=n\nOTHER=1\nCONFIG_D=\nCONFIG_E=0x10");
  EXPECT_EQ(config.size(), 3U);
  EXPECT_EQ(config["CONFIG_A"], "y");
  EXPECT_EQ(config["CONFIG_C"], "\"a=b\"");
  EXPECT_EQ(config["CONFIG_E"], "0x10");
}

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

// ---- kernel types ----

/// A made-up kernel: `int there(void)`, a tracepoint, and struct_ops with a member more than programs know.
std::shared_ptr<const btf::Btf> kernel_btf() {
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

/// A module on top of the made-up kernel: a function, a variable, a tracepoint.
ModuleBtf module_btf(const std::shared_ptr<const btf::Btf>& kernel) {
  btf::Builder builder(kernel);
  auto integer = kernel->find("int", btf::Kind::int_)->id();
  auto proto = builder.add_func_proto(integer, {{"a", integer}});
  builder.add_func("in_module", proto, btf::Linkage::static_);
  builder.add_var("module_count", integer, btf::Linkage::global);
  builder.add_ref(btf::Kind::typedef_, "btf_trace_module_event", builder.add_ref(btf::Kind::ptr, "", proto));
  return {"mod", builder.build().value()};
}

TEST(LinkExterns, FindsKernelObjectsInModules) {
  btf::Builder builder;
  auto integer = builder.add_int("int", 4, {.bits = 32, .is_signed = true});
  auto proto = builder.add_func_proto(integer, {{"x", integer}});
  auto other_proto = builder.add_func_proto(integer, {});
  auto program_btf = builder.build().value();
  Target target;
  target.vmlinux = kernel_btf();
  ModuleBtf module = module_btf(target.vmlinux);
  target.modules = [&]() -> Result<std::vector<ModuleBtf>> { return std::vector{module}; };

  ExternSpec kfunc{.name = "in_module___v2", .essence = "in_module", .weak = false, .btf_id = {}, .kind = KfuncExtern{proto}};
  ObjectSpec object = with_extern(kCall, kfunc);
  object.btf = program_btf;
  auto linked = link(object, target);
  ASSERT_TRUE(linked) << describe(linked.error());
  auto id = static_cast<std::int32_t>(module.btf->find("in_module", btf::Kind::func)->id());
  EXPECT_EQ(linked->programs[0].spec.code.insns[0], (Insn{.opcode = isa::kOpCall, .src = 2, .imm = id}));
  ASSERT_EQ(linked->programs[0].module_btfs.size(), 1U);
  EXPECT_EQ(linked->programs[0].module_btfs[0].module, "mod");

  std::get<KfuncExtern>(object.externs[0].kind).proto = other_proto;  // other parameters: an error, or as if missing
  EXPECT_FALSE(link(object, target));
  object.externs[0].weak = true;
  linked = link(object, target);
  ASSERT_TRUE(linked);
  EXPECT_EQ(linked->programs[0].spec.code.insns[0].imm, 0);
  EXPECT_TRUE(linked->programs[0].module_btfs.empty());

  object = with_extern(kWide, {.name = "module_count", .essence = "module_count", .weak = false, .btf_id = {}, .kind = KsymExtern{.type = integer, .typeless = false}});
  object.btf = program_btf;
  linked = link(object, target);
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_TRUE(isa::is_ld_imm64(linked->programs[0].spec.code.insns[0], isa::Pseudo::btf_id));
  EXPECT_EQ(linked->programs[0].module_btfs.size(), 1U);
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
