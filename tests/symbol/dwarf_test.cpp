// Types and lines of compiled programs, compared with what the compiler and addr2line say.
#include "symbol/dwarf.hpp"

#include "btf/print.hpp"
#include "programs.hpp"
#include "symbol/process.hpp"

namespace espy::symbol {
namespace {

const std::string kTypes = R"(
#include <stddef.h>
#include <stdio.h>
enum colour { red = -1, green = 5 };
enum big { far = 0x123456789abcULL };
typedef unsigned long size;
union either { int number; float real; };
struct list { struct list* next; struct list* others[3]; const char* name; };
struct all {
  unsigned a : 3, b : 7;
  signed c : 12;
  long long d : 40;
  char text[16];
  short grid[2][3];
  enum colour colour;
  enum big big;
  union either either;
  struct { int x, y; };
  int (*call)(struct all*, size, ...);
  struct opaque* hidden;
  _Bool yes;
  double real;
  volatile int* const changing;
  struct list list;
};
int take(struct all* all, size n, const char* text, enum colour c, union either e, double real, ...) { return all->b + n; }
void nothing(void) {}
static int hidden_one(short s) { return s + 1; }
int main(int argc, char** argv) {
  struct all a = {};
  nothing();
  take(&a, 1, "", red, a.either, 1.0) + hidden_one(argc);
  printf("%zu %zu %zu %zu\n", offsetof(struct all, text), offsetof(struct all, grid), offsetof(struct all, list), sizeof(struct all));
}
)";

btf::Type pointee(const btf::Btf& btf, btf::TypeId id) { return btf.resolve(btf.resolve(id).target()); }

const btf::Member member(const btf::Type& type, std::string_view name) {
  for (const btf::Member& m : type.members())
    if (m.name == name) return m;
  ADD_FAILURE() << "no member " << name;
  return {};
}

TEST(FunctionTypes, AreThoseOfTheSource) {
  struct {
    const char *name, *compiler, *flags;
  } compilers[] = {{"gcc5", ESPY_CC, "-g -O0 -gdwarf-5"}, {"gcc4", ESPY_CC, "-g -O1 -gdwarf-4"}, {"gcc3", ESPY_CC, "-g -O0 -gdwarf-3 -gstrict-dwarf"},
                   {"units", ESPY_CC, "-g -O0 -fdebug-types-section"}, {"gz", ESPY_CC, "-g -O0 -gz=zlib"}, {"clang", "clang-19", "-g -O0"}};
  for (const auto& c : compilers) {
    SCOPED_TRACE(c.name);
    const std::string path = compile(fmt::format("types_{}", c.name), kTypes, c.flags, c.compiler);
    auto types = function_types(path, "take");
    ASSERT_TRUE(types) << describe(types.error());
    const btf::Btf& btf = *types->btf;
    EXPECT_TRUE(btf.validate()) << describe(btf.validate().error());
    const btf::Type proto = btf.type(types->proto);
    ASSERT_EQ(proto.kind(), btf::Kind::func_proto);
    EXPECT_EQ(btf.type_name(proto.target()), "int");
    std::string text;
    for (const btf::Param& p : proto.params()) text += fmt::format("{} {}, ", p.name.empty() ? "..." : btf.type_name(p.type), p.name);
    EXPECT_EQ(text, "struct all * all, size n, const char * text, enum colour c, union either e, double real, ... , ");
    const btf::Type all = pointee(btf, proto.param(0).type);
    EXPECT_EQ(member(all, "a").bitfield_size, 3U);
    EXPECT_EQ(member(all, "b").bit_offset, 3U);
    EXPECT_EQ(member(all, "b").bitfield_size, 7U);
    EXPECT_EQ(member(all, "c").bit_offset, 10U);
    EXPECT_EQ(member(all, "d").bitfield_size, 40U);
    EXPECT_EQ(btf.type_name(member(all, "text").type), "char[16]");
    EXPECT_EQ(btf.size_of(member(all, "grid").type).value(), 12U);
    const btf::Type colour = btf.resolve(member(all, "colour").type);
    EXPECT_TRUE(colour.is_signed());
    EXPECT_EQ(static_cast<std::int64_t>(colour.enumerator(0).value), -1);
    EXPECT_EQ(btf.resolve(member(all, "big").type).enumerator(0).value, 0x123456789abcU);
    EXPECT_EQ(pointee(btf, member(all, "hidden").type).kind(), btf::Kind::fwd);
    EXPECT_EQ(pointee(btf, member(all, "call").type).params().size(), 3U);
    const btf::Type list = btf.resolve(member(all, "list").type);
    EXPECT_EQ(pointee(btf, member(list, "next").type).id(), list.id());
    // The compiler's own layout, as the program tells it.
    const std::string told = output_of(path);
    EXPECT_EQ(fmt::format("{} {} {} {}\n", member(all, "text").bit_offset / 8, member(all, "grid").bit_offset / 8, member(all, "list").bit_offset / 8, all.size()), told);
    auto nothing = function_types(path, "nothing").value();
    EXPECT_EQ(nothing.btf->type(nothing.proto).target(), btf::kVoid);
  }
}

TEST(FunctionTypes, OfCppClasses) {
  const std::string path = compile("classes", R"(
namespace ns {
struct Base { int first; virtual ~Base() {} };
struct Second { long second; };
template <typename T> struct Box { T value; };
class Derived : public Base, private Second {
 public:
  static int count;
  int method(const Base& base, Box<char>&& box, int Second::* member) __attribute__((noinline)) { return own + base.first; }
  int own = 3;
  enum class Mode : unsigned char { a = 200 } mode;
};
int f(Derived& d, decltype(nullptr)) { return d.own; }
}
int main() { ns::Derived d; ns::Box<char> b; return d.method(d, static_cast<ns::Box<char>&&>(b), nullptr) + ns::f(d, nullptr); }
)", "-g -O0", ESPY_CXX, "cpp");
  auto types = function_types(path, "ns::Derived::method");
  ASSERT_TRUE(types) << describe(types.error());
  const btf::Btf& btf = *types->btf;
  const btf::Type proto = btf.type(types->proto);
  ASSERT_EQ(proto.params().size(), 4U);
  EXPECT_EQ(proto.param(0).name, "this");
  const btf::Type derived = pointee(btf, proto.param(0).type);
  EXPECT_EQ(derived.name(), "Derived");
  ASSERT_GE(derived.members().size(), 4U);
  EXPECT_EQ(derived.member(0).name, "");
  EXPECT_EQ(btf.type(derived.member(0).type).name(), "Base");
  EXPECT_EQ(btf.type(derived.member(1).type).name(), "Second");
  EXPECT_EQ(derived.member(1).bit_offset, 128U);
  EXPECT_EQ(member(derived, "own").bit_offset, 192U);
  EXPECT_EQ(btf.resolve(member(derived, "mode").type).enumerator(0).value, 200U);
  EXPECT_EQ(pointee(btf, proto.param(1).type).name(), "Base");
  EXPECT_EQ(pointee(btf, proto.param(2).type).name(), "Box<char>");
  auto dwarf = Dwarf::open(path).value();
  std::string text;
  for (const FunctionSignature& s : dwarf.functions())
    if (s.name == "method")
      for (const Parameter& p : s.parameters) text += p.type + " " + p.name + "; ";
  EXPECT_EQ(text, "Derived *const this; const Base & base; Box<char> && box; ? member; ");
}

TEST(FunctionTypes, AbsentOnesSayWhy) {
  const std::string path = compile("without", kTypes, "-O1");
  auto types = function_types(path, "take");
  ASSERT_FALSE(types);
  EXPECT_EQ(types.error().kind, ErrorKind::not_found);
  EXPECT_NE(describe(types.error()).find("-g"), std::string::npos);
  EXPECT_EQ(function_types(path, "tkae").error().kind, ErrorKind::not_found);
}

// Where a Rust compiler is at hand: its types and names.
TEST(FunctionTypes, OfRust) {
  if (std::system("command -v rustc >/dev/null && rustc --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no rustc here";
  const std::string source = test_folder() + "/rusty.rs", path = test_folder() + "/rusty";
  const std::string text = R"(
mod inner {
    pub struct Pair { pub first: u8, pub second: i64 }
    #[inline(never)]
    pub fn add(pair: &Pair, more: u32, maybe: Option<u16>) -> i64 { pair.second + more as i64 + maybe.unwrap_or(1) as i64 }
}
fn main() { std::process::exit(inner::add(&inner::Pair { first: 1, second: std::env::args().count() as i64 }, 3, None) as i32); }
)";
  ASSERT_TRUE(write_file(source, bytes_of(std::string_view(text))));
  run(fmt::format("rustc -g --crate-name rusty -o {} {} 2>/dev/null", path, source));
  auto types = function_types(path, "rusty::inner::add");
  ASSERT_TRUE(types) << describe(types.error());
  const btf::Btf& btf = *types->btf;
  const btf::Type proto = btf.type(types->proto);
  ASSERT_EQ(proto.params().size(), 3U);
  EXPECT_EQ(btf.type_name(proto.target()), "i64");
  const btf::Type pair = pointee(btf, proto.param(0).type);
  EXPECT_EQ(pair.name(), "Pair");
  EXPECT_EQ(btf.type_name(member(pair, "second").type), "i64");
  auto places = addresses_of_line(path, "rusty.rs", 5);
  ASSERT_TRUE(places) << describe(places.error());
  const Function add = find_function(ElfFile::open(path).value(), "rusty::inner::add").value();
  EXPECT_EQ(places->front().file_offset, add.file_offset);
}

TEST(Signatures, AreSpelledAsInC) {
  const std::string path = compile("signatures", kTypes, "-g -O0");
  auto dwarf = Dwarf::open(path).value();
  std::string text;
  for (const FunctionSignature& s : dwarf.functions()) {
    text += fmt::format("{} {}(", s.returns, s.name);
    for (const Parameter& p : s.parameters) text += fmt::format("{} {},", p.type, p.name);
    text += ")\n";
    EXPECT_EQ(s.address, find_function(ElfFile::open(path).value(), s.name)->address);
  }
  EXPECT_EQ(text,
            "int hidden_one(short int s,)\n"
            "int main(int argc,char ** argv,)\n"
            "void nothing()\n"
            "int take(struct all * all,size n,const char * text,enum colour c,union either e,double real,... ,)\n");
}

// --- lines -----------------------------------------------------------------------------------------------------------

// Debug information within the program, in a file that .gnu_debuglink names, and in one by build-id.
std::string separated(const std::string& path, bool with_link) {
  const std::string stripped = path + ".stripped", debug = path + ".debug";
  run(fmt::format("{0} --only-keep-debug {1} {2} && cp {1} {3} && {4} -g {3}", ESPY_OBJCOPY, path, debug, stripped, ESPY_STRIP));
  if (with_link) run(fmt::format("{0} --add-gnu-debuglink={1} {2}", ESPY_OBJCOPY, debug, stripped));
  return stripped;
}

TEST(Lines, AreThoseOfAddr2line) {
  for (const char* flags : {"-g -O0", "-g -O2", "-g -O2 -gdwarf-4", "-g -O0 -no-pie -fno-pie"}) {
    SCOPED_TRACE(flags);
    const std::string path = compile("lines", kProgram, flags);
    auto file = ElfFile::open(path).value();
    auto dwarf = Dwarf::open(path).value();
    int checked = 0;
    for (const char* name : {"visible", "main"}) {
      const Function function = find_function(file, name).value();
      for (std::uint64_t address = function.address; address < function.address + function.size; ++address, ++checked) {
        const std::string output = output_of(fmt::format("{} -i -f -e {} {:x}", ESPY_ADDR2LINE, path, address));
        std::string own;
        for (const SourceFrame& frame : dwarf.frames_of(address)) own += fmt::format("{}\n{}:{}\n", frame.function, frame.at.file, frame.at.line);
        std::string expected;
        for (std::string_view line : split(output, '\n')) {
          line = line.substr(0, line.find(" (discriminator"));
          if (!line.empty()) expected += std::string(line) + "\n";
        }
        ASSERT_EQ(own, expected) << fmt::format("{:x}", address);
      }
    }
    EXPECT_GT(checked, 20);
  }
}

TEST(Lines, LeadToAddresses) {
  for (const char* flags : {"-g -O0", "-g -O2"}) {
    SCOPED_TRACE(flags);
    const std::string path = compile("places", kProgram, flags);
    auto file = ElfFile::open(path).value();
    const Function visible = find_function(file, "visible").value();
    auto places = addresses_of_line(path, "places.c", 7);   // int visible(int x) {
    ASSERT_TRUE(places) << describe(places.error());
    ASSERT_EQ(places->size(), 1U);
    EXPECT_EQ(places->front().address, visible.address);
    EXPECT_EQ(places->front().file_offset, visible.file_offset);
    auto inlined = addresses_of_line(path, "symbol/" + test_folder().substr(test_folder().rfind('/') + 1) + "/places.c", 5);
    ASSERT_TRUE(inlined) << describe(inlined.error());
    EXPECT_GE(inlined->front().address, visible.address);
    EXPECT_LT(inlined->front().address, visible.address + visible.size);
  }
}

TEST(Lines, WithoutCodeSuggestOthers) {
  const std::string path = compile("suggest", kProgram, "-g -O0");
  EXPECT_EQ(addresses_of_line(path, "suggest.c", 4).error().hint, "the nearest line with code is 5") << "or 4";
  EXPECT_EQ(addresses_of_line(path, "suggest.c", 1).error().message, "suggest.c:1 has no code");
  EXPECT_EQ(addresses_of_line(path, "sugest.c", 7).error().hint, "did you mean `suggest.c`?");
  EXPECT_EQ(addresses_of_line(path, "uggest.c", 7).error().kind, ErrorKind::not_found);
  EXPECT_EQ(addresses_of_line(path, "", 7).error().kind, ErrorKind::invalid_argument);
  auto columns = addresses_of_line(path, "suggest.c", 8, 77);
  ASSERT_FALSE(columns);
  EXPECT_NE(columns.error().hint.find("column 11"), std::string::npos) << columns.error().hint;
  EXPECT_TRUE(addresses_of_line(path, "suggest.c", 8, 11));
}

TEST(Lines, OfSeparateDebugFiles) {
  const std::string path = compile("apart", kProgram, "-g -O0 -Wl,--build-id");
  const std::string stripped = separated(path, true);
  auto whole = addresses_of_line(path, "apart.c", 8), apart = addresses_of_line(stripped, "apart.c", 8);
  ASSERT_TRUE(apart) << describe(apart.error());
  EXPECT_EQ(apart->front().file_offset, whole->front().file_offset);
  EXPECT_TRUE(function_types(stripped, "visible"));
  EXPECT_TRUE(function_types(stripped, "hidden"));
  Symboliser symbols({.lines = true});
  Child child(stripped);
  Frame frame = symbols.resolve(child.pid(), child.address(1));
  EXPECT_EQ(frame.symbol, "hidden");
  EXPECT_FALSE(frame.source.empty());
  // A debug file of another program under that name is none.
  const std::string other = compile("other", kProgram + "int another;", "-g -O0 -Wl,--build-id");
  run(fmt::format("cp {} {}.debug", other, path));
  EXPECT_FALSE(addresses_of_line(stripped, "apart.c", 8));
}

TEST(Lines, OfProgramsWhoseTypesAreElsewhere) {
  const std::string path = compile("split", kProgram, "-g -O0 -gsplit-dwarf");
  auto places = addresses_of_line(path, "split.c", 7);
  ASSERT_TRUE(places) << describe(places.error());
  auto file = ElfFile::open(path).value();
  EXPECT_EQ(places->front().address, find_function(file, "visible")->address);
  EXPECT_NE(function_types(path, "visible").error().hint.find(".dwo"), std::string::npos);
  EXPECT_TRUE(Dwarf::of(file, path)->line_of(find_function(file, "visible")->address));
}

TEST(Lines, OfFilesThatShareTheirDebugInformation) {
  const std::string path = compile("shares", kProgram, "-g -O0"), link = test_folder() + "/link";
  const std::string pipe = test_folder() + "/pipe";
  ::mkfifo(pipe.c_str(), 0600);   // opening it would wait for ever
  const std::string text = pipe + std::string("\0abcdefghijklmnopqrst", 21);
  ASSERT_TRUE(write_file(link, bytes_of(std::string_view(text))));
  run(fmt::format("{} --add-section .gnu_debugaltlink={} {}", ESPY_OBJCOPY, link, path));
  auto places = addresses_of_line(path, "shares.c", 8);
  ASSERT_FALSE(places);
  EXPECT_NE(one_line(places.error()).find(pipe), std::string::npos);
}

TEST(Lines, OfProcesses) {
  const std::string path = compile("running", kProgram, "-g -O2");
  Child child(path);
  Symboliser symbols({.lines = true});
  Frame frame = symbols.resolve(child.pid(), child.address(0));
  ASSERT_FALSE(frame.source.empty());
  EXPECT_EQ(frame.source.back().function, "visible");
  EXPECT_TRUE(frame.source.back().at.file.ends_with("/running.c"));
}

}  // namespace
}  // namespace espy::symbol
