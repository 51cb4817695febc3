#include "cli/compare_engines.hpp"

#include <algorithm>
#include <map>

namespace espy::cli {
namespace {

using Value = std::vector<std::byte>;
using Contents = std::map<Value, Value>;

// Which CPU a program ran on is chance: the values of all CPUs, in order of size.
Value of_any_cpu(Bytes values, std::size_t stride) {
  std::vector<Value> each;
  for (std::size_t at = 0; at + stride <= values.size(); at += stride) each.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(at), values.begin() + static_cast<std::ptrdiff_t>(at + stride));
  std::ranges::sort(each);
  Value joined;
  for (const Value& value : each) joined.insert(joined.end(), value.begin(), value.end());
  return joined;
}

Result<Contents> contents_of(const kernel::Map& map) {
  Contents contents;
  const std::size_t stride = vm::rounded(map.info().value_size);
  TRY(map.for_each([&](Bytes key, Bytes value) {
    contents.emplace(Value(key.begin(), key.end()), map.is_per_cpu() ? of_any_cpu(value, stride) : Value(value.begin(), value.end()));
    return true;
  }));
  return contents;
}

Result<Contents> contents_of(vm::Map& map) {
  Contents contents;
  auto key = TRY(map.next_key({}));
  while (key) {
    auto value = TRY(map.read(*key));
    if (value) contents.emplace(*key, map.is_per_cpu() ? of_any_cpu(*value, vm::rounded(map.attributes().value_size)) : *value);
    key = TRY(map.next_key(*key));
  }
  return contents;
}

std::string difference(const Contents& kernel, const Contents& user) {
  if (kernel.size() != user.size()) return fmt::format("{} entries in the kernel, {} in user space", kernel.size(), user.size());
  auto here = kernel.begin();
  for (const auto& [key, value] : user) {
    if (here->first != key) return fmt::format("the keys {:02x} and {:02x}", fmt::join(here->first, " "), fmt::join(key, " "));
    if (here->second != value) {
      return fmt::format("at key {:02x} {:02x} in the kernel, {:02x} in user space", fmt::join(key, " "), fmt::join(here->second, " "), fmt::join(value, " "));
    }
    ++here;
  }
  return {};
}

bool has_keys(facts::MapType type) {
  using enum facts::MapType;
  constexpr facts::MapType kKeyed[] = {hash, array, percpu_hash, percpu_array, lru_hash, lru_percpu_hash, lpm_trie};
  return std::ranges::find(kKeyed, type) != std::end(kKeyed);
}

}  // namespace

Result<EngineDifferences> compare_engines(const kernel::Object& kernel_object, const kernel::TestRunResult& kernel_result,
                                          const vm::Object& user_object, const vm::TestRunResult& user_result) {
  EngineDifferences differences;
  if (kernel_result.retval != user_result.retval) {
    differences.found.push_back(fmt::format("it returns {} in the kernel, {} in user space", kernel_result.retval, user_result.retval));
  }
  if (kernel_result.data_out != user_result.data_out) {
    const auto [a, b] = std::ranges::mismatch(kernel_result.data_out, user_result.data_out);
    differences.found.push_back(fmt::format("packets of {} and {} bytes, different from byte {}", kernel_result.data_out.size(),
                                            user_result.data_out.size(), a - kernel_result.data_out.begin()));
  }
  for (std::size_t i = 0; i < user_object.maps().size(); ++i) {
    const object::MapSpec& spec = user_object.spec().maps[i];
    const auto& mine = user_object.maps()[i];
    if (mine == nullptr || !kernel_object.maps()[i].valid()) continue;
    if (!has_keys(spec.type)) {
      differences.not_compared.push_back(spec.name);
      continue;
    }
    std::string what = difference(TRY(contents_of(kernel_object.maps()[i])), TRY(contents_of(*mine)));
    if (!what.empty()) differences.found.push_back(fmt::format("map `{}`: {}", spec.name, what));
  }
  return differences;
}

}  // namespace espy::cli
