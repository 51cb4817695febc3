// Files that are not what they should be: an error that names the file, status 1, no crash, no hang, little memory.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.hpp"

namespace espy::test {
namespace {

// The limits turn a hang or a hunger into a signal or a failure. Sanitizers reserve terabytes of addresses.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr const char* kLimits = "ulimit -t 100; ";
#else
constexpr const char* kLimits = "ulimit -t 20; ulimit -v 1000000; ";
#endif

// Every command that reads an object, on one file.
void refuses(const std::string& path, const std::string& says = {}) {
  std::string program = ESPY_BINARY_DIR "/espy";
  for (const char* words : {"show", "show --json", "dis", "dis --linked", "dis --raw", "run --for 10ms", "test-run"}) {
    Outcome outcome = command({"sh", "-c", kLimits + ("exec " + program) + " " + words + " " + path});
    EXPECT_EQ(outcome.status, 1) << words << " " << path << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(path), std::string::npos) << words << " " << path << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << words << " " << path << "\n" << outcome.err;
  }
}

TEST(BadInput, FilesThatAreNoObjects) {
  Folder folder;
  write(folder.path("empty"), "");
  write(folder.path("text"), "int main;\n");
  write(folder.path("magic"), "\x7f" "ELF");
  write(folder.path("huge"), "");
  ASSERT_EQ(::truncate(folder.path("huge").c_str(), off_t{20} << 30), 0);
  refuses("/nowhere/x.o", "No such file");
  refuses(folder.path("empty"), "ELF");
  refuses(folder.path("text"), "ELF");
  refuses(folder.path("magic"));
  refuses("/tmp", "directory");
  refuses("/dev/zero", "bytes");
  refuses(folder.path("huge"), "bytes");
  refuses("/bin/true", "eBPF");
}

// A program killed by a signal has a status above 128. A cut file may still hold all that a command asks for.
void survives(const std::vector<std::string>& words, const std::string& path) {
  Outcome outcome = espy(words);
  EXPECT_LT(outcome.status, 2) << words[0] << " " << path << "\n" << outcome.err;
  if (outcome.status == 1) {
    EXPECT_NE(outcome.err.find(path), std::string::npos) << outcome.err;
  }
}

TEST(BadInput, AnObjectCutAnywhere) {
  Folder folder;
  const std::string whole = read(example("opens.bpf.o")), path = folder.path("cut.o");
  ASSERT_GT(whole.size(), 1000U);
  for (std::size_t size = 0; size < whole.size(); size += 64) {
    write(path, whole.substr(0, size));
    Outcome outcome = espy({"show", path});
    EXPECT_EQ(outcome.status, 1) << size << " bytes\n" << outcome.out;
    EXPECT_NE(outcome.err.find(path), std::string::npos) << outcome.err;
    if (size % 1024 == 0) survives({"dis", path, "--linked"}, path);
  }
}

TEST(BadInput, AnObjectWithABlockOfOtherBytes) {
  Folder folder;
  const std::string whole = read(example("opens.bpf.o")), path = folder.path("bad.o");
  for (std::size_t at = 0; at + 64 <= whole.size(); at += 192) {
    for (char filler : {'\xff', '\0'}) {
      std::string bytes = whole;
      bytes.replace(at, 64, 64, filler);
      write(path, bytes);
      survives({"show", path, "--types"}, path);
      survives({"dis", path, "--linked"}, path);
    }
  }
}

TEST(BadInput, DamagedTypesNameTheSectionAndTheOffset) {
  Folder folder;
  std::string bytes = read(example("opens.bpf.o"));
  const std::string magic("\x9f\xeb\x01\x00\x18\x00\x00\x00", 8);   // the header of .BTF; .BTF.ext's is longer
  std::size_t at = bytes.find(magic);
  ASSERT_NE(at, bytes.npos);
  std::string header = bytes, types = bytes;
  header.replace(at + 8, 4, "\xff\xff\xff\x7f");    // type_off
  types.replace(at + 24 + 4, 4, "\xff\xff\xff\xff");  // the first type's info
  write(folder.path("header.o"), header);
  write(folder.path("types.o"), types);
  refuses(folder.path("header.o"), "BTF");
  refuses(folder.path("types.o"), "BTF");
}

TEST(BadInput, AnObjectOfTheOtherByteOrderIsReadButNotRun) {
  Folder folder;
  const std::string source = folder.path("big.c"), path = folder.path("big.o");
  write(source, "__attribute__((section(\"xdp\"))) int drop(void *ctx) { return 1; }\n");
  Outcome compiled = command({"clang-19", "-target", "bpfeb", "-O2", "-g", "-c", source, "-o", path});
  ASSERT_EQ(compiled.status, 0) << compiled.err;
  Outcome shown = espy({"show", path});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_NE(shown.out.find("big-endian"), std::string::npos) << shown.out;
  EXPECT_NE(espy({"dis", path}).out.find("r0 = 1"), std::string::npos);
  Outcome run = espy({"run", path, "--iface", "lo", "--for", "10ms"});
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.err.find(path), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("endian"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace espy::test
