// Kernels to check against, made from a version or from types.
#include <algorithm>
#include <utility>

#include "facts/kfuncs.hpp"
#include "facts/tables.hpp"
#include "verifier/check.hpp"
#include "verifier/stored_types.hpp"

namespace espy::verifier {

using facts::KernelVersion;

namespace {

/// Another kernel's symbols: what it has a type for is somewhere, whether the stand-in has it or not; of the others, which have
/// no type, the stand-in tells.
auto symbols_of(std::shared_ptr<const btf::Btf> types, decltype(object::Target::symbol_address) stand_in) {
  static constexpr std::uint64_t kSomewhere = 0xffffffff81000000;
  return [types = std::move(types), stand_in = std::move(stand_in)](std::string_view symbol) -> Result<std::optional<std::uint64_t>> {
    if (types->find(symbol, btf::Kind::var) || types->find(symbol, btf::Kind::func)) return kSomewhere;
    return stand_in(symbol);
  };
}

}  // namespace

Kernel kernel_of(KernelVersion version, const object::Target* stand_in) {
  Kernel kernel{.name = to_string(version), .profile = profile_of(version)};
  if (stand_in != nullptr) kernel.target = *stand_in;
  kernel.target.version = version;
  kernel.target.name = "Linux " + to_string(version);
  if (auto stored = stored_types(version)) {
    kernel.target.vmlinux = stored->types;
    kernel.target.modules = nullptr;
    if (kernel.target.symbol_address) kernel.target.symbol_address = symbols_of(stored->types, std::move(kernel.target.symbol_address));
    if (stored->version != KernelVersion{version.major, version.minor}) kernel.types_of = "types of " + to_string(stored->version);
  } else if (stand_in != nullptr && stand_in->vmlinux) {
    kernel.types_of = "types of the " + stand_in->name;
  }
  return kernel;
}

Kernel kernel_of(object::Target target) {
  Kernel kernel{.name = target.name, .profile = profile_of(target)};
  kernel.target = std::move(target);
  return kernel;
}

KernelVersion version_of(const btf::Btf& types) {
  KernelVersion newest{};
  auto count = [&](std::string_view enumeration, auto rows, auto number) {
    auto type = types.find(enumeration, btf::Kind::enum_);
    if (!type) return;
    for (const btf::Enumerator& one : type->enumerators()) {
      if (one.name.starts_with("__")) continue;
      for (const auto& row : rows)
        if (number(row) == one.value) newest = std::max(newest, row.since);
    }
  };
  count("bpf_map_type", facts::map_types(), [](const auto& row) { return std::to_underlying(row.type); });
  count("bpf_prog_type", facts::prog_types(), [](const auto& row) { return std::to_underlying(row.type); });
  count("bpf_attach_type", facts::attach_types(), [](const auto& row) { return std::to_underlying(row.type); });
  count("bpf_func_id", facts::helpers(), [](const auto& row) { return row.id; });
  for (const facts::KfuncRow& row : facts::kfuncs()) {
    // Others were ordinary functions before programs could call them.
    if (row.since > newest && row.name.starts_with("bpf_") && types.find(row.name, btf::Kind::func)) newest = row.since;
  }
  return newest;
}

}  // namespace espy::verifier
