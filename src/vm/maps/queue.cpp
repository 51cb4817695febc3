// queue and stack: values without keys, taken from one end or the other.
#include <cerrno>
#include <cstring>
#include <mutex>

#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

// One ring of values; a stack takes from where it puts. Both ends are under one lock: there is nothing to look up.
class Queue final : public Map {
 public:
  Queue(MapAttributes attributes, MappedRegion values)
      : Map(std::move(attributes)), values_(std::move(values)), last_in_first_out_(attributes_.type == facts::MapType::stack) {}

  std::vector<Region> regions() const override { return {}; }   // values are copied in and out

  long push(const void* value, std::uint64_t flags) override {
    if (flags != kAny && flags != kExist) return -EINVAL;
    std::scoped_lock lock(mutex_);
    if (count_ == attributes_.max_entries) {
      if (flags != kExist) return -E2BIG;
      first_ = (first_ + 1) % attributes_.max_entries;   // BPF_EXIST makes room: the oldest goes
      --count_;
    }
    std::memcpy(at(static_cast<std::uint32_t>((std::uint64_t{first_} + count_) % attributes_.max_entries)), value, attributes_.value_size);
    ++count_;
    return 0;
  }
  long pop(void* value) override { return take(value, true); }
  long peek(void* value) override { return take(value, false); }

 protected:
  long read_into(const void*, std::byte* value) override { return peek(value); }

 private:
  std::byte* at(std::uint32_t index) { return values_.data() + std::size_t{index} * rounded(attributes_.value_size); }

  long take(void* value, bool remove) {
    std::scoped_lock lock(mutex_);
    if (count_ == 0) return std::memset(value, 0, attributes_.value_size), -ENOENT;
    std::memcpy(value, at(last_in_first_out_ ? static_cast<std::uint32_t>((std::uint64_t{first_} + count_ - 1) % attributes_.max_entries) : first_), attributes_.value_size);
    if (!remove) return 0;
    --count_;
    if (!last_in_first_out_) first_ = (first_ + 1) % attributes_.max_entries;
    return 0;
  }

  std::mutex mutex_;
  MappedRegion values_;
  std::uint32_t first_ = 0, count_ = 0;
  bool last_in_first_out_;
};

}  // namespace

Result<std::shared_ptr<Map>> make_queue(MapAttributes attributes) {
  if (attributes.key_size != 0) return bad_map(attributes, "it has no keys");
  if (attributes.max_entries == 0 || attributes.value_size == 0) return bad_map(attributes, "it has no room for a value");
  MappedRegion values = TRY(map_memory(attributes, std::uint64_t{attributes.max_entries} * rounded(attributes.value_size)));
  return std::make_shared<Queue>(std::move(attributes), std::move(values));
}

}  // namespace espy::vm
