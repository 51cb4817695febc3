// libbpf is given each object of the corpus as clang made it and as we wrote it: it must make the same of both.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>

#include "base/fd.hpp"
#include "isa/decode.hpp"
#include "isa/disassemble.hpp"
#include "object/read.hpp"
#include "object/write.hpp"

namespace espy::object {
namespace {

struct Outcome {
  int error = 0;                                  // of opening or loading; the programs are those of a load that went well
  std::map<std::string, std::string> programs;    // instructions as libbpf gave them to the kernel
  std::map<std::string, std::string> maps;
};

int silent(libbpf_print_level, const char*, va_list) { return 0; }

Outcome libbpf_makes(Bytes bytes) {
  Outcome outcome;
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "written");
  bpf_object* opened = bpf_object__open_mem(bytes.data(), bytes.size(), &options);
  if (opened == nullptr) return {.error = -errno, .programs = {}, .maps = {}};
  std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object(opened, bpf_object__close);
  outcome.error = bpf_object__load(opened);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, opened) {
    outcome.maps[bpf_map__name(map)] = fmt::format("{} {} {} {} {:#x}", static_cast<int>(bpf_map__type(map)), bpf_map__key_size(map),
                                                   bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map));
  }
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, opened) {
    if (outcome.error != 0) continue;
    auto slots = std::as_bytes(std::span(bpf_program__insns(program), bpf_program__insn_cnt(program)));
    std::vector<isa::Insn> code;
    for (std::size_t at = 0; at < slots.size(); at += 8) code.push_back(isa::from_word(load<std::uint64_t>(slots, at)));
    // Descriptors differ from load to load.
    for (isa::Insn& insn : code) {
      if (isa::is_ld_imm64(insn, isa::Pseudo::map_fd) || isa::is_ld_imm64(insn, isa::Pseudo::map_value)) insn.imm = 0;
    }
    outcome.programs[bpf_program__name(program)] = isa::disassemble(code);
  }
  return outcome;
}

TEST(Libbpf, MakesTheSameOfClangsFileAndOurs) {
  if (geteuid() != 0) GTEST_SKIP() << "loading a program needs CAP_BPF";
  libbpf_set_print(silent);
  int loaded = 0;
  std::string folder = fmt::format("{}/v3", CORPUS);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".o") continue;
    std::string path = entry.path().string();
    SCOPED_TRACE(path);
    auto clangs = read_file(path);
    ASSERT_TRUE(clangs);
    auto object = read(*clangs, path);
    ASSERT_TRUE(object) << describe(object.error());
    auto ours = write_elf(*object);
    ASSERT_TRUE(ours) << describe(ours.error());
    Outcome expected = libbpf_makes(*clangs), outcome = libbpf_makes(*ours);
    EXPECT_EQ(expected.error, outcome.error);
    EXPECT_EQ(expected.maps, outcome.maps);
    EXPECT_EQ(expected.programs, outcome.programs);
    loaded += expected.error == 0 ? 1 : 0;
  }
  EXPECT_GT(loaded, 20);
}

}  // namespace
}  // namespace espy::object
