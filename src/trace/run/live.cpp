#include "trace/run/live.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>

#include "base/fd.hpp"

namespace espy::trace::run {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kEnter = "\033[?1049h\033[?25l", kLeave = "\033[?25h\033[?1049l", kHome = "\033[H", kClearLine = "\033[K", kClearBelow = "\033[J";

bool is_histogram(Kind kind) { return kind == Kind::hist || kind == Kind::lhist || kind == Kind::tseries; }

// Values that only grow have rates worth showing.
bool has_rate(Kind kind) { return kind == Kind::count || kind == Kind::sum || kind == Kind::integer; }

// One line: control characters made visible, cut to the window.
std::string on_one_line(std::string_view text, std::size_t columns) {
  std::string line;
  for (char c : text) {
    if (line.size() >= columns) break;
    if (c == '\n') line += line.empty() ? "" : " ";
    else line += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  if (line.size() > columns) line.resize(columns);
  return line;
}

std::string rate_text(double rate) {
  if (rate >= 1e9) return fmt::format("{:.1f}G/s", rate / 1e9);
  if (rate >= 1e6) return fmt::format("{:.1f}M/s", rate / 1e6);
  if (rate >= 1e4) return fmt::format("{:.1f}K/s", rate / 1e3);
  return fmt::format("{:.0f}/s", rate);
}

class Terminal {
 public:
  Terminal(int output, int input) : output_(output), input_(input) {
    if (::isatty(input) != 0 && ::tcgetattr(input, &before_) == 0) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      raw.c_cc[VMIN] = raw.c_cc[VTIME] = 0;
      reads_ = ::tcsetattr(input, TCSANOW, &raw) == 0;
    }
    write(kEnter);
  }
  ~Terminal() {
    write(kLeave);
    if (reads_) ::tcsetattr(input_, TCSANOW, &before_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool reads() const { return reads_; }
  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(output_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  std::pair<std::size_t, std::size_t> size() const {
    winsize window{};
    if (::ioctl(output_, TIOCGWINSZ, &window) != 0 || window.ws_row == 0) return {24, 80};
    return {window.ws_row, window.ws_col};
  }
  bool asked_to_quit() const {
    char key = 0;
    while (::read(input_, &key, 1) == 1)
      if (key == 'q' || key == 'Q' || key == 3) return true;
    return false;
  }

 private:
  int output_, input_;
  termios before_{};
  bool reads_ = false;
};

class LiveView final : public Watcher {
 public:
  LiveView(const Plan& plan, const LiveOptions& options) : plan_(plan), options_(options), before_(plan.maps.size()) {
    if (::isatty(options.output) != 0) terminal_.emplace(options.output, options.input);
  }

  std::chrono::milliseconds period() const override { return options_.period; }
  int descriptor() const override { return terminal_ && terminal_->reads() ? options_.input : -1; }

  Result<bool> look(const Engine& engine, Names& names, bool readable) override {
    if (readable) return !terminal_->asked_to_quit();
    frame_.clear();
    const auto now = Clock::now();
    const double seconds = last_ ? std::chrono::duration<double>(now - *last_).count() : 0;
    last_ = now;
    auto [rows, columns] = terminal_ ? terminal_->size() : std::pair<std::size_t, std::size_t>{0, 160};
    const std::size_t each = rows == 0 ? (options_.rows == 0 ? 20 : options_.rows) : std::max<std::size_t>(2, (rows - 1) / std::max<std::size_t>(1, plan_.maps.size()));
    for (std::size_t i = 0; i < plan_.maps.size(); ++i) {
      auto map = engine.find_map(plan_.maps[i].map);
      if (!map) continue;
      Entries entries = TRY(read_entries(engine, *map, plan_.maps[i]));
      sort_entries(plan_.maps[i], entries);
      append_live_map(plan_.maps[i], entries, before_[i], seconds, each, columns, names, frame_);
    }
    draw(rows);
    return true;
  }

 private:
  void draw(std::size_t rows) {
    if (!terminal_) {
      frame_ += '\n';
      for (std::string_view left = frame_; !left.empty();) {
        const ssize_t count = ::write(options_.output, left.data(), left.size());
        if (count <= 0) break;
        left.remove_prefix(static_cast<std::size_t>(count));
      }
      return;
    }
    // Drawn over what was there, each line cleared behind its end: nothing flickers.
    std::string screen(kHome);
    std::size_t line = 0;
    for (std::string_view left = frame_; !left.empty() && line + 1 < rows; ++line) {
      const std::size_t end = std::min(left.find('\n'), left.size());
      screen += left.substr(0, end);
      screen += kClearLine;
      screen += "\r\n";
      left.remove_prefix(std::min(left.size(), end + 1));
    }
    screen += kClearBelow;
    terminal_->write(screen);
  }

  const Plan& plan_;
  LiveOptions options_;
  std::vector<LiveMap> before_;
  std::optional<Terminal> terminal_;
  std::optional<Clock::time_point> last_;
  std::string frame_;
};

}  // namespace

void append_live_map(const MapPlan& plan, const Entries& sorted, LiveMap& before, double seconds, std::size_t rows, std::size_t columns,
                     Names& names, std::string& out) {
  const bool lines = is_histogram(plan.value.kind);
  if (lines) {
    std::string text;
    append_map_text(plan, sorted, {.top = std::max<std::uint64_t>(1, rows / 8)}, names, text);
    std::size_t shown = 0;
    for (std::string_view left = text; !left.empty() && shown < rows; ++shown) {
      const std::size_t end = std::min(left.find('\n'), left.size());
      out += left.substr(0, std::min(end, columns));
      out += '\n';
      left.remove_prefix(std::min(left.size(), end + 1));
    }
    return;
  }
  const bool rates = has_rate(plan.value.kind);
  out += plan.name;
  if (sorted.size() + 1 > rows && plan.key.kind != Kind::none) fmt::format_to(std::back_inserter(out), "  ({} of {})", rows - 1, sorted.size());
  out += '\n';
  LiveMap now;
  std::string key, value;
  const std::size_t key_width = columns > 60 ? columns - 40 : columns / 2;
  for (std::size_t i = sorted.size(); i-- > 0;) {
    const std::int64_t rank = rank_of(plan, sorted.value(i)).value_or(0);
    Bytes raw = sorted.key(i);
    if (rates) now.ranks.emplace_back(std::vector<std::byte>(raw.begin(), raw.end()), rank);
    if (sorted.size() - i >= rows) continue;
    key.clear(), value.clear();
    if (plan.key.kind != Kind::none) append_map_key(plan, raw, names, key);
    append_map_value(plan, sorted.value(i), 1, false, names, value);
    std::string rate;
    if (rates && seconds > 0) {
      auto old = std::ranges::lower_bound(before.ranks, raw, [](const auto& a, Bytes b) { return std::ranges::lexicographical_compare(a, b); }, [](const auto& entry) { return Bytes(entry.first); });
      const std::int64_t was = old != before.ranks.end() && std::ranges::equal(old->first, raw) ? old->second : 0;
      // After clear() a value begins anew.
      rate = rate_text(static_cast<double>(rank < was ? rank : rank - was) / seconds);
    }
    std::string line = fmt::format("  {:<{}} {:>16} {:>12}", on_one_line(key, key_width), key_width, on_one_line(value, columns), rate);
    line.resize(std::min(line.size(), columns));
    while (line.ends_with(' ')) line.pop_back();
    out += line;
    out += '\n';
  }
  std::ranges::sort(now.ranks, {}, [](const auto& entry) -> const std::vector<std::byte>& { return entry.first; });
  before = std::move(now);
}

Result<std::unique_ptr<Watcher>> live_view(const Plan& plan, const LiveOptions& options) {
  if (options.period.count() <= 0) return fail(ErrorKind::invalid_argument, "a live view is drawn every few hundred milliseconds, not every {}", options.period.count());
  return std::make_unique<LiveView>(plan, options);
}

}  // namespace espy::trace::run
