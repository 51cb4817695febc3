#include "trace/document.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace espy::trace {
namespace {

// With ESPY_UPDATE=1 the page is written; otherwise what is checked in must be it.
TEST(Document, TheLanguagePageIsWhatTheTablesSay) {
  const char* path = ESPY_SOURCE_DIR "/docs/language.md";
  if (std::getenv("ESPY_UPDATE") != nullptr) std::ofstream(path) << language_page();
  std::ifstream in(path);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(page, language_page()) << "run trace_test with ESPY_UPDATE=1";
}

}  // namespace
}  // namespace espy::trace
