// Timers are known by their address: what a program writes into the 16 bytes does not matter. One thread, begun with the first
// timer, calls them all; it holds no lock while a callback runs, so callbacks may use timers and maps as they like.
#include "vm/helpers/timers.hpp"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "vm/helpers/table.hpp"
#include "vm/map.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

using Clock = std::chrono::steady_clock;

struct Timer {
  Map* map = nullptr;
  std::uintptr_t value = 0;             // that it is in
  clockid_t clock = CLOCK_MONOTONIC;
  const Program* program = nullptr;     // whose function it calls
  std::uint64_t function = 0;
  std::optional<Clock::time_point> due = {};
};

class Service {
 public:
  static Service& one() {
    static Service* const service = new Service;   // its thread ends with the process
    return *service;
  }

  /// Calls `change(Timer&)` on the timer at this address; -EINVAL: there is none.
  template <typename Change>
  long with(std::uintptr_t at, const Change& change) {
    std::scoped_lock lock(mutex_);
    auto found = timers_.find(at);
    return found == timers_.end() ? -EINVAL : change(found->second);
  }
  long add(std::uintptr_t at, Timer timer) {
    std::scoped_lock lock(mutex_);
    return timers_.emplace(at, timer).second ? 0 : -EBUSY;
  }
  void wake() {
    if (!started_) started_ = true, std::thread([this] { work(); }).detach();
    changed_.notify_all();
  }
  bool calling(std::uintptr_t at) const { return calling_at_ == at && caller_ == std::this_thread::get_id(); }
  /// Waits until the callback of the timer that was cancelled has returned, unless that is who asks. The lock is held.
  template <typename Concerned>
  void wait_for(std::unique_lock<std::mutex>& lock, const Concerned& concerned) {
    if (caller_ == std::this_thread::get_id()) return;
    changed_.wait(lock, [&] { return calling_at_ == 0 || !concerned(calling_); });
  }
  template <typename Concerned>
  void forget(const Concerned& concerned, bool wait) {
    std::unique_lock lock(mutex_);
    std::erase_if(timers_, [&](const auto& row) { return concerned(row.second); });
    if (wait) wait_for(lock, concerned);
  }
  std::unique_lock<std::mutex> locked() { return std::unique_lock(mutex_); }
  std::map<std::uintptr_t, Timer>& timers() { return timers_; }

 private:
  [[noreturn]] void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      auto next = timers_.end();
      for (auto it = timers_.begin(); it != timers_.end(); ++it) {
        if (it->second.due && (next == timers_.end() || *it->second.due < *next->second.due)) next = it;
      }
      if (next == timers_.end()) {
        changed_.wait(lock);
      } else if (const Clock::time_point due = *next->second.due; due > Clock::now()) {
        changed_.wait_until(lock, due);
      } else {
        next->second.due.reset();
        calling_ = next->second, calling_at_ = next->first, caller_ = std::this_thread::get_id();
        lock.unlock();
        calling_.program->call_timer(*calling_.map, calling_.function, calling_.value);
        lock.lock();
        calling_at_ = 0, caller_ = {};
        changed_.notify_all();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uintptr_t, Timer> timers_;
  Timer calling_;                  // whose callback runs
  std::uintptr_t calling_at_ = 0;  // 0: none does
  std::thread::id caller_;
  bool started_ = false;
};

std::uint64_t init(std::uint64_t at, std::uint64_t map_at, std::uint64_t clock, std::uint64_t, std::uint64_t) {
  Map* map = pointer<Map>(map_at);
  const ValueField* field = map->field(ValueField::Kind::timer);
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME) return result(-EINVAL);
  if (field == nullptr) return current_run()->fault = "a timer of a map that has none in its values", 0;
  const std::uintptr_t value = at - field->offset;
  const bool inside = std::ranges::any_of(map->regions(), [&](const Region& r) {
    return value >= r.begin && value < r.end && (r.stride == 0 || (value - r.begin) % r.stride == 0);
  });
  if (!inside) return current_run()->fault = "a timer that is not in a value of its map", 0;
  return result(Service::one().add(at, {.map = map, .value = value, .clock = static_cast<clockid_t>(clock)}));
}

std::uint64_t set_callback(std::uint64_t at, std::uint64_t function, std::uint64_t, std::uint64_t, std::uint64_t) {
  const Program* program = current_run()->program;
  if (program == nullptr || !program->has_function(function)) return current_run()->fault = "a timer that calls what is no function", 0;
  return result(Service::one().with(at, [&](Timer& timer) { return timer.program = program, timer.function = function, 0L; }));
}

std::uint64_t start(std::uint64_t at, std::uint64_t nanoseconds, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  constexpr std::uint64_t kAbsolute = 1, kPinned = 2;
  if ((flags & ~(kAbsolute | kPinned)) != 0) return result(-EINVAL);
  Service& service = Service::one();
  return result(service.with(at, [&](Timer& timer) -> long {
    if (timer.program == nullptr) return -EINVAL;
    auto wait = static_cast<std::int64_t>(std::min<std::uint64_t>(nanoseconds, INT64_MAX / 4));
    if ((flags & kAbsolute) != 0) {
      timespec now{};
      ::clock_gettime(timer.clock, &now);
      wait = std::max<std::int64_t>(0, wait - (now.tv_sec * 1'000'000'000LL + now.tv_nsec));
    }
    timer.due = Clock::now() + std::chrono::nanoseconds(wait);
    service.wake();
    return 0;
  }));
}

// 1: it was going to fire. A callback that runs is waited for; it cannot cancel itself.
std::uint64_t cancel(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Service& service = Service::one();
  std::unique_lock lock = service.locked();
  auto found = service.timers().find(at);
  if (found == service.timers().end()) return result(-EINVAL);
  if (service.calling(at)) return result(-EDEADLK);
  const bool waited = found->second.due.has_value();
  const std::uintptr_t value = found->second.value;
  found->second.due.reset();
  found->second.program = nullptr;   // to be started again it needs its callback again
  service.wait_for(lock, [value](const Timer& timer) { return timer.value == value; });
  return waited ? 1 : 0;
}

constexpr Helper kHelpers[] = {{169, init}, {170, set_callback}, {171, start}, {172, cancel}};

}  // namespace

std::span<const Helper> timer_helpers() { return kHelpers; }

void forget_timers(const Map& map, const std::byte* value) {
  if (map.field(ValueField::Kind::timer) == nullptr) return;
  Service::one().forget([at = reinterpret_cast<std::uintptr_t>(value)](const Timer& timer) { return timer.value == at; }, false);
}
void forget_timers(const Map& map) {
  Service::one().forget([&map](const Timer& timer) { return timer.map == &map; }, true);
}
void forget_timers(const Object& object) {
  Service::one().forget([&object](const Timer& timer) { return timer.program != nullptr && timer.program->is_of(object); }, true);
}

}  // namespace espy::vm
