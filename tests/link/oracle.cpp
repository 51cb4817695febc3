#include "oracle.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace espy::test {
namespace {

/// What is being recorded while one object loads. libbpf loads in the thread that asks it to.
struct Recording {
  bpf_object* object = nullptr;
  OracleResult* result = nullptr;
};
thread_local Recording recording;

std::vector<std::byte> copy_bytes(std::uint64_t address, std::size_t size) {
  const auto* data = reinterpret_cast<const std::byte*>(address);
  return address == 0 ? std::vector<std::byte>{} : std::vector<std::byte>(data, data + size);
}

std::vector<isa::Insn> copy_insns(const bpf_insn* insns, std::size_t count) {
  std::vector<isa::Insn> copy(count);
  for (std::size_t i = 0; i < count; ++i)
    copy[i] = {.opcode = insns[i].code, .dst = insns[i].dst_reg, .src = insns[i].src_reg, .off = insns[i].off, .imm = insns[i].imm};
  for (std::size_t i = 0; i < count; ++i) {
    if (!isa::is_ld_imm64(copy[i])) continue;
    if (isa::is_ld_imm64(copy[i], isa::Pseudo::map_fd) || isa::is_ld_imm64(copy[i], isa::Pseudo::map_value)) copy[i].imm = 0;
    ++i;
  }
  return copy;
}

/// Is this the load of one of the object's programs? Then it is recorded.
bool record_load(const bpf_attr& attr) {
  if (!recording.object) return false;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, recording.object) {
    const bpf_insn* insns = bpf_program__insns(program);
    if (!insns || reinterpret_cast<std::uint64_t>(insns) != attr.insns) continue;
    recording.result->programs.push_back({
        .name = bpf_program__name(program),
        .section = bpf_program__section_name(program),
        .insns = copy_insns(insns, attr.insn_cnt),
        .func_info = copy_bytes(attr.func_info, std::size_t{attr.func_info_cnt} * attr.func_info_rec_size),
        .line_info = copy_bytes(attr.line_info, std::size_t{attr.line_info_cnt} * attr.line_info_rec_size),
        .prog_type = attr.prog_type,
        .expected_attach_type = attr.expected_attach_type,
        .attach_btf_id = attr.attach_btf_id,
        .prog_flags = attr.prog_flags,
    });
    return true;
  }
  return false;
}

thread_local std::string* log_text = nullptr;
int keep_log(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG || !log_text) return 0;
  char line[512];
  std::vsnprintf(line, sizeof line, format, arguments);
  *log_text += line;
  return 0;
}

/// Loads with `only` (empty: all) of the programs; false: libbpf failed before it came to load them all.
bool load_once(const std::string& path, const std::string& btf, const std::string& only, OracleResult& result,
               std::vector<std::string>* names) {
  bpf_object_open_opts options{};
  options.sz = sizeof options;
  options.btf_custom_path = btf.empty() ? nullptr : btf.c_str();
  bpf_object* object = bpf_object__open_file(path.c_str(), &options);
  if (!object) return false;
  std::size_t wanted = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    bool on = only.empty() || only == bpf_program__name(program);
    bpf_program__set_autoload(program, on);
    wanted += on;
    if (names) names->emplace_back(bpf_program__name(program));
  }
  std::size_t before = result.programs.size();
  recording = {object, &result};
  bpf_object__load(object);  // what counts is what came through, whatever it says of the made-up descriptors
  recording = {};
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    std::size_t size = 0;
    if (!std::string_view(bpf_map__name(map)).ends_with(".kconfig")) continue;
    if (const auto* data = static_cast<const std::byte*>(bpf_map__initial_value(map, &size))) result.kconfig.assign(data, data + size);
  }
  bpf_object__close(object);
  return result.programs.size() - before == wanted;
}

}  // namespace

OracleResult load_with_libbpf(const std::string& path, const std::string& btf) {
  OracleResult result;
  log_text = &result.log;
  libbpf_set_print(keep_log);
  std::vector<std::string> names;
  if (!load_once(path, btf, "", result, &names)) {
    // One program that it cannot relocate stops the others: each alone, then.
    result.programs.clear();
    for (const std::string& name : names)
      if (!load_once(path, btf, name, result, nullptr)) result.refused.push_back(name);
    if (names.empty()) result.refused.push_back("(the object)");
  }
  log_text = nullptr;
  return result;
}

}  // namespace espy::test

/// Takes the place of libc's for the whole test program.
extern "C" __attribute__((visibility("default"), used)) long syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long values[6];
  for (long& value : values) value = va_arg(arguments, long);
  va_end(arguments);
  if (number == __NR_bpf && values[0] == BPF_PROG_LOAD && espy::test::record_load(*reinterpret_cast<const bpf_attr*>(values[1])))
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
  using Function = long (*)(long, ...);
  static const auto libc_syscall = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "syscall"));
  return libc_syscall(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}
