// Result identical, instruction for instruction, to libbpf's on every program that libbpf loads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "btf/ext.hpp"
#include "host_target.hpp"
#include "object/link.hpp"
#include "object/read.hpp"
#include "oracle.hpp"

namespace espy::test {
namespace {

/// Objects whose programs Espy links otherwise than libbpf 1.1 on purpose, and why; they must link, and are not compared.
struct Beyond {
  std::string_view object, why;
};
constexpr Beyond kBeyond[] = {
    {"kfunc_flavour", "libbpf 1.1 does not know flavours of kfuncs (1.3 does)"},
};
/// Objects that cannot be linked at all, by either.
constexpr std::string_view kUnlinkable[] = {"kconfig_missing", "ksym_missing", "kfunc_missing", "core_ambiguous"};

std::string corpus(std::string_view variant) { return ESPY_BINARY_DIR "/tests/corpus/" + std::string(variant); }

std::string stem_of(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  return name.substr(0, name.find('.'));
}

std::vector<std::filesystem::path> objects(std::string_view variant) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(corpus(variant)))
    if (entry.path().extension() == ".o") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

/// The object of made-up kernel types that this one is resolved against; empty: the running kernel.
std::string made_up_target(const std::filesystem::path& path) {
  static constexpr std::string_view kAgainstMadeUp[] = {"core_fields", "core_nested", "core_exists",
                                                        "core_matches", "core_enums", "core_memory_size", "core_signed",
                                                        "core_twins", "core_ambiguous"};
  bool made_up = std::ranges::find(kAgainstMadeUp, stem_of(path)) != std::end(kAgainstMadeUp);
  return made_up ? (path.parent_path() / "core_target.bpf.o").string() : std::string{};
}

std::string text_of(isa::Insn insn) {
  return fmt::format("opcode {:#04x} dst {} src {} off {} imm {}", insn.opcode, unsigned{insn.dst}, unsigned{insn.src}, insn.off, insn.imm);
}

void expect_same_insns(const std::vector<isa::Insn>& ours, const std::vector<isa::Insn>& theirs) {
  EXPECT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
    if (ours[i] != theirs[i]) {
      ADD_FAILURE() << "instruction " << i << ": ours " << text_of(ours[i]) << "; libbpf's " << text_of(theirs[i]);
      return;
    }
}

void expect_same_program(const object::LinkedProgram& ours, const OracleProgram& theirs, bool btf_loaded) {
  expect_same_insns(object::linked_insns(ours), theirs.insns);
  if (btf_loaded) {  // else libbpf passes none of it on
    EXPECT_TRUE(btf::encode_func_info(ours.spec.code.func_info) == theirs.func_info) << "func_info differs";
    EXPECT_TRUE(btf::encode_line_info(ours.spec.code.line_info) == theirs.line_info) << "line_info differs";
  }
  EXPECT_EQ(std::to_underlying(ours.spec.type), theirs.prog_type);
  EXPECT_EQ(ours.attach_btf_id ? std::to_underlying(*ours.attach_btf_id) : 0U, theirs.attach_btf_id);
  if (ours.spec.attach_type && theirs.expected_attach_type != 0) {
    EXPECT_EQ(std::to_underlying(*ours.spec.attach_type), theirs.expected_attach_type);
  }
}

/// The .kconfig map's contents but for LINUX_HAS_SYSCALL_WRAPPER: libbpf finds that out by placing a kprobe, which a
/// kernel may refuse for other reasons.
std::vector<std::byte> comparable_kconfig(const object::ObjectSpec& object, std::vector<std::byte> contents) {
  for (const object::ExternSpec& external : object.externs)
    if (const auto* kconfig = std::get_if<object::KconfigExtern>(&external.kind); kconfig && external.name == "LINUX_HAS_SYSCALL_WRAPPER")
      if (kconfig->offset < contents.size()) contents[kconfig->offset] = {};
  return contents;
}

/// A folder of the corpus, and how many programs at least are compared in it.
struct Variant {
  const char* folder;
  std::size_t programs;
};
constexpr Variant kVariants[] = {{"v1", 184}, {"v2", 184}, {"v3", 185}, {"v4", 185}, {"plain", 70}, {"joined", 3}};

class Oracle : public testing::Test {
 protected:
  void SetUp() override {
    auto host = host_target();
    if (!host) GTEST_SKIP() << "kernel BTF: " << describe(host.error());
    host_ = *host;
  }

  /// Compares all programs of one object; how many there were.
  std::size_t compare(const std::filesystem::path& path) {
    std::string btf = made_up_target(path);
    object::Target target = host_;
    if (!btf.empty()) target.core_types = object::target_from_btf(btf).value().vmlinux;
    auto spec = object::read(path);
    if (!spec) {
      ADD_FAILURE() << describe(spec.error());
      return 0;
    }
    object::LinkOptions all;
    for (const auto& program : spec->programs) all.programs.push_back(program.name);
    auto linked = object::link(*spec, target, all);
    OracleResult oracle = load_with_libbpf(path, btf);
    if (!linked) {
      ADD_FAILURE() << describe(linked.error()) << "\nlibbpf loads " << oracle.programs.size() << " of its programs";
      return 0;
    }
    if (std::ranges::find(kBeyond, stem_of(path), &Beyond::object) != std::end(kBeyond)) return 0;
    EXPECT_TRUE(oracle.refused.empty()) << "libbpf refuses " << oracle.refused.front() << ":\n" << oracle.log;
    bool btf_loaded = oracle.log.find("BTF loading error") == std::string::npos;
    std::map<std::string, const object::LinkedProgram*> by_name;
    for (const auto& program : linked->programs) by_name[program.spec.name] = &program;
    for (const OracleProgram& theirs : oracle.programs) {
      SCOPED_TRACE(theirs.name);
      if (auto ours = by_name.find(theirs.name); ours != by_name.end()) expect_same_program(*ours->second, theirs, btf_loaded);
      else ADD_FAILURE() << "libbpf has a program that we have not";
    }
    for (const auto& map : linked->object.maps) {
      if (map.origin != object::MapOrigin::kconfig || oracle.kconfig.empty()) continue;
      EXPECT_EQ(comparable_kconfig(*spec, map.contents), comparable_kconfig(*spec, oracle.kconfig));
    }
    return oracle.programs.size();
  }

  object::Target host_;
};

class CorpusOracle : public Oracle, public testing::WithParamInterface<Variant> {};

TEST_P(CorpusOracle, LinksEveryProgramAsLibbpfDoes) {
  std::size_t programs = 0, compared_objects = 0;
  for (const auto& path : objects(GetParam().folder)) {
    SCOPED_TRACE(path.filename().string());
    if (std::ranges::find(kUnlinkable, stem_of(path)) != std::end(kUnlinkable)) continue;
    programs += compare(path);
    ++compared_objects;
  }
  EXPECT_GE(programs, GetParam().programs);
  RecordProperty("programs", static_cast<int>(programs));
  fmt::print("{}: {} programs of {} objects compared\n", GetParam().folder, programs, compared_objects);
}

TEST_P(CorpusOracle, RefusesWhatLibbpfRefuses) {
  for (std::string_view name : kUnlinkable) {
    SCOPED_TRACE(name);
    if (!std::filesystem::exists(corpus(GetParam().folder) + "/" + std::string(name) + ".bpf.o")) continue;  // not of every variant
    std::string path = corpus(GetParam().folder) + "/" + std::string(name) + ".bpf.o";
    auto spec = object::read(path);
    ASSERT_TRUE(spec) << describe(spec.error());
    std::string btf = made_up_target(path);
    object::Target target = host_;
    if (!btf.empty()) target.core_types = object::target_from_btf(btf).value().vmlinux;
    auto linked = object::link(*spec, target);
    ASSERT_FALSE(linked);
    EXPECT_FALSE(load_with_libbpf(path, btf).refused.empty());
    std::string_view symbol = name == "kconfig_missing" ? "CONFIG_ESPY_MUST_EXIST" : name == "core_ambiguous" ? "struct twins.moved" : "espy_no_such";
    EXPECT_NE(describe(linked.error()).find(symbol), std::string::npos) << describe(linked.error());
  }
}

/// For objects from elsewhere: ESPY_OBJECTS=FOLDER link_oracle_test --gtest_filter='Oracle.*'. What libbpf refuses, in
/// whole or in part, is only named.
TEST_F(Oracle, LinksObjectsFromElsewhereAsLibbpfDoes) {
  const char* folder = std::getenv("ESPY_OBJECTS");
  if (folder == nullptr) GTEST_SKIP() << "no folder of other objects is given (ESPY_OBJECTS)";
  std::size_t programs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".o") continue;
    SCOPED_TRACE(entry.path().filename().string());
    OracleResult oracle = load_with_libbpf(entry.path(), "");
    if (oracle.refused.empty() && !oracle.programs.empty()) programs += compare(entry.path());
    else fmt::print("{}: libbpf refuses it\n{}\n", entry.path().filename().string(), oracle.log);
  }
  fmt::print("{} programs compared\n", programs);
}

INSTANTIATE_TEST_SUITE_P(Corpus, CorpusOracle, testing::ValuesIn(kVariants), [](const auto& variant) { return std::string(variant.param.folder); });

}  // namespace
}  // namespace espy::test
