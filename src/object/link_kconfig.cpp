// Kernel configuration: `extern … __kconfig`. The values become the contents of the object's .kconfig map, which programs
// read like any read-only data. CONFIG_ names come from the target's configuration; three LINUX_ names are answered by
// the loader itself. What a configuration line may be for which type is libbpf's rule.
#include <cstring>

#include "base/text.hpp"
#include "object/link_steps.hpp"

namespace espy::object {
namespace {

std::string_view to_string(KconfigType type) {
  switch (type) {
    case KconfigType::boolean: return "bool";
    case KconfigType::tristate: return "enum libbpf_tristate";
    case KconfigType::character: return "char";
    case KconfigType::integer: return "an integer";
    case KconfigType::characters: return "an array of char";
  }
  return "unknown";
}

Result<void> mismatch(std::string_view value, const KconfigExtern& kind, std::string_view wanted) {
  auto error = fail(ErrorKind::invalid_argument, "its value in the kernel's configuration is {}, but it is declared as {}", value,
                    to_string(kind.type));
  error.error().hint = fmt::format("declare it as {}", wanted);
  return error;
}

Result<void> put_integer(std::span<std::byte> place, const KconfigExtern& kind, std::uint64_t value) {
  unsigned bits = kind.size * 8;
  if (bits < 64) {
    bool fits = kind.is_signed ? value + (std::uint64_t{1} << (bits - 1)) < (std::uint64_t{1} << bits) : value >> bits == 0;
    if (!fits) return fail(ErrorKind::invalid_argument, "the value {} does not fit its {} bytes", value, kind.size);
  }
  switch (kind.size) {
    case 1: case 2: case 4: case 8: break;
    default: return fail(ErrorKind::malformed, "no integer has {} bytes", kind.size);
  }
  // The lowest bytes of the value in this machine's order, which is the order of the map's contents.
  auto bytes = bytes_of(value);
  std::memcpy(place.data(), std::endian::native == std::endian::little ? bytes.data() : bytes.data() + 8 - kind.size, kind.size);
  return {};
}

Result<void> put_letter(std::span<std::byte> place, const KconfigExtern& kind, char letter) {
  switch (kind.type) {
    case KconfigType::boolean:
      if (letter == 'm') return mismatch("m", kind, "enum libbpf_tristate");
      return put_integer(place, kind, letter == 'y');
    case KconfigType::tristate: return put_integer(place, kind, letter == 'y' ? 1 : letter == 'm' ? 2 : 0);
    case KconfigType::character:
      place[0] = static_cast<std::byte>(letter);
      return {};
    case KconfigType::integer:
    case KconfigType::characters: break;
  }
  return mismatch(std::string_view(&letter, 1), kind, "bool, char or enum libbpf_tristate");
}

Result<void> put_text(std::span<std::byte> place, const KconfigExtern& kind, std::string_view quoted) {
  if (kind.type != KconfigType::characters) return mismatch(quoted, kind, "an array of char");
  if (quoted.size() < 2 || quoted.back() != '"') return fail(ErrorKind::malformed, "its value in the kernel's configuration is {}", quoted);
  std::string_view text = quoted.substr(1, quoted.size() - 2);
  if (place.empty()) return {};
  text = text.substr(0, place.size() - 1);  // longer texts are cut, and end in a zero like all
  std::memcpy(place.data(), text.data(), text.size());
  return {};
}

Result<void> put_value(std::span<std::byte> place, const KconfigExtern& kind, std::string_view value) {
  if (value.starts_with('"')) return put_text(place, kind, value);
  if (value == "y" || value == "n" || value == "m") return put_letter(place, kind, value[0]);
  std::optional<std::uint64_t> number;
  if (value.starts_with('-')) {
    if (auto negative = parse_number<std::int64_t>(value)) number = static_cast<std::uint64_t>(*negative);
  } else {
    number = parse_number<std::uint64_t>(value);
  }
  if (!number) return fail(ErrorKind::malformed, "its value in the kernel's configuration is {}, which is no number", value);
  if (kind.type != KconfigType::integer && kind.type != KconfigType::character) return mismatch(value, kind, "an integer");
  return put_integer(place, kind, *number);
}

/// A value that the loader knows itself; nullopt: this target does not tell.
std::optional<std::uint64_t> virtual_value(std::string_view name, const Target& target) {
  if (name == "LINUX_KERNEL_VERSION") {
    if (target.version == facts::KernelVersion{}) return std::nullopt;
    return target.version.code();
  }
  if ((name == "LINUX_HAS_BPF_COOKIE" || name == "LINUX_HAS_SYSCALL_WRAPPER") && target.has) return target.has(name) ? 1 : 0;
  return std::nullopt;
}

Result<void> fill_one(std::span<std::byte> place, const ExternSpec& external, const KconfigExtern& kind, const Target& target) {
  if (external.name.starts_with("LINUX_")) {
    if (auto value = virtual_value(external.name, target)) return put_integer(place, kind, *value);
  } else if (external.name.starts_with("CONFIG_")) {
    if (target.kconfig) {
      const auto* config = TRY(target.kconfig());
      if (auto found = config->find(external.name); found != config->end()) return put_value(place, kind, found->second);
    }
  } else {
    return fail(ErrorKind::unsupported, "only CONFIG_ and LINUX_ names are kernel configuration");
  }
  if (external.weak) return {};  // zero, as it is
  auto error = fail(ErrorKind::not_found, "{} does not say its value", target.name);
  error.error().hint = "declare it __weak: it is zero then where it is not set";
  return error;
}

}  // namespace

Result<void> fill_kconfig(ObjectSpec& object, const Target& target) {
  MapSpec* map = nullptr;
  for (MapSpec& candidate : object.maps)
    if (candidate.origin == MapOrigin::kconfig) map = &candidate;
  if (!map) return {};
  std::size_t size = map->contents.empty() ? map->value_size : map->contents.size();
  map->contents.assign(size, std::byte{});
  for (const ExternSpec& external : object.externs) {
    const auto* kind = std::get_if<KconfigExtern>(&external.kind);
    if (!kind) continue;
    if (kind->offset > size || kind->size > size - kind->offset || kind->size == 0)
      return fail(ErrorKind::malformed, "extern `{}` stands outside of the .kconfig section", external.name);
    auto place = std::span(map->contents).subspan(kind->offset, kind->size);
    if (auto filled = fill_one(place, external, *kind, target); !filled)
      return std::unexpected(wrap(filled.error(), fmt::format("kernel configuration `{}`", external.name)));
  }
  return {};
}

}  // namespace espy::object
