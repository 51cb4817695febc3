#include "ir/bpf/frame.hpp"

#include <algorithm>

namespace espy::ir::bpf {
namespace {

constexpr std::uint32_t kGranule = 32;     // the kernel rounds frames up to this
constexpr std::size_t kDeepest = 8;        // frames

std::uint32_t rounded(std::uint32_t bytes) { return (std::max(bytes, 1U) + kGranule - 1) / kGranule * kGranule; }

class Chains {
 public:
  Chains(std::span<const Code> code, const Options& options)
      : code_(code), options_(options), below_(code.size(), kUnknown), depth_(code.size(), 0) {}

  /// Depth first: the bytes that a function and whatever it calls need at most.
  Result<std::uint32_t> bytes_from(std::uint32_t id) {
    if (std::ranges::find(chain_, id) != chain_.end()) {
      chain_.push_back(id);
      return refuse("functions call each other in a circle");
    }
    if (below_[id] != kUnknown && chain_.size() + depth_[id] <= kDeepest) return below_[id];
    chain_.push_back(id);
    if (chain_.size() > kDeepest) return refuse(fmt::format("calls are nested more than {} deep", kDeepest));
    std::uint32_t most = 0, deepest = 0;
    for (const Reference& reference : code_[id].references) {
      if (reference.kind != ReferenceKind::function) continue;
      most = std::max(most, TRY(bytes_from(reference.id)));
      deepest = std::max(deepest, depth_[reference.id]);
    }
    chain_.pop_back();
    depth_[id] = deepest + 1;
    return below_[id] = most + rounded(code_[id].stack_bytes);
  }

  Result<void> check(std::uint32_t id) {
    std::uint32_t bytes = TRY(bytes_from(id));
    if (bytes > options_.stack_bytes) {
      find_longest(id);
      return refuse(fmt::format("function `{}` needs {} bytes of stack, with those that it calls: there are {}", code_[id].name,
                                bytes, options_.stack_bytes));
    }
    return {};
  }

 private:
  static constexpr std::uint32_t kUnknown = 0xffffffff;

  void find_longest(std::uint32_t id) {
    chain_.push_back(id);
    const Reference* longest = nullptr;
    for (const Reference& reference : code_[id].references)
      if (reference.kind == ReferenceKind::function && (longest == nullptr || below_[reference.id] > below_[longest->id]))
        longest = &reference;
    if (longest != nullptr) find_longest(longest->id);
  }

  std::unexpected<Error> refuse(std::string message) {
    Error error{.kind = ErrorKind::exhausted, .message = std::move(message)};
    for (std::uint32_t id : chain_) error.notes.push_back(fmt::format("`{}`: {} bytes of stack", code_[id].name, code_[id].stack_bytes));
    return std::unexpected(std::move(error));
  }

  std::span<const Code> code_;
  const Options& options_;
  std::vector<std::uint32_t> below_;       // by function: bytes that it and its callees need
  std::vector<std::uint32_t> depth_;       // by function: frames
  std::vector<std::uint32_t> chain_;
};

}  // namespace

Result<void> check_stack(std::span<const Code> code, const Options& options) {
  Chains chains(code, options);
  for (std::uint32_t id = 0; id < code.size(); ++id) TRY(chains.check(id));
  return {};
}

}  // namespace espy::ir::bpf
