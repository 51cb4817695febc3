#include "generator.hpp"

#include <array>
#include <random>

namespace espy::corpus {
namespace {

using object::LinkedProgram;
using object::MapIdx;

enum class Holds : std::uint8_t { nothing, number, small, value, stack, packet, packet_end, context };

// Sizes of the values of the maps, by MapIdx; the last is a hash.
constexpr std::array<int, 3> kValueBytes = {48, 256, 48};
constexpr std::uint32_t kHash = 2;
constexpr int kSlots = 8;   // of the stack that are in use

constexpr std::uint8_t kLookup = 1, kUpdate = 2, kRandom = 7, kCsumDiff = 28;   // helpers

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  LinkedProgram make() {
    LinkedProgram program;
    program.spec.name = "random";
    program.spec.section_kind = "xdp";
    xdp_ = chance(50);
    program.spec.type = xdp_ ? facts::ProgType::xdp : facts::ProgType::socket_filter;
    if (xdp_) program.spec.attach_type = facts::AttachType::xdp;
    begin_main();
    statements(4 + below(14), 0);
    leave();
    for (std::size_t i = 0; i < calls_.size(); ++i) subprogram(i);
    if (chance(16)) change_one();
    program.spec.code.name = program.spec.name;
    program.spec.code.insns = std::move(code_);
    program.spec.code.relocations = std::move(relocations_);
    return program;
  }

 private:
  // ---- chance ----

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <typename T, std::size_t N>
  T one_of(const T (&choices)[N]) { return choices[below(N)]; }

  std::int32_t immediate() {
    constexpr std::int32_t kOften[] = {0, 1, -1, 2, 3, 4, 7, 8, 15, 16, 24, 31, 32, 39, 40, 41, 44, 47, 48, 63, 64, 127, 128, 255, 256,
                                       0x7fff, 0xffff, 0x7fffffff, static_cast<std::int32_t>(0x80000000), -2, -8, -40, -48};
    return chance(90) ? one_of(kOften) : static_cast<std::int32_t>(random_());
  }
  /// What a check or a mask before an access is likely to have.
  std::int32_t limit() { return one_of({0, 1, 3, 7, 8, 15, 16, 24, 31, 32, 36, 39, 40, 41, 44, 47, 48, 63, 255}); }

  // ---- code ----

  void put(unsigned opcode, std::uint8_t dst, std::uint8_t src, std::int64_t off, std::int32_t imm) {
    code_.push_back({.opcode = static_cast<std::uint8_t>(opcode), .dst = static_cast<std::uint8_t>(dst & 15), .src = static_cast<std::uint8_t>(src & 15),
                     .off = static_cast<std::int16_t>(off), .imm = imm});
  }
  void move(std::uint8_t dst, std::uint8_t src) { put(0xbf, dst, src, 0, 0), holds_[dst] = holds_[src], bytes_[dst] = bytes_[src]; }
  void constant(std::uint8_t dst, std::int32_t value) {
    put(chance(80) ? 0xb7 : 0xb4, dst, 0, 0, value);
    holds_[dst] = value >= 0 && value < 64 ? Holds::small : Holds::number;
  }
  void call(std::uint8_t helper) {
    put(0x85, 0, 0, 0, helper);
    for (std::uint8_t r = 1; r <= 5; ++r) holds_[r] = Holds::nothing;
    holds_[0] = Holds::number;
  }
  void goes_out(unsigned opcode, std::uint8_t dst, std::uint8_t src, std::int32_t imm) {
    out_.push_back(code_.size());
    put(opcode, dst, src, 0, imm);
  }
  void land(std::size_t jump) { code_[jump].off = static_cast<std::int16_t>(code_.size() - jump - 1); }

  // ---- registers ----

  bool is_number(std::uint8_t r) const { return holds_[r] == Holds::number || holds_[r] == Holds::small; }
  /// A register that holds one of these, of r6 to r9 and now and then of the others; 15: none does.
  std::uint8_t holding(bool (*good)(Holds)) {
    std::array<std::uint8_t, 10> found{};
    std::size_t count = 0;
    for (std::uint8_t r = 0; r < 10; ++r)
      if (good(holds_[r])) found[count++] = r;
    return count == 0 ? std::uint8_t{15} : found[below(count)];
  }
  std::uint8_t any_number() {
    std::uint8_t r = holding([](Holds h) { return h == Holds::number || h == Holds::small; });
    if (r != 15) return r;
    r = writable();
    constant(r, immediate());
    return r;
  }
  std::uint8_t any_index() {
    std::uint8_t r = holding([](Holds h) { return h == Holds::small; });
    return r != 15 && chance(85) ? r : any_number();
  }
  /// Of r6 to r9 (which calls keep), but for the one that a loop counts with and, mostly, the context.
  std::uint8_t writable() {
    for (;;) {
      auto r = static_cast<std::uint8_t>(6 + below(4));
      if (r == loop_ || (holds_[r] == Holds::context && !chance(5))) continue;
      return r;
    }
  }
  std::uint8_t scratch() { return static_cast<std::uint8_t>(1 + below(5)); }

  // ---- pieces ----

  void begin_main() {
    holds_[1] = Holds::context;
    holds_[10] = Holds::stack;
    if (xdp_ && chance(70)) move(9, 1);
    if (chance(30)) return;
    random_number(6);
    if (chance(60)) random_number(7);
  }

  void random_number(std::uint8_t r) {
    if (xdp_ || chance(60)) {
      call(kRandom);
      put(0xbf, r, 0, 0, 0);
      if (chance(50)) {
        put(0x67, r, 0, 0, 32);
        call(kRandom);
        put(0x4f, r, 0, 0, 0);
      }
    } else if (holds_[1] == Holds::context) {
      put(0x61, r, 1, one_of({0, 8, 16, 48, 68}), 0);
    } else {
      call(kRandom);
      put(0xbf, r, 0, 0, 0);
    }
    holds_[r] = Holds::number;
  }

  void statements(std::uint64_t count, int depth) {
    for (std::uint64_t i = 0; i < count && code_.size() < 200; ++i) statement(depth);
  }

  void statement(int depth) {
    switch (below(26)) {
      case 0: return random_number(writable());
      case 1: return constant(writable(), immediate());
      case 2: case 3: case 4: case 5: return arithmetic();
      case 6: case 7: case 8: return bound();
      case 9: return spill();
      case 10: return fill();
      case 11: case 12: case 13: return access_value();
      case 14: return lookup();
      case 15: case 16: return xdp_ ? packet() : access_value();
      case 17: return access_stack();
      case 18: return depth < 2 && loop_ == 15 ? loop(depth) : bound();
      case 19: return main_ && calls_.size() < 2 ? call_subprogram() : arithmetic();
      case 20: return helper_with_memory();
      case 21: return atomic();
      case 22: return converge(depth);
      case 23: return extend();
      default: return depth < 3 ? branch(depth) : bound();
    }
  }

  void arithmetic() {
    const std::uint8_t dst = any_number();
    if (dst == loop_) return;
    constexpr unsigned kOps[] = {0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0x00, 0x70};
    const unsigned op = one_of(kOps), cls = chance(60) ? 0x07 : 0x04;
    const bool shift = op == 0x60 || op == 0x70 || op == 0xc0, divides = op == 0x30 || op == 0x90, by_register = op != 0x80 && chance(shift ? 15 : 30);
    const std::uint8_t src = by_register ? any_number() : std::uint8_t{0};
    std::int32_t imm = by_register || op == 0x80 ? 0 : immediate();
    if (shift && !by_register) imm = static_cast<std::int32_t>(below(cls == 0x07 ? 64 : 32));
    if (divides && !by_register && imm == 0) imm = 3;
    put(op | cls | (by_register ? 8U : 0U), dst, src, divides && chance(20) ? 1 : 0, imm);
    holds_[dst] = op == 0x50 && !by_register && imm >= 0 && imm < 64 ? Holds::small : Holds::number;
  }

  void extend() {
    const std::uint8_t src = any_number(), dst = writable();
    switch (below(4)) {
      case 0: put(0xbc, dst, src, 0, 0); break;
      case 1: put(0xbf, dst, src, one_of({8, 16, 32}), 0); break;
      case 2: put(0xbc, dst, src, one_of({8, 16}), 0); break;
      default: put(0xbf, dst, src, 0, 0); break;
    }
    holds_[dst] = holds_[src];
  }

  /// A check, or a mask, after which the number is likely to be small.
  void bound() {
    const std::uint8_t r = any_number();
    if (r == loop_) return;
    const unsigned cls = chance(70) ? 0x05 : 0x06;
    switch (below(7)) {
      case 0:
      case 1: put(cls == 0x05 ? 0x57 : 0x54, r, 0, 0, one_of({1, 3, 7, 8, 15, 16, 24, 31, 40, 63, 127, 255})); break;
      case 2: put(0x77, r, 0, 0, static_cast<std::int32_t>(one_of({56, 58, 59, 60, 32}))); break;
      case 3:
        goes_out(0x60 | cls, r, 0, limit());                      // s>
        if (chance(85)) goes_out(0xc0 | cls, r, 0, chance(80) ? 0 : immediate());   // s<
        break;
      case 4: goes_out(0x20 | cls | 8, r, any_number(), 0); break;   // > another
      default:
        goes_out((chance(80) ? 0x20 : 0x30) | cls, r, 0, limit());   // > or >=
        break;
    }
    holds_[r] = Holds::small;
  }

  std::int16_t slot() { return static_cast<std::int16_t>(-8 * static_cast<int>(1 + below(kSlots))); }
  unsigned size_bits() { return one_of({0x00U, 0x08U, 0x10U, 0x18U, 0x18U}); }
  static int bytes_of(unsigned size) { return size == 0x00 ? 4 : size == 0x08 ? 2 : size == 0x10 ? 1 : 8; }

  void spill() {
    const std::int16_t at = slot();
    const auto index = static_cast<std::size_t>(-at / 8 - 1);
    if (chance(25)) {
      const unsigned size = size_bits();
      put(0x62 | size, 10, 0, at, immediate());
      slots_[index] = Holds::number;
      return;
    }
    std::uint8_t r = chance(75) ? any_number() : holding([](Holds h) { return h == Holds::value || h == Holds::packet || h == Holds::stack; });
    if (r == 15) r = any_number();
    const unsigned size = is_number(r) ? size_bits() : 0x18;
    put(0x63 | size, 10, r, at + (is_number(r) && size != 0x18 && chance(20) ? bytes_of(size) : 0), 0);
    slots_[index] = holds_[r];
    slot_bytes_[index] = bytes_[r];
  }

  void fill() {
    const std::int16_t at = slot();
    const auto index = static_cast<std::size_t>(-at / 8 - 1);
    const std::uint8_t r = writable();
    const Holds held = slots_[index];
    if (held == Holds::nothing && !chance(10)) return spill();
    const unsigned size = held == Holds::number || held == Holds::small ? size_bits() : 0x18;
    const bool sign = size != 0x18 && chance(15);
    put((sign ? 0x81 : 0x61) | size, r, 10, at + (size != 0x18 && chance(15) ? bytes_of(size) : 0), 0);
    holds_[r] = held == Holds::nothing ? Holds::number : held;
    bytes_[r] = slot_bytes_[index];
  }

  void load_map(std::uint8_t dst, std::uint32_t map) {
    relocations_.push_back({.insn = static_cast<isa::InsnIdx>(code_.size()), .to = object::MapRef{MapIdx(map)}});
    put(0x18, dst, 0, 0, 0);
    put(0, 0, 0, 0, 0);
  }

  void lookup() {
    const auto map = static_cast<std::uint32_t>(below(kValueBytes.size()));
    put(map == kHash ? 0x7a : 0x62, 10, 0, -8, chance(80) ? 0 : immediate());
    slots_[0] = Holds::number;
    put(0xbf, 2, 10, 0, 0);
    put(0x07, 2, 0, 0, -8);
    load_map(1, map);
    call(kLookup);
    holds_[0] = Holds::nothing;
    if (chance(92)) goes_out(0x15, 0, 0, 0);
    const std::uint8_t r = writable();
    put(0xbf, r, 0, 0, 0);
    holds_[r] = holds_[0] = Holds::value;
    bytes_[r] = bytes_[0] = kValueBytes[map];
  }

  /// Loads or stores through `base`, somewhere near what is allowed.
  void access(std::uint8_t base, std::int64_t off) {
    const unsigned size = size_bits();
    switch (below(4)) {
      case 0: put(0x62 | size, base, 0, off, immediate()); return;
      case 1: put(0x63 | size, base, any_number(), off, 0); return;
      case 2:
        if (size != 0x18) {
          const std::uint8_t r = writable();
          put((chance(20) ? 0x81 : 0x61) | size, r, base, off, 0);
          holds_[r] = Holds::number;
          return;
        }
        [[fallthrough]];
      default: {
        const std::uint8_t r = writable();
        put(0x61 | size, r, base, off, 0);
        holds_[r] = Holds::number;
      }
    }
  }

  void access_value() {
    const std::uint8_t base = holding([](Holds h) { return h == Holds::value; });
    if (base == 15) return lookup();
    const int bytes = bytes_[base] != 0 ? bytes_[base] : 48;   // two paths met, and neither is sure
    if (chance(25)) return access(base, static_cast<std::int64_t>(below(static_cast<std::uint64_t>(bytes))) - (chance(10) ? 8 : 0));
    const std::uint8_t index = any_index();
    if (index == base) return;
    std::uint8_t moved = scratch();
    if (moved == index) moved = chance(50) ? std::uint8_t{0} : moved;
    if (moved == index || moved == base) return;
    put(0xbf, moved, base, 0, 0);
    if (chance(15)) put(0x07, moved, 0, 0, one_of({8, 16, 40, 47}));
    put(chance(90) ? 0x0f : 0x1f, moved, index, 0, 0);
    holds_[moved] = Holds::nothing;
    access(moved, chance(60) ? 0 : one_of({1, 4, 7, 8, -1, -8, 16, 40}));
    if (chance(15)) {   // the moved pointer lives on
      const std::uint8_t r = writable();
      put(0xbf, r, moved, 0, 0);
      holds_[r] = Holds::value;
      bytes_[r] = bytes;
    }
  }

  void access_stack() {
    if (chance(50)) return access(10, slot() + static_cast<std::int64_t>(chance(10) ? below(8) : 0));
    const std::uint8_t index = any_index(), moved = scratch();
    if (moved == index) return;
    put(0xbf, moved, 10, 0, 0);
    if (chance(80)) put(0x57, index, 0, 0, one_of({7, 8, 24, 31, 0x38})), holds_[index] = Holds::small;
    put(0x0f, moved, index, 0, 0);
    holds_[moved] = Holds::nothing;
    for (Holds& held : slots_)
      if (held != Holds::nothing) held = Holds::number;
    access(moved, -one_of({64, 40, 32, 16, 8}));
  }

  void packet() {
    if (holds_[9] != Holds::context) return lookup();
    const auto p = static_cast<std::uint8_t>(6 + below(3));
    if (p == loop_) return;
    const auto end = static_cast<std::uint8_t>(1 + below(2)), to = static_cast<std::uint8_t>(3 + below(2));
    put(0x61, p, 9, chance(90) ? 0 : 8, 0);
    put(0x61, end, 9, chance(95) ? 4 : 0, 0);
    holds_[p] = Holds::packet;
    holds_[end] = holds_[to] = Holds::nothing;
    const std::int32_t length = one_of({1, 2, 8, 14, 16, 34, 40, 64});
    check_packet(p, end, to, length);
    if (chance(50)) {
      const std::uint8_t n = 5;
      put(one_of({0x71U, 0x71U, 0x69U}), n, p, static_cast<std::int64_t>(below(static_cast<std::uint64_t>(length))), 0);
      if (chance(40)) put(0x57, n, 0, 0, one_of({15, 0x3c, 0xff, 0x7fff}));
      if (chance(20)) put(0x67, n, 0, 0, 2);
      put(0x0f, p, n, 0, 0);
      holds_[n] = Holds::nothing;
      if (chance(85)) check_packet(p, end, to, length);
    }
    access(p, static_cast<std::int64_t>(below(static_cast<std::uint64_t>(length) + (chance(10) ? 4 : 0))));
    if (holds_[p] == Holds::packet && chance(40)) access(p, static_cast<std::int64_t>(below(static_cast<std::uint64_t>(length))));
  }

  void check_packet(std::uint8_t p, std::uint8_t end, std::uint8_t to, std::int32_t length) {
    put(0xbf, to, p, 0, 0);
    put(0x07, to, 0, 0, length);
    switch (below(6)) {
      case 0: goes_out(0x3d, to, end, 0); return;                         // >=
      case 1: goes_out(0xad, end, to, 0); return;                         // end <
      case 2: goes_out(0xbd, end, to, 0); return;                         // end <=
      default: goes_out(0x2d, to, end, 0); return;                        // >
    }
  }

  void condition() {
    constexpr unsigned kOps[] = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0};
    const bool by_register = chance(30);
    const std::uint8_t dst = any_number(), src = by_register ? any_number() : std::uint8_t{0};
    put(one_of(kOps) | (chance(60) ? 0x05U : 0x06U) | (by_register ? 8U : 0U), dst, src, 0, by_register ? 0 : immediate());
  }

  struct Knowledge {
    std::array<Holds, 11> holds;
    std::array<Holds, kSlots> slots;
  };
  Knowledge knowledge() const { return {holds_, slots_}; }
  /// Where two paths meet only what both know is known.
  void meet(const Knowledge& other) {
    auto join = [](Holds a, Holds b) {
      const bool numbers = (a == Holds::number || a == Holds::small) && (b == Holds::number || b == Holds::small);
      return a == b ? a : numbers ? Holds::small : Holds::nothing;
    };
    for (std::size_t i = 0; i < holds_.size(); ++i) holds_[i] = join(holds_[i], other.holds[i]);
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i] = join(slots_[i], other.slots[i]);
  }

  void branch(int depth) {
    condition();
    const std::size_t at = code_.size() - 1;
    const Knowledge before = knowledge();
    statements(1 + below(4), depth + 1);
    if (chance(40)) {
      const std::size_t otherwise = code_.size();
      put(0x05, 0, 0, 0, 0);
      land(at);
      const Knowledge one = knowledge();
      holds_ = before.holds, slots_ = before.slots;
      statements(1 + below(3), depth + 1);
      land(otherwise);
      meet(one);
    } else {
      land(at);
      meet(before);
    }
  }

  /// Two paths that leave different constants in a register, which is then an index.
  void converge(int) {
    const std::uint8_t r = writable();
    condition();
    const std::size_t at = code_.size() - 1;
    put(0xb7, r, 0, 0, limit());
    const std::size_t otherwise = code_.size();
    put(0x05, 0, 0, 0, 0);
    land(at);
    put(0xb7, r, 0, 0, limit());
    land(otherwise);
    holds_[r] = Holds::small;
    if (chance(50)) {   // by way of the stack
      const std::int16_t cell = slot();
      put(0x7b, 10, r, cell, 0);
      slots_[static_cast<std::size_t>(-cell / 8 - 1)] = Holds::small;
    }
  }

  void loop(int depth) {
    const std::uint8_t r = writable();
    put(0xb7, r, 0, 0, 0);
    holds_[r] = Holds::small;
    loop_ = r;
    const std::size_t at = code_.size();
    const Knowledge before = knowledge();
    statements(1 + below(3), depth + 2);
    put(chance(80) ? 0x07 : 0x04, r, 0, 0, one_of({1, 1, 1, 2, 8}));
    const std::uint8_t bound = chance(20) ? holding([](Holds h) { return h == Holds::small; }) : std::uint8_t{15};
    const auto back = static_cast<std::int64_t>(at) - static_cast<std::int64_t>(code_.size()) - 1;
    if (bound != 15 && bound != r) put(0xad, r, bound, back, 0);
    else put((chance(80) ? 0xa5 : 0xa6), r, 0, back, one_of({3, 8, 16, 40, 41, 48}));
    loop_ = 15;
    meet(before);
    holds_[r] = Holds::small;
  }

  void call_subprogram() {
    const std::uint8_t a = any_number(), b = any_index();
    if (a != 1) put(0xbf, 1, a, 0, 0);
    if (b != 2) put(0xbf, 2, b == 1 ? a : b, 0, 0);
    put(0xbf, 3, 10, 0, 0);
    put(0x07, 3, 0, 0, -64);
    calls_.push_back(code_.size());
    put(0x85, 0, 1, 0, 0);
    for (std::uint8_t r = 1; r <= 5; ++r) holds_[r] = Holds::nothing;
    holds_[0] = Holds::number;
    const std::uint8_t r = writable();
    put(0xbf, r, 0, 0, 0);
    holds_[r] = Holds::small;
  }

  void subprogram(std::size_t which) {
    code_[calls_[which]].imm = static_cast<std::int32_t>(code_.size() - calls_[which] - 1);
    main_ = false;
    holds_ = {};
    slots_ = {};
    holds_[1] = Holds::number, holds_[2] = Holds::small, holds_[10] = Holds::stack;
    out_.clear();
    move(6, 1);
    move(7, 2);
    if (chance(30)) put(one_of({0x7aU, 0x62U}), 3, 0, 0, immediate());
    statements(1 + below(6), 1);
    const std::uint8_t r = any_index();
    put(0xbf, 0, r, 0, 0);
    leave(false);
  }

  void helper_with_memory() {
    if (!xdp_) {   // a map is updated from the stack or from another value
      const std::uint8_t from = holding([](Holds h) { return h == Holds::value; });
      put(0x7a, 10, 0, -8, 0);
      slots_[0] = Holds::number;
      if (from == 15) put(0xbf, 3, 10, 0, 0), put(0x07, 3, 0, 0, one_of({-48, -56, -64, -40}));
      else if (from != 3) put(0xbf, 3, from, 0, 0);
      put(0xbf, 2, 10, 0, 0);
      put(0x07, 2, 0, 0, -8);
      load_map(1, static_cast<std::uint32_t>(below(3)));
      put(0xb7, 4, 0, 0, 0);
      return call(kUpdate);
    }
    const std::uint8_t from = holding([](Holds h) { return h == Holds::value || h == Holds::packet; });
    const std::uint8_t size = any_index();
    if (size != 4) put(0xbf, 4, size, 0, 0);
    if (chance(70)) put(0x57, 4, 0, 0, one_of({12, 28, 44, 60}));
    if (from == 15 || from == 4) put(0xbf, 3, 10, 0, 0), put(0x07, 3, 0, 0, -one_of({64, 48, 32}));
    else if (from != 3) put(0xbf, 3, from, 0, 0);
    put(0xb7, 1, 0, 0, 0), put(0xb7, 2, 0, 0, 0), put(0xb7, 5, 0, 0, 0);
    call(kCsumDiff);
  }

  void atomic() {
    constexpr std::int32_t kOps[] = {0x00, 0x40, 0x50, 0xa0, 0x01, 0x41, 0x51, 0xa1, 0xe1};
    const std::uint8_t base = chance(50) ? std::uint8_t{10} : holding([](Holds h) { return h == Holds::value; });
    const std::uint8_t src = any_number();
    if (base == 15 || src == loop_) return;
    const bool wide = chance(60);
    put(wide ? 0xdb : 0xc3, base, src, base == 10 ? slot() : 8 * static_cast<std::int64_t>(below(6)), one_of(kOps));
    holds_[src] = Holds::number;
  }

  void leave(bool sets_result = true) {
    if (sets_result) {
      if (chance(50)) put(0xbf, 0, any_number(), 0, 0);
      else put(0xb7, 0, 0, 0, 0);
    }
    put(0x95, 0, 0, 0, 0);
    if (out_.empty()) return;
    for (std::size_t jump : out_) land(jump);
    put(0xb7, 0, 0, 0, 0);
    put(0x95, 0, 0, 0, 0);
  }

  /// Changes an instruction without a thought, but for what a map's load is made of.
  void change_one() {
    const std::size_t at = below(code_.size());
    isa::Insn& insn = code_[at];
    if (isa::is_ld_imm64(insn) || insn.opcode == 0) return;
    switch (below(6)) {
      case 0: insn.dst = static_cast<std::uint8_t>(below(11)) & 15; break;
      case 1: if (insn.src != 0) insn.src = static_cast<std::uint8_t>(below(11)) & 15; break;
      case 2: insn.off = static_cast<std::int16_t>(insn.off + static_cast<int>(below(17)) - 8); break;
      case 3: insn.imm ^= 1 << below(32); break;
      case 4: insn.imm += static_cast<std::int32_t>(below(17)) - 8; break;
      default: insn.opcode ^= static_cast<std::uint8_t>(one_of({0x01, 0x08, 0x10, 0x20, 0x40, 0x18})); break;
    }
  }

  std::mt19937_64 random_;
  std::vector<isa::Insn> code_;
  std::vector<object::Relocation> relocations_;
  std::vector<std::size_t> calls_, out_;
  std::array<Holds, 11> holds_{};
  std::array<int, 11> bytes_{};
  std::array<Holds, kSlots> slots_{};
  std::array<int, kSlots> slot_bytes_{};
  std::uint8_t loop_ = 15;   // the register that counts a loop
  bool xdp_ = false, main_ = true;
};

}  // namespace

object::LinkedObject random_maps() {
  object::LinkedObject linked;
  linked.object.name = "random";
  linked.object.license = "GPL";
  for (std::uint32_t i = 0; i < kValueBytes.size(); ++i) {
    object::MapSpec map;
    map.name = i == 0 ? "a48" : i == 1 ? "a256" : "h48";
    map.type = i == kHash ? facts::MapType::hash : facts::MapType::array;
    map.key_size = i == kHash ? 8 : 4;
    map.value_size = static_cast<std::uint32_t>(kValueBytes[i]);
    map.max_entries = i == kHash ? 4 : 1;
    linked.object.maps.push_back(std::move(map));
  }
  return linked;
}

object::LinkedProgram random_program(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace espy::corpus
