#include <gtest/gtest.h>

#include "btf/builder.hpp"
#include "object.hpp"

namespace espy::btf::test {
namespace {

TEST(Objects, AreValidAndRoundTrip) {
  for (const std::string& path : corpus_objects()) {
    const Object object = read_object(path);
    ASSERT_TRUE(object.btf);
    auto valid = object.btf->validate();
    EXPECT_TRUE(valid) << path << ": " << one_line(valid.error());
    EXPECT_TRUE(std::ranges::equal(Builder::copy_of(*object.btf).bytes(), object.btf->bytes())) << path;

    Builder merged;
    EXPECT_EQ(merged.merge(*object.btf), 0U);
    const std::uint32_t delta = merged.merge(*object.btf);
    EXPECT_EQ(delta, object.btf->type_count() - 1);
    auto built = merged.build();
    ASSERT_TRUE(built) << path << ": " << one_line(built.error());
    EXPECT_TRUE((*built)->validate()) << path;
    for (std::uint32_t id = 1; id < object.btf->type_count(); ++id) {
      EXPECT_EQ((*built)->type_name(TypeId{id}), object.btf->type_name(TypeId{id}));
      EXPECT_EQ((*built)->type_name(TypeId{id + delta}), object.btf->type_name(TypeId{id}));
    }
  }
}

TEST(Objects, ExtRoundTrips) {
  for (const std::string& path : corpus_objects()) {
    const Object object = read_object(path);
    Builder strings = Builder::copy_of(*object.btf);
    std::vector<std::uint32_t> names;
    for (const ExtSection& section : object.ext) names.push_back(strings.add_string(section.name));
    const auto add = [&](std::string_view text) { return strings.add_string(text); };
    for (Endian endian : {Endian::little, Endian::big}) {
      const auto bytes = encode_ext(object.ext, names, add, endian);
      auto again = parse_ext(bytes, *object.btf);
      ASSERT_TRUE(again) << path << ": " << one_line(again.error());
      ASSERT_EQ(again->size(), object.ext.size());
      for (std::size_t i = 0; i < object.ext.size(); ++i) {
        EXPECT_EQ((*again)[i].name, object.ext[i].name);
        EXPECT_EQ((*again)[i].functions, object.ext[i].functions);
        EXPECT_EQ((*again)[i].lines, object.ext[i].lines);
        EXPECT_EQ((*again)[i].relocations, object.ext[i].relocations);
      }
      if (endian == Endian::native) {
        EXPECT_EQ(bytes, object.sections.at(".BTF.ext")) << path;
      }
    }
  }
}

}  // namespace
}  // namespace espy::btf::test
