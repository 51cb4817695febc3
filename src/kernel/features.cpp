#include "kernel/features.hpp"

#include <linux/bpf.h>

#include <fmt/ranges.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "base/text.hpp"
#include "btf/mentions.hpp"
#include "facts/tables.hpp"
#include "isa/insn.hpp"
#include "kernel/kconfig.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/syscall.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

using facts::Feature;
using facts::MapType;
using facts::ProgType;
using isa::Insn;

namespace {

// What a feature depends on besides the version, and what serves where it is missing.
struct NeedsRow {
  Feature feature{};
  std::string_view options;   ///< kernel options, comma separated
  std::string_view instead;   ///< may be empty
};
constexpr NeedsRow kNeeds[] = {
    {Feature::global_data, "", "keep the state in a map"},
    {Feature::bounded_loops, "", "#pragma unroll"},
    {Feature::vmlinux_btf, "CONFIG_DEBUG_INFO_BTF", "a stored BTF file of this kernel: --btf FILE"},
    {Feature::module_btf, "CONFIG_DEBUG_INFO_BTF,CONFIG_DEBUG_INFO_BTF_MODULES", ""},
    {Feature::kfuncs, "CONFIG_DEBUG_INFO_BTF", "a helper, where there is one"},
    {Feature::perf_kprobe, "CONFIG_KPROBES,CONFIG_KPROBE_EVENTS", "a tracepoint"},
    {Feature::kprobe_multi, "CONFIG_KPROBES,CONFIG_FPROBE", "a tracepoint"},
    {Feature::kprobe_session, "CONFIG_KPROBES,CONFIG_FPROBE", "a pair of tracepoints"},
    {Feature::fentry, "CONFIG_DEBUG_INFO_BTF,CONFIG_BPF_JIT,CONFIG_FUNCTION_TRACER,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "a tracepoint, or tp_btf"},
    {Feature::fmod_ret, "CONFIG_DEBUG_INFO_BTF,CONFIG_BPF_JIT,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS,CONFIG_FUNCTION_ERROR_INJECTION", "seccomp, or a cgroup program"},
    {Feature::lsm, "CONFIG_BPF_LSM,CONFIG_DEBUG_INFO_BTF,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "a tracepoint to see; seccomp or a cgroup program to deny"},
    {Feature::lsm_cgroup, "CONFIG_BPF_LSM,CONFIG_CGROUP_BPF,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "the cgroup program types"},
    {Feature::freplace, "CONFIG_DEBUG_INFO_BTF,CONFIG_BPF_JIT,CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "tail calls through a prog array"},
    {Feature::struct_ops, "CONFIG_DEBUG_INFO_BTF,CONFIG_BPF_JIT", ""},
    {Feature::netfilter, "CONFIG_NETFILTER_BPF_LINK", "tc, or a cgroup_skb program"},
    {Feature::netkit, "CONFIG_NETKIT", "tc on a veth device"},
};

const NeedsRow* needs_of(Feature feature) {
  for (const NeedsRow& row : kNeeds)
    if (row.feature == feature) return &row;
  return nullptr;
}

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

// The probes that are worth their price; everything else is seen in BTF or by the version.
std::optional<bool> ask(Feature feature) {
  switch (feature) {
    case Feature::mmapable_array: return try_array(BPF_F_MMAPABLE);
    case Feature::bpf_cookie: return try_helper_call(ProgType::perf_event, BPF_FUNC_get_attach_cookie);
    case Feature::bpf_loop: return try_helper_call(ProgType::socket_filter, BPF_FUNC_loop);
    case Feature::probe_read_kernel: return try_helper_call(ProgType::tracepoint, BPF_FUNC_probe_read_kernel);
    case Feature::bounded_loops: {
      // r0 = 10; do { r0 -= 1 } while (r0 != 0)
      const Insn loop[] = {{.opcode = 0xb7, .dst = 0, .src = 0, .off = 0, .imm = 10}, {.opcode = 0x17, .dst = 0, .src = 0, .off = 0, .imm = 1},
                           {.opcode = 0x55, .dst = 0, .src = 0, .off = -2, .imm = 0}, kExit};
      Outcome outcome = try_program(ProgType::socket_filter, loop);
      return answer(outcome.loaded, outcome.error);
    }
    default: break;
  }
  const facts::FeatureRow& row = facts::row_of(feature);
  if (row.enumerator.empty() && row.function.empty()) return std::nullopt;
  auto btf = vmlinux_btf();
  if (!btf) return std::nullopt;
  if (!row.function.empty()) return (*btf)->find(row.function, btf::Kind::func).has_value();
  // BTF has no index of enumerators, but each stands in the string section under its own name.
  return btf::mentions(**btf, row.enumerator);
}

}  // namespace

bool has_feature(Feature feature) {
  static std::mutex lock;
  static std::map<Feature, bool> known;  // conclusive answers
  std::scoped_lock held(lock);
  if (auto found = known.find(feature); found != known.end()) return found->second;
  if (auto answer = ask(feature)) return known[feature] = *answer;
  return why_missing(feature).empty();
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

std::string why_missing(Feature feature) {
  const facts::FeatureRow& row = facts::row_of(feature);
  if (running_version() < row.since)
    return fmt::format("it needs Linux {} or newer, this is {}", facts::to_string(row.since), facts::to_string(running_version()));
  const NeedsRow* needs = needs_of(feature);
  auto lacking = options_not_set(needs == nullptr ? std::string_view() : needs->options);
  if (lacking.empty()) return {};
  return fmt::format("it needs {}, which this kernel has not set", fmt::join(lacking, ", "));
}

std::string_view instead_of(Feature feature) {
  const NeedsRow* needs = needs_of(feature);
  return needs == nullptr ? std::string_view() : needs->instead;
}

Result<void> require(Feature feature) {
  if (has_feature(feature)) return {};
  std::string why = why_missing(feature);
  std::string_view instead = instead_of(feature);
  return std::unexpected(Error{.kind = ErrorKind::unsupported,
                               .message = fmt::format("this kernel lacks {}{}{}", facts::row_of(feature).what, why.empty() ? "" : ": ", why),
                               .hint = instead.empty() ? std::string() : fmt::format("use instead: {}", instead)});
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
