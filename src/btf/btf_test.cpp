#include <gtest/gtest.h>

#include "btf/builder.hpp"
#include "btf/btf.hpp"

namespace espy::btf {
namespace {

std::shared_ptr<const Btf> kernel_or_null() {
  auto btf = Btf::kernel();
  return btf ? *btf : nullptr;
}

TEST(Kernel, FindsTypes) {
  auto btf = kernel_or_null();
  if (!btf) GTEST_SKIP() << "needs /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)";
  auto task = btf->find("task_struct", Kind::struct_);
  ASSERT_TRUE(task);
  EXPECT_EQ(task->name(), "task_struct");
  EXPECT_EQ(btf->size_of(task->id()), task->size());
  EXPECT_FALSE(btf->find("task_struct", Kind::union_));
  EXPECT_FALSE(btf->find("no_such_type_at_all", Kind::struct_));
  for (int i = 0; i < 40; ++i) EXPECT_EQ(btf->find("task_struct", Kind::struct_)->id(), task->id());
  EXPECT_EQ(btf->pointer_size(), sizeof(void*));
  EXPECT_TRUE(btf->validate()) << one_line(btf->validate().error());
}

TEST(Kernel, CopyIsIdentical) {
  auto btf = kernel_or_null();
  if (!btf) GTEST_SKIP() << "needs /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)";
  const Bytes original = btf->bytes();
  EXPECT_TRUE(std::ranges::equal(Builder::copy_of(*btf).bytes(), original));
  // Through the other byte order and back.
  const Endian other = Endian::native == Endian::little ? Endian::big : Endian::little;
  auto swapped = Btf::parse(Builder::copy_of(*btf).bytes(other), nullptr, "swapped");
  ASSERT_TRUE(swapped) << one_line(swapped.error());
  EXPECT_EQ((*swapped)->stored_endian(), other);
  EXPECT_TRUE(std::ranges::equal((*swapped)->bytes(), original));
}

}  // namespace
}  // namespace espy::btf
