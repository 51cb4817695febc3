#include "trace/run/session.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <variant>

#include "kernel/records.hpp"
#include "trace/run/losses.hpp"
#include "trace/run/signals.hpp"
#include "trace/run/user_places.hpp"

namespace espy::trace::run {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// Between two looks at the ring while records come fast: their number of wake-ups matters, not a person's patience.
constexpr milliseconds kBusyPause{2};
/// How long a loss may stay untold.
constexpr milliseconds kLossPeriod{1000};
/// Perf buffers wake for every record; they are looked after at this pace in any case.
constexpr milliseconds kIdlePause{1000};
/// An interval that could not fire in time fires for each period missed, up to this.
constexpr std::uint64_t kMostLateTurns = 100;

// What woke the session.
enum class Token : std::uint32_t { ring, signals, child, process, watcher, watch_timer, names, iterators, first_timer };

UniqueFd make_timer(std::uint64_t period_ns) {
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return timer;
  itimerspec when{};
  when.it_value.tv_sec = when.it_interval.tv_sec = static_cast<time_t>(period_ns / 1'000'000'000);
  when.it_value.tv_nsec = when.it_interval.tv_nsec = static_cast<long>(period_ns % 1'000'000'000);
  if (::timerfd_settime(timer.get(), 0, &when, nullptr) != 0) timer.reset();
  return timer;
}

probes::Provider provider_of(const ProgramPlan& program) {
  return program.instance.targets.empty() ? probes::Provider::begin : program.instance.targets.front().provider;
}

// How often an interval probe fires, by its name: "interval:ms:100".
std::uint64_t period_of(const ProgramPlan& program) {
  auto point = probes::parse_attach_point(program.instance.targets.front().name);
  auto* place = point ? std::get_if<probes::TimerPlace>(&point->place) : nullptr;
  if (place == nullptr) return 0;
  return place->period_ns != 0 ? place->period_ns : place->frequency != 0 ? 1'000'000'000 / place->frequency : 0;
}

// The signal of a self probe: "self:signal:SIGUSR1".
int signal_of(const ProgramPlan& program) {
  auto point = probes::parse_attach_point(program.instance.targets.front().name);
  auto* place = point ? std::get_if<probes::SignalPlace>(&point->place) : nullptr;
  return place == nullptr ? 0 : place->signal.number;
}

class Session {
 public:
  Session(const Plan& plan, Engine& engine, const RunOptions& options, Output output, UserSymbols* symbols)
      : plan_(plan), engine_(engine), options_(options), output_(std::move(output)), symbols_(symbols),
        names_(machine_names(plan, &engine, symbols == nullptr ? UserPlaces{} : symbols->places())),
        actions_(plan, engine, *names_, output_, options.sources, [this](std::string_view message) { tell(message); }),
        losses_(plan, engine) {}

  Result<int> run() {
    if (options_.mode != Mode::trace) return run_chosen();
    TRY(prepare());
    if (options_.dry_run) {
      TRY(attach_all());
      engine_.stop();
      engine_.detach();
      TRY(output_.flush());
      return 0;
    }
    TRY(fire_all(probes::Provider::begin));
    TRY(attach_all());
    if (options_.attached) options_.attached();
    if (options_.child != nullptr) TRY(options_.child->resume());
    TRY(start_iterators());
    auto observed = observe();
    // A second Ctrl-C ends what takes too long.
    if (interrupted_) signals_.let_through();
    else signals_.let_second_through();
    if (iterating_.joinable()) iterating_.join();
    if (observed) observed = iterated_;
    engine_.stop();
    if (observed) observed = finish();
    engine_.detach();
    if (!observed && observed.error().kind != ErrorKind::interrupted) return std::unexpected(std::move(observed.error()));
    return actions_.exit_code().value_or(0);
  }

 private:
  void tell(std::string_view message) {
    if (options_.tell) options_.tell(message);
  }

  // Descriptors to wait on, signals blocked. Before begin probes fire, so that nothing is missed.
  Result<void> prepare() {
    std::vector<int> own;
    for (const ProgramPlan& program : plan_.programs)
      if (provider_of(program) == probes::Provider::self) own.push_back(signal_of(program));
    signals_ = TRY(BlockedSignals::block(own));
    poller_ = TRY(kernel::Poller::create());
    quiet_ = TRY(kernel::Poller::create());
    TRY(wait_on(signals_.fd(), Token::signals));
    for (int fd : engine_.wake_descriptors()) TRY(poller_->add(fd, static_cast<std::uint32_t>(Token::ring)));
    if (options_.child != nullptr) TRY(wait_on(options_.child->descriptor(), Token::child));
    if (options_.pid != 0) {
      process_ = TRY(open_process(options_.pid));
      TRY(wait_on(process_.get(), Token::process));
    }
    if (symbols_ != nullptr)
      for (int fd : symbols_->descriptors()) TRY(wait_on(fd, Token::names));
    if (options_.watcher != nullptr) {
      watch_timer_ = make_timer(static_cast<std::uint64_t>(options_.watcher->period().count()) * 1'000'000);
      TRY(wait_on(watch_timer_.get(), Token::watch_timer));
      if (options_.watcher->descriptor() >= 0) TRY(wait_on(options_.watcher->descriptor(), Token::watcher));
    }
    return {};
  }

  Result<void> wait_on(int fd, Token token) {
    TRY(poller_->add(fd, static_cast<std::uint32_t>(token)));
    return quiet_->add(fd, static_cast<std::uint32_t>(token));
  }

  Result<void> fire_all(probes::Provider provider) {
    for (const ProgramPlan& program : plan_.programs)
      if (provider_of(program) == provider) TRY(engine_.fire(program));
    return {};
  }

  Result<void> attach_all() {
    std::size_t count = 0;
    for (const ProgramPlan& program : plan_.programs) {
      const probes::Provider provider = provider_of(program);
      if (provider == probes::Provider::test || provider == probes::Provider::bench) continue;
      if (program.instance.attachments.empty()) {
        if (provider == probes::Provider::interval) TRY(start_timer(program));
        count += program.instance.targets.size();
        continue;
      }
      count += TRY(attach(program));
    }
    if (count == 0) return fail(ErrorKind::not_found, "no probes to attach");
    output_.attached_probes(count);
    return output_.settle();
  }

  Result<std::size_t> attach(const ProgramPlan& program) {
    Engine::Attached attached = TRY(engine_.attach(program, options_.pid));
    if (!attached.failures.empty() && plan_.config.missing_probes == MissingProbes::error) {
      Error error = std::move(attached.failures.front());
      if (attached.failures.size() > 1) error.notes.push_back(fmt::format("and {} more could not be attached", attached.failures.size() - 1));
      return std::unexpected(std::move(error));
    }
    if (plan_.config.missing_probes == MissingProbes::warn)
      for (const Error& failure : attached.failures) tell("WARNING: " + one_line(failure));
    return attached.targets;
  }

  Result<void> start_timer(const ProgramPlan& program) {
    const std::uint64_t period = period_of(program);
    if (period == 0) return fail(ErrorKind::invalid_argument, "`{}` names no period", program.instance.targets.front().name);
    Timer timer{make_timer(period), &program};
    if (!timer.fd) return fail_sys(errno, "start a timer for `{}`", program.instance.targets.front().name);
    TRY(wait_on(timer.fd.get(), static_cast<Token>(static_cast<std::uint32_t>(Token::first_timer) + timers_.size())));
    timers_.push_back(std::move(timer));
    return {};
  }

  // Iterators run in a thread of their own, so that what they send is handled while they do. A script that has nothing else
  // to wait for ends with them; one of begin and end probes only, at once.
  Result<void> start_iterators() {
    bool any = false, others = false;
    for (const ProgramPlan& program : plan_.programs) {
      const probes::Provider provider = provider_of(program);
      if (provider == probes::Provider::iter) any = true;
      else if (provider != probes::Provider::begin && provider != probes::Provider::end) others = true;
    }
    if (!any && !others && options_.child == nullptr && options_.pid == 0 && options_.watcher == nullptr) ending_ = true;
    if (!any) return {};
    iterators_done_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!iterators_done_) return fail_sys(errno, "wait for iterators");
    TRY(wait_on(iterators_done_.get(), Token::iterators));
    ends_with_iterators_ = !others;
    iterating_ = std::jthread([this] {
      iterated_ = engine_.run_iterators();
      ::eventfd_write(iterators_done_.get(), 1);
    });
    return {};
  }

  bool ending() const { return ending_ || actions_.exit_code().has_value(); }

  // Handles what is in the ring, all of it; returns how many records there were. What came behind exit() is dropped. A round
  // reaches all that was sent before it began; what comes meanwhile takes more, of which there are few: a flood must not keep
  // signals and timers waiting.
  Result<std::size_t> drain(bool until_exit, int rounds = 4) {
    if (symbols_ != nullptr) TRY(symbols_->update());
    Result<void> failed{};
    auto handle = [&](Bytes record) {
      if (until_exit && actions_.exit_code()) return true;
      failed = actions_.handle(record);
      return failed.has_value();
    };
    std::size_t all = 0;
    for (int round = 0; round < rounds; ++round) {
      const std::size_t count = TRY(engine_.drain(handle));
      TRY(failed);
      all += count;
      if (count == 0) break;
    }
    TRY(output_.settle());
    return all;
  }

  Result<void> observe() {
    auto losses_due = Clock::now() + kLossPeriod;
    bool busy = TRY(drain(true)) != 0;
    while (!ending()) {
      auto left = std::chrono::duration_cast<milliseconds>(losses_due - Clock::now());
      if (left.count() <= 0) {
        TRY(losses_.report(output_, options_.failed_reads));
        TRY(output_.settle());
        losses_due = Clock::now() + kLossPeriod;
        left = kLossPeriod;
      }
      const auto woken = busy ? TRY(quiet_->wait(kBusyPause)) : TRY(poller_->wait(losses_.counts() ? left : kIdlePause));
      for (std::uint32_t token : woken) TRY(handle(token));
      if (ending()) break;
      busy = TRY(drain(true)) != 0;
    }
    return {};
  }

  Result<void> handle(std::uint32_t woken) {
    switch (static_cast<Token>(woken)) {
      case Token::ring: case Token::names: return {};
      case Token::signals: return on_signals();
      // What they did last is still in the ring.
      case Token::child: options_.child->status(); ending_ = true; return {};
      case Token::process: ending_ = true; return {};
      case Token::iterators: {
        eventfd_t ignored = 0;
        ::eventfd_read(iterators_done_.get(), &ignored);
        ending_ = ending_ || ends_with_iterators_;
        return {};
      }
      case Token::watcher: return look(true);
      case Token::watch_timer: {
        std::uint64_t ignored = 0;
        if (::read(watch_timer_.get(), &ignored, sizeof ignored) < 0) return {};
        return look(false);
      }
      case Token::first_timer: break;
    }
    return on_timer(woken - static_cast<std::uint32_t>(Token::first_timer));
  }

  Result<void> look(bool readable) {
    TRY(drain(true));
    if (!TRY(options_.watcher->look(engine_, *names_, readable))) ending_ = true;
    return {};
  }

  Result<void> on_signals() {
    while (int signal = signals_.next()) {
      bool is_own = false;
      for (const ProgramPlan& program : plan_.programs) {
        if (provider_of(program) != probes::Provider::self || signal_of(program) != signal) continue;
        is_own = true;
        TRY(engine_.fire(program));
      }
      if (!is_own) ending_ = interrupted_ = true;
    }
    return {};
  }

  Result<void> on_timer(std::size_t number) {
    if (number >= timers_.size()) return {};
    std::uint64_t times = 0;
    if (::read(timers_[number].fd.get(), &times, sizeof times) != sizeof times) return {};
    // What was sent before it fires is handled before; what it sends, at once: its print() shows the values of now.
    TRY(drain(true, 1));
    if (ending()) return {};
    // Late by more than one period: each counts, but nobody waits for hundreds.
    for (std::uint64_t turn = 0; turn < std::min(times, kMostLateTurns) && !ending(); ++turn) {
      TRY(engine_.fire(*timers_[number].program));
      TRY(drain(true, 1));
    }
    return {};
  }

  // The attached programs have stopped.
  Result<void> finish() {
    while (TRY(drain(true)) != 0) {}
    TRY(fire_all(probes::Provider::end));
    while (TRY(drain(false)) != 0) {}
    TRY(losses_.report(output_, options_.failed_reads));
    if (actions_.malformed() != 0) tell(fmt::format("WARNING: {} records could not be read", actions_.malformed()));
    output_.end_of_stream();
    if (plan_.config.print_maps_on_exit && options_.watcher == nullptr) TRY(actions_.print_maps());
    return output_.flush();
  }

  // test: and bench: probes, each run once, or often.
  Result<int> run_chosen() {
    const auto wanted = options_.mode == Mode::test ? probes::Provider::test : probes::Provider::bench;
    TRY(fire_all(probes::Provider::begin));
    for (const ProgramPlan& program : plan_.programs) {
      if (provider_of(program) != wanted) continue;
      const int turns = options_.mode == Mode::bench ? 10000 : 1;
      const auto begun = Clock::now();
      for (int turn = 0; turn < turns; ++turn) TRY(engine_.fire(program));
      const auto each = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count() / turns;
      TRY(drain(true));
      if (options_.mode == Mode::bench)
        benchmarks_.emplace_back(program.instance.targets.front().name, each);
      if (actions_.exit_code()) break;
    }
    if (options_.mode == Mode::bench) show_benchmarks();
    TRY(finish());
    return actions_.exit_code().value_or(0);
  }

  void show_benchmarks() {
    output_.data("benchmark_results", [&](std::string& out) {
      for (const auto& [name, each] : benchmarks_) {
        if (!output_.is_json()) out += fmt::format("{}: {} ns\n", name, each);
        else out += fmt::format("{}\"{}\": {}", &name == &benchmarks_.front().first ? "{" : ", ", name.substr(name.find(':') + 1), each);
      }
      if (output_.is_json()) out += benchmarks_.empty() ? "{}" : "}";
    });
  }

  struct Timer {
    UniqueFd fd;
    const ProgramPlan* program = nullptr;
  };

  const Plan& plan_;
  Engine& engine_;
  const RunOptions& options_;
  Output output_;
  UserSymbols* symbols_;
  std::unique_ptr<Names> names_;
  Actions actions_;
  Losses losses_;
  BlockedSignals signals_;
  bool interrupted_ = false;              // by a signal, which asked for the end
  std::optional<kernel::Poller> poller_;   // everything
  std::optional<kernel::Poller> quiet_;    // everything but the ring
  UniqueFd process_, watch_timer_;
  std::vector<Timer> timers_;
  std::vector<std::pair<std::string, std::int64_t>> benchmarks_;   // ns each
  UniqueFd iterators_done_;
  Result<void> iterated_{};
  bool ends_with_iterators_ = false;
  bool ending_ = false;
  std::jthread iterating_;                 // last: it refers to the rest
};

}  // namespace

namespace {

void expect_files(const Plan& plan, UserSymbols& symbols) {
  for (const ProgramPlan& program : plan.programs) {
    for (const probes::Attachment& attachment : program.instance.attachments) {
      if (const auto* one = std::get_if<probe::Uprobe>(&attachment.probe)) symbols.expect(one->path);
      if (const auto* many = std::get_if<probe::UprobeMulti>(&attachment.probe)) symbols.expect(many->path);
    }
  }
}

}  // namespace

Result<int> run_script(const Plan& plan, Engine& engine, const RunOptions& options) {
  Output output = TRY(Output::open(options.output));
  std::unique_ptr<UserSymbols> symbols;
  if (shows_user_addresses(plan)) {
    symbols = UserSymbols::start(plan.config, options.tell);
    expect_files(plan, *symbols);
  }
  return Session(plan, engine, options, std::move(output), symbols.get()).run();
}

Result<int> run_script(Compiled script, const RunOptions& options) {
  auto engine = TRY(load_into_kernel(std::move(script.object), script.plan, options.kernel));
  return run_script(script.plan, *engine, options);
}

}  // namespace espy::trace::run
