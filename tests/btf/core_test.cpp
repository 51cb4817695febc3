// CO-RE against what the compiler itself wrote: an instruction's operand, before it is relocated, is the value that the
// local types give. So for every relocation of every object, `original` must be in the instruction; and resolved against
// its own BTF, an object must not change.
#include <gtest/gtest.h>

#include "btf/core.hpp"
#include "object.hpp"

namespace espy::btf::test {
namespace {

// The operand that a relocation replaces.
std::optional<std::uint64_t> operand(const std::vector<std::byte>& code, std::uint32_t slot) {
  if (code.size() < (std::size_t{slot} + 1) * 8) return std::nullopt;
  const auto opcode = std::to_integer<unsigned>(code[slot * 8]);
  const auto offset = load<std::int16_t>(code, slot * 8 + 2);
  const auto immediate = load<std::int32_t>(code, slot * 8 + 4);
  switch (opcode & 7) {
    case 0: return static_cast<std::uint32_t>(immediate) | std::uint64_t{load<std::uint32_t>(code, slot * 8 + 12)} << 32;
    case 1: case 2: case 3: return static_cast<std::uint64_t>(offset);
    case 4: case 7: return static_cast<std::uint64_t>(immediate);
    default: return std::nullopt;
  }
}

TEST(Core, OriginalValuesAreInTheInstructions) {
  int relocations = 0;
  for (const std::string& path : corpus_objects()) {
    const Object object = read_object(path);
    CoreMatcher matcher(object.btf, object.btf);
    for (const ExtSection& section : object.ext)
      for (const CoreRelocation& relocation : section.relocations) {
        auto result = matcher.resolve(relocation);
        if (!result) {
          // In an object that declares flavours, its own types are ambiguous.
          EXPECT_NE(one_line(result.error()).find("ambiguous"), std::string::npos) << path << ": " << one_line(result.error());
          continue;
        }
        ++relocations;
        const auto present = operand(object.sections.at(section.name), relocation.insn);
        ASSERT_TRUE(present) << path << ": " << describe(relocation, *object.btf);
        if (result->validate) {
          EXPECT_EQ(result->original, *present) << path << ": " << describe(relocation, *object.btf);
        }
      }
  }
  EXPECT_GT(relocations, 100);
}

}  // namespace
}  // namespace espy::btf::test
