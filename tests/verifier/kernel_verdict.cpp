#include "kernel_verdict.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <thread>

#include "base/text.hpp"
#include "btf/ext.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/prog_load.hpp"
#include "kernel/syscall.hpp"
#include "kernel/version.hpp"

namespace espy::corpus {
namespace {

constexpr std::uint32_t kStatistics = 4;             // BPF_LOG_STATS, 5.2
constexpr std::uint32_t kSleepable = 1U << 4, kXdpHasFrags = 1U << 5;

std::uint64_t number_behind(std::string_view line, std::string_view word) {
  auto at = line.find(word);
  if (at == line.npos) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = at + word.size(); i < line.size() && line[i] >= '0' && line[i] <= '9'; ++i) value = value * 10 + static_cast<std::uint64_t>(line[i] - '0');
  return value;
}

/// Takes the log apart: statistics, and what is not.
void read_log(std::string_view log, KernelVerdict& verdict) {
  for (std::string_view line : split(log, '\n')) {
    if (line.starts_with("verification time ")) verdict.microseconds = number_behind(line, "verification time ");
    else if (auto at = line.find("processed "); at != line.npos && line.find(" insns (limit") != line.npos) {
      verdict.insns_processed = number_behind(line, "processed ");
      verdict.total_states = number_behind(line, "total_states ");
      verdict.peak_states = number_behind(line, "peak_states ");
      if (at > 0) verdict.message += line.substr(0, at);   // some messages lack a line's end
    } else if (!line.empty() && !line.starts_with("stack depth ") && !line.starts_with("subprog ")) {
      verdict.message += (verdict.message.empty() ? "" : "; ") + std::string(line);
    }
  }
}

/// Types that some machines lock away: an EPERM without a word is theirs.
bool may_be_locked(facts::ProgType type) {
  using enum facts::ProgType;
  return type == tracing || type == lsm || type == ext;
}

struct Loading {
  const object::LinkedProgram& program;
  const kernel::Object& object;
  std::vector<UniqueFd> modules = {};

  Result<int> module_fd(const std::string& name) {
    modules.push_back(TRY(kernel::module_btf_fd(name)));
    return modules.back().get();
  }

  Result<KernelVerdict> run() {
    const object::ProgramSpec& spec = program.spec;
    kernel::ProgramSetting setting{.object = object.spec(), .map_fds = {}, .btf_fd = object.btf_fd(), .module_btf_fds = {}};
    for (const kernel::Map& map : object.maps()) setting.map_fds.push_back(map.fd());
    for (const object::ModuleBtfUse& use : program.module_btfs) setting.module_btf_fds.push_back(TRY(module_fd(use.module)));
    kernel::BoundCode bound = TRY(kernel::bind(program, setting));
    kernel::ProgLoadAttr attr;
    attr.prog_type = static_cast<std::uint32_t>(spec.type);
    attr.insn_cnt = static_cast<std::uint32_t>(bound.insns.size());
    attr.insns = kernel::to_u64(bound.insns.data());
    attr.license = kernel::to_u64(setting.object.license.c_str());
    attr.kern_version = kernel::running_version().code();
    attr.prog_flags = (spec.flags.sleepable ? kSleepable : 0) | (spec.flags.xdp_frags ? kXdpHasFrags : 0);
    kernel::copy_name(attr.prog_name, spec.name);
    if (spec.attach_type) attr.expected_attach_type = static_cast<std::uint32_t>(*spec.attach_type);
    attr.attach_btf_id = static_cast<std::uint32_t>(program.attach_btf_id.value_or(btf::kVoid));
    if (!program.attach_btf_module.empty()) attr.attach_fd = static_cast<std::uint32_t>(TRY(module_fd(program.attach_btf_module)));
    if (!bound.fd_array.empty()) attr.fd_array = kernel::to_u64(bound.fd_array.data());
    std::vector<std::byte> functions, lines;
    if (setting.btf_fd >= 0 && !spec.code.func_info.empty()) {
      functions = btf::encode_func_info(spec.code.func_info);
      lines = btf::encode_line_info(spec.code.line_info);
      attr.prog_btf_fd = static_cast<std::uint32_t>(setting.btf_fd);
      attr.func_info_rec_size = 8;
      attr.func_info = kernel::to_u64(functions.data());
      attr.func_info_cnt = static_cast<std::uint32_t>(spec.code.func_info.size());
      attr.line_info_rec_size = 16;
      attr.line_info = kernel::to_u64(lines.data());
      attr.line_info_cnt = static_cast<std::uint32_t>(spec.code.line_info.size());
    }
    std::string log(std::size_t{1} << 16, '\0');
    attr.log_level = kStatistics;
    attr.log_size = static_cast<std::uint32_t>(log.size());
    attr.log_buf = kernel::to_u64(log.data());
    KernelVerdict verdict;
    verdict.program = kernel::prog_load(attr);
    const int error = errno;
    read_log(log.c_str(), verdict);
    if (verdict.program) verdict.answer = Answer::accepted;
    else if (error == EPERM && verdict.message.empty() && may_be_locked(spec.type) && ::geteuid() == 0) verdict.answer = Answer::refused;
    else if (verdict.message.empty()) verdict.message = errno_text(error);
    return verdict;
  }
};

}  // namespace

Result<KernelMaps> KernelMaps::create(object::LinkedObject linked) {
  linked.programs.clear();
  return KernelMaps(TRY(kernel::Object::load(std::move(linked))));
}

KernelVerdict KernelMaps::ask(const object::LinkedProgram& program) const {
  auto verdict = Loading{program, object_}.run();
  if (verdict) return std::move(*verdict);
  KernelVerdict rejected;
  rejected.message = one_line(verdict.error());
  return rejected;
}

KernelVerdict ask_kernel(object::LinkedObject linked) {
  KernelVerdict rejected;
  if (linked.programs.empty()) {
    rejected.message = "nothing to load";
    return rejected;
  }
  const object::LinkedProgram program = std::move(linked.programs.front());
  auto maps = KernelMaps::create(std::move(linked));
  if (maps) return maps->ask(program);
  rejected.message = one_line(maps.error());
  return rejected;
}

KernelVerdict ask_kernel_unprivileged(object::LinkedObject linked) {
  KernelVerdict verdict;
  // Credentials are a thread's: the C library's setresuid would change every thread's.
  std::thread([&] {
    constexpr unsigned kNobody = 65534;
    if (::syscall(SYS_setresuid, kNobody, kNobody, kNobody) != 0) verdict.message = "setresuid failed";
    else verdict = ask_kernel(std::move(linked));
  }).join();
  return verdict;
}

bool unprivileged_may_load() {
  std::ifstream file("/proc/sys/kernel/unprivileged_bpf_disabled");
  int value = 1;
  file >> value;
  return value == 0;
}

}  // namespace espy::corpus
