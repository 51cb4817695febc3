#include "base/glob.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace espy {
namespace {

TEST(Glob, WildcardsStandForPartsOfNames) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "espy_glob";
  std::filesystem::remove_all(folder);
  for (const char* file : {"a/one.so", "a/two.so.1", "b/one.so", "b/.hidden.so", "c/plain"}) {
    std::filesystem::create_directories((folder / file).parent_path());
    std::ofstream(folder / file) << "x";
  }
  const auto found = [&](const std::string& pattern) {
    std::vector<std::string> names;
    for (const std::string& path : paths_matching((folder / pattern).string())) names.push_back(path.substr(folder.string().size() + 1));
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(found("*/*.so"), (Names{"a/one.so", "b/one.so"}));
  EXPECT_EQ(found("a/*"), (Names{"a/one.so", "a/two.so.1"}));
  EXPECT_EQ(found("?/plain"), (Names{"c/plain"}));
  EXPECT_EQ(found("b/.h*"), (Names{"b/.hidden.so"}));
  EXPECT_EQ(found("c/plain"), (Names{"c/plain"}));
  EXPECT_EQ(found("c/plain/*"), Names{});
  EXPECT_EQ(found("d/*"), Names{});
  EXPECT_EQ(paths_matching(""), Names{});
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace espy
