#include "vm/maps/shared.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

constexpr std::uint64_t kMagic = 0x3170'616d'7970'7365;   // "espymap1"
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
constexpr std::size_t kMostFields = 64;

// The first page of a shared map's file.
struct Header {
  std::uint64_t magic = kMagic, seed = 0, extra = 0;
  std::uint32_t type = 0, key_size = 0, value_size = 0, max_entries = 0, flags = 0, fields = 0;
  char name[64] = {};
  ValueField field[kMostFields] = {};
};
static_assert(sizeof(Header) <= kSharedHeader && std::is_trivially_copyable_v<Header>);

std::uint64_t random_word() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

// What the machine has, with what it may swap out.
std::uint64_t machine_bytes() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return kMostBytes;
  return (std::uint64_t{info.totalram} + info.totalswap) * info.mem_unit;
}

}  // namespace

Result<MappedRegion> map_memory(const MapAttributes& attributes, std::uint64_t bytes) {
  constexpr std::uint32_t kNoPrealloc = 1;
  if (bytes > kMostBytes) return bad_map(attributes, fmt::format("{} bytes are more than a map may have", bytes));
  if ((attributes.flags & kNoPrealloc) == 0 && bytes > machine_bytes()) {
    return fail(ErrorKind::exhausted, "map `{}`: it needs {} bytes, and this machine has {}", attributes.name, bytes, machine_bytes());
  }
  if (attributes.file == nullptr) return MappedRegion::map(-1, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  const int file = attributes.file->get();
  struct stat info {};
  if (::fstat(file, &info) != 0) return fail_sys(errno, "map `{}`", attributes.name);
  const auto wanted = static_cast<off_t>(kSharedHeader + bytes);
  if (info.st_size == static_cast<off_t>(kSharedHeader)) {   // just made
    if (::ftruncate(file, wanted) != 0) return fail_sys(errno, "memory for map `{}`", attributes.name);
    if (::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) return fail_sys(errno, "memory for map `{}`", attributes.name);
  } else if (info.st_size < wanted) {
    return fail(ErrorKind::malformed, "map `{}`: its file has {} bytes, not {}", attributes.name, info.st_size, wanted);
  }
  return MappedRegion::map(file, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, kSharedHeader);
}

std::uint64_t map_seed(const MapAttributes& attributes) {
  std::uint64_t seed = random_word();
  if (attributes.file != nullptr) static_cast<void>(::pread(attributes.file->get(), &seed, sizeof seed, offsetof(Header, seed)));
  return seed | 1;
}

int shared_file(const Map& map) { return map.attributes().file == nullptr ? -1 : map.attributes().file->get(); }

Result<std::shared_ptr<Map>> create_shared_map(const object::MapSpec& spec, const btf::Btf* types) {
  MapAttributes attributes = attributes_of(spec, types);
  if (attributes.fields.size() > kMostFields) return bad_map(attributes, fmt::format("more than {} locks, timers and pointers", kMostFields));
  UniqueFd file(::memfd_create("espy-map", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return fail_sys(errno, "memory for map `{}`", spec.name);
  Header header{.seed = random_word(), .extra = attributes.extra, .type = static_cast<std::uint32_t>(attributes.type), .key_size = attributes.key_size,
                .value_size = attributes.value_size, .max_entries = attributes.max_entries, .flags = attributes.flags, .fields = static_cast<std::uint32_t>(attributes.fields.size())};
  std::memcpy(header.name, attributes.name.data(), std::min(attributes.name.size(), sizeof header.name - 1));
  std::ranges::copy(attributes.fields, header.field);
  if (::ftruncate(file.get(), kSharedHeader) != 0 || ::pwrite(file.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) {
    return fail_sys(errno, "memory for map `{}`", spec.name);
  }
  attributes.file = std::make_shared<const UniqueFd>(std::move(file));
  return make_map(std::move(attributes));
}

Result<std::shared_ptr<Map>> open_shared_map(UniqueFd file) {
  Header header;
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_sys(errno, "open a shared map");
  if (::pread(file.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) || header.magic != kMagic || header.fields > kMostFields) {
    return fail(ErrorKind::malformed, "the file is no shared map");
  }
  // Without the seal, whoever cuts the file ends every process that has it mapped.
  if ((::fcntl(file.get(), F_GET_SEALS) & F_SEAL_SHRINK) == 0) return fail(ErrorKind::malformed, "the shared map's file can be cut short");
  header.name[sizeof header.name - 1] = '\0';
  MapAttributes attributes{.name = header.name, .type = static_cast<facts::MapType>(header.type), .key_size = header.key_size, .value_size = header.value_size,
                           .max_entries = header.max_entries, .flags = header.flags, .extra = header.extra};
  attributes.read_only_for_programs = (header.flags & kProgramsRead) != 0;
  for (const ValueField& field : std::span(header.field).first(header.fields)) {
    if (field.offset > header.value_size || field.size > header.value_size - field.offset) return fail(ErrorKind::malformed, "the shared map has fields outside its values");
    attributes.fields.push_back(field);
  }
  attributes.file = std::make_shared<const UniqueFd>(std::move(file));
  return make_map(std::move(attributes));
}

}  // namespace espy::vm
