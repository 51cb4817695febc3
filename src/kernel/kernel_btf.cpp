#include "kernel/kernel_btf.hpp"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "base/text.hpp"
#include "btf/downgrade.hpp"
#include "kernel/bpf_calls.hpp"
#include "kernel/btf_prepare.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/features.hpp"
#include "kernel/syscall.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

namespace {

// Names of files in /sys/kernel/btf but vmlinux, sorted.
std::vector<std::string> modules_in_sysfs() {
  std::vector<std::string> names;
  DIR* folder = ::opendir("/sys/kernel/btf");
  if (folder == nullptr) return names;
  while (const dirent* entry = ::readdir(folder))
    if (entry->d_name[0] != '.' && std::string_view(entry->d_name) != "vmlinux") names.emplace_back(entry->d_name);
  ::closedir(folder);
  std::ranges::sort(names);
  return names;
}

// What a BTF object is, without its bytes.
Result<bpf_btf_info> info_of(int fd, std::string* name) {
  char buffer[64] = {};
  bpf_btf_info info{};
  info.name = to_u64(buffer);
  info.name_len = sizeof buffer;
  std::uint32_t size = sizeof info;
  int failed = bpf_obj_get_info_by_fd(fd, &info, &size);
  if (failed != 0 && errno == E2BIG) {   // before 5.11 BTF has no name, and the kernel takes no buffer for one
    info = {};
    size = offsetof(bpf_btf_info, name);
    failed = bpf_obj_get_info_by_fd(fd, &info, &size);
  }
  if (failed != 0) return fail_sys(errno, "ask the kernel about BTF");
  if (name != nullptr) *name = buffer;
  return info;
}

UniqueFd upload(Bytes btf, std::string* log = nullptr) {
  BtfLoadAttr attr;
  attr.btf = to_u64(btf.data());
  attr.btf_size = static_cast<std::uint32_t>(btf.size());
  if (log != nullptr) {
    attr.log_buf = to_u64(log->data());
    attr.log_size = static_cast<std::uint32_t>(log->size());
    attr.log_level = 1;
  }
  return btf_load(attr);
}

// What this kernel's BTF parser knows; what no table row tells is told by the version.
btf::BtfFeatures btf_features() {
  const facts::KernelVersion version = running_version();
  // A release has what it brought, whatever its configuration; only an older one is looked at more closely.
  const auto parses = [&](facts::Feature feature) { return version >= facts::row_of(feature).since || has_feature(feature); };
  return {.func = parses(facts::Feature::btf_func),
          .datasec = parses(facts::Feature::btf_datasec),
          .func_global = version >= facts::KernelVersion{5, 6, 0},
          .floats = parses(facts::Feature::btf_float),
          .decl_tag = parses(facts::Feature::btf_decl_tag),
          .type_tag = parses(facts::Feature::btf_type_tag),
          .enum64 = parses(facts::Feature::btf_enum64),
          .question_mark = version >= facts::KernelVersion{6, 11, 0},
          .tag_attributes = version >= facts::KernelVersion{6, 14, 0}};
}

std::string& vmlinux_path() {
  static std::string path;
  return path;
}

}  // namespace

void set_vmlinux_btf(std::string path) { vmlinux_path() = std::move(path); }

Result<std::shared_ptr<const btf::Btf>> vmlinux_btf() {
  static std::mutex lock;
  static std::shared_ptr<const btf::Btf> kept;   // what compiles a script and what loads it look in the same index
  std::scoped_lock held(lock);
  if (!kept) kept = vmlinux_path().empty() ? TRY(btf::Btf::kernel()) : TRY(btf::Btf::open(vmlinux_path()));
  return kept;
}

Result<std::vector<KernelBtf>> kernel_btfs() {
  std::vector<KernelBtf> found;
  for (std::uint32_t id = 0;;) {
    if (bpf_btf_get_next_id(id, &id) != 0) {
      if (errno == ENOENT) return found;
      auto failure = fail_sys(errno, "list the kernel's BTF objects");
      explain_permission(failure.error(), {Capability::sys_admin});
      return failure;
    }
    UniqueFd fd = bpf_btf_get_fd_by_id(id);
    if (!fd && errno == ENOENT) continue;  // it went meanwhile
    if (!fd) return fail_sys(errno, "open BTF object {}", id);
    std::string name;
    bpf_btf_info info = TRY(info_of(fd.get(), &name));
    if (info.kernel_btf != 0) found.push_back({.id = id, .name = std::move(name), .fd = std::move(fd)});
  }
}

Result<UniqueFd> module_btf_fd(const std::string& module) {
  for (KernelBtf& btf : TRY(kernel_btfs()))
    if (btf.name == module) return std::move(btf.fd);
  return fail(ErrorKind::not_found, "kernel module {} is not loaded, or has no BTF", module);
}

Result<std::vector<object::ModuleBtf>> module_btfs(std::shared_ptr<const btf::Btf> vmlinux) {
  std::vector<object::ModuleBtf> result;
  std::vector<std::string> in_sysfs = modules_in_sysfs();
  if (in_sysfs.empty()) return result;  // no modules with BTF: nothing to ask the kernel for
  auto listed = kernel_btfs();
  if (listed) {
    for (KernelBtf& found : *listed)
      if (found.name != "vmlinux") result.push_back({found.name, TRY(btf::Btf::parse(TRY(btf_bytes(found.fd.get())), vmlinux, found.name))});
    return result;
  }
  for (const std::string& name : in_sysfs) result.push_back({name, TRY(btf::Btf::module(name, vmlinux))});
  return result;
}

Result<std::vector<std::byte>> btf_bytes(int fd) {
  bpf_btf_info info = TRY(info_of(fd, nullptr));
  std::vector<std::byte> bytes(info.btf_size);
  bpf_btf_info again{};
  again.btf = to_u64(bytes.data());
  again.btf_size = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t size = sizeof again;
  if (bpf_obj_get_info_by_fd(fd, &again, &size) != 0) return fail_sys(errno, "read BTF from the kernel");
  return bytes;
}

Result<btf::TypeId> function_in_program(int prog_fd, const std::string& function) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(prog_fd, &info, &size) != 0) return fail_sys(errno, "ask the kernel about the program to attach to");
  if (info.btf_id == 0) return fail(ErrorKind::unsupported, "program `{}` was loaded without BTF: nothing can attach to its functions", info.name);
  UniqueFd fd = bpf_btf_get_fd_by_id(info.btf_id);
  if (!fd) return fail_sys(errno, "open the BTF of program `{}`", info.name);
  auto btf = TRY(btf::Btf::parse(TRY(btf_bytes(fd.get())), nullptr, "target program"));
  if (auto found = btf->find(function, btf::Kind::func)) return found->id();
  return fail(ErrorKind::not_found, "program `{}` has no function `{}`", info.name, function);
}

Result<UniqueFd> upload_btf(const btf::Btf& object_btf) {
  std::vector<std::byte> blob = prepare_btf(object_btf);
  if (UniqueFd fd = upload(blob)) return fd;
  int error = errno;
  // A kernel may lack kinds that today's compilers write: without them it is poorer, but taken.
  if (const btf::BtfFeatures known = btf_features(); error == EINVAL && known != btf::BtfFeatures{}) {
    auto whole = TRY(btf::Btf::parse(blob, object_btf.base(), object_btf.origin()));
    blob = TRY(btf::downgraded(*whole, known));
    if (UniqueFd fd = upload(blob)) return fd;
    error = errno;
  }
  auto failure = fail_sys(error, "give the kernel the object's BTF");
  std::string log(std::size_t{1} << 20, '\0');
  if (UniqueFd fd = upload(blob, &log)) return fd;
  // The last line says what is wrong; those before it list the types that were right.
  std::string_view text = trim(std::string_view(log).substr(0, log.find('\0')));
  if (auto line = text.rfind('\n'); line != text.npos) text.remove_prefix(line + 1);
  if (!text.empty()) failure.error().notes.emplace_back(text);
  explain_permission(failure.error(), {Capability::bpf});
  return failure;
}

}  // namespace espy::kernel
