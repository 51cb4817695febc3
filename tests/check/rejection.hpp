// The broken programs of rejections/: each file begins with a title and a few lines on what is wrong, and may name the kernel
// that refuses it.
#pragma once

#include <string>
#include <vector>

namespace espy::test {

struct Rejection {
  std::string name;        ///< the program's: "missing_null_check"
  std::string object;      ///< the compiled file
  std::string source;      ///< as C, without the comment at its head
  std::string title, explanation;
  std::string kernel;      ///< "6.18" unless the file says "// kernel: 6.1"
};

/// All, in the order of their files.
std::vector<Rejection> rejections();

}  // namespace espy::test
