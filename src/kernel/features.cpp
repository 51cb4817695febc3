#include "kernel/features.hpp"

#include <linux/bpf.h>

#include <fmt/ranges.h>

#include <array>
#include <cerrno>
#include <mutex>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "isa/insn.hpp"
#include "kernel/kconfig.hpp"
#include "kernel/syscall.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

using facts::MapType;
using facts::ProgType;
using isa::Insn;

namespace {

constexpr auto kFeatures = std::to_array<FeatureRow>({
    {Feature::btf, "BTF", {4, 18}, "", ""},
    {Feature::global_data, "global data", {5, 2}, "", "compile with -fno-common and keep state in maps"},
    {Feature::mapped_arrays, "arrays mapped into memory", {5, 5}, "", ""},
    {Feature::bounded_loops, "bounded loops", {5, 3}, "", "unroll the loop: #pragma unroll"},
    {Feature::large_programs, "programs of more than 4096 instructions", {5, 2}, "", "split it with tail calls"},
    {Feature::map_freeze, "frozen maps", {5, 2}, "", ""},
    {Feature::bpf_cookie, "attach cookies (bpf_get_attach_cookie)", {5, 15}, "CONFIG_BPF_EVENTS", ""},
    {Feature::module_kfuncs, "calls of kernel functions (kfuncs)", {5, 13}, "CONFIG_DEBUG_INFO_BTF", "a helper, where there is one"},
    {Feature::function_tracing, "fentry, fexit and fmod_ret programs", {5, 5},
     "CONFIG_DEBUG_INFO_BTF,CONFIG_BPF_JIT,CONFIG_FUNCTION_TRACER,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
     "a tracepoint, or tp_btf"},
    {Feature::lsm, "LSM programs", {5, 7},
     "CONFIG_BPF_LSM,CONFIG_DEBUG_INFO_BTF,CONFIG_FUNCTION_TRACER,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
     "a tracepoint to see, seccomp or a cgroup program to deny"},
    {Feature::extensions, "freplace programs", {5, 6}, "CONFIG_DEBUG_INFO_BTF,CONFIG_BPF_JIT,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
     "tail calls through a prog array"},
});

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < kFeatures.size(); ++i)
    if (static_cast<std::size_t>(kFeatures[i].feature) != i) return false;
  return true;
}
static_assert(rows_in_order());

constexpr Insn kMovR0Zero{.opcode = 0xb7, .dst = 0, .src = 0, .off = 0, .imm = 0};
constexpr Insn kExit{.opcode = isa::kOpExit};

struct Outcome {
  bool loaded = false;
  int error = 0;
  std::string log;
};

Outcome try_program(ProgType type, std::span<const Insn> insns, std::uint32_t attach_type = 0, bool want_log = false) {
  Outcome outcome;
  ProgLoadAttr attr;
  attr.prog_type = static_cast<std::uint32_t>(type);
  attr.expected_attach_type = attach_type;
  attr.insns = to_u64(insns.data());
  attr.insn_cnt = static_cast<std::uint32_t>(insns.size());
  attr.license = to_u64("GPL");
  attr.kern_version = running_version().code();
  if (want_log) {
    outcome.log.resize(4096);
    attr.log_buf = to_u64(outcome.log.data());
    attr.log_size = static_cast<std::uint32_t>(outcome.log.size());
    attr.log_level = 1;
  }
  outcome.loaded = static_cast<bool>(prog_load(attr));
  outcome.error = outcome.loaded ? 0 : errno;
  outcome.log.resize(outcome.log.find('\0') == outcome.log.npos ? outcome.log.size() : outcome.log.find('\0'));
  return outcome;
}

// EPERM says nothing: the process may lack the privilege, not the kernel the feature.
std::optional<bool> answer(bool worked, int error) {
  if (worked) return true;
  if (error == EPERM) return std::nullopt;
  return false;
}

std::optional<bool> try_array(std::uint32_t flags) {
  MapCreateAttr attr;
  attr.map_type = static_cast<std::uint32_t>(MapType::array);
  attr.key_size = 4, attr.value_size = 4096, attr.max_entries = 1, attr.map_flags = flags;
  bool made = static_cast<bool>(map_create(attr));
  return answer(made, errno);
}

std::optional<bool> try_helper_call(ProgType type, std::uint32_t helper) {
  const Insn insns[] = {{.opcode = isa::kOpCall, .dst = 0, .src = 0, .off = 0, .imm = static_cast<std::int32_t>(helper)}, kMovR0Zero, kExit};
  Outcome outcome = try_program(type, insns, 0, true);
  if (outcome.loaded) return true;
  if (outcome.error == EPERM && outcome.log.empty()) return std::nullopt;
  // "invalid func X#n": no such helper. "unknown func X#n", "program of this type cannot use helper X#n": not for this
  // type. Anything else is said of the arguments, which were not there: the helper is.
  for (std::string_view no : {"invalid func ", "unknown func ", "program of this type cannot use helper "})
    if (outcome.log.find(no) != std::string::npos) return false;
  return !outcome.log.empty();
}

std::optional<bool> ask(Feature feature) {
  switch (feature) {
    case Feature::mapped_arrays: return try_array(BPF_F_MMAPABLE);
    case Feature::bpf_cookie: return try_helper_call(ProgType::perf_event, BPF_FUNC_get_attach_cookie);
    case Feature::bounded_loops: {
      // r0 = 10; do { r0 -= 1 } while (r0 != 0)
      const Insn loop[] = {{.opcode = 0xb7, .dst = 0, .src = 0, .off = 0, .imm = 10}, {.opcode = 0x17, .dst = 0, .src = 0, .off = 0, .imm = 1},
                           {.opcode = 0x55, .dst = 0, .src = 0, .off = -2, .imm = 0}, kExit};
      Outcome outcome = try_program(ProgType::socket_filter, loop);
      return answer(outcome.loaded, outcome.error);
    }
    case Feature::large_programs: {
      std::vector<Insn> insns(4200, kMovR0Zero);
      insns.back() = kExit;
      Outcome outcome = try_program(ProgType::socket_filter, insns);
      return answer(outcome.loaded, outcome.error == E2BIG ? EINVAL : outcome.error);
    }
    // Nothing small asks for these without side effects: the version and the configuration say it.
    case Feature::btf: case Feature::global_data: case Feature::map_freeze: case Feature::module_kfuncs:
    case Feature::function_tracing: case Feature::lsm: case Feature::extensions: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::span<const FeatureRow> features() { return kFeatures; }
const FeatureRow& row_of(Feature feature) { return kFeatures[static_cast<std::size_t>(feature)]; }

bool has_feature(Feature feature) {
  static std::mutex lock;
  static std::array<std::optional<bool>, kFeatures.size()> known;
  std::scoped_lock held(lock);
  std::optional<bool>& answer = known[static_cast<std::size_t>(feature)];
  if (!answer) answer = ask(feature);
  return answer.value_or(why_missing(row_of(feature)).empty());
}

std::vector<std::string> options_not_set(std::string_view options) {
  std::vector<std::string> lacking;
  if (options.empty()) return lacking;
  auto kconfig = running_kconfig();
  if (!kconfig) return lacking;
  for (std::string_view option : split(options, ',')) {
    auto value = (*kconfig)->find(std::string(option));
    if (value == (*kconfig)->end() || value->second == "n") lacking.emplace_back(option);
  }
  return lacking;
}

std::string why_missing(const FeatureRow& row) {
  if (running_version() < row.since)
    return fmt::format("it needs Linux {} or newer, this is {}", facts::to_string(row.since), facts::to_string(running_version()));
  auto lacking = options_not_set(row.needs);
  if (lacking.empty()) return {};
  return fmt::format("it needs {}, which this kernel has not set", fmt::join(lacking, ", "));
}

Result<void> require(Feature feature) {
  if (has_feature(feature)) return {};
  const FeatureRow& row = row_of(feature);
  std::string why = why_missing(row);
  return std::unexpected(Error{.kind = ErrorKind::unsupported,
                               .message = fmt::format("this kernel has no {}{}{}", row.name, why.empty() ? "" : ": ", why),
                               .hint = row.instead.empty() ? std::string() : fmt::format("use instead: {}", row.instead)});
}

std::optional<bool> probe_map_type(MapType type) {
  MapCreateAttr attr;
  attr.map_type = static_cast<std::uint32_t>(type);
  attr.key_size = attr.value_size = 4;
  attr.max_entries = 1;
  bool made = static_cast<bool>(map_create(attr));
  if (made) return true;
  // A type that is not there is refused before its attributes are looked at, with the same number: ask with a key size
  // that every type refuses differently would be guesswork, so what remains goes by the version.
  const facts::MapTypeRow* row = facts::find(type);
  if (errno == EPERM || row == nullptr) return std::nullopt;
  if (errno != EINVAL) return true;
  return running_version() >= row->since;
}

std::optional<bool> probe_prog_type(ProgType type) {
  const Insn insns[] = {kMovR0Zero, kExit};
  Outcome outcome = try_program(type, insns, 0, true);
  if (outcome.loaded) return true;
  if (outcome.error == EPERM) return std::nullopt;
  const facts::ProgTypeRow* row = facts::find(type);
  if (row == nullptr) return std::nullopt;
  // A known type that wants an attach type says so in its log, or by another number than EINVAL.
  return !outcome.log.empty() || outcome.error != EINVAL || running_version() >= row->since;
}

std::optional<bool> probe_helper(ProgType type, std::uint32_t helper) { return try_helper_call(type, helper); }

}  // namespace espy::kernel
