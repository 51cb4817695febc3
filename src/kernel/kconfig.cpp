#include "kernel/kconfig.hpp"

#include <sys/utsname.h>
#include <zlib.h>

#include <cerrno>
#include <memory>

#include "object/target.hpp"

namespace espy::kernel {

namespace {

// Inflates a gzip file (or reads a plain one).
Result<std::string> read_gzip(const std::string& path) {
  constexpr std::size_t kLimit = 16 << 20;  // a configuration has some 200 KB
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "re"), gzclose);
  if (!file) return fail_sys(errno == 0 ? ENOMEM : errno, "open {}", path);
  std::string text;
  char buffer[1 << 16];
  while (true) {
    int size = gzread(file.get(), buffer, sizeof buffer);
    if (size < 0) return fail(ErrorKind::malformed, "{} is not whole", path);
    if (size == 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
    if (text.size() > kLimit) return fail(ErrorKind::malformed, "{} is larger than a kernel configuration", path);
  }
}

Result<Kconfig> read_kconfig() {
  utsname names{};
  uname(&names);
  const std::string in_boot = fmt::format("/boot/config-{}", names.release);
  for (const std::string& path : {in_boot, std::string("/proc/config.gz")})
    if (auto text = read_gzip(path)) return object::parse_kconfig(*text);
  return std::unexpected(Error{.kind = ErrorKind::not_found,
                               .message = "this kernel's configuration is nowhere to be read",
                               .where = fmt::format("{}, /proc/config.gz", in_boot),
                               .hint = "the kernel option CONFIG_IKCONFIG_PROC makes /proc/config.gz; most distributions leave it in /boot"});
}

}  // namespace

Result<const Kconfig*> running_kconfig() {
  static const Result<Kconfig> kconfig = read_kconfig();
  if (!kconfig) return std::unexpected(kconfig.error());
  return &*kconfig;
}

}  // namespace espy::kernel
