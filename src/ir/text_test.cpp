#include "ir/text.hpp"

#include <gtest/gtest.h>

#include "ir/check.hpp"
#include "ir/interpret.hpp"

namespace espy::ir {
namespace {

constexpr std::string_view kEverything = R"(map counts
map ".data x"
kfunc bpf_rcu_read_lock
variable runqueues

func main(v0:ctx, v1:i64 {0..63 zeros=0x1 ones=0x2 non_null}) -> i32 {
  slot s0 4 align 4
  slot s1 32
b0:
  store.32 [s0], 7:i32 @3
  zero.64 s1, 32
  copy.32 s1+8, s0, 4
  v2:map_value = helper.reads_only 1(map(counts), s0) @4 {0..255}
  v3:i1 = ne v2, null:map_value
  branch v3, b1, b5
b1:
  v4:i64 = load.8.signed [v2+8]
  v5:i64 = load.64.invariant [extern(runqueues):kernel-4]
  v6:i64 = atomic_add.64.fetch [v2], v4
  atomic_or.32 [value(".data x"+16)], 1:i32
  v7:i32 = trunc v6
  v8:i64 = zext.8 v7
  v9:i64 = select v3, v8, -9223372036854775808
  kfunc bpf_rcu_read_lock()
  v10:i64 = call other(v9, v5)
  v11:i64 = helper 181(10:i32, func(step), s1+8, 0)
  switch v10, -1 b2(v9), 7 b3, else b4
b2(v12:i64):
  v13:i64 = bswap.16 v12
  v14:stack = ptr_add s1, v13
  v15:i64 = atomic_cmpxchg.64.fetch [v14], v12, v13
  jump b4
b3:
  tail_call v0, map(counts), 3:i32, b4
b4:
  ret 1:i32
b5: cold
  ret 0:i32
}

subprogram func other(v0:i64, v1:i64) -> i64 cold {
b0:
  v2:i64 = sub v0, v1
  ret v2
}

callback func step(v0:i32, v1:stack) -> i64 {
b0:
  unreachable
}
)";

TEST(Text, PrintsWhatItRead) {
  Result<Module> module = parse(kEverything);
  ASSERT_TRUE(module.has_value()) << describe(module.error());
  EXPECT_EQ(print(*module), kEverything);
  Result<void> checked = check(*module);
  EXPECT_TRUE(checked.has_value()) << describe(checked.error());
}

TEST(Text, NumbersAreAnyAndCommentsAreSkipped) {
  Result<Module> module = parse("func f() -> i64 { b7: ; here\n jump b3(5) b3(v99:i64): v4:i64 = add v99, 1 ret v4 }");
  ASSERT_TRUE(module.has_value()) << describe(module.error());
  EXPECT_EQ(print(*module), "func f() -> i64 {\nb0:\n  jump b1(5)\nb1(v0:i64):\n  v1:i64 = add v0, 1\n  ret v1\n}\n");
}

TEST(Text, ErrorsSayWhere) {
  struct Case {
    std::string_view text, where, message;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"func f() {\nb0:\n  jump b1\n}", "ir:3:8", "b1 is nowhere defined"},
           {"func f() {\nb0:\n  v1:i64 = add v2, 1\n  ret\n}", "ir:3:16", "v2 is nowhere defined"},
           {"func f() { b0: ret b0: ret }", "ir:1:20", "b0 is defined twice"},
           {"func f() { b0: frob 1 }", "ir:1:16", "an instruction is expected, not `frob`"},
           {"func f() { b0: v0:i64 = load [s0] ret }", "ir:1:25", "`load` needs a width: `load.64`"},
           {"func f() { b0: call g() ret }", "ir:1:21", "there is no function `g`"},
           {"func f() { b0: ret", "ir:1:19", "a block is missing at the end"},
           {"func f() { b0: ret } func f() { b0: ret }", "ir:1:27", "a second function of this name"},
           {"func f() { b0: store.64 [s0], 1 ret }", "ir:1:26", "there is no slot s0"},
           {"func f() -> i65 { b0: ret }", "ir:1:13", "a type is expected, not `i65`"},
       }) {
    Result<Module> module = parse(one.text);
    ASSERT_FALSE(module.has_value()) << one.text;
    EXPECT_EQ(module.error().where, one.where) << one.text;
    EXPECT_EQ(module.error().message, one.message) << one.text;
  }
}

TEST(Check, FindsWhatIsIllFormed) {
  struct Case {
    std::string_view text, message;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"func f(v0:i64) { b0: v1:i32 = add v0, v0 ret }", "an operand is i64, not i32"},
           {"func f(v0:i64) -> i64 { b0: v1:i1 = eq v0, 0 branch v1, b1, b2 b1: v2:i64 = add v0, 1 ret v2 b2: ret v2 }",
            "an operand is not defined on every way to here"},
           {"func f(v0:i64) { b0: v1:i64 = add v1, v0 ret }", "an operand is not defined on every way to here"},
           {"func f() { b0: jump b1(1) b1: ret }", "1 arguments for 0 parameters"},
           {"func f() { b0: jump b1(1) b1(v0:i32): ret }", "argument 0 is i64, the parameter i32"},
           {"func f() { b0: jump b0 }", "an edge leads to the entry block"},
           {"func f() -> i32 { b0: ret }", "the function gives i32"},
           {"func f(v0:ctx) { b0: v1:i32 = load.64 [v0] ret }", "i32 in 64 bits"},
           {"func f(v0:i64) { b0: store.64 [v0], 1 ret }", "i64 is no memory"},
           {"func f(v0:ctx) { b0: v1:i1 = eq v0, 0 ret }", "compares ctx with i64"},
           {"func f() { b0: call g(1) ret } func g() { b0: ret }", "g takes 0 arguments"},
           {"func f(v0:i64) { b0: switch v0, 1 b1, 1 b1, else b1 b1: ret }", "case 1 stands twice"},
           {"func f(v0:ctx) { b0: atomic_xchg.64 [v0], 1 ret }", "gives the old value"},
           {"func f() { slot s0 8 align 3 b0: ret }", "a slot of 8 bytes, aligned to 3"},
       }) {
    Result<Module> module = parse(one.text);
    ASSERT_TRUE(module.has_value()) << one.text << describe(module.error());
    Result<void> checked = check(*module);
    ASSERT_FALSE(checked.has_value()) << one.text;
    EXPECT_EQ(checked.error().message, one.message) << one.text;
  }
}

Result<std::uint64_t> run(std::string_view text, std::vector<std::uint64_t> arguments) {
  Module module = TRY(parse(text));
  TRY(check(module));
  Machine machine(module);
  return machine.run(FuncId{0}, arguments);
}

TEST(Interpret, LoopsAndCalls) {
  constexpr std::string_view kSum = R"(
    func sum(v0:i64) -> i64 {
    b0: jump b1(0, 0)
    b1(v1:i64, v2:i64):
      v3:i1 = ult v1, v0
      branch v3, b2, b3
    b2:
      v4:i64 = call square(v1)
      v5:i64 = add v2, v4
      v6:i64 = add v1, 1
      jump b1(v6, v5)
    b3: ret v2
    }
    subprogram func square(v0:i64) -> i64 { slot s0 8 b0: store.64 [s0], v0 v1:i64 = load.64 [s0] v2:i64 = mul v0, v1 ret v2 })";
  EXPECT_EQ(run(kSum, {4}).value(), 0U + 1 + 4 + 9);
  EXPECT_EQ(run(kSum, {0}).value(), 0U);
}

TEST(Interpret, ArithmeticIsEbpfs) {
  auto one = [](std::string_view op, std::string_view type, std::uint64_t a, std::uint64_t b) {
    return run(fmt::format("func f(v0:{1}, v1:{1}) -> {1} {{ b0: v2:{1} = {0} v0, v1 ret v2 }}", op, type), {a, b}).value();
  };
  EXPECT_EQ(one("udiv", "i64", 5, 0), 0U);
  EXPECT_EQ(one("urem", "i64", 5, 0), 5U);
  EXPECT_EQ(one("sdiv", "i64", std::uint64_t{1} << 63, ~std::uint64_t{0}), std::uint64_t{1} << 63);
  EXPECT_EQ(one("srem", "i32", 0x80000000, 0xffffffff), 0U);
  EXPECT_EQ(one("sdiv", "i32", 0xfffffff9, 2), 0xfffffffdU);
  EXPECT_EQ(one("shl", "i32", 1, 33), 2U);
  EXPECT_EQ(one("ashr", "i32", 0x80000000, 31), 0xffffffffU);
  EXPECT_EQ(one("mul", "i32", 0xffffffff, 0xffffffff), 1U);
}

TEST(Interpret, StopsWhatDoesNotEnd) {
  Result<std::uint64_t> result = run("func f() { b0: jump b1 b1: jump b1 }", {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::exhausted);
  result = run("func f() { b0: call f() ret }", {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::exhausted);
  result = run("func f() -> i64 { slot s0 8 b0: v0:i64 = load.64 [s0+1] ret v0 }", {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::invalid_argument);
}

}  // namespace
}  // namespace espy::ir
