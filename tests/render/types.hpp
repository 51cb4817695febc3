// The types of types.h by their BTF.
#pragma once

#include <gtest/gtest.h>

#include "btf/btf.hpp"
#include "types.h"

namespace espy::render {

inline const btf::Btf& types() {
  static const auto btf = [] {
    auto opened = btf::Btf::open(TYPES_OBJECT);
    if (!opened) ADD_FAILURE() << describe(opened.error());
    return opened.value();
  }();
  return *btf;
}

inline btf::TypeId type_id(std::string_view name, btf::Kind kind = btf::Kind::struct_) {
  auto type = types().find(name, kind);
  EXPECT_TRUE(type.has_value()) << name;
  return type ? type->id() : btf::kVoid;
}

}  // namespace espy::render
