#include "facts/syscall_events.hpp"

#include <array>

namespace espy::facts {

namespace {

struct NameRow { std::string_view event, call; };

constexpr auto kNames = std::to_array<NameRow>({
    {"newstat", "stat"}, {"newfstat", "fstat"}, {"newlstat", "lstat"}, {"newuname", "uname"}, {"sendfile64", "sendfile"}, {"umount", "umount2"},
});

}  // namespace

std::optional<std::uint32_t> syscall_number_of_event(std::string_view event, Architecture architecture) {
  for (const NameRow& row : kNames) {
    if (row.event == event) return syscall_number(row.call, architecture);
    if (row.call == event) return std::nullopt;   // the older call of that name, which 64-bit programs do not have
  }
  return syscall_number(event, architecture);
}

}  // namespace espy::facts
