// Byte order. A blob is swapped whole and once; everything else reads native words.
#include "btf/impl.hpp"

namespace espy::btf {
namespace {

// Swaps one integer in place; returns its native value: after the swap when reading a foreign blob, before it otherwise.
template <typename T>
T swap_at(MutableBytes bytes, std::size_t offset, bool to_native) {
  const T before = load<T>(bytes, offset), after = swap_bytes(before);
  std::memcpy(bytes.data() + offset, &after, sizeof after);
  return to_native ? after : before;
}

// Bounds are checked here because the walk needs them; what else is wrong, the index finds.
Result<void> swap_types(MutableBytes types, bool to_native, std::string_view origin) {
  std::size_t at = 0;
  while (at < types.size()) {
    auto malformed = [&](std::string_view what) {
      return fail(ErrorKind::malformed, "{}: type section: offset {:#x}: {}", origin, at, what);
    };
    if (types.size() - at < kHeaderBytes) return malformed("a type's header ends past the section's end");
    swap_at<std::uint32_t>(types, at, to_native);
    const auto info = swap_at<std::uint32_t>(types, at + 4, to_native);
    swap_at<std::uint32_t>(types, at + 8, to_native);
    if (kind_of(info) >= kKinds.size()) return malformed(fmt::format("kind {} is not known", kind_of(info)));
    const KindRow& row = kKinds[kind_of(info)];
    const std::size_t size = row.bytes(vlen_of(info));
    if (types.size() - at < size) return malformed(fmt::format("a {} ends past the section's end", row.name));
    for (std::size_t word = kHeaderBytes; word < size; word += 4) swap_at<std::uint32_t>(types, at + word, to_native);
    at += size;
  }
  return {};
}

}  // namespace

Result<void> swap_blob(MutableBytes blob, bool to_native, std::string_view origin) {
  if (blob.size() < kBlobHeaderBytes)
    return fail(ErrorKind::malformed, "{}: BTF header: {} bytes, at least {} are needed", origin, blob.size(), kBlobHeaderBytes);
  swap_at<std::uint16_t>(blob, 0, to_native);
  const auto header = swap_at<std::uint32_t>(blob, 4, to_native);
  const auto type_offset = swap_at<std::uint32_t>(blob, 8, to_native);
  const auto type_size = swap_at<std::uint32_t>(blob, 12, to_native);
  swap_at<std::uint32_t>(blob, 16, to_native);
  swap_at<std::uint32_t>(blob, 20, to_native);
  const std::uint64_t begin = std::uint64_t{header} + type_offset;
  if (header < kBlobHeaderBytes || begin + type_size > blob.size())
    return fail(ErrorKind::malformed, "{}: BTF header: type section at {:#x} of {:#x} bytes is not inside the BTF's {:#x}", origin,
                begin, type_size, blob.size());
  return swap_types(blob.subspan(begin, type_size), to_native, origin);
}

}  // namespace espy::btf
