#include "btf/names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace espy::btf {
namespace {

bool is_tag(Kind kind) { return kind == Kind::struct_ || kind == Kind::union_ || kind == Kind::enum_ || kind == Kind::enum64; }

constexpr std::size_t kMaxName = 512;  // the kernel's limit; hostile names are as long as their file

std::string claim(std::unordered_map<std::string, std::uint32_t>& taken, const std::string& name) {
  const std::uint32_t count = ++taken[name];
  return count == 1 ? name : claim(taken, fmt::format("{}___{}", name, count));
}

}  // namespace

std::string identifier(std::string_view name) {
  std::string text(name.substr(0, kMaxName));
  for (char& c : text) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!fits) c = '_';
  }
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') text.insert(text.begin(), '_');
  return text;
}

Names::Names(const Btf& btf) : unique_(true) {
  auto enter = [&](const Type& type, auto& space) {
    const std::string own = identifier(type.name());
    if (own.empty()) return;
    std::string given = claim(space, own);
    if (given != type.name()) renamed_[static_cast<std::uint32_t>(type.id())] = std::move(given);
  };
  // The compiler has its own idea of this one, which for eBPF is a pointer: structs that hold the kernel's must not shrink.
  ordinary_["__builtin_va_list"] = 1;
  // What a tag stands for, so that a forward declaration finds its definition.
  std::unordered_map<std::string_view, Kind> first;
  for (std::uint32_t id = 1; id < btf.type_count(); ++id) {
    const Type type = btf.type(TypeId{id});
    if (is_tag(type.kind())) enter(type, tags_), first.try_emplace(type.name(), type.kind());
    if (type.kind() == Kind::typedef_) enter(type, ordinary_);
  }
  for (std::uint32_t id = 1; id < btf.type_count(); ++id) {
    const Type type = btf.type(TypeId{id});
    if (type.kind() != Kind::fwd) continue;
    const Kind declared = type.is_union_fwd() ? Kind::union_ : Kind::struct_;
    const auto [at, added] = first.try_emplace(type.name(), declared);
    if (added || at->second != declared) enter(type, tags_);
  }
}

std::string Names::of(const Type& type) const {
  if (auto at = renamed_.find(static_cast<std::uint32_t>(type.id())); at != renamed_.end()) return at->second;
  return identifier(type.name());
}

std::string Names::take(std::string_view name) {
  std::string plain = identifier(name);
  return unique_ ? claim(ordinary_, plain) : plain;
}

}  // namespace espy::btf
