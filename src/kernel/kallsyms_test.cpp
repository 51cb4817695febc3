#include "kernel/kallsyms.hpp"

#include <gtest/gtest.h>

namespace espy::kernel {
namespace {

constexpr const char* kText =
    "0000000000000000 A fixed_percpu_data\n"
    "ffffffff81000000 T _text\n"
    "ffffffff81000100 t vfs_read\n"
    "ffffffff81000180 D some_data\n"
    "ffffffff81000200 W vfs_write\n"
    "ffffffffc0a01000 t nf_hook\t[nf_tables]\n"
    "ffffffffc0a00000 t module_first\t[nf_tables]\n";

TEST(KernelFunctions, AreFoundByAnAddressWithin) {
  KernelFunctions functions(kText);
  EXPECT_EQ(functions.name(0xffffffff81000100), "vfs_read");
  EXPECT_EQ(functions.name(0xffffffff81000110), "vfs_read+0x10");
  EXPECT_EQ(functions.name(0xffffffff81000190), "vfs_read+0x90");   // data has no code
  EXPECT_EQ(functions.name(0xffffffffc0a01004), "nf_hook+0x4 [nf_tables]");
}

TEST(KernelFunctions, AreToldInPieces) {
  KernelFunctions functions(kText);
  auto place = functions.find(0xffffffffc0a01004);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->name, "nf_hook");
  EXPECT_EQ(place->module, "nf_tables");
  EXPECT_EQ(place->address, 0xffffffffc0a01000);
  EXPECT_EQ(place->offset, 4U);
  EXPECT_EQ(functions.find(0xffffffff81000100)->module, "");
  EXPECT_FALSE(functions.find(0x1000));
}

TEST(KernelFunctions, SymbolsOfAllKindsHaveAddresses) {
  KernelFunctions functions(kText);
  EXPECT_EQ(functions.address_of("vfs_read").value(), 0xffffffff81000100);
  EXPECT_EQ(functions.address_of("some_data").value(), 0xffffffff81000180);
  EXPECT_EQ(functions.address_of("nf_hook").value(), 0xffffffffc0a01000);
  EXPECT_EQ(functions.address_of("fixed_percpu_data").value(), 0U);   // the first per-CPU variable of kernels before 6.15
  EXPECT_FALSE(functions.address_of("nothing").value());
  KernelFunctions hidden("0000000000000000 T _text\n0000000000000000 t vfs_read\n");
  EXPECT_TRUE(hidden.empty());
  EXPECT_EQ(hidden.address_of("vfs_read").error().kind, ErrorKind::permission);
}

TEST(KernelFunctions, AddressesOfNobodyHaveNoName) {
  KernelFunctions functions(kText);
  EXPECT_EQ(functions.name(0), "");
  EXPECT_EQ(functions.name(0x55d0c0de0000), "");
  EXPECT_EQ(functions.name(0xffffffff80ffffff), "");
  EXPECT_EQ(functions.name(0xffffffffb0000000), "");
}

TEST(KernelFunctions, HiddenAddressesAndBrokenLinesGiveNoNames) {
  for (const char* text : {"", "\n\n", "0000000000000000 T vfs_read\n", "zz T x\n", "ffffffff81000000", "ffffffff81000000 T", "ffffffff81000000 T \n"}) {
    EXPECT_EQ(KernelFunctions(text).name(0xffffffff81000000), "") << text;
  }
}

TEST(KernelFunctions, OfTheRunningKernel) {
  auto name = kernel_function_names();
  EXPECT_EQ(name(1), "");
  EXPECT_EQ(name(0x7fff00000000), "");
}

}  // namespace
}  // namespace espy::kernel
