// Many names and addresses at once, compared with binutils.
#include <algorithm>
#include <set>

#include "programs.hpp"
#include "symbol/demangle.hpp"
#include "symbol/elf_file.hpp"
#include "symbol/symbol_table.hpp"

namespace espy::symbol {
namespace {

TEST(Oracle, NamesAreCppfilts) {
  if (std::system("command -v c++filt >/dev/null") != 0) GTEST_SKIP() << "no c++filt here";
  std::set<std::string> names;
  for (const char* path : {"/proc/self/exe", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"}) {
    auto file = ElfFile::open(path);
    if (!file) continue;
    const std::vector<Function> functions = file->functions().value();
    for (const Function& f : functions)
      if (f.name.starts_with("_Z")) names.insert(f.name);
  }
  ASSERT_GT(names.size(), 1000U);
  // Where Rust is at hand, the names of its core library.
  const std::string rust = output_of(fmt::format("{} $(rustc --print sysroot 2>/dev/null)/lib/rustlib/*/lib/libcore-*.rlib 2>/dev/null", ESPY_NM));
  for (std::string_view line : split(rust, '\n')) {
    auto words = split_words(line);
    if (!words.empty() && words.back().starts_with("_R")) names.emplace(words.back());
  }
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  const std::string list = test_folder() + "/names";
  ASSERT_TRUE(write_file(list, bytes_of(std::string_view(text))));
  const std::string output = output_of("c++filt --no-verbose <" + list);
  auto theirs = split(output, '\n');
  std::size_t i = 0, left = 0, different = 0;
  for (const std::string& name : names) {
    const std::string own = demangle(name);
    if (own == name) ++left;   // with a shared libstdc++, names with very many substitutions
    else if (own != theirs[i]) ++different, ADD_FAILURE() << own << "\n" << theirs[i];
    ++i;
    ASSERT_LT(different, 5U);
  }
  EXPECT_LT(left, names.size() / 20);
}

TEST(Oracle, SymbolsAreNms) {
  const std::string path = ESPY_BINARY_DIR "/bin/symbol_process_test";
  auto file = ElfFile::open("/proc/self/exe").value();
  auto table = SymbolTable::read(file).value();
  int checked = 0;
  const std::string output = output_of(fmt::format("{} --defined-only {}", ESPY_NM, path));
  for (std::string_view line : split(output, '\n')) {
    auto words = split_words(line);
    if (words.size() != 3 || std::string_view("tT").find(words[1]) == std::string_view::npos) continue;
    const std::uint64_t address = parse_number<std::uint64_t>("0x" + std::string(words[0])).value();
    auto symbol = table.function_at(address);
    ASSERT_TRUE(symbol) << line;
    EXPECT_EQ(symbol->address, address) << line << " " << symbol->name;
    ++checked;
  }
  EXPECT_GT(checked, 500);
}

}  // namespace
}  // namespace espy::symbol
