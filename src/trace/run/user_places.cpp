#include "trace/run/user_places.hpp"

#include <optional>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "kernel/process_events.hpp"
#include "symbol/process.hpp"

namespace espy::trace::run {

namespace {

// Processes of one program have one address space only where addresses are not random.
bool addresses_are_random() {
  auto text = read_text_file("/proc/sys/kernel/randomize_va_space");
  return !text || trim(*text) != "0";
}

symbol::SpaceCache cache_of(UserSymbolCache cache) {
  switch (cache) {
    case UserSymbolCache::per_pid: return symbol::SpaceCache::per_pid;
    case UserSymbolCache::per_program: return addresses_are_random() ? symbol::SpaceCache::per_pid : symbol::SpaceCache::per_program;
    case UserSymbolCache::none: return symbol::SpaceCache::none;
  }
  return symbol::SpaceCache::per_pid;
}

class Symbols final : public UserSymbols {
 public:
  Symbols(const Config& config, const Tell& tell) : symboliser_({.cache = cache_of(config.cache_user_symbols), .demangled = config.cpp_demangle}) {
    auto events = kernel::ProcessEvents::open();
    if (events) events_ = std::move(*events);
    else if (tell) tell("WARNING: processes that end before their addresses are shown will not be named: " + one_line(events.error()));
    // From here on the events tell what changes; what runs already is read once, before it may end.
    if (events_) symboliser_.learn_all();
  }

  UserPlaces places() override {
    return [this](std::uint32_t pid, std::uint32_t, std::uint64_t address) {
      symbol::Frame frame = symboliser_.resolve(static_cast<int>(pid), address);
      return UserPlace{.symbol = std::move(frame.symbol), .offset = frame.offset, .module = std::move(frame.module)};
    };
  }

  void expect(const std::string& path) override { symboliser_.expect(path); }

  Result<void> update() override {
    if (events_) TRY(events_->drain(symboliser_));
    return {};
  }

  std::vector<int> descriptors() const override { return events_ ? events_->fds() : std::vector<int>{}; }

 private:
  symbol::Symboliser symboliser_;
  std::optional<kernel::ProcessEvents> events_;
};

}  // namespace

std::unique_ptr<UserSymbols> UserSymbols::start(const Config& config, const Tell& tell) { return std::make_unique<Symbols>(config, tell); }

}  // namespace espy::trace::run
