// Helpers that give the calling thread's stack: the addresses that lead from where the program was called to the thread's start,
// found by frame pointers. Code that keeps none ends the chain.
#include <pthread.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "vm/helpers/table.hpp"
#include "vm/helpers/task.hpp"
#include "vm/maps/stack_traces.hpp"

namespace espy::vm {
namespace {

enum StackFlags : std::uint64_t { kSkip = 0xff, kUserStack = 1 << 8, kHashWillDo = 1 << 9, kReplace = 1 << 10, kBuildIds = 1 << 11 };

struct Bounds {
  std::uintptr_t begin = 0, end = 0;
};

Bounds stack_of_thread() {
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return {};
  void* begin = nullptr;
  std::size_t size = 0;
  ::pthread_attr_getstack(&attributes, &begin, &size);
  ::pthread_attr_destroy(&attributes);
  return {reinterpret_cast<std::uintptr_t>(begin), reinterpret_cast<std::uintptr_t>(begin) + size};
}

struct Chain {
  std::array<std::uint64_t, 127> addresses;
  std::size_t count = 0;
  std::span<const std::uint64_t> behind(std::size_t skip) const { return std::span(addresses).first(count).subspan(skip); }
};

// Frames lie one above the other in the thread's stack; what does not is no frame.
Chain chain_of(const Run& run) {
  thread_local const Bounds bounds = stack_of_thread();
  Chain chain;
  if (run.instruction != 0) chain.addresses[chain.count++] = run.instruction;
  for (std::uintptr_t frame = run.frame; chain.count < chain.addresses.size();) {
    if (frame % 8 != 0 || frame < bounds.begin || frame + 16 > bounds.end) break;
    std::uint64_t words[2];
    std::memcpy(words, pointer<void>(frame), sizeof words);
    if (words[1] == 0) break;
    chain.addresses[chain.count++] = words[1];
    if (words[0] <= frame) break;
    frame = words[0];
  }
  return chain;
}

std::uint64_t stack_id(std::uint64_t, std::uint64_t map, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  auto* traces = dynamic_cast<StackTraces*>(pointer<Map>(map));
  if (traces == nullptr || (flags & ~(kSkip | kUserStack | kHashWillDo | kReplace)) != 0) return result(-EINVAL);
  if ((flags & kUserStack) == 0) return result(-EFAULT);   // no kernel code is under a program here
  const Chain chain = chain_of(*current_run());
  const std::size_t skip = flags & kSkip;
  if (chain.count <= skip) return result(-EFAULT);
  std::span<const std::uint64_t> kept = chain.behind(skip);
  return result(traces->put(kept.first(std::min<std::size_t>(kept.size(), traces->most_frames())), (flags & kHashWillDo) != 0, (flags & kReplace) != 0));
}

std::uint64_t stack_into(std::uint64_t to, std::uint64_t size, std::uint64_t flags) {
  size &= 0xffffffff;
  const auto refuse = [&](long error) {
    if (size != 0) std::memset(pointer<void>(to), 0, size);
    return result(error);
  };
  if ((flags & ~(kSkip | kUserStack | kBuildIds)) != 0) return refuse(-EINVAL);
  if ((flags & kBuildIds) != 0) return refuse((flags & kUserStack) == 0 ? -EINVAL : -EOPNOTSUPP);
  if (size % 8 != 0) return refuse(-EINVAL);
  if ((flags & kUserStack) == 0) return refuse(-EFAULT);
  const Chain chain = chain_of(*current_run());
  const std::size_t skip = flags & kSkip;
  if (chain.count == 0 || chain.count < skip) return refuse(-EFAULT);
  if (size == 0) return 0;
  const std::size_t bytes = std::min<std::size_t>((chain.count - skip) * 8, size);
  std::memcpy(pointer<void>(to), chain.behind(skip).data(), bytes);
  std::memset(pointer<std::byte>(to) + bytes, 0, size - bytes);
  return bytes;
}

std::uint64_t stack(std::uint64_t, std::uint64_t to, std::uint64_t size, std::uint64_t flags, std::uint64_t) { return stack_into(to, size, flags); }

// Of another thread, nobody can say: it runs.
std::uint64_t task_stack(std::uint64_t task, std::uint64_t to, std::uint64_t size, std::uint64_t flags, std::uint64_t) {
  if (task != current_task()) {
    if ((size & 0xffffffff) != 0) std::memset(pointer<void>(to), 0, size & 0xffffffff);
    return result(-EOPNOTSUPP);
  }
  return stack_into(to, size, flags);
}

constexpr Helper kHelpers[] = {{27, stack_id}, {67, stack}, {141, task_stack}};

}  // namespace

std::span<const Helper> stack_helpers() { return kHelpers; }

}  // namespace espy::vm
