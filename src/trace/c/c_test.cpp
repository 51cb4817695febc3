#include "trace/c/types.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"

namespace espy::trace::c {
namespace {

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  CTypes types;
  explicit Parsed(const std::string& text, const Options& options = {}) {
    const std::uint32_t source = sources.add("s.bt", text);
    types = parse({{text, {0, static_cast<std::uint32_t>(text.size()), source}}}, sources, options, diagnostics);
  }
  std::string errors() const {
    std::string all;
    for (const Diagnostic& it : diagnostics.all()) all += render(it, sources, false);
    return all;
  }
  std::int64_t number(std::string_view name) const {
    const Constant* constant = types.find(name);
    if (!constant) return -12345;
    if (const auto* value = std::get_if<std::int64_t>(&constant->value)) return *value;
    const auto* value = std::get_if<std::uint64_t>(&constant->value);
    return value ? static_cast<std::int64_t>(*value) : -54321;
  }
};

/// What clang makes of the same text; `names` are used so that it emits them.
std::shared_ptr<const btf::Btf> clang(const std::string& text) {
  char directory[] = "/tmp/espy-c-XXXXXX";
  if (!mkdtemp(directory)) return nullptr;
  const std::string source = std::string(directory) + "/t.c", object = std::string(directory) + "/t.o";
  EXPECT_TRUE(write_file(source, bytes_of(std::string_view(text))));
  const std::string command = "clang-19 -target bpf -D__x86_64__ -D__LP64__ -g -O0 -w -I/usr/include/x86_64-linux-gnu -c " + source + " -o " + object;
  const int status = std::system(command.c_str());
  EXPECT_EQ(status, 0) << text;
  auto btf = btf::Btf::open(object);
  std::filesystem::remove_all(directory);
  EXPECT_TRUE(btf) << text;
  return btf ? *btf : nullptr;
}

void same_members(const btf::Btf& ours, btf::Type a, const btf::Btf& theirs, btf::Type b, int depth) {
  EXPECT_EQ(a.size(), b.size()) << a.name();
  ASSERT_EQ(a.vlen(), b.vlen()) << a.name();
  for (std::uint32_t number = 0; number < a.vlen() && a.kind() != btf::Kind::enum_ && a.kind() != btf::Kind::enum64; ++number) {
    const btf::Member mine = a.member(number), other = b.member(number);
    EXPECT_EQ(mine.name, other.name) << a.name();
    EXPECT_EQ(mine.bit_offset, other.bit_offset) << a.name() << "." << mine.name;
    EXPECT_EQ(mine.bitfield_size, other.bitfield_size) << a.name() << "." << mine.name;
    EXPECT_EQ(ours.size_of(mine.type).value_or(0), theirs.size_of(other.type).value_or(0)) << a.name() << "." << mine.name;
    const btf::Type inner = ours.resolve(mine.type), their_inner = theirs.resolve(other.type);
    EXPECT_EQ(inner.kind(), their_inner.kind()) << a.name() << "." << mine.name;
    const bool is_composite = inner.kind() == btf::Kind::struct_ || inner.kind() == btf::Kind::union_;
    if (is_composite && inner.name().empty() && depth < 10) same_members(ours, inner, theirs, their_inner, depth + 1);
  }
  if (a.kind() != btf::Kind::enum_ && a.kind() != btf::Kind::enum64) return;
  for (std::uint32_t number = 0; number < a.vlen(); ++number) {
    EXPECT_EQ(a.enumerator(number).name, b.enumerator(number).name);
    EXPECT_EQ(a.enumerator(number).value, b.enumerator(number).value) << a.enumerator(number).name;
  }
}

/// Every named struct, union and enum lies in memory as clang lays it out.
void same_layout(const std::string& text, std::size_t least = 1) {
  const Parsed parsed(text);
  ASSERT_EQ(parsed.errors(), "");
  const btf::Btf& ours = *parsed.types.btf;
  const auto valid = ours.validate();
  EXPECT_TRUE(valid) << one_line(valid.error());
  std::string uses = text;
  std::vector<btf::Type> named;
  for (std::uint32_t id = 1; id < ours.type_count(); ++id) {
    const btf::Type type = ours.type(btf::TypeId{id});
    const char* tag = type.kind() == btf::Kind::struct_ ? "struct" : type.kind() == btf::Kind::union_ ? "union"
                      : type.kind() == btf::Kind::enum_ || type.kind() == btf::Kind::enum64 ? "enum" : nullptr;
    if (!tag || type.name().empty()) continue;
    named.push_back(type);
    uses += fmt::format("\n{} {} *espy_use_{};", tag, type.name(), id);
  }
  EXPECT_GE(named.size(), least);
  if (named.empty()) return;
  const auto theirs = clang(uses);
  ASSERT_TRUE(theirs);
  for (const btf::Type type : named) {
    const auto other = theirs->find(type.name(), type.kind());
    ASSERT_TRUE(other) << type.name();
    same_members(ours, type, *theirs, *other, 0);
  }
}

TEST(CLayout, AsClangs) {
  if (std::system("clang-19 --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "clang-19 is missing";
  same_layout(
      "typedef unsigned char u8; typedef unsigned long u64; typedef u8 bytes[7];\n"
      "struct plain { char a; short b; int c; long d; char e; };\n"
      "struct packed { char a; int b; long c; short d; } __attribute__((packed));\n"
      "struct __attribute__((packed, aligned(2))) both { char a; int b; char c; };\n"
      "struct aligned { char a; int b __attribute__((aligned(16))); char c; } __attribute__((aligned(32)));\n"
      "union u { char a; long b; char c[13]; };\n"
      "struct nested { struct { int a; union { char b; long c; }; } d; struct plain e[2][3]; bytes f; };\n"
      "struct bits { int a : 3; unsigned b : 5; int : 2; u64 c : 40; char d; int e : 7; int : 0; int f : 1; u8 g : 4; u8 h : 4; };\n"
      "struct packed_bits { char a; int b : 17; long c : 40; short d : 3; } __attribute__((packed));\n"
      "struct bits_after { char a; long b : 3; }; struct wide { u64 a : 60; u64 b : 10; };\n"
      "struct pointers { void *a; int (*f)(struct later *, int, ...); struct later **l; int (*arr[3])(void); int (*m)[4]; };\n"
      "struct later { int x; };\n"
      "struct flexible { int n; char data[]; }; struct zero { int n; long z[0]; }; struct empty { };\n"
      "enum e { A, B = 5, C, D = A + 2 }; enum negative { N = -1, P = 7 }; enum wide_enum { W = 0x100000000UL };\n"
      "enum __attribute__((packed)) small { S = 1, T = 200 };\n"
      "struct with_enum { enum e a; enum small b; char c; };\n"
      "#define LEN 4\nstruct sized { char a[LEN * sizeof(long)]; int b[sizeof(struct plain)]; char c[(LEN > 3) ? 2 : 9]; };\n"
      "struct floats { float a; double b; _Bool c; __int128 d; };\n"
      "struct attributed { int *a; } __attribute__((preserve_access_index));\n"
      "#pragma pack(push, 1)\nstruct pragma_packed { char a; int b; long c; };\n#pragma pack(pop)\nstruct after_pack { char a; int b; };\n"
      "typedef struct { int a; char b; } anonymous_t; struct uses { anonymous_t a; char b; anonymous_t c[2]; };\n"
      "typedef int aligned_int __attribute__((aligned(8))); struct uses_aligned { char a; aligned_int b; };\n"
      "struct declared; struct refers { struct declared *d; const volatile char *const s; unsigned long long int q; long unsigned r; };\n",
      25);
}

TEST(CLayout, HeadersOfTheSystem) {
  if (std::system("clang-19 --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "clang-19 is missing";
  for (const std::string header : {"linux/types.h", "linux/socket.h", "linux/in.h", "linux/in6.h", "linux/tcp.h", "linux/ip.h", "linux/if_ether.h",
                                   "linux/bpf.h", "linux/perf_event.h", "linux/stat.h", "linux/time.h", "linux/sched.h", "linux/fs.h", "linux/ipv6.h",
                                   "linux/udp.h", "linux/if.h", "linux/netlink.h", "linux/input.h", "linux/stddef.h", "linux/signal.h", "linux/limits.h",
                                   "asm/ptrace.h", "linux/if_packet.h", "linux/virtio_net.h"}) {
    if (!std::filesystem::exists("/usr/include/" + header) && !std::filesystem::exists("/usr/include/x86_64-linux-gnu/" + header)) continue;
    SCOPED_TRACE(header);
    same_layout("#include <" + header + ">\n", 0);
  }
}

TEST(CLayout, NothingOfTheHeadersIsSkipped) {
  const Options strict{.include_directories = {"/usr/include/x86_64-linux-gnu", "/usr/include"}, .system_directories = {}};
  for (const char* header : {"linux/types.h", "linux/signal.h", "linux/bpf.h", "linux/fs.h", "linux/perf_event.h", "linux/if.h", "sys/socket.h", "stdio.h"}) {
    EXPECT_EQ(Parsed(std::string("#include <") + header + ">\n", strict).errors(), "") << header;
  }
}

TEST(CLayout, HeadersOfTheCLibrary) {
  for (const char* header : {"sys/socket.h", "netinet/in.h", "arpa/inet.h", "stdint.h", "sys/types.h", "errno.h", "fcntl.h", "stdio.h", "string.h", "stddef.h", "stdbool.h"}) {
    const Parsed parsed(std::string("#include <") + header + ">\n");
    EXPECT_EQ(parsed.errors(), "") << header;
  }
  const Parsed parsed("#include <sys/socket.h>\n#include <linux/errno.h>\n#include <stdint.h>\nstruct s { struct sockaddr a; uint32_t b; };\n");
  EXPECT_EQ(parsed.errors(), "");
  EXPECT_EQ(parsed.number("AF_INET6"), 10);
  EXPECT_EQ(parsed.number("ENOENT"), 2);
  EXPECT_EQ(parsed.types.btf->find("s", btf::Kind::struct_)->size(), 20U);
}

TEST(CPreprocessor, DefinesAreConstants) {
  const Parsed parsed("#define A 5\n#define B (A + 1)\n#define C \"text\" \"more\\n\"\n#define D 0xffffffffffffffffUL\n#define F(x) ((x) * 2)\n#define G F(B)\n"
                      "#define E\n#define H do_something()\n#define I 'a'\n#define J -3\n#define K (1 << 4 | 3)\n#define L sizeof(int)\n#define M ((unsigned char)300)\n"
                      "#define N A\n#undef A\n#define A 7\nenum { X = 3, Y };\n#define Z Y\n");
  EXPECT_EQ(parsed.errors(), "");
  EXPECT_EQ(parsed.number("A"), 7);
  EXPECT_EQ(parsed.number("B"), 8);
  EXPECT_EQ(std::get<std::string>(parsed.types.find("C")->value), "textmore\n");
  EXPECT_EQ(std::get<std::uint64_t>(parsed.types.find("D")->value), UINT64_MAX);
  EXPECT_EQ(parsed.number("G"), 16);
  EXPECT_EQ(parsed.number("I"), 'a');
  EXPECT_EQ(parsed.number("J"), -3);
  EXPECT_EQ(parsed.number("K"), 19);
  EXPECT_EQ(parsed.number("L"), 4);
  EXPECT_EQ(parsed.number("M"), 44);
  EXPECT_EQ(parsed.number("Y"), 4);
  EXPECT_EQ(parsed.number("Z"), 4);
  EXPECT_FALSE(parsed.types.find("E") || parsed.types.find("H") || parsed.types.find("F"));
}

TEST(CPreprocessor, MacrosExpandAsCSays) {
  const Parsed parsed("#define CAT(a, b) a##b\n#define STR(x) #x\n#define XSTR(x) STR(x)\n#define LIST(f, ...) f(__VA_ARGS__)\n#define ADD(a, b) a + b\n"
                      "#define V1 CAT(1, 2)\n#define V2 XSTR(V1)\n#define V3 STR(V1 + x)\n#define V4 LIST(ADD, 3, 4)\n#define self self + 1\n#define V5 self\n"
                      "#define OPT(a, ...) a, ##__VA_ARGS__\n#define FIRST(a, ...) a\n#define V6 FIRST(OPT(9))\n#define LATER F2\n#define F2(x) x * 3\n#define V7 LATER(5)\n");
  EXPECT_EQ(parsed.errors(), "");
  EXPECT_EQ(parsed.number("V1"), 12);
  EXPECT_EQ(std::get<std::string>(parsed.types.find("V2")->value), "12");
  EXPECT_EQ(std::get<std::string>(parsed.types.find("V3")->value), "V1 + x");
  EXPECT_EQ(parsed.number("V4"), 7);
  EXPECT_EQ(parsed.number("V6"), 9);
  EXPECT_EQ(parsed.number("V7"), 15);
  EXPECT_FALSE(parsed.types.find("V5"));
}

TEST(CPreprocessor, Conditions) {
  const Parsed parsed("#if defined(X) || defined Y\n#define A 1\n#elif 1 + 1 == 2 && !defined X\n#define A 2\n#else\n#define A 3\n#endif\n"
                      "#ifdef A\n#ifndef A\n#error never\n#else\n#define B 1\n#endif\n#endif\n#if UNKNOWN\n#if 1\n#define C 1\n#endif\n#else\n#define C 2\n#endif\n"
                      "#if __has_include(<no/such.h>)\n#define D 1\n#endif\n");
  EXPECT_EQ(parsed.errors(), "");
  EXPECT_EQ(parsed.number("A"), 2);
  EXPECT_EQ(parsed.number("B"), 1);
  EXPECT_EQ(parsed.number("C"), 2);
  EXPECT_FALSE(parsed.types.find("D"));
}

TEST(CErrors, AreTheScripts) {
  const auto errors = [](const std::string& text) { return Parsed(text).errors(); };
  EXPECT_EQ(errors("struct a { int b; foo_t c; };\nstruct d { struct e f; };\n"),
            "s.bt:1:19-24: ERROR: `foo_t` is no type\nstruct a { int b; foo_t c; };\n                  ~~~~~\nHINT: include the header that defines it\n"
            "s.bt:2:22-23: ERROR: the size of member `f` is not known\nstruct d { struct e f; };\n                     ~\nHINT: define `e` before, or use a pointer to it\n");
  EXPECT_NE(errors("#include <no/such.h>\n").find("'no/such.h' file not found"), std::string::npos);
  EXPECT_NE(errors("#if 1\n").find("this #if has no #endif"), std::string::npos);
  EXPECT_NE(errors("#endif\n").find("#endif without #if"), std::string::npos);
  EXPECT_NE(errors("#error not here\n").find("not here"), std::string::npos);
  EXPECT_NE(errors("#foo\n").find("no directive #foo"), std::string::npos);
  EXPECT_NE(errors("struct a { int b int c; };").find("expected `;` after the member"), std::string::npos);
  EXPECT_NE(errors("struct a { int b : 40; };").find("wider than its type"), std::string::npos);
  EXPECT_NE(errors("struct a { int b[x]; };").find("no integer constant"), std::string::npos);
  EXPECT_NE(errors("struct a { int b; }; struct a { int c; };").find("`struct a` is defined already"), std::string::npos);
  EXPECT_NE(errors("struct a { int b[1 << 30]; };").find("too big"), std::string::npos);
  EXPECT_NE(errors("struct a { int b; ").find("expected"), std::string::npos);
  EXPECT_NE(errors("struct a { int b __attribute__((aligned(3))); };").find("power of two"), std::string::npos);
}

TEST(CErrors, DepthAndSizeAreBounded) {
  const auto many = [](std::string_view piece, int times) {
    std::string text;
    for (int number = 0; number < times; ++number) text += piece;
    return text;
  };
  EXPECT_NE(Parsed(many("struct a { ", 100000)).errors(), "");
  EXPECT_NE(Parsed("int " + many("(*", 100000) + ";").errors(), "");
  EXPECT_NE(Parsed("struct s { int a[" + many("(", 100000) + "]; };").errors(), "");
  EXPECT_NE(Parsed("struct s { int a" + many("[2]", 1000) + "; };").errors(), "");
  std::string doubling = "#define a0 1 + 1\n";
  for (int number = 1; number < 60; ++number) doubling += fmt::format("#define a{} a{} + a{}\n", number, number - 1, number - 1);
  EXPECT_NE(Parsed(doubling + "struct s { int a[a59]; };").errors().find("expand to too much"), std::string::npos);
}

TEST(CTypes, TheKernelsTypesAreKnown) {
  const auto kernel = btf::Btf::kernel();
  if (!kernel) GTEST_SKIP() << "the kernel has no BTF";
  const Parsed parsed("struct s { u32 a; pid_t b; struct list_head c; struct task_struct *t; };\n#ifndef BPFTRACE_HAVE_BTF\n#error\n#endif\n", {.kernel = *kernel});
  EXPECT_EQ(parsed.errors(), "");
  const auto type = parsed.types.btf->find("s", btf::Kind::struct_);
  ASSERT_TRUE(type);
  EXPECT_EQ(type->size(), 32U);
  const btf::Type pointee = parsed.types.btf->resolve(parsed.types.btf->resolve(type->member(3).type).target());
  EXPECT_EQ(pointee.name(), "task_struct");
  EXPECT_EQ(pointee.kind(), btf::Kind::struct_);
  EXPECT_NE(Parsed("#include <net/sock.h>\n", {.kernel = *kernel}).errors().find("the kernel's own types are known without headers"), std::string::npos);
}

}  // namespace
}  // namespace espy::trace::c
