// The running kernel's types as a header: clang compiles it without a warning, and what clang then knows of each struct
// is what the kernel's BTF says.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "btf/builder.hpp"
#include "btf/print.hpp"
#include "object.hpp"

namespace espy::btf::test {
namespace {

class Header : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("espy-header-{}", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Compiles a header and code that uses it, warnings being errors; the object's BTF, or null after a test failure.
  std::shared_ptr<const Btf> compile(const std::string& header, const std::string& code) {
    EXPECT_TRUE(write_file(folder_ / "types.h", bytes_of(header)));
    EXPECT_TRUE(write_file(folder_ / "use.c", bytes_of("#include \"types.h\"\n" + code)));
    const std::string command = fmt::format("{} -target bpf -g -O2 -Wall -Werror -ferror-limit=5 -Wno-missing-declarations -c {}/use.c -o {}/use.o",
                                            BPF_CLANG_PATH, folder_.string(), folder_.string());
    EXPECT_EQ(std::system(command.c_str()), 0);
    auto btf = Btf::open(folder_ / "use.o");
    EXPECT_TRUE(btf) << one_line(btf.error());
    return btf ? *btf : nullptr;
  }

  std::filesystem::path folder_;
};

// Both views of one struct have the same members in the same bits, anonymous ones and their members too.
void expect_same_layout(const Type& want, const Type& got, const std::string& where, int depth) {
  EXPECT_EQ(want.size(), got.size()) << where;
  ASSERT_EQ(want.vlen(), got.vlen()) << where;
  for (std::uint32_t i = 0; i < want.vlen(); ++i) {
    const Member a = want.member(i), b = got.member(i);
    EXPECT_EQ(a.name, b.name) << where;
    EXPECT_EQ(a.bit_offset, b.bit_offset) << where << "." << a.name;
    EXPECT_EQ(a.bitfield_size, b.bitfield_size) << where << "." << a.name;
    const Type inner = want.btf().resolve(a.type), other = got.btf().resolve(b.type);
    EXPECT_EQ(inner.kind(), other.kind()) << where << "." << a.name;
    const bool anonymous = inner.name().empty() && (inner.kind() == Kind::struct_ || inner.kind() == Kind::union_);
    if (anonymous && depth < 16) expect_same_layout(inner, other, where + "." + std::string(a.name), depth + 1);
    if (testing::Test::HasFailure()) return;
  }
}

TEST_F(Header, OfTheKernelKeepsEveryLayout) {
  auto kernel = Btf::kernel();
  if (!kernel) GTEST_SKIP() << "needs /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)";
  std::map<std::string, Type> wanted;  // "struct x": the first of its name is printed under it
  std::string code;
  for (std::uint32_t id = 1; id < (*kernel)->type_count(); ++id) {
    const Type type = (*kernel)->type(TypeId{id});
    if ((type.kind() != Kind::struct_ && type.kind() != Kind::union_) || type.name().empty()) continue;
    const auto first = (*kernel)->find_all(type.name());
    const auto tag = std::ranges::find_if(first, [](const Type& t) { return t.kind() == Kind::struct_ || t.kind() == Kind::union_ || t.kind() == Kind::enum_; });
    if (tag->id() != type.id()) continue;
    const std::string name = fmt::format("{} {}", to_string(type.kind()), type.name());
    wanted.emplace(name, type);
    code += fmt::format("{} *use_{};\n_Static_assert(sizeof({}) == {}, \"\");\n", name, id, name, type.size());
  }
  ASSERT_GT(wanted.size(), 1000U);
  auto compiled = compile(header(**kernel, Kfuncs::declared), code);
  ASSERT_TRUE(compiled);
  for (const auto& [name, type] : wanted) {
    auto got = compiled->find(type.name(), type.kind());
    ASSERT_TRUE(got) << name;
    expect_same_layout(type, *got, name, 0);
    if (HasFailure()) return;
  }
}

// What the kernel may not have today.
TEST_F(Header, HardLayouts) {
  Builder b;
  const TypeId u8 = b.add_int("unsigned char", 1, {.bits = 8}), u32 = b.add_int("unsigned int", 4, {.bits = 32});
  const TypeId s64 = b.add_int("long long", 8, {.bits = 64, .is_signed = true}), odd = b.add_int("u128 of rust", 16, {.bits = 128});
  b.add_struct(Kind::struct_, "packed", 5, {{"a", u8, 0}, {"b", u32, 8}});
  b.add_struct(Kind::struct_, "packed_inside", 12, {{"a", u8, 0}, {"b", TypeId{b.next_id() - 1}, 8}, {"c", u32, 64}});
  b.add_struct(Kind::struct_, "aligned", 64, {{"a", u32, 0}});
  b.add_struct(Kind::struct_, "gaps", 32, {{"a", u8, 0}, {"b", u32, 64}, {"c", s64, 192}});
  b.add_struct(Kind::struct_, "bits", 16, {{"a", u32, 0, 3}, {"b", u32, 5, 27}, {"c", u32, 32, 1}, {"d", u8, 40}, {"e", u32, 64, 31}, {"f", u32, 96, 32}});
  b.add_struct(Kind::struct_, "packed_bits", 5, {{"a", u32, 0, 3}, {"b", u32, 3, 31}});
  b.add_struct(Kind::struct_, "flexible", 8, {{"n", u32, 0}, {"items", b.add_array(s64, u32, 0), 64}});
  b.add_struct(Kind::struct_, "rust", 16, {{"a", odd, 0}});
  b.add_struct(Kind::struct_, "empty", 0, {});
  b.add_struct(Kind::struct_, "opaque", 24, {});
  b.add_struct(Kind::union_, "wide_union", 32, {{"a", u8, 0}, {"b", u32, 0}});
  b.add_enum("tiny", 1, false, {{"TINY", 200}});
  b.add_enum("small", 2, true, {{"SMALL", static_cast<std::uint64_t>(-3)}});
  b.add_enum("wide", 8, false, {{"WIDE", ~std::uint64_t{0}}});
  b.add_enum("wide_but_small", 8, false, {{"ONE", 1}});
  b.add_struct(Kind::struct_, "enums", 32, {{"a", TypeId{b.next_id() - 4}, 0}, {"b", TypeId{b.next_id() - 3}, 16}, {"c", TypeId{b.next_id() - 2}, 64}, {"d", TypeId{b.next_id() - 1}, 128}, {"e", u8, 192}});
  // A struct and a function type that mention each other; the same name for other things.
  const TypeId proto = b.next_id() == 0 ? kVoid : TypeId{b.next_id() + 4};
  b.add_struct(Kind::struct_, "ops", 8, {{"call", TypeId{b.next_id() + 1}, 0}});
  b.add_ref(Kind::typedef_, "call_t", TypeId{b.next_id() + 1});
  b.add_ref(Kind::ptr, "", TypeId{b.next_id() + 2});
  b.add_ref(Kind::ptr, "", TypeId{b.next_id() - 3});
  ASSERT_EQ(proto, TypeId{b.next_id()});
  b.add_func_proto(u32, {{"ops", TypeId{b.next_id() - 1}}, {"", kVoid}});
  b.add_struct(Kind::struct_, "packed", 8, {{"other", s64, 0}});
  b.add_ref(Kind::typedef_, "packed", u32);
  b.add_ref(Kind::typedef_, "TINY", u32);
  b.add_fwd("nowhere", false);
  auto built = b.build();
  ASSERT_TRUE(built) << one_line(built.error());
  ASSERT_TRUE((*built)->validate()) << one_line((*built)->validate().error());

  std::string code;
  std::vector<Type> wanted;
  for (std::uint32_t id = 1; id < (*built)->type_count(); ++id) {
    const Type type = (*built)->type(TypeId{id});
    if ((type.kind() != Kind::struct_ && type.kind() != Kind::union_) || (*built)->find(type.name(), type.kind())->id() != type.id()) continue;
    code += fmt::format("{} {} *use_{};\n", to_string(type.kind()), type.name(), id);
    wanted.push_back(type);
  }
  code += "struct packed___2 *second; packed third; TINY fourth; enum tiny fifth = TINY___2; struct nowhere *sixth;\n";
  auto compiled = compile(header(**built), code);
  ASSERT_TRUE(compiled);
  for (const Type& type : wanted) {
    auto got = compiled->find(type.name(), type.kind());
    ASSERT_TRUE(got) << type.name();
    if (type.name() == "wide_union") {
      EXPECT_EQ(got->size(), type.size());  // its padding is one more member
    } else {
      expect_same_layout(type, *got, std::string(type.name()), 0);
    }
  }
}

}  // namespace
}  // namespace espy::btf::test
