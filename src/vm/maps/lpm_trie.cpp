// lpm_trie: the longest prefix of a key that is in the map. A key is a u32 number of bits, then the bits, network order.
//
// A binary trie whose nodes stand for prefixes; nodes between two branches are left out, as in the kernel's. Readers share a
// lock with each other and wait for writers only.
#include <cerrno>
#include <cstring>
#include <mutex>
#include <shared_mutex>

#include "base/fd.hpp"
#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

struct Node {
  std::uint32_t bits = 0;                       // of the prefix
  std::vector<std::byte> prefix;
  std::byte* value = nullptr;                   // in the pool; null: only a branch
  std::unique_ptr<Node> child[2];
};

class LpmTrie final : public Map {
 public:
  LpmTrie(MapAttributes attributes, MappedRegion pool)
      : Map(std::move(attributes)), pool_(std::move(pool)), stride_(rounded(attributes_.value_size)), data_bytes_(attributes_.key_size - 4) {
  }

  std::vector<Region> regions() const override {
    auto begin = reinterpret_cast<std::uintptr_t>(pool_.data());
    return {{.begin = begin, .end = begin + stride_ * (std::size_t{attributes_.max_entries} + 1), .stride = static_cast<std::uint32_t>(stride_), .object = attributes_.value_size,
             .writable = !attributes_.read_only_for_programs, .what = attributes_.name}};
  }

  void* lookup(const void* key) override {
    std::shared_lock lock(mutex_);
    const Key wanted = split(key);
    if (wanted.bits > data_bytes_ * 8) return nullptr;
    const Node* best = nullptr;
    for (const Node* node = root_.get(); node != nullptr;) {
      if (common(*node, wanted) < node->bits) break;
      if (node->value != nullptr) best = node;
      if (node->bits >= wanted.bits) break;
      node = node->child[bit(wanted.data, node->bits)].get();
    }
    return best == nullptr ? nullptr : best->value;
  }

  long update(const void* key, const void* value, std::uint64_t flags) override {
    if (flags > kExist) return -EINVAL;
    const Key wanted = split(key);
    if (wanted.bits > data_bytes_ * 8) return -EINVAL;
    std::unique_lock lock(mutex_);
    std::unique_ptr<Node>* link = place(wanted);
    const bool exact = *link != nullptr && (*link)->bits == wanted.bits && common(**link, wanted) == wanted.bits;
    const bool there = exact && (*link)->value != nullptr;
    if (there && flags == kNoExist) return -EEXIST;
    if (!there && flags == kExist) return -ENOENT;
    if (!there && count_ == attributes_.max_entries) return -ENOSPC;
    std::byte* stored = take();   // one more than there are entries, so a value can be replaced by a new one
    std::memcpy(stored, value, attributes_.value_size);
    count_ += !there;
    if (!exact) return insert(*link, wanted, stored), 0;
    if (there) free_.push_back((*link)->value);
    (*link)->value = stored;
    (*link)->prefix.assign(wanted.data, wanted.data + data_bytes_);   // bytes behind the prefix, too, are the last update's
    return 0;
  }

  long erase(const void* key) override {
    const Key wanted = split(key);
    if (wanted.bits > data_bytes_ * 8) return -EINVAL;
    std::unique_lock lock(mutex_);
    std::unique_ptr<Node>* link = place(wanted);
    Node* node = link->get();
    if (node == nullptr || node->bits != wanted.bits || common(*node, wanted) != wanted.bits || node->value == nullptr) return -ENOENT;
    --count_;
    free_.push_back(std::exchange(node->value, nullptr));
    if (node->child[0] == nullptr || node->child[1] == nullptr) {   // no branch any more: its only child takes its place
      std::unique_ptr<Node> rest = std::move(node->child[node->child[0] == nullptr ? 1 : 0]);
      *link = std::move(rest);
    }
    return 0;
  }

 protected:
  // Order: shorter prefixes behind the longer ones below them, as the kernel iterates.
  long next(const void* key, void* next_key) override {
    std::shared_lock lock(mutex_);
    std::vector<const Node*> order;
    visit(root_.get(), order);
    std::size_t index = 0;
    if (key != nullptr) {
      const Key wanted = split(key);
      for (std::size_t i = 0; i < order.size(); ++i) {
        if (order[i]->bits == wanted.bits && common(*order[i], wanted) == wanted.bits) index = i + 1;
      }
    }
    if (index >= order.size()) return -ENOENT;
    std::memcpy(next_key, &order[index]->bits, 4);
    std::memcpy(static_cast<std::byte*>(next_key) + 4, order[index]->prefix.data(), data_bytes_);
    return 0;
  }

 private:
  struct Key {
    std::uint32_t bits = 0;
    const std::byte* data = nullptr;
  };
  static Key split(const void* key) {
    Key out{.data = static_cast<const std::byte*>(key) + 4};
    std::memcpy(&out.bits, key, 4);
    return out;
  }
  static unsigned bit(const std::byte* data, std::uint32_t index) {
    return (std::to_integer<unsigned>(data[index / 8]) >> (7 - index % 8)) & 1;
  }
  // How many bits both begin with, at most the shorter's.
  static std::uint32_t common(const Node& node, const Key& key) {
    const std::uint32_t most = std::min(node.bits, key.bits);
    std::uint32_t same = 0;
    while (same + 8 <= most && node.prefix[same / 8] == key.data[same / 8]) same += 8;
    while (same < most && bit(node.prefix.data(), same) == bit(key.data, same)) ++same;
    return same;
  }
  static void visit(const Node* node, std::vector<const Node*>& order) {
    if (node == nullptr) return;
    visit(node->child[0].get(), order);
    visit(node->child[1].get(), order);
    if (node->value != nullptr) order.push_back(node);
  }

  std::byte* take() {
    if (free_.empty()) return pool_.data() + std::size_t{fresh_++} * stride_;
    std::byte* last = free_.back();
    free_.pop_back();
    return last;
  }

  // Where the key is, or where it would hang.
  std::unique_ptr<Node>* place(const Key& key) {
    std::unique_ptr<Node>* link = &root_;
    while (*link != nullptr && (*link)->bits < key.bits && common(**link, key) == (*link)->bits) link = &(*link)->child[bit(key.data, (*link)->bits)];
    return link;
  }

  void insert(std::unique_ptr<Node>& link, const Key& key, std::byte* value) {
    auto made = std::make_unique<Node>();
    made->bits = key.bits;
    made->prefix.assign(key.data, key.data + data_bytes_);
    made->value = value;
    if (link == nullptr) return void(link = std::move(made));
    std::unique_ptr<Node> old = std::move(link);
    const std::uint32_t same = common(*old, key);
    if (same == key.bits) {   // the new prefix stands above the old one
      made->child[bit(old->prefix.data(), same)] = std::move(old);
      return void(link = std::move(made));
    }
    auto branch = std::make_unique<Node>();
    branch->bits = same;
    branch->prefix = made->prefix;
    branch->child[bit(key.data, same)] = std::move(made);
    branch->child[bit(old->prefix.data(), same)] = std::move(old);
    link = std::move(branch);
  }

  std::shared_mutex mutex_;
  std::unique_ptr<Node> root_;
  MappedRegion pool_;               // of values: memory that a program looked up stays memory, as in a preallocated map
  std::vector<std::byte*> free_;    // that were used before; the others begin at number fresh_
  std::uint32_t fresh_ = 0;
  std::size_t stride_;
  std::uint32_t data_bytes_, count_ = 0;
};

}  // namespace

Result<std::shared_ptr<Map>> make_lpm_trie(MapAttributes attributes) {
  if (attributes.key_size < 5 || attributes.key_size > 260) return bad_map(attributes, "a key is 4 bytes of length and 1 to 256 bytes of data");
  if (attributes.max_entries == 0 || attributes.value_size == 0) return bad_map(attributes, "it has no room for a value");
  if ((attributes.flags & 1) == 0) return bad_map(attributes, "it must be made with BPF_F_NO_PREALLOC");
  const std::uint64_t bytes = std::uint64_t{rounded(attributes.value_size)} * (std::uint64_t{attributes.max_entries} + 1);
  MappedRegion pool = TRY(map_memory(attributes, bytes));
  return std::make_shared<LpmTrie>(std::move(attributes), std::move(pool));
}

}  // namespace espy::vm
