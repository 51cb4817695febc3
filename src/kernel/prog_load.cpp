#include "kernel/prog_load.hpp"

#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "kernel/explain.hpp"
#include "kernel/syscall.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

namespace {

constexpr std::uint32_t kSleepable = 1U << 4;   // BPF_F_SLEEPABLE
constexpr std::uint32_t kXdpHasFrags = 1U << 5; // BPF_F_XDP_HAS_FRAGS

// Log buffers to try, smallest first. Since 6.4 a full buffer keeps the log's end, which is what matters; older kernels
// keep its beginning, and kernels up to 5.1 take no more than 16 MB.
constexpr std::size_t kLogSizes[] = {std::size_t{64} << 10, std::size_t{1} << 20, (std::size_t{16} << 20) - 1, std::size_t{64} << 20};

bool is_whole(std::string_view log) { return log.find("\nprocessed ") != log.npos || log.starts_with("processed "); }

struct Attempt {
  UniqueFd fd;
  int error = 0;
  std::string log;
};

// Loads with a log, in a buffer large enough for the part that says why.
Attempt load_with_log(ProgLoadAttr attr, std::uint32_t level) {
  Attempt attempt;
  for (std::size_t size : kLogSizes) {
    std::string buffer(size, '\0');
    attr.log_level = level;
    attr.log_size = static_cast<std::uint32_t>(size);
    attr.log_buf = to_u64(buffer.data());
    UniqueFd fd = prog_load(attr);
    int error = fd ? 0 : errno;
    if (error == EINVAL && !attempt.log.empty()) break;  // a buffer of this size is too large for this kernel
    attempt.fd = std::move(fd);
    attempt.error = error;
    buffer.resize(buffer.find('\0') == buffer.npos ? buffer.size() : buffer.find('\0'));
    attempt.log = std::move(buffer);
    if (attempt.error != ENOSPC || is_whole(attempt.log)) break;
  }
  return attempt;
}

std::uint32_t flags_of(const object::ProgramSpec& spec) {
  return (spec.flags.sleepable ? kSleepable : 0) | (spec.flags.xdp_frags ? kXdpHasFrags : 0);
}

}  // namespace

Result<BoundCode> bind(const object::LinkedProgram& program, const ProgramSetting& setting) {
  const object::FunctionSpec& code = program.spec.code;
  BoundCode bound{.insns = code.insns, .fd_array = {}};
  auto map_fd = [&](object::MapIdx map) -> Result<int> {
    auto index = static_cast<std::size_t>(map);
    if (index < setting.map_fds.size() && setting.map_fds[index] >= 0) return setting.map_fds[index];
    return fail(ErrorKind::invalid_argument, "program `{}` uses map `{}`, which is not created", program.spec.name,
                index < setting.object.maps.size() ? setting.object.maps[index].name : "?");
  };
  for (const object::Relocation& relocation : code.relocations) {
    const auto* map = std::get_if<object::MapRef>(&relocation.to);
    const auto* value = std::get_if<object::MapValueRef>(&relocation.to);
    if (relocation.insn + 1 >= bound.insns.size() || (map == nullptr && value == nullptr))
      return fail(ErrorKind::malformed, "program `{}`: instruction {} has a reference that linking should have settled",
                  program.spec.name, relocation.insn);
    isa::Insn* insn = &bound.insns[relocation.insn];
    insn[0].src = static_cast<std::uint8_t>(map != nullptr ? isa::Pseudo::map_fd : isa::Pseudo::map_value);
    insn[0].imm = TRY(map_fd(map != nullptr ? map->map : value->map));
    insn[1].imm = map != nullptr ? 0 : static_cast<std::int32_t>(value->offset);
  }
  for (std::size_t i = 0; i < program.module_btfs.size(); ++i) {
    isa::InsnIdx at = program.module_btfs[i].insn;
    int fd = setting.module_btf_fds.at(i);
    if (at < bound.insns.size() && isa::is_call(bound.insns[at], isa::CallKind::kfunc)) {
      // Index 0 stands for vmlinux.
      if (bound.fd_array.empty()) bound.fd_array.push_back(0);
      auto known = std::find(bound.fd_array.begin() + 1, bound.fd_array.end(), fd);
      bound.insns[at].off = static_cast<std::int16_t>(known - bound.fd_array.begin());
      if (known == bound.fd_array.end()) bound.fd_array.push_back(fd);
    } else if (at + 1 < bound.insns.size()) {
      bound.insns[at + 1].imm = fd;
    }
  }
  return bound;
}

Result<UniqueFd> load_program(const object::LinkedProgram& program, const ProgramSetting& setting) {
  const object::ProgramSpec& spec = program.spec;
  BoundCode bound = TRY(bind(program, setting));
  ProgLoadAttr attr;
  attr.prog_type = static_cast<std::uint32_t>(spec.type);
  attr.insn_cnt = static_cast<std::uint32_t>(bound.insns.size());
  attr.insns = to_u64(bound.insns.data());
  attr.license = to_u64(setting.object.license.c_str());
  attr.kern_version = setting.object.version.value_or(running_version().code());
  attr.prog_flags = flags_of(spec);
  copy_name(attr.prog_name, spec.name);
  if (spec.attach_type) attr.expected_attach_type = static_cast<std::uint32_t>(*spec.attach_type);
  attr.attach_btf_id = setting.attach_btf_id;
  attr.attach_fd = static_cast<std::uint32_t>(setting.attach_fd);
  if (!bound.fd_array.empty()) attr.fd_array = to_u64(bound.fd_array.data());

  std::vector<std::byte> functions, lines;
  if (setting.btf_fd >= 0 && !spec.code.func_info.empty()) {
    functions = btf::encode_func_info(spec.code.func_info);
    lines = btf::encode_line_info(spec.code.line_info);
    attr.prog_btf_fd = static_cast<std::uint32_t>(setting.btf_fd);
    attr.func_info_rec_size = 8;
    attr.func_info = to_u64(functions.data());
    attr.func_info_cnt = static_cast<std::uint32_t>(spec.code.func_info.size());
    attr.line_info_rec_size = 16;
    attr.line_info = to_u64(lines.data());
    attr.line_info_cnt = static_cast<std::uint32_t>(spec.code.line_info.size());
  }

  std::uint32_t level = std::max(setting.log_level, spec.log_level);
  if (level != 0) {
    Attempt attempt = load_with_log(attr, level);
    if (attempt.fd && setting.log_sink) setting.log_sink(spec.name, attempt.log);
    if (attempt.fd) return std::move(attempt.fd);
  }
  UniqueFd fd = prog_load(attr);
  if (fd) return fd;
  int error = errno;
  Attempt attempt = load_with_log(attr, 1);
  if (attempt.fd) return std::move(attempt.fd);  // what was in the way went meanwhile
  if (setting.log_sink) setting.log_sink(spec.name, attempt.log);
  static const std::vector<object::CoreOutcome> kNone;
  return std::unexpected(explain_program_failure(error, program, setting.object, setting.core != nullptr ? *setting.core : kNone, attempt.log));
}

}  // namespace espy::kernel
