// Names that a test gives.
#pragma once

#include <fmt/format.h>

#include <string>

#include "trace/run/names.hpp"

namespace espy::trace::run::testing {

class TestNames final : public Names {
 public:
  void kernel_symbol(std::uint64_t address, std::string& out) override { out += fmt::format("k{:x}", address); }
  void user_symbol(std::uint64_t address, std::uint32_t pid, std::uint32_t probe, std::string& out) override { out += fmt::format("u{:x}/{}/{}", address, pid, probe); }
  void stack(const Type& type, std::int64_t id, std::uint32_t pid, std::uint32_t, std::uint64_t, std::string& out) override {
    out += fmt::format("\n        {}{}+{}\n", type.kind == Kind::kstack ? "k" : "u", id, pid);
  }
  void user(std::uint64_t uid, std::string& out) override { out += uid == 0 ? "root" : fmt::to_string(uid); }
  void cgroup(std::uint64_t id, std::uint32_t filter, std::string& out) override { out += fmt::format("unified:/{}/{}", id, filter); }
  void timestamp(std::uint64_t ns, std::uint32_t clock, std::uint32_t format, std::string& out) override { out += fmt::format("t{}.{}.{}", ns, clock, format); }
  std::int64_t wall_time(std::uint64_t ns, std::uint32_t) override { return static_cast<std::int64_t>(ns); }
  std::string_view probe(std::uint64_t index) override { return index == 0 ? "begin" : "other"; }
  std::string_view trailer() const override { return ".."; }
  std::uint32_t string_room() const override { return 4; }
};

/// Values one after another, as bytes.
template <typename... Parts>
std::vector<std::byte> bytes(const Parts&... parts) {
  std::vector<std::byte> all;
  (all.insert(all.end(), bytes_of(parts).begin(), bytes_of(parts).end()), ...);
  return all;
}

inline std::vector<std::byte> padded(std::string_view text, std::size_t size) {
  std::vector<std::byte> all(size);
  for (std::size_t i = 0; i < text.size() && i < size; ++i) all[i] = static_cast<std::byte>(text[i]);
  return all;
}

}  // namespace espy::trace::run::testing
