#include "symbol/demangle.hpp"

#include <gtest/gtest.h>

#include "symbol/punycode.hpp"

namespace espy::symbol {
namespace {

struct Case {
  const char* mangled;
  const char* name;
};

TEST(Demangle, Cpp) {
  EXPECT_EQ(demangle("_ZN2ns1fEi"), "ns::f(int)");
  EXPECT_EQ(demangle("_ZNKSt6vectorIiSaIiEE4sizeEv"), "std::vector<int, std::allocator<int> >::size() const");
  EXPECT_EQ(demangle("_ZN3fooEv.constprop.0"), "foo() [clone .constprop.0]");
}

TEST(Demangle, CppWithoutParameters) {
  const Case cases[] = {{"_ZN2ns1fEi", "ns::f"},
                        {"_ZNKSt6vectorIiSaIiEE4sizeEv", "std::vector<int, std::allocator<int> >::size"},
                        {"_ZN12_GLOBAL__N_11fEi", "(anonymous namespace)::f"},
                        {"_ZN12_GLOBAL__N_11xE", "(anonymous namespace)::x"},
                        {"_ZN1AclEi", "A::operator()"},
                        {"_Z1fPFviE", "f"},
                        {"_ZZ1fvENKUliE_clEi", "f()::{lambda(int)#1}::operator()"},
                        {"_ZN2ns1fEi.cold", "ns::f"},
                        {"_ZTI1A", "typeinfo for A"}};
  for (const Case& c : cases) EXPECT_EQ(demangle(c.mangled, Parameters::dropped), c.name) << c.mangled;
}

// The expectations are rustc-demangle's and those of binutils' c++filt.
TEST(Demangle, RustLegacy) {
  const Case cases[] = {
      {"_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"},
      {"_ZN4core3fmt5write17h0123456789abcdefE.llvm.8403981722", "core::fmt::write"},
      {"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
       "<Test + 'static as foo::Bar<Test>>::bar"},
      {"_ZN28_$u7b$$u7b$closure$u7d$$u7d$17h930b740aa94f1d3aE", "{{closure}}"},
      {"_ZN13test$RF$a$BP$17h930b740aa94f1d3aE", "test&a*"},
      {"_ZN3std2rt10lang_start17h05ec5321d7fd347cE.cold", "std::rt::lang_start.cold"}};
  for (const Case& c : cases) EXPECT_EQ(demangle(c.mangled), c.name) << c.mangled;
}

TEST(Demangle, RustV0) {
  const Case cases[] = {
      {"_RNvC6_123foo3bar", "123foo::bar"},
      {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
      {"_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y", "utf8_idents::საჭმელად_გემრიელი_სადილი"},
      {"_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"},
      {"_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_6memchr7memrchrs_0E0Bb_",
       "<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::{closure#1}>::{closure#0}"},
      {"_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
       "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>"},
      {"_RNvMC0INtC8arrayvec8ArrayVechKj7b_E3new", "<arrayvec::ArrayVec<u8, 123>>::new"},
      {"_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E", "<const_generic::Unsigned<11>>"},
      {"_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKs98_E", "<const_generic::Signed<152>>"},
      {"_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E", "<const_generic::Signed<-11>>"},
      {"_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb1_E", "<const_generic::Bool<true>>"},
      {"_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc2202_E", "<const_generic::Char<'∂'>>"},
      {"_RNvNvMCs4fqI2P2rA04_13const_genericINtB4_3FooKpE3foo3FOO", "<const_generic::Foo<_>>::foo::FOO"},
      {"_RIC1aFG_RL0_hEuE", "a::<for<'a> fn(&'a u8)>"},
      {"_RIC1aFUKCmEmE", "a::<unsafe extern \"C\" fn(u32) -> u32>"},
      {"_RIC1aTmEE", "a::<(u32,)>"},
      {"_RIC1aAhj4_SRehE", "a::<[u8; 4], [&str], u8>"},
      {"_RNvC1a1b.cold", "a::b.cold"},
      {"_RNvC1a1b.llvm.123", "a::b"}};
  for (const Case& c : cases) EXPECT_EQ(demangle(c.mangled), c.name) << c.mangled;
  EXPECT_FALSE(demangle_rust("_RIC0FRL0_hRL0_hEuE"));   // a lifetime that nothing binds
}

TEST(Demangle, OtherNamesStay) {
  for (const char* name : {"main", "_Z", "_R", "_R1", "_RN", "_ZN", "_ZNE", "_ZN1", "_Zx", "__libc_start_main", "_RNvC5mycrate", "", "_RB_",
                           "_RNvB_1a", "_RNvC99999999999999999999a", "_RIC1aFG_RLZZZZZZZZZZZZZZZ_hEuE", "_ZN4core17h0123456789abcdefE9"})
    EXPECT_EQ(demangle(name), name);
}

// A name of a few hundred bytes that stands for 2^60 characters, in either language.
TEST(Demangle, HostileNamesAreCheap) {
  std::string cpp = "_Z1fSt4pairIiiE";
  for (int i = 0; i < 60; ++i) cpp += fmt::format("St4pairIS{}_S{}_E", i == 0 ? "" : fmt::format("{}", i % 10), i == 0 ? "" : fmt::format("{}", i % 10));
  EXPECT_LT(demangle(cpp).size(), std::size_t{1} << 15);
  std::string rust = "_RIC1a";
  std::size_t previous = 0;
  auto base62 = [](std::size_t value) {
    if (value == 0) return std::string("_");
    std::string digits;
    for (--value;; value /= 62) {
      digits.insert(digits.begin(), "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[value % 62]);
      if (value < 62) return digits + "_";
    }
  };
  for (int i = 0; i < 60; ++i) {
    std::size_t here = rust.size() - 2;
    rust += i == 0 ? std::string("TmmE") : "TB" + base62(previous) + "B" + base62(previous) + "E";
    previous = here;
  }
  rust += "E";
  EXPECT_EQ(demangle(rust), rust);   // too long, so left as it is
  EXPECT_EQ(demangle("_RI" + std::string(3000, 'I')).size(), 3003U);
  EXPECT_EQ(demangle("_RYR" + std::string(3000, 'R')).size(), 3004U);
  EXPECT_EQ(demangle("_Z" + std::string(100000, 'P')).size(), 100002U);
  static_cast<void>(demangle("_Z1f" + std::string(4000, 'P') + "i"));
}

TEST(Demangle, Punycode) {
  EXPECT_EQ(decode_punycode("gdel_5qa"), "gödel");
  EXPECT_EQ(decode_punycode("__7hkackfecea1cbdathfdh9hlq6y").has_value(), true);
  EXPECT_FALSE(decode_punycode("a_99999999999"));
  EXPECT_FALSE(decode_punycode("a_B"));
}

}  // namespace
}  // namespace espy::symbol
