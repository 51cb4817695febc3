// The little of ELF that these tests need: sections by name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "btf/btf.hpp"
#include "btf/ext.hpp"

namespace espy::btf::test {

struct Object {
  std::map<std::string, std::vector<std::byte>> sections;
  std::shared_ptr<const Btf> btf;
  std::vector<ExtSection> ext;
};

/// Reads an object of the corpus; a failure is a test failure that names what was wrong.
Object read_object(const std::string& path);

/// All objects of the corpus.
std::vector<std::string> corpus_objects();

}  // namespace espy::btf::test
