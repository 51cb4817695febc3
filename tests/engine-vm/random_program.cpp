#include "random_program.hpp"

#include <random>

namespace espy::vm {
namespace {

constexpr int kCells = 8;   // of the stack, eight bytes each, below r10

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::vector<isa::Insn> make() {
    for (std::uint8_t r = 0; r < 10; ++r) number(r);
    for (int cell = 1; cell <= kCells; ++cell) put(0x7b, 10, any(), static_cast<std::int16_t>(-8 * cell), 0);
    statements(20 + static_cast<int>(below(60)), 0);
    for (std::uint8_t r = 1; r < 10; ++r) {
      put(0x27, 0, 0, 0, 0x01000193);
      put(0xaf, 0, r, 0, 0);
    }
    for (int cell = 1; cell <= kCells; ++cell) {
      put(0x79, 1, 10, static_cast<std::int16_t>(-8 * cell), 0);
      put(0x27, 0, 0, 0, 0x01000193);
      put(0xaf, 0, 1, 0, 0);
    }
    put(0xbf, 1, 0, 0, 0);
    put(0x77, 1, 0, 0, 32);
    put(0xaf, 0, 1, 0, 0);
    put(0xbc, 0, 0, 0, 0);
    put(0x95, 0, 0, 0, 0);
    if (!calls_.empty()) subprogram();
    return std::move(code_);
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  std::uint8_t any() { return static_cast<std::uint8_t>(below(10)); }
  std::int32_t immediate() {
    constexpr std::int32_t kOften[] = {0, 1, -1, 2, 7, 8, 31, 32, 63, 255, 256, 65535, 0x7fffffff, static_cast<std::int32_t>(0x80000000), 1000};
    return below(2) == 0 ? kOften[below(std::size(kOften))] : static_cast<std::int32_t>(random_());
  }
  std::int16_t cell() { return static_cast<std::int16_t>(-8 * static_cast<int>(1 + below(kCells))); }
  void put(unsigned opcode, std::uint8_t dst, std::uint8_t src, int off, std::int32_t imm) {
    code_.push_back({.opcode = static_cast<std::uint8_t>(opcode), .dst = dst, .src = src, .off = static_cast<std::int16_t>(off), .imm = imm});
  }
  void number(std::uint8_t r) {
    put(0x18, r, 0, 0, immediate());
    put(0, 0, 0, 0, below(2) == 0 ? 0 : immediate());
  }

  void statements(int count, int depth) {
    for (int i = 0; i < count; ++i) statement(depth);
  }

  void statement(int depth) {
    switch (below(16)) {
      case 0: number(writable()); return;
      case 1: return memory();
      case 2: return atomic();
      case 3: return swap();
      case 4: return extend();
      case 5:
        if (loop_ > 5) return call();
        [[fallthrough]];
      case 6:
      case 7:
        if (depth < 3) return skip(depth);
        [[fallthrough]];
      case 8:
        if (depth < 2 && loop_ == 10) return loop(depth);
        [[fallthrough]];
      default: return arithmetic();
    }
  }

  /// r1 to r5 hold nothing behind it.
  void call() {
    calls_.push_back(code_.size());
    put(0x85, 0, 1, 0, 0);
    for (std::uint8_t r = 1; r <= 5; ++r) number(r);
  }

  /// Arithmetic with its arguments.
  void subprogram() {
    for (std::size_t at : calls_) code_[at].imm = static_cast<std::int32_t>(code_.size() - at - 1);
    put(0xbf, 0, 1, 0, 0);
    for (std::uint8_t r = 2; r <= 5; ++r) {
      constexpr unsigned kOps[] = {0x0f, 0x1f, 0x2f, 0xaf, 0x4f, 0x3f, 0x9f, 0x0c, 0x3c};
      put(0x27, 0, 0, 0, immediate() | 1);
      put(kOps[below(std::size(kOps))], 0, r, 0, 0);
    }
    if (below(2) == 0) put(0x7b, 10, 0, -8, 0), put(0x61, 1, 10, -4, 0), put(0x0f, 0, 1, 0, 0);
    put(0x95, 0, 0, 0, 0);
  }

  /// A register that no loop counts with.
  std::uint8_t writable() {
    std::uint8_t r = any();
    while (r == loop_) r = any();
    return r;
  }

  void arithmetic() {
    constexpr unsigned kOps[] = {0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0};
    const unsigned op = kOps[below(std::size(kOps))], cls = below(2) == 0 ? 0x07 : 0x04;
    const bool by_register = op != 0x80 && below(2) == 0, shift = op == 0x60 || op == 0x70 || op == 0xc0;
    std::int32_t imm = by_register || op == 0x80 ? 0 : immediate();
    if (shift && !by_register) imm &= cls == 0x07 ? 63 : 31;
    if ((op == 0x30 || op == 0x90) && !by_register && imm == 0) imm = 3;   // the verifier refuses it
    const int off = (op == 0x30 || op == 0x90) && below(2) == 0 ? 1 : 0;   // signed
    put(op | cls | (by_register ? 8U : 0U), writable(), by_register ? any() : std::uint8_t{0}, off, imm);
  }

  void memory() {
    constexpr unsigned kSizes[] = {0x00, 0x08, 0x10, 0x18};
    const unsigned size = kSizes[below(4)];
    switch (below(4)) {
      case 0: put(0x63 | size, 10, any(), cell(), 0); return;
      case 1: put(0x62 | size, 10, 0, cell(), immediate()); return;
      case 2: put(0x61 | size, writable(), 10, cell(), 0); return;
      default: put(size == 0x18 ? 0x79 : 0x81 | size, writable(), 10, cell(), 0); return;   // with its sign
    }
  }

  void atomic() {
    const unsigned opcode = below(2) == 0 ? 0xdb : 0xc3;
    constexpr std::int32_t kOps[] = {0x00, 0x40, 0x50, 0xa0, 0x01, 0x41, 0x51, 0xa1, 0xe1, 0xf1};
    const std::int32_t op = kOps[below(std::size(kOps))];
    if (op == 0xf1 && loop_ == 0) return;
    put(opcode, 10, writable(), cell(), op);
  }

  void swap() {
    constexpr std::int32_t kWidths[] = {16, 32, 64};
    constexpr unsigned kKinds[] = {0xd4, 0xdc, 0xd7};
    put(kKinds[below(3)], writable(), 0, 0, kWidths[below(3)]);
  }

  void extend() {
    const bool wide = below(2) == 0;
    constexpr int kWidths[] = {8, 16, 32};
    put(wide ? 0xbf : 0xbc, writable(), any(), kWidths[below(wide ? 3 : 2)], 0);
  }

  void condition(int distance) {
    constexpr unsigned kOps[] = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0};
    const bool by_register = below(2) == 0;
    put(kOps[below(std::size(kOps))] | (below(2) == 0 ? 0x05U : 0x06U) | (by_register ? 8U : 0U), any(), by_register ? any() : std::uint8_t{0}, distance,
        by_register ? 0 : immediate());
  }

  void skip(int depth) {
    const std::size_t at = code_.size();
    condition(0);
    statements(1 + static_cast<int>(below(6)), depth + 1);
    if (below(2) == 0) {   // an else
      const std::size_t otherwise = code_.size();
      put(0x05, 0, 0, 0, 0);
      code_[at].off = static_cast<std::int16_t>(code_.size() - at - 1);
      statements(1 + static_cast<int>(below(4)), depth + 1);
      code_[otherwise].off = static_cast<std::int16_t>(code_.size() - otherwise - 1);
    } else {
      code_[at].off = static_cast<std::int16_t>(code_.size() - at - 1);
    }
  }

  void loop(int depth) {
    loop_ = any();
    put(0xb7, loop_, 0, 0, static_cast<std::int32_t>(1 + below(5)));
    const std::size_t at = code_.size();
    statements(1 + static_cast<int>(below(5)), depth + 2);
    put(0x07, loop_, 0, 0, -1);
    put(0x55, loop_, 0, static_cast<int>(at) - static_cast<int>(code_.size()) - 1, 0);
    loop_ = 10;
  }

  std::mt19937_64 random_;
  std::vector<isa::Insn> code_;
  std::vector<std::size_t> calls_;
  std::uint8_t loop_ = 10;   // the register that counts a loop; 10: none
};

}  // namespace

std::vector<isa::Insn> random_program(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace espy::vm
