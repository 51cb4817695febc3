#include "host_target.hpp"

#include <sys/utsname.h>
#include <zlib.h>

#include <cstdio>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace espy::test {
namespace {

facts::KernelVersion host_version() {
  utsname name{};
  uname(&name);
  unsigned major = 0, minor = 0, patch = 0;
  std::sscanf(name.release, "%u.%u.%u", &major, &minor, &patch);
  return {static_cast<std::uint16_t>(major), static_cast<std::uint16_t>(minor), static_cast<std::uint16_t>(patch)};
}

Result<std::optional<std::uint64_t>> address_of(std::string_view symbol) {
  std::string text = TRY(read_text_file("/proc/kallsyms"));
  for (std::string_view line : split(text, '\n')) {
    auto words = split_words(line);
    if (words.size() < 3 || words[2] != symbol) continue;
    return parse_number<std::uint64_t>("0x" + std::string(words[0]));
  }
  return std::nullopt;
}

std::string inflate_file(const char* path) {
  std::string text;
  gzFile file = gzopen(path, "rb");
  if (!file) return text;
  char buffer[1 << 14];
  for (int n = 0; (n = gzread(file, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  gzclose(file);
  return text;
}

}  // namespace

Result<object::Target> host_target() {
  object::Target target;
  target.version = host_version();
  target.name = "running kernel " + to_string(target.version);
  target.vmlinux = TRY(btf::Btf::kernel());
  target.symbol_address = address_of;
  target.kconfig = []() -> Result<const std::unordered_map<std::string, std::string>*> {
    static const auto config = object::parse_kconfig(inflate_file("/proc/config.gz"));
    return &config;
  };
  target.has = [](std::string_view) { return true; };  // of a kernel that these tests need
  return target;
}

}  // namespace espy::test
