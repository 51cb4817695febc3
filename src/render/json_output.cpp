// The NDJSON output; docs/records.md is its schema.
#include <vector>

#include "base/json.hpp"
#include "render/gather.hpp"
#include "render/output.hpp"

namespace espy::render {

namespace {

std::string compact_hex(Bytes bytes) {
  std::string text = hex(bytes);
  std::erase(text, ' ');
  return text;
}

class JsonOutput final : public Output {
 public:
  JsonOutput(TextSink sink, ValueOptions options) : gather_(std::move(sink)), options_(std::move(options)) {}

  StreamId add_stream(RecordFormat format) override {
    formats_.push_back(std::move(format));
    return StreamId(formats_.size() - 1);
  }

  void record(StreamId stream, Bytes record) override {
    const RecordFormat& format = formats_[static_cast<std::size_t>(stream)];
    const RecordType* type = format.type_of(record.size());
    begin("record").key("map").string(format.map);
    if (format.types.size() > 1 && type != nullptr) json_.key("struct").string(type->name);
    json_.key("data");
    if (type != nullptr) write_json(json_, type->shape, record, options_);
    else json_.begin_object().key("bytes").string(compact_hex(record)).end_object();
    end();
  }

  void lost(std::string_view map, std::uint64_t count) override {
    begin("lost").key("map").string(map).key("count").number(count);
    end();
  }

  void printk(std::string_view task, std::int32_t pid, std::string_view message) override {
    begin("printk").key("comm").string(task).key("pid").number(pid).key("message").string(message);
    end();
  }

  void text(std::string_view program, std::string_view text) override {
    begin("text").key("prog").string(program).key("text").string(text);
    end();
  }

  void map(const MapView& map) override {
    begin("map").key("map").string(map.name).key("entries");
    write_entries(json_, map, options_);
    if (map.truncated) json_.key("truncated").boolean(true);
    end();
  }

  void data(std::string_view section, const Shape& shape, Bytes contents) override {
    begin("data").key("map").string(section).key("data");
    write_json(json_, shape, contents, options_);
    end();
  }

  void test_run(std::string_view program, std::uint32_t retval, std::uint64_t duration_ns) override {
    begin("test_run").key("prog").string(program).key("retval").number(retval).key("duration_ns").number(duration_ns);
    end();
  }

  void error(const Error& error) override {
    begin("error").key("kind").string(to_string(error.kind)).key("message").string(one_line(error));
    json_.key("hint");
    std::string_view hint;
    std::vector<std::string_view> notes;
    for (const Error* e = &error; e != nullptr; e = e->cause.get()) {
      if (hint.empty()) hint = e->hint;
      notes.insert(notes.end(), e->notes.begin(), e->notes.end());
    }
    if (hint.empty()) json_.null();
    else json_.string(hint);
    if (!notes.empty()) {
      json_.key("notes").begin_array();
      for (std::string_view note : notes) json_.string(note);
      json_.end_array();
    }
    end();
  }

  void warning(std::string_view message, std::string_view hint) override {
    begin("warning").key("message").string(message).key("hint");
    if (hint.empty()) json_.null();
    else json_.string(hint);
    end();
  }

  Result<void> flush() override { return gather_.flush(); }

 private:
  JsonWriter& begin(std::string_view type) {
    json_.clear();
    return json_.begin_object().key("type").string(type);
  }
  void end() {
    json_.end_object();
    gather_.add(json_.text());
    gather_.add("\n");
  }

  Gather gather_;
  ValueOptions options_;
  std::vector<RecordFormat> formats_;
  JsonWriter json_;
};

}  // namespace

std::unique_ptr<Output> json_output(TextSink sink, ValueOptions options) {
  return std::make_unique<JsonOutput>(std::move(sink), std::move(options));
}

}  // namespace espy::render
