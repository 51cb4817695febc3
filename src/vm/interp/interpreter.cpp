#include "vm/interp/interpreter.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include "isa/insn.hpp"
#include "vm/helpers/old_loads.hpp"
#include "vm/maps/references.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

using isa::Operation;

constexpr std::uint32_t kTailCall = 12;            // the helper's number
constexpr unsigned kImmediate = 11, kTurns = 12;   // what stands in registers that programs have not
constexpr std::uint64_t kMostTurns = 1 << 23;      // by may_goto, of one call of a function

constexpr std::uint64_t low(std::uint64_t value, unsigned bits) { return bits >= 64 ? value : value & ((std::uint64_t{1} << bits) - 1); }
constexpr std::int64_t sign_extended(std::uint64_t value, unsigned bits) {
  return static_cast<std::int64_t>(value << (64 - bits)) >> (64 - bits);
}

// RFC 9669, section 4.1: division by zero gives zero, the remainder of it the dividend; the least number divided by -1 is itself.
std::uint64_t divide(std::uint64_t a, std::uint64_t b) { return b == 0 ? 0 : a / b; }
std::uint64_t modulo(std::uint64_t a, std::uint64_t b) { return b == 0 ? a : a % b; }
std::uint64_t divide_signed(std::int64_t a, std::int64_t b) {
  if (b == 0) return 0;
  return b == -1 ? 0 - static_cast<std::uint64_t>(a) : static_cast<std::uint64_t>(a / b);
}
std::uint64_t modulo_signed(std::int64_t a, std::int64_t b) {
  if (b == 0) return static_cast<std::uint64_t>(a);
  return b == -1 ? 0 : static_cast<std::uint64_t>(a % b);
}

std::uint64_t reversed(std::uint64_t value, unsigned bits) { return std::byteswap(value) >> (64 - bits); }

// dst = dst OP operand, as wide as the step says.
std::uint64_t arithmetic(const Step& step, std::uint64_t dst, std::uint64_t operand) {
  const unsigned bits = step.bits;
  const std::uint64_t a = low(dst, bits), b = low(operand, bits);
  const unsigned shift = static_cast<unsigned>(b) & (bits - 1);
  std::uint64_t value = 0;
  switch (step.operation) {
    case Operation::add: value = a + b; break;
    case Operation::sub: value = a - b; break;
    case Operation::mul: value = a * b; break;
    case Operation::div: value = divide(a, b); break;
    case Operation::mod: value = modulo(a, b); break;
    case Operation::sdiv: value = divide_signed(sign_extended(a, bits), sign_extended(b, bits)); break;
    case Operation::smod: value = modulo_signed(sign_extended(a, bits), sign_extended(b, bits)); break;
    case Operation::or_: value = a | b; break;
    case Operation::and_: value = a & b; break;
    case Operation::xor_: value = a ^ b; break;
    case Operation::lsh: value = a << shift; break;
    case Operation::rsh: value = a >> shift; break;
    case Operation::arsh: value = static_cast<std::uint64_t>(sign_extended(a, bits) >> shift); break;
    case Operation::neg: value = 0 - a; break;
    case Operation::mov: value = b; break;
    case Operation::movsx: value = static_cast<std::uint64_t>(sign_extended(operand, step.selected)); break;
    default: break;
  }
  return low(value, bits);
}

bool holds(const Step& step, std::uint64_t dst, std::uint64_t operand) {
  const std::uint64_t a = low(dst, step.bits), b = low(operand, step.bits);
  const std::int64_t x = sign_extended(a, step.bits), y = sign_extended(b, step.bits);
  switch (step.operation) {
    case Operation::goto_: return true;
    case Operation::jeq: return a == b;
    case Operation::jne: return a != b;
    case Operation::jgt: return a > b;
    case Operation::jge: return a >= b;
    case Operation::jlt: return a < b;
    case Operation::jle: return a <= b;
    case Operation::jsgt: return x > y;
    case Operation::jsge: return x >= y;
    case Operation::jslt: return x < y;
    case Operation::jsle: return x <= y;
    case Operation::jset: return (a & b) != 0;
    default: return false;
  }
}

template <typename T>
std::uint64_t atomic(const Step& step, void* at, std::uint64_t source, std::uint64_t expected) {
  std::atomic_ref<T> memory(*static_cast<T*>(at));
  const T value = static_cast<T>(source);
  switch (step.operation) {
    case Operation::atomic_add:
    case Operation::fetch_add: return memory.fetch_add(value);
    case Operation::atomic_or:
    case Operation::fetch_or: return memory.fetch_or(value);
    case Operation::atomic_and:
    case Operation::fetch_and: return memory.fetch_and(value);
    case Operation::atomic_xor:
    case Operation::fetch_xor: return memory.fetch_xor(value);
    case Operation::xchg: return memory.exchange(value);
    case Operation::cmpxchg: {
      T old = static_cast<T>(expected);
      memory.compare_exchange_strong(old, value);
      return old;
    }
    case Operation::load_acquire: return memory.load(std::memory_order_acquire);
    case Operation::store_release: memory.store(value, std::memory_order_release); return 0;
    default: return 0;
  }
}

class Interpreter {
 public:
  Interpreter(const Steps& program, Run& run) : program_(&program), run_(run), outer_call_(run.call), outer_engine_(run.engine) {
    auto begin = reinterpret_cast<std::uintptr_t>(stack_.data());
    run_.own.add({.begin = begin, .end = begin + stack_.size(), .what = "stack"});
    run_.call = call_back;
    run_.engine = this;
  }
  ~Interpreter() {
    run_.own.remove(reinterpret_cast<std::uintptr_t>(stack_.data()));
    run_.call = outer_call_;
    run_.engine = outer_engine_;
  }
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  std::uint64_t function(std::uint32_t at, const std::array<std::uint64_t, 5>& arguments);

  std::optional<Fault> fault;
  std::uint64_t executed = 0;

 private:
  using Registers = std::array<std::uint64_t, 13>;   // r0 … r10, the immediate, and turns left

  static std::uint64_t call_back(Run& run, std::uint64_t function, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    auto& self = *static_cast<Interpreter*>(run.engine);
    if (!std::ranges::binary_search(self.program_->functions, function)) return run.fault = "calls what is no function", 1;
    const std::uint64_t result = self.ended() ? 1 : self.function(static_cast<std::uint32_t>(function), {a, b, c, d, 0});
    return self.ended() ? 1 : result;   // a helper that calls again and again stops at that
  }

  bool step(const Step& step, Registers& r, std::uint32_t& at);
  bool memory_step(const Step& step, Registers& r);
  void call(const Step& step, Registers& r);
  void tail_call(Registers& r);
  bool load_packet(const Step& step, Registers& r, std::uint32_t& at);
  bool ended() const { return fault || run_.thrown; }
  bool stop(std::string message) {
    if (!fault) fault = Fault{.insn = here_, .program = program_->program, .message = std::move(message)};
    return false;
  }
  bool reach(std::uint64_t address, unsigned bytes, bool write) {
    if (run_.may_touch(address, bytes, write)) return true;
    std::vector<Region> all(run_.own.all().begin(), run_.own.all().end());
    if (run_.shared != nullptr) all.insert(all.end(), run_.shared->all().begin(), run_.shared->all().end());
    return stop(fmt::format("{} {} bytes at {:#x}: {}", write ? "writes" : "reads", bytes, address, place_of(address, all)));
  }

  const Steps* program_;           // that runs now: a tail call's, until its frame returns
  const Steps* next_ = nullptr;    // a tail call was made
  Run& run_;
  decltype(Run::call) outer_call_;
  void* outer_engine_;
  alignas(16) std::array<std::byte, kFrames * isa::kStackBytes> stack_{};
  unsigned depth_ = 0;
  std::uint32_t here_ = 0;
};

bool Interpreter::memory_step(const Step& step, Registers& r) {
  const unsigned bytes = step.bits / 8;
  const bool loads = step.operation == Operation::load || step.operation == Operation::load_signed || step.operation == Operation::load_acquire;
  const std::uint64_t address = r[loads ? step.src : step.dst] + static_cast<std::uint64_t>(std::int64_t{step.offset});
  if (!reach(address, bytes, !loads)) return false;
  void* at = pointer<void>(address);
  if (step.operation == Operation::load || step.operation == Operation::load_signed) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, bytes);
    r[step.dst] = step.operation == Operation::load ? value : static_cast<std::uint64_t>(sign_extended(value, step.bits));
    return true;
  }
  if (step.operation == Operation::store) return std::memcpy(at, &r[step.src], bytes), true;
  if (address % bytes != 0) return stop(fmt::format("an atomic access of {} bytes at {:#x}, which is not aligned", bytes, address));
  std::uint64_t old = 0;
  switch (bytes) {
    case 1: old = atomic<std::uint8_t>(step, at, r[step.src], r[0]); break;
    case 2: old = atomic<std::uint16_t>(step, at, r[step.src], r[0]); break;
    case 4: old = atomic<std::uint32_t>(step, at, r[step.src], r[0]); break;
    default: old = atomic<std::uint64_t>(step, at, r[step.src], r[0]); break;
  }
  if (step.operation == Operation::cmpxchg) r[0] = old;
  else if (step.operation == Operation::load_acquire) r[step.dst] = old;
  else if (step.operation >= Operation::fetch_add && step.operation <= Operation::xchg) r[step.src] = old;
  return true;
}

// A slot without a program, and the 34th tail call, are no errors: the program goes on behind the call.
void Interpreter::tail_call(Registers& r) {
  if (run_.safe) {
    if (std::string wrong = check_arguments(run_, facts::prototypes()[kTailCall], &r[1]); !wrong.empty()) {
      stop(fmt::format("calls helper {}: {}", kTailCall, wrong));
      return;
    }
  }
  const auto* array = dynamic_cast<const ProgramArray*>(pointer<const Map>(r[2]));
  if (array == nullptr) {
    stop("a tail call through a map that is no program array");
    return;
  }
  const Program* program = run_.tail_calls < kTailCalls ? array->at(static_cast<std::uint32_t>(r[3])) : nullptr;
  if (program == nullptr) return;
  if (program->needs_packet() && run_.packet == nullptr) {
    stop(fmt::format("a tail call of `{}`, which needs a packet", program->name()));
    return;
  }
  ++run_.tail_calls;
  next_ = &program->steps();
}

void Interpreter::call(const Step& step, Registers& r) {
  if (step.tail_call) return tail_call(r);
  if (step.callee != nullptr) {
    if (run_.safe) {
      if (std::string wrong = check_arguments(run_, *step.callee->prototype, &r[1]); !wrong.empty()) {
        stop(fmt::format("calls `{}`: {}", step.callee->name, wrong));
        return;
      }
    }
    r[0] = step.callee->function(r[1], r[2], r[3], r[4], r[5]);
    if (!run_.fault.empty()) stop(std::exchange(run_.fault, {}));
    return;
  }
  r[0] = function(step.operation == Operation::callx ? static_cast<std::uint32_t>(r[step.dst]) : step.target, {r[1], r[2], r[3], r[4], r[5]});
}

// Bytes that the packet has not end the function, which then gives 0.
bool Interpreter::load_packet(const Step& step, Registers& r, std::uint32_t& at) {
  if (run_.packet == nullptr) return stop("loads from a packet, and there is none");
  const std::uint64_t from = static_cast<std::uint64_t>(step.immediate) + (step.operation == Operation::ld_ind ? r[step.src] : 0);
  const std::int64_t value = vm::load_packet(*run_.packet, static_cast<std::uint32_t>(from), step.bits / 8);
  r[0] = value < 0 ? 0 : static_cast<std::uint64_t>(value);
  if (value < 0) at = static_cast<std::uint32_t>(program_->steps.size());
  return true;
}

bool Interpreter::step(const Step& step, Registers& r, std::uint32_t& at) {
  switch (step.operation) {
    case Operation::load:
    case Operation::load_signed:
    case Operation::store:
    case Operation::atomic_add: case Operation::atomic_or: case Operation::atomic_and: case Operation::atomic_xor:
    case Operation::fetch_add: case Operation::fetch_or: case Operation::fetch_and: case Operation::fetch_xor:
    case Operation::xchg:
    case Operation::cmpxchg:
    case Operation::load_acquire:
    case Operation::store_release: return memory_step(step, r);
    case Operation::ld_imm64: r[step.dst] = static_cast<std::uint64_t>(step.immediate); ++at; return true;
    case Operation::to_le: r[step.dst] = std::endian::native == std::endian::little ? low(r[step.dst], step.bits) : reversed(r[step.dst], step.bits); return true;
    case Operation::to_be: r[step.dst] = std::endian::native == std::endian::big ? low(r[step.dst], step.bits) : reversed(r[step.dst], step.bits); return true;
    case Operation::bswap: r[step.dst] = reversed(r[step.dst], step.bits); return true;
    case Operation::addr_space_cast: r[step.dst] = r[step.src]; return true;   // arenas lie at their own addresses here
    case Operation::callx:
      if (!std::ranges::binary_search(program_->functions, r[step.dst])) return stop("calls what is no function");
      [[fallthrough]];
    case Operation::call: call(step, r); return !ended();
    case Operation::may_goto:
      if (r[kTurns]-- == 0) at = step.target;
      return true;
    case Operation::ld_abs:
    case Operation::ld_ind: return load_packet(step, r, at);
    case Operation::gotox: return stop("an instruction that the user engine does not run");
    case Operation::exit: return true;
    case Operation::goto_:
    case Operation::jeq: case Operation::jne: case Operation::jgt: case Operation::jge: case Operation::jlt: case Operation::jle:
    case Operation::jsgt: case Operation::jsge: case Operation::jslt: case Operation::jsle: case Operation::jset:
      if (holds(step, r[step.dst], r[step.src])) at = step.target;
      return true;
    default: r[step.dst] = arithmetic(step, r[step.dst], r[step.src]); return true;
  }
}

std::uint64_t Interpreter::function(std::uint32_t at, const std::array<std::uint64_t, 5>& arguments) {
  if (depth_ == kFrames) return stop(fmt::format("more than {} calls deep", kFrames)), 0;
  Registers r{};
  std::ranges::copy(arguments, r.begin() + 1);
  r[kTurns] = kMostTurns;
  r[10] = reinterpret_cast<std::uint64_t>(stack_.data()) + (kFrames - depth_) * isa::kStackBytes;
  const std::uint64_t frame = r[10];
  const Steps* const program = program_;
  ++depth_;
  while (at < program_->steps.size()) {
    const Step& current = program_->steps[at];
    here_ = at++;
    ++executed;
    if (run_.budget == 0) {
      stop("its budget of instructions is spent");
      break;
    }
    --run_.budget;
    r[kImmediate] = static_cast<std::uint64_t>(current.immediate);
    if (!step(current, r, at) || current.operation == Operation::exit) break;
    if (next_ != nullptr) [[unlikely]] {   // this frame goes on in the other program
      program_ = std::exchange(next_, nullptr);
      run_.program = program_->program;
      r = {};
      r[1] = reinterpret_cast<std::uint64_t>(run_.context);
      r[kTurns] = kMostTurns;
      r[10] = frame;
      at = 0;
    }
  }
  program_ = program;
  run_.program = program_->program;
  --depth_;
  return r[0];
}

}  // namespace

Outcome interpret(const Steps& steps, Run& run, const std::array<std::uint64_t, 5>& arguments, std::uint32_t start) {
  Run* outer = std::exchange(current_run(), &run);
  Interpreter interpreter(steps, run);
  Outcome outcome;
  outcome.value = interpreter.function(start, arguments);
  if (run.thrown) outcome.value = *run.thrown;
  outcome.instructions = interpreter.executed;
  outcome.fault = std::move(interpreter.fault);
  current_run() = outer;
  return outcome;
}

}  // namespace espy::vm
