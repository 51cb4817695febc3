// array and percpu_array: values side by side, one block for each CPU.
#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "vm/cpu.hpp"
#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

class Array final : public Map {
 public:
  Array(MapAttributes attributes, MappedRegion memory)
      : Map(std::move(attributes)), memory_(std::move(memory)), stride_(rounded(attributes_.value_size)),
        per_cpu_(attributes_.type == facts::MapType::percpu_array) {}

  bool is_per_cpu() const override { return per_cpu_; }

  std::vector<Region> regions() const override {
    auto begin = reinterpret_cast<std::uintptr_t>(memory_.data());
    std::size_t bytes = stride_ * attributes_.max_entries * (per_cpu_ ? cpu_count() : 1);
    return {{.begin = begin, .end = begin + bytes, .stride = static_cast<std::uint32_t>(stride_), .object = attributes_.value_size,
             .writable = !attributes_.read_only_for_programs, .what = attributes_.name}};
  }

  std::optional<ArrayLayout> array_layout() const override {
    if (stride_ > UINT32_MAX) return std::nullopt;
    return ArrayLayout{reinterpret_cast<std::uintptr_t>(memory_.data()), static_cast<std::uint32_t>(stride_), attributes_.max_entries,
                       per_cpu_ ? stride_ * attributes_.max_entries : 0};
  }

  void* lookup(const void* key) override { return at(key, per_cpu_ ? current_cpu() : 0); }
  void* lookup_percpu(const void* key, unsigned cpu) override { return per_cpu_ && cpu < cpu_count() ? at(key, cpu) : nullptr; }

  long update(const void* key, const void* value, std::uint64_t flags) override {
    void* to = lookup(key);
    if (long refused = check(to, flags)) return refused;
    if (bad_lock(flags)) return -EINVAL;
    if ((flags & kLock) != 0) copy_value_locked(to, to, value);
    else copy_value(to, value);
    return 0;
  }
  long erase(const void*) override { return -EINVAL; }

  bool key_of(const void* value, void* key) const override {
    const std::uint64_t number = static_cast<std::uint64_t>(static_cast<const std::byte*>(value) - memory_.data()) / stride_;
    if (number >= attributes_.max_entries) return false;
    const auto index = static_cast<std::uint32_t>(number);
    return std::memcpy(key, &index, sizeof index), true;
  }

  long for_each(const std::function<long(const void*, void*)>& visit) override {
    std::uint32_t key = 0;
    while (key < attributes_.max_entries) {
      std::uint32_t given = key++;
      if (visit(&given, lookup(&given)) != 0) break;
    }
    return key;
  }

 protected:
  long update_all_cpus(const void* key, const std::byte* values, std::uint64_t flags) override {
    if (long refused = check(at(key, 0), flags)) return refused;
    for (unsigned cpu = 0; cpu < cpu_count(); ++cpu) copy_all(at(key, cpu), values + cpu * stride_);
    return 0;
  }

  long next(const void* key, void* next_key) override {
    std::uint32_t index = 0;
    if (key != nullptr) {
      std::memcpy(&index, key, sizeof index);
      index = index >= attributes_.max_entries ? 0 : index + 1;
    }
    if (index >= attributes_.max_entries) return -ENOENT;
    std::memcpy(next_key, &index, sizeof index);
    return 0;
  }

 private:
  std::byte* at(const void* key, unsigned cpu) const {
    std::uint32_t index;
    std::memcpy(&index, key, sizeof index);
    if (index >= attributes_.max_entries) return nullptr;
    return memory_.data() + (std::size_t{cpu} * attributes_.max_entries + index) * stride_;
  }
  long check(const void* to, std::uint64_t flags) const {
    if ((per_cpu_ ? flags : flags & ~kLock) > kExist) return -EINVAL;
    if (to == nullptr) return -E2BIG;
    return (flags & kNoExist) != 0 ? -EEXIST : 0;   // elements of arrays always exist
  }

  MappedRegion memory_;
  std::size_t stride_;
  bool per_cpu_;
};

}  // namespace

Result<std::shared_ptr<Map>> make_array(MapAttributes attributes) {
  if (attributes.key_size != 4) return bad_map(attributes, "keys of arrays are 4 bytes");
  if (attributes.max_entries == 0 || attributes.value_size == 0) return bad_map(attributes, "it has no room for a value");
  std::size_t copies = attributes.type == facts::MapType::percpu_array ? cpu_count() : 1;
  std::uint64_t bytes = std::uint64_t{rounded(attributes.value_size)} * attributes.max_entries * copies;
  MappedRegion memory = TRY(map_memory(attributes, bytes));
  return std::make_shared<Array>(std::move(attributes), std::move(memory));
}

}  // namespace espy::vm
