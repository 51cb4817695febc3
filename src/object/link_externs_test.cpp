// Externs: kernel symbols, kfuncs, kernel configuration, in the kernel and in modules.
#include "object/link.hpp"

#include <gtest/gtest.h>

#include "object/link_steps.hpp"
#include "object/link_test.hpp"

namespace espy::object {
namespace {

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

TEST(LinkExterns, WhoRunsTheProgramMayOfferFunctionsOfItsOwn) {
  ExternSpec kfunc{.name = "own___v2", .essence = "own", .weak = false, .btf_id = {}, .kind = KfuncExtern{}};
  Target target;
  EXPECT_FALSE(link(with_extern(kCall, kfunc), target));
  target.offers = [](std::string_view name) { return name == "own"; };
  auto linked = link(with_extern(kCall, kfunc), target);
  ASSERT_TRUE(linked) << describe(linked.error());
  ASSERT_EQ(linked->programs[0].kfuncs.size(), 1U);
  EXPECT_EQ(linked->programs[0].kfuncs[0].name, "own");
  EXPECT_EQ(linked->programs[0].kfuncs[0].insn, 0U);
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

}  // namespace
}  // namespace espy::object
