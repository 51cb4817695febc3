#include "object/target.hpp"

#include "base/text.hpp"

namespace espy::object {

Result<Target> target_from_btf(const std::string& path) {
  Target target;
  target.name = path.substr(path.find_last_of('/') + 1);
  target.vmlinux = TRY(btf::Btf::open(path));
  return target;
}

std::unordered_map<std::string, std::string> parse_kconfig(std::string_view text) {
  std::unordered_map<std::string, std::string> config;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    std::size_t equals = line.find('=');
    // The first line counts, should a name come twice.
    if (line.starts_with("CONFIG_") && equals != std::string_view::npos && equals + 1 < line.size())
      config.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return config;
}

}  // namespace espy::object
