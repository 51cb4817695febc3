#include "kernel/explain.hpp"

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "facts/features.hpp"
#include "facts/tables.hpp"
#include "isa/disassemble.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/features.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/syscall.hpp"
#include "kernel/verifier_log.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

using facts::AttachType;
using facts::Feature;
using facts::ProgType;
using object::ProgramSpec;

namespace {

// The feature that a program of this kind is, where it may be missing though the program type is there.
std::optional<Feature> feature_of(const ProgramSpec& spec) {
  if (spec.type == ProgType::lsm) return spec.attach_type == AttachType::lsm_cgroup ? Feature::lsm_cgroup : Feature::lsm;
  if (spec.type == ProgType::ext) return Feature::freplace;
  if (spec.type == ProgType::struct_ops) return Feature::struct_ops;
  if (spec.type == ProgType::netfilter) return Feature::netfilter;
  if (spec.type == ProgType::syscall) return Feature::syscall_program;
  if (spec.type == ProgType::sk_lookup) return Feature::sk_lookup;
  if (spec.type != ProgType::tracing || !spec.attach_type) return std::nullopt;
  if (*spec.attach_type == AttachType::modify_return) return Feature::fmod_ret;
  if (*spec.attach_type == AttachType::trace_fentry || *spec.attach_type == AttachType::trace_fexit) return Feature::fentry;
  if (*spec.attach_type == AttachType::trace_iter) return Feature::iterators;
  return Feature::tp_btf;
}

// "lookup.bpf.c:12" of the line that an instruction was compiled from.
struct SourceLine {
  std::string place, text;
};
std::optional<SourceLine> source_of(const object::LinkedProgram& program, const object::ObjectSpec& object, std::uint32_t insn) {
  const std::vector<btf::LineInfo>& lines = program.spec.code.line_info;
  auto after = std::ranges::upper_bound(lines, insn, {}, &btf::LineInfo::insn);
  if (!object.btf || after == lines.begin()) return std::nullopt;
  const btf::LineInfo& line = *std::prev(after);
  std::string_view file = object.btf->string(line.file_name);
  if (auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  return SourceLine{fmt::format("{}:{}", file, line.line), std::string(trim(object.btf->string(line.line_text)))};
}

std::string function_of(const object::LinkedProgram& program, const object::ObjectSpec& object, std::uint32_t insn) {
  const std::vector<btf::FuncInfo>& functions = program.spec.code.func_info;
  auto after = std::ranges::upper_bound(functions, insn, {}, &btf::FuncInfo::insn);
  if (!object.btf || after == functions.begin() || !object.btf->contains(std::prev(after)->type)) return program.spec.name;
  return std::string(object.btf->type(std::prev(after)->type).name());
}

// Why a helper that a program of this type calls is refused, from the tables.
std::string why_no_helper(const ProgramSpec& spec, const facts::HelperRow& helper) {
  if (running_version() < helper.since)
    return fmt::format("{} exists since Linux {}, this is {}", helper.name, to_string(helper.since), to_string(running_version()));
  auto since = facts::callable_since(spec.type, helper);
  if (!since) return fmt::format("{} programs may not call {}", facts::to_string(spec.type), helper.name);
  if (running_version() < *since)
    return fmt::format("{} programs may call {} since Linux {}, this is {}", facts::to_string(spec.type), helper.name, to_string(*since),
                       to_string(running_version()));
  return {};
}

// Attach types are a later kernel's as often as program types are; the verifier then takes the program for another kind.
std::string why_no_attach_type(const ProgramSpec& spec) {
  const facts::AttachTypeRow* attach = spec.attach_type ? facts::find(*spec.attach_type) : nullptr;
  if (attach == nullptr || spec.type == ProgType::struct_ops || running_version() >= attach->since) return {};
  return fmt::format("programs for {} exist since Linux {}, this is {}", attach->name, to_string(attach->since), to_string(running_version()));
}

std::string hint_for(const VerifierReport& report, const object::LinkedProgram& program) {
  if (std::string why = why_no_attach_type(program.spec); !why.empty()) return why;
  if (report.reasons.empty()) return {};
  const std::string& reason = report.reasons.front();
  const bool about_helper = reason.find("unknown func") != reason.npos || reason.find("invalid func") != reason.npos ||
                            reason.find("cannot use helper") != reason.npos;
  const std::vector<isa::Insn>& insns = program.spec.code.insns;
  if (about_helper && report.insn && *report.insn < insns.size() && isa::is_call(insns[*report.insn], isa::CallKind::helper))
    if (const facts::HelperRow* helper = facts::find_helper(static_cast<std::uint32_t>(insns[*report.insn].imm)))
      if (std::string why = why_no_helper(program.spec, *helper); !why.empty()) return why;
  for (const std::string& line : report.reasons)
    if (auto advice = advice_for(line); !advice.empty()) return std::string(advice);
  return {};
}

void add_place(Error& error, const VerifierReport& report, const object::LinkedProgram& program, const object::ObjectSpec& object) {
  error.where = object.path.empty() ? "" : fmt::format("{}: section {}", object.path, program.spec.code.section);
  if (!report.insn) return;
  auto line = source_of(program, object, *report.insn);
  if (!line && !report.source.empty()) line = SourceLine{report.place, report.source};
  if (line) {
    if (!line->text.empty()) error.notes.push_back(fmt::format("{}{}{}", line->place, line->place.empty() ? "" : ": ", line->text));
    if (!line->place.empty()) error.where += fmt::format("{}{}", error.where.empty() ? "" : ": ", line->place);
  }
  std::string text = report.insn_text;
  const std::vector<isa::Insn>& insns = program.spec.code.insns;
  if (text.empty() && *report.insn < insns.size()) isa::disassemble_one(insns, *report.insn, {}, text);
  std::string function = function_of(program, object, *report.insn);
  error.notes.push_back(fmt::format("instruction {} (in {}): {}", *report.insn, function, text));
  if (report.acquired_at)
    if (auto taken = source_of(program, object, *report.acquired_at)) error.notes.push_back(fmt::format("taken at {}{}{}", taken->place, taken->text.empty() ? "" : ": ", taken->text));
}

// The kernel said no before its verifier said anything.
void explain_silence(Error& error, const ProgramSpec& spec) {
  const facts::ProgTypeRow* row = facts::find(spec.type);
  explain_permission(error, needed_to_load(spec.type));
  if (!error.hint.empty()) return;
  if (row != nullptr && running_version() < row->since) {
    error.kind = ErrorKind::unsupported;
    error.hint = fmt::format("{} programs exist since Linux {}, this is {}", row->name, to_string(row->since), to_string(running_version()));
    return;
  }
  if (auto feature = feature_of(spec)) {
    std::string why = why_missing(*feature);
    std::string_view instead = instead_of(*feature);
    const bool refused = error.sys == EPERM || error.sys == EACCES;
    if (refused || !why.empty()) {
      error.kind = refused ? ErrorKind::permission : ErrorKind::unsupported;
      error.message += fmt::format(": this kernel refuses {}", facts::row_of(*feature).what);
      error.notes.push_back(why.empty() ? "its version and its options would allow it: a security policy of this system (lockdown, an LSM) does not" : why);
      if (!instead.empty()) error.hint = fmt::format("use instead: {}", instead);
      return;
    }
  }
  if (error.sys == EPERM && !raise_memlock()) error.hint = "kernels before 5.11 count programs against RLIMIT_MEMLOCK: run it with CAP_SYS_RESOURCE, or after `ulimit -l unlimited`";
  if (error.sys == E2BIG) error.hint = "the program is larger than this kernel takes (4096 instructions before Linux 5.2, a million since)";
  if (std::string why = why_no_attach_type(spec); error.sys == EINVAL && !why.empty()) error.hint = why;
}

// An instruction that CO-RE made unrunnable: the relocation that found nothing is what a person wrote.
void explain_poison(Error& error, const VerifierReport& report, const ProgramSpec& spec, const std::vector<object::CoreOutcome>& core) {
  if (!report.insn) return;
  for (const object::CoreOutcome& outcome : core) {
    if (!outcome.poisoned || outcome.program != spec.name || outcome.insn != *report.insn) continue;
    error.message = fmt::format("load program `{}`: CO-RE relocation {}", spec.name, outcome.text);
    if (!outcome.hint.empty()) error.hint = outcome.hint;
  }
}

}  // namespace

std::unexpected<Error> explain_map_failure(int error_number, const object::MapSpec& spec) {
  auto failure = fail_sys(error_number, "create map `{}` ({})", spec.name, facts::to_string(spec.type));
  Error& error = failure.error();
  const facts::MapTypeRow* row = facts::find(spec.type);
  if (error_number == EINVAL && row != nullptr && running_version() < row->since) {
    error.kind = ErrorKind::unsupported;
    error.hint = fmt::format("{} maps exist since Linux {}, this is {}", row->name, to_string(row->since), to_string(running_version()));
  } else if (error_number == EPERM) {
    explain_permission(error, needed_to_create(spec.type));
    if (error.notes.empty() && !raise_memlock()) {
      error.kind = ErrorKind::permission;
      error.notes.emplace_back("kernels before 5.11 count maps against RLIMIT_MEMLOCK, which could not be raised");
      error.hint = "run it with CAP_SYS_RESOURCE, or after `ulimit -l unlimited`";
    }
  } else if (error_number == ENOMEM || error_number == E2BIG) {
    error.kind = ErrorKind::exhausted;
    error.hint = fmt::format("it would hold {} entries of {} + {} bytes", spec.max_entries, spec.key_size, spec.value_size);
  } else if (error_number == EINVAL) {
    error.notes.push_back(fmt::format("key_size {}, value_size {}, max_entries {}, map_flags {:#x}, map_extra {:#x}", spec.key_size,
                                      spec.value_size, spec.max_entries, spec.flags, spec.map_extra));
  }
  return failure;
}

Error explain_program_failure(int error_number, const object::LinkedProgram& program, const object::ObjectSpec& object,
                              const std::vector<object::CoreOutcome>& core, std::string_view log) {
  const ProgramSpec& spec = program.spec;
  VerifierReport report = read_verifier_log(log);
  Error error{.kind = ErrorKind::rejected, .message = fmt::format("load program `{}`", spec.name), .sys = error_number};
  add_place(error, report, program, object);
  if (report.reasons.empty()) {
    error.kind = kind_of_errno(error_number);
    error.message += ": " + errno_text(error_number);
    explain_silence(error, spec);
    return error;
  }
  error.message += ": the kernel's verifier rejects it: " + report.reasons.front();
  for (std::size_t i = 1; i < report.reasons.size(); ++i) error.notes.push_back("the kernel says further: " + report.reasons[i]);
  error.hint = hint_for(report, program);
  explain_poison(error, report, spec, core);
  if (error.hint.empty() && error_number == EPERM) explain_permission(error, needed_to_load(spec.type));
  return error;
}

}  // namespace espy::kernel
