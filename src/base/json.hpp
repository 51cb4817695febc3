// Writes JSON into a growing buffer: one pass, no tree. Used for every line of machine output.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace espy {

/// Appends text to `out` as a JSON string, quotes and all; bytes that are not UTF-8 are replaced by U+FFFD.
void append_json_string(std::string_view text, std::string& out);

/// A streaming JSON writer. Commas and quoting are its business; nesting is the caller's.
///   JsonWriter json;
///   json.begin_object().key("type").string("record").key("n").number(3).end_object();
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);  ///< bytes that are not UTF-8 are replaced by U+FFFD
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& number(std::int32_t value) { return number(std::int64_t{value}); }
  JsonWriter& number(std::uint32_t value) { return number(std::uint64_t{value}); }
  JsonWriter& number(double value);  ///< NaN and infinities become null: JSON has none
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& raw(std::string_view json);  ///< a value that is JSON already

  const std::string& text() const { return text_; }
  void clear() { text_.clear(), need_comma_ = false; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace espy
