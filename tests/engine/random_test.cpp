// Random programs that use maps, packets, helpers, subprograms and callbacks, on the kernel and on each tier of the user engine:
// the same return values, packets and maps. ESPY_SEED=N runs one; ESPY_PROGRAMS=N runs so many.
#include <cstdlib>
#include <random>

#include "btf/builder.hpp"
#include "cli/compare_engines.hpp"
#include "espy/object.hpp"
#include "kernel/test_support.hpp"
#include "object/asm.hpp"

namespace espy {
namespace {

/// Text of one XDP program. r6 is the context, r8 and r9 are numbers that everything goes into; what is below r10 - 64 is the
/// loops' and callbacks'.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::string make() {
    text_ = ".map array type=array key=4 value=16 max_entries=8\n.map each type=percpu_array key=4 value=16 max_entries=4\n"
            ".map hash type=hash key=8 value=16 max_entries=24\n.map some type=lru_hash key=4 value=8 max_entries=1024\n"
            ".map each_hash type=percpu_hash key=4 value=8 max_entries=16\n.map trie type=lpm_trie key=8 value=8 max_entries=32 flags=1\n"
            ".section xdp\n.func main\n  r6 = r1\n  r8 = 0x1234567\n  r9 = 77\n";
    statements(6 + below(14), 0);
    text_ += "  r0 = r8\n  r0 ^= r9\n  exit\n.section .text\n";
    for (unsigned i = 0; i < functions_; ++i) function(i);
    for (unsigned i = 0; i < callbacks_; ++i) callback(i);
    return text_;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  std::string label() { return fmt::format("l{}", labels_++); }
  const char* number() { return below(2) == 0 ? "r8" : "r9"; }
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_ += "  ";
    text_ += fmt::format(format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  void statements(std::uint64_t count, int depth) {
    for (std::uint64_t i = 0; i < count; ++i) statement(depth);
  }

  void statement(int depth) {
    switch (below(14)) {
      case 0:
      case 1: return lookup("array", 8);
      case 2: return lookup("each", 4);
      case 3:
      case 4: return change("hash", 8, 16, 31);
      case 5: return change(below(2) == 0 ? "some" : "each_hash", 4, 8, 15);
      case 6: return trie();
      case 7:
      case 8: return packet();
      case 9: return call(depth);
      case 10: return move_packet();
      case 11:
      case 12:
        if (depth < 2) return branch(depth);
        [[fallthrough]];
      default: return arithmetic();
    }
  }

  void arithmetic() {
    constexpr const char* kOps[] = {"+=", "-=", "*=", "^=", "|=", "&="};
    const char* to = number();
    switch (below(5)) {
      case 0: return line("{} >>= {}", to, 1 + below(20));
      case 1: return line("{} /= {}", to, 1 + below(1000));
      case 2: return line("w{} {} w{}", to + 1, kOps[below(5)], number() + 1);
      case 3: return line("{} {} {}", to, kOps[below(5)], number());
      default: return line("{} {} {}", to, kOps[below(5)], static_cast<std::int32_t>(random_()) % 100000);
    }
  }

  /// A key on the stack, below a bound.
  void key(unsigned bytes, std::uint64_t mask) {
    line("r1 = {}", number());
    line("r1 &= {}", mask);
    line("*(u{} *)(r10 - 8) = r1", bytes * 8);
    line("r2 = r10");
    line("r2 += -8");
  }

  /// A value that is found is read, and changed.
  void found() {
    const std::string missing = label();
    line("if r0 == 0 goto {}", missing);
    line("r1 = *(u64 *)(r0 + 0)");
    line("{} += r1", number());
    if (below(2) == 0) line("r2 = {}", number()), line("lock *(u64 *)(r0 + 0) += r2");
    else line("*(u32 *)(r0 + 4) = {}", number());
    text_ += missing + ":\n";
  }

  void lookup(const char* map, unsigned entries) {
    key(4, entries * 2 - 1);   // half of them are not there
    line("r1 = {} ll", map);
    line("call 1");
    found();
  }

  void change(const char* map, unsigned key_bytes, unsigned value_bytes, std::uint64_t mask) {
    key(key_bytes, mask);
    line("r1 = {} ll", map);
    switch (below(4)) {
      case 0: line("call 1"); return found();
      case 1: line("call 3"); break;
      default:
        line("*(u64 *)(r10 - 32) = {}", number());
        if (value_bytes == 16) line("*(u64 *)(r10 - 24) = {}", number());
        line("r3 = r10");
        line("r3 += -32");
        line("r4 = {}", below(3));
        line("call 2");
    }
    line("{} += r0", number());
  }

  void trie() {
    line("r1 = {}", number());
    line("*(u32 *)(r10 - 4) = r1");
    line("r1 = {}", number());
    line("r1 &= 31");
    line("*(u32 *)(r10 - 8) = r1");
    line("r2 = r10");
    line("r2 += -8");
    line("r1 = trie ll");
    if (below(2) == 0) return line("call 1"), found();
    line("*(u64 *)(r10 - 32) = {}", number());
    line("r3 = r10");
    line("r3 += -32");
    line("r4 = 0");
    line("call 2");
    line("{} += r0", number());
  }

  void packet() {
    constexpr unsigned kWidths[] = {8, 16, 32, 64};
    const std::uint64_t size = 8 + below(60), at = below(size - 7);
    const std::string over = label();
    line("r1 = *(u32 *)(r6 + 0)");
    line("r2 = *(u32 *)(r6 + 4)");
    line("r3 = r1");
    line("r3 += {}", size);
    line("if r3 > r2 goto {}", over);
    line("r4 = *(u{} *)(r1 + {})", kWidths[below(4)], at);
    if (below(2) == 0) line("r4 = be{} r4", kWidths[1 + below(3)]);
    line("{} ^= r4", number());
    line("*(u{} *)(r1 + {}) = {}", kWidths[below(4)], below(size - 7), number());
    text_ += over + ":\n";
  }

  /// bpf_xdp_adjust_head, _tail; sums over the packet's start.
  void move_packet() {
    line("r1 = r6");
    line("r2 = {}", static_cast<std::int64_t>(below(24)) - 12);
    line("call {}", below(2) == 0 ? 44 : 65);
    line("{} += r0", number());
  }

  void call(int depth) {
    if (below(2) == 0 || depth > 1) {
      functions_ = 3;
      line("r1 = r8");
      line("r2 = r9");
      line("call f{}", below(3));
      return line("{} += r0", number());
    }
    callbacks_ = 2;
    line("*(u64 *)(r10 - 72) = {}", number());
    line("*(u64 *)(r10 - 64) = {}", below(100));
    line("r1 = {}", below(12));
    line("r2 = c{} ll", below(2));
    line("r3 = r10");
    line("r3 += -72");
    line("r4 = 0");
    line("call 181");
    line("r1 = *(u64 *)(r10 - 72)");
    line("r8 ^= r1");
    line("r9 += r0");
  }

  void branch(int depth) {
    constexpr const char* kOps[] = {">", "<", "==", "!=", "s>", "s<=", "&"};
    const std::string other = label(), end = label();
    line("if {}{} {} {} goto {}", below(2) == 0 ? "r" : "w", number() + 1, kOps[below(std::size(kOps))], static_cast<std::int32_t>(random_()) % 5000, other);
    statements(1 + below(3), depth + 1);
    line("goto {}", end);
    text_ += other + ":\n";
    statements(1 + below(3), depth + 1);
    text_ += end + ":\n";
  }

  /// Each calls the next; numbers only.
  void function(unsigned i) {
    text_ += fmt::format(".func f{}\n", i);
    line("r0 = r1");
    line("r0 *= {}", 3 + below(50));
    line("r0 ^= r2");
    if (i + 1 < functions_) {
      line("*(u64 *)(r10 - 8) = r0");
      line("r1 ^= {}", below(1000));
      line("call f{}", i + 1);
      line("r1 = *(u64 *)(r10 - 8)");
      line("r0 += r1");
    }
    line("exit");
  }

  void callback(unsigned i) {
    text_ += fmt::format(".func c{}\n", i);
    line("r3 = *(u64 *)(r2 + 0)");
    line("r3 *= {}", 3 + below(50));
    line("r3 += r1");
    line("*(u64 *)(r2 + 0) = r3");
    line("r4 = *(u64 *)(r2 + 8)");
    line("r0 = 0");
    line("if r1 <= {} goto goes_on{}", 3 + below(8), i);
    line("r0 = 1");
    text_ += fmt::format("goes_on{}:\n", i);
    line("exit");
  }

  std::mt19937_64 random_;
  std::string text_;
  unsigned labels_ = 0, functions_ = 0, callbacks_ = 0;
};

std::vector<std::byte> frame() {
  std::vector<std::byte> bytes(80);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
  return bytes;
}

/// The kernel takes callbacks of programs only whose functions have types.
void describe_functions(object::ObjectSpec& spec) {
  btf::Builder types;
  const btf::TypeId number = types.add_int("long", 8, {.bits = 64, .is_signed = true});
  auto function = [&](object::FunctionSpec& code) {
    const btf::TypeId type = types.add_func(code.name, types.add_func_proto(number, {{"a", number}, {"b", number}}), btf::Linkage::static_);
    code.func_info = {{.insn = 0, .type = type}};
  };
  for (object::ProgramSpec& program : spec.programs) function(program.code);
  for (object::FunctionSpec& code : spec.functions) function(code);
  spec.btf = *types.build();
}

object::LinkedObject linked(const std::string& text) {
  auto spec = object::assemble_object(text, "random");
  EXPECT_TRUE(spec) << describe(spec.error()) << text;
  describe_functions(*spec);
  auto target = kernel::running_target();
  auto linked = object::link(std::move(*spec), *target);
  EXPECT_TRUE(linked) << describe(linked.error()) << text;
  return std::move(*linked);
}

/// false: the kernel does not take it.
bool compare(std::uint64_t seed) {
  const std::string text = Maker(seed).make();
  const object::LinkedObject program = linked(text);
  bool taken = false;
  for (const vm::LoadOptions& options : {vm::LoadOptions{}, vm::LoadOptions{.tier = vm::Tier::baseline}, vm::LoadOptions{.tier = vm::Tier::optimised},
                                         vm::LoadOptions{.tier = vm::Tier::optimised, .bounded = true, .blinded = true}}) {
    auto in_kernel = kernel::Object::load(program);   // again each time: its maps must be empty
    if (!in_kernel && std::getenv("ESPY_SEED") != nullptr) fmt::print("{}\n{}\n", describe(in_kernel.error()), text);
    if (!in_kernel) return false;
    taken = true;
    auto in_user_space = vm::Object::load(program, options);
    EXPECT_TRUE(in_user_space) << describe(in_user_space.error());
    if (!in_user_space) return true;
    kernel::TestRun input;
    input.data_in = frame(), input.data_out_size = 8192;
    auto expected = in_kernel->programs()[0].test_run(input);
    vm::TestRun same;
    same.data_in = input.data_in;
    auto got = vm::test_run((*in_user_space)->programs()[0], same);
    EXPECT_TRUE(expected && got) << "ESPY_SEED=" << seed << (got ? "" : describe(got.error())) << '\n' << text;
    if (!expected || !got) return true;
    auto differences = cli::compare_engines(*in_kernel, *expected, **in_user_space, *got);
    EXPECT_TRUE(differences && differences->found.empty())
        << "ESPY_SEED=" << seed << ", tier " << static_cast<int>(options.tier) << (options.bounded ? ", bounded and blinded" : "") << '\n'
        << (differences ? fmt::format("{}", fmt::join(differences->found, "\n")) : describe(differences.error())) << '\n' << text;
  }
  return taken;
}

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

TEST(RandomPrograms, WithMapsAndPacketsMeanTheSameToBothEngines) {
  SKIP_WITHOUT_BPF();
  const std::uint64_t first = number_of("ESPY_SEED", 1), count = std::getenv("ESPY_SEED") != nullptr ? 1 : number_of("ESPY_PROGRAMS", 60);
  std::uint64_t taken = 0;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) taken += compare(seed) ? 1 : 0;
  EXPECT_GE(taken, (count + 1) / 2);
}

}  // namespace
}  // namespace espy
