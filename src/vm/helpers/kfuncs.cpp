// Kernel functions: open-coded iterators over numbers, exceptions, sections that need no protection here, strings.
//
// To add one: a function, and a row with its prototype.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>

#include "vm/helpers/memory.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

using facts::Arg;
using facts::Argument;
using facts::Prototype;
using facts::Return;

// ---- bpf_iter_num ---------------------------------------------------------------------------------------------------

/// `struct bpf_iter_num`: the number that was given last, and the one behind the last.
struct Numbers {
  std::int32_t current, end;
};
constexpr std::int64_t kMostTurns = 1 << 23;

void put(std::uint64_t at, Numbers numbers) { std::memcpy(pointer<void>(at), &numbers, sizeof numbers); }   // aligned or not

std::uint64_t numbers_new(std::uint64_t at, std::uint64_t first, std::uint64_t end, std::uint64_t, std::uint64_t) {
  const auto from = static_cast<std::int32_t>(first), to = static_cast<std::int32_t>(end);
  put(at, {});
  if (from > to) return result(-EINVAL);
  if (std::int64_t{to} - from > kMostTurns) return result(-E2BIG);
  put(at, {static_cast<std::int32_t>(static_cast<std::uint32_t>(from) - 1), to});
  return 0;
}

std::uint64_t numbers_next(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Numbers numbers{};
  std::memcpy(&numbers, pointer<void>(at), sizeof numbers);
  numbers.current = static_cast<std::int32_t>(static_cast<std::uint32_t>(numbers.current) + 1);
  const bool over = numbers.current >= numbers.end;
  put(at, over ? Numbers{} : numbers);
  return over ? 0 : at;   // where `current` stands
}

std::uint64_t numbers_destroy(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return put(at, {}), 0; }

// ---- exceptions, sections -------------------------------------------------------------------------------------------

std::uint64_t throw_(std::uint64_t cookie, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Run& run = *current_run();
  run.thrown = cookie;
  leave(run);
  return 0;
}

/// Memory is freed with the run's object, and threads may always be moved: there is nothing to hold.
std::uint64_t nothing(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return 0; }

std::uint64_t counter(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}
std::uint64_t counter_to_time(std::uint64_t counted, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return counted; }

// ---- strings --------------------------------------------------------------------------------------------------------

/// XATTR_SIZE_MAX: longer strings are too long.
constexpr std::size_t kLongest = 65536;

/// The string there, up to `most` bytes of it; a negative errno if it cannot be read, or does not end in time.
struct Text {
  long error = 0;
  std::string bytes = {};
};
Text text_at(std::uint64_t at, std::size_t most = kLongest) {
  Text text;
  const std::size_t room = std::min(most, kLongest) + 1;
  text.bytes.resize(room);
  const long length = copy_string_from(text.bytes.data(), room, at);
  if (length < 0) return {.error = length};
  if (static_cast<std::size_t>(length) == room && most >= kLongest) return {.error = -E2BIG};
  text.bytes.resize(static_cast<std::size_t>(length) - 1);
  return text;
}

std::uint64_t length(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(at);
  return result(text.error != 0 ? text.error : static_cast<long>(text.bytes.size()));
}
std::uint64_t length_within(std::uint64_t at, std::uint64_t most, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(at, most);
  return result(text.error != 0 ? text.error : static_cast<long>(text.bytes.size()));
}

std::uint64_t compare(std::uint64_t one, std::uint64_t other, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text a = text_at(one), b = text_at(other);
  if (a.error != 0 || b.error != 0) return result(a.error != 0 ? a.error : b.error);
  const int order = std::strcmp(a.bytes.c_str(), b.bytes.c_str());
  return result(order < 0 ? -1 : order > 0 ? 1 : 0);
}

std::uint64_t place(const Text& text, std::size_t at) { return result(text.error != 0 ? text.error : at == std::string::npos ? -ENOENT : static_cast<long>(at)); }

/// The NUL is looked for, too, and found at the end.
std::uint64_t find_first(std::uint64_t in, std::uint64_t wanted, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(in);
  return place(text, static_cast<char>(wanted) == '\0' ? text.bytes.size() : text.bytes.find(static_cast<char>(wanted)));
}
std::uint64_t find_first_or_end(std::uint64_t in, std::uint64_t wanted, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(in);
  return place(text, std::min(text.bytes.find(static_cast<char>(wanted)), text.bytes.size()));
}
std::uint64_t find_last(std::uint64_t in, std::uint64_t wanted, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(in);
  return place(text, static_cast<char>(wanted) == '\0' ? text.bytes.size() : text.bytes.rfind(static_cast<char>(wanted)));
}
std::uint64_t find_text(std::uint64_t in, std::uint64_t wanted, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(in), what = text_at(wanted);
  if (what.error != 0) return result(what.error);
  return place(text, text.bytes.find(what.bytes));
}
std::uint64_t span_of(std::uint64_t in, std::uint64_t accepted, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(in), set = text_at(accepted);
  if (set.error != 0) return result(set.error);
  return place(text, std::min(text.bytes.find_first_not_of(set.bytes), text.bytes.size()));
}
std::uint64_t span_without(std::uint64_t in, std::uint64_t rejected, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Text text = text_at(in), set = text_at(rejected);
  if (set.error != 0) return result(set.error);
  return place(text, std::min(text.bytes.find_first_of(set.bytes), text.bytes.size()));
}

// ---- the table ------------------------------------------------------------------------------------------------------

constexpr Argument kNumber{.kind = Arg::anything};
constexpr Argument kIterator{.kind = Arg::fixed_write, .read_only_ok = false, .size = sizeof(Numbers)};
constexpr Argument kWord{.kind = Arg::fixed_write, .read_only_ok = false, .size = 8};

struct Row {
  std::string_view name;
  HelperFunction function;
  Prototype prototype;
};
constexpr Row kRows[] = {
    {"bpf_iter_num_new", numbers_new, {.args = {kIterator, kNumber, kNumber}}},
    {"bpf_iter_num_next", numbers_next, {.returns = Return::mem_or_null, .args = {kIterator}}},
    {"bpf_iter_num_destroy", numbers_destroy, {.returns = Return::nothing, .args = {kIterator}}},
    {"bpf_throw", throw_, {.returns = Return::nothing, .args = {kNumber}}},
    {"bpf_rcu_read_lock", nothing, {.returns = Return::nothing}},
    {"bpf_rcu_read_unlock", nothing, {.returns = Return::nothing}},
    {"bpf_preempt_disable", nothing, {.returns = Return::nothing}},
    {"bpf_preempt_enable", nothing, {.returns = Return::nothing}},
    {"bpf_local_irq_save", nothing, {.returns = Return::nothing, .args = {kWord}}},
    {"bpf_local_irq_restore", nothing, {.returns = Return::nothing, .args = {kWord}}},
    {"bpf_get_cpu_time_counter", counter, {}},
    {"bpf_cpu_time_counter_to_ns", counter_to_time, {.args = {kNumber}}},
    {"bpf_strlen", length, {.args = {kNumber}}},
    {"bpf_strnlen", length_within, {.args = {kNumber, kNumber}}},
    {"bpf_strcmp", compare, {.args = {kNumber, kNumber}}},
    {"bpf_strchr", find_first, {.args = {kNumber, kNumber}}},
    {"bpf_strchrnul", find_first_or_end, {.args = {kNumber, kNumber}}},
    {"bpf_strrchr", find_last, {.args = {kNumber, kNumber}}},
    {"bpf_strstr", find_text, {.args = {kNumber, kNumber}}},
    {"bpf_strspn", span_of, {.args = {kNumber, kNumber}}},
    {"bpf_strcspn", span_without, {.args = {kNumber, kNumber}}},
};

}  // namespace

const Callee* find_kfunc(std::string_view name) {
  static const auto callees = [] {
    std::array<Callee, std::size(kRows)> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = {.name = kRows[i].name, .function = kRows[i].function, .prototype = &kRows[i].prototype};
    return all;
  }();
  auto found = std::ranges::find(callees, name, &Callee::name);
  return found == callees.end() ? nullptr : &*found;
}

}  // namespace espy::vm
