// Text that gathers until it is worth a write.
#pragma once

#include <string>
#include <utility>

#include "render/output.hpp"

namespace espy::render {

class Gather {
 public:
  explicit Gather(TextSink sink) : sink_(std::move(sink)) {}

  void add(std::string_view text) {
    if (closed_) return;
    text_ += text;
    if (text_.size() >= kEnough) written_ = flush();
  }
  Result<void> flush() {
    if (!written_) return std::exchange(written_, Result<void>{});
    if (closed_ || text_.empty()) return {};
    Result<void> result = sink_(text_);
    text_.clear();
    closed_ = !result;
    return result;
  }

 private:
  static constexpr std::size_t kEnough = 1 << 16;
  TextSink sink_;
  std::string text_;
  Result<void> written_;   // by an add that had to write; told by the next flush
  bool closed_ = false;
};

}  // namespace espy::render
