// Format files of tracepoints, "events/CATEGORY/NAME/format" in tracefs:
//
//   name: sched_switch
//   ID: 372
//   format:
//   <TAB>field:unsigned short common_type;<TAB>offset:0;<TAB>size:2;<TAB>signed:0;
//   ...
//   <blank>
//   <TAB>field:char prev_comm[16];<TAB>offset:8;<TAB>size:16;<TAB>signed:0;
//   ...
//   print fmt: "prev_comm=%s …", REC->prev_comm, …
//
// A `__data_loc` field is a u32: the data's offset from the record's start in its low half, its length in the high one;
// `__rel_loc` counts from the end of that u32. Field names may be C words ("int", in old kernels); array lengths may be
// enumerators' names, so sizes are what is believed.
#include <algorithm>
#include <limits>
#include <map>

#include "base/text.hpp"
#include "btf/builder.hpp"
#include "trace/probes/arguments.hpp"

namespace espy::trace::probes {

namespace {

constexpr std::uint32_t kLargestRecord = 1 << 16;   // a perf record's size has 16 bits

// "offset:8" of a line's parts.
template <typename T>
Result<T> number_after(std::string_view part, std::string_view key, std::string_view line) {
  part = trim(part);
  if (part.starts_with(key))
    if (auto value = parse_number<T>(part.substr(key.size()))) return *value;
  return fail(ErrorKind::malformed, "format of a tracepoint: `{}` has no {} where it is due", line, key.substr(0, key.size() - 1));
}

// "const char * name" → type and name; "char comm[16]" → "char[16]", "comm"; "__data_loc char[] name".
Result<RecordField> declared(std::string_view declaration, std::string_view line) {
  RecordField field;
  declaration = trim(declaration);
  for (auto [prefix, kind] : {std::pair{std::string_view("__data_loc "), RecordField::Dynamic::from_start}, {"__rel_loc ", RecordField::Dynamic::from_field}})
    if (declaration.starts_with(prefix)) declaration = trim(declaration.substr(prefix.size())), field.dynamic = kind;
  std::string_view suffix;
  if (declaration.ends_with(']') && field.dynamic == RecordField::Dynamic::no) {
    std::size_t bracket = declaration.find('[');
    if (bracket == declaration.npos) return fail(ErrorKind::malformed, "format of a tracepoint: `{}` ends an array that it does not begin", line);
    suffix = declaration.substr(bracket);
    declaration = trim(declaration.substr(0, bracket));
  }
  std::size_t end_of_type = declaration.find_last_of(" *]");
  if (end_of_type == declaration.npos) return fail(ErrorKind::malformed, "format of a tracepoint: `{}` has no type", line);
  field.name = declaration.substr(end_of_type + 1);
  field.spelling = fmt::format("{}{}", trim(declaration.substr(0, end_of_type + 1)), suffix);
  if (field.name.empty()) return fail(ErrorKind::malformed, "format of a tracepoint: `{}` has no name", line);
  return field;
}

}  // namespace

Result<std::vector<RecordField>> parse_format(std::string_view text) {
  std::vector<RecordField> fields;
  bool is_format = false;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line == "format:") is_format = true;
    if (line.starts_with("print fmt:")) break;
    if (!line.starts_with("field:")) continue;
    auto parts = split(line.substr(6), ';');
    if (parts.size() < 3) return fail(ErrorKind::malformed, "format of a tracepoint: `{}` is cut off", line);
    RecordField field = TRY(declared(parts[0], line));
    field.offset = TRY(number_after<std::uint32_t>(parts[1], "offset:", line));
    field.size = TRY(number_after<std::uint32_t>(parts[2], "size:", line));
    if (parts.size() > 3 && !trim(parts[3]).empty()) field.is_signed = TRY(number_after<std::uint32_t>(parts[3], "signed:", line)) != 0;
    if (field.offset > kLargestRecord || field.size > kLargestRecord)
      return fail(ErrorKind::malformed, "format of a tracepoint: `{}` is outside the record", line);
    if (field.dynamic != RecordField::Dynamic::no && field.size != 4)
      return fail(ErrorKind::malformed, "format of a tracepoint: `{}` is not the 4 bytes that say where its data is", line);
    if (!field.name.starts_with("common_")) fields.push_back(std::move(field));
  }
  if (!is_format) return fail(ErrorKind::malformed, "this is no format of a tracepoint");
  return fields;
}

namespace {

// Gives C spellings types: those of the base by name, plain integers where it has none, pointers and arrays on top.
class Typer {
 public:
  explicit Typer(std::shared_ptr<const btf::Btf> base) : base_(base), builder_(base) {}

  btf::TypeId of(const RecordField& field) {
    std::string_view spelling = field.spelling;
    if (field.dynamic != RecordField::Dynamic::no) {
      if (spelling.ends_with("[]")) spelling.remove_suffix(2);
      return builder_.add_array(named(spelling, 0, field.is_signed), index_type(), 0);
    }
    if (std::size_t bracket = spelling.find('['); bracket != spelling.npos) {
      btf::TypeId element = named(spelling.substr(0, bracket), 0, field.is_signed);
      std::uint32_t bytes = size_of(element);
      return builder_.add_array(element, index_type(), bytes == 0 ? 0 : field.size / bytes);
    }
    return named(spelling, field.size, field.is_signed);
  }

  Result<std::shared_ptr<const btf::Btf>> build() { return builder_.build("format of a tracepoint"); }

 private:
  // A type by its C words. `size` is the field's, which counts more than the words: a system call's `int fd` has 8 bytes.
  // 0: not known.
  btf::TypeId named(std::string_view words, std::uint32_t size, bool is_signed) {
    words = trim(words);
    if (words.ends_with('*')) {
      words.remove_suffix(1);
      // "const" behind a star is of the pointer itself.
      return builder_.add_ref(btf::Kind::ptr, "", pointee(words));
    }
    for (std::string_view suffix : {"* const", "*const"})
      if (words.ends_with(suffix)) return named(words.substr(0, words.size() - suffix.size() + 1), size, is_signed);
    auto known = find(words);
    if (known && (size == 0 || size_of(*known) == size)) return *known;
    if (known && !is_integer(*known)) known.reset();
    return integer(size != 0 ? size : 1, is_signed || (known && is_signed_type(*known)));
  }

  btf::TypeId pointee(std::string_view words) {
    words = trim(words);
    // `const char *const *`: the qualifier of the pointer that is pointed to.
    if (words.ends_with("const") && trim(words.substr(0, words.size() - 5)).ends_with('*')) words = trim(words.substr(0, words.size() - 5));
    if (words.ends_with('*')) return named(words, 8, false);
    if (without_qualifiers(words) == "void") return btf::kVoid;
    auto known = find(words);
    return known ? *known : btf::kVoid;
  }

  static std::string without_qualifiers(std::string_view words) {
    std::string kept;
    for (std::string_view word : split_words(words)) {
      if (word == "const" || word == "volatile" || word == "__seg_gs" || word == "__user" || word == "__rcu" || word == "__percpu") continue;
      if (!kept.empty()) kept += ' ';
      kept += word;
    }
    return kept;
  }

  std::optional<btf::TypeId> find(std::string_view words) {
    std::string name = without_qualifiers(words);
    if (auto it = found_.find(name); it != found_.end()) return it->second;
    std::optional<btf::TypeId> id = look_up(name);
    found_.emplace(name, id);
    return id;
  }

  std::optional<btf::TypeId> look_up(std::string_view name) {
    struct CWord { std::string_view word, as_btf; std::uint32_t bytes; bool is_signed; bool is_char = false; };
    static constexpr CWord kWords[] = {
        {"char", "char", 1, true, true}, {"signed char", "signed char", 1, true}, {"unsigned char", "unsigned char", 1, false}, {"short", "short int", 2, true},
        {"short int", "short int", 2, true}, {"unsigned short", "short unsigned int", 2, false}, {"int", "int", 4, true}, {"signed", "int", 4, true},
        {"unsigned", "unsigned int", 4, false}, {"unsigned int", "unsigned int", 4, false}, {"long", "long int", 8, true}, {"long int", "long int", 8, true},
        {"unsigned long", "long unsigned int", 8, false}, {"unsigned long int", "long unsigned int", 8, false}, {"long long", "long long int", 8, true},
        {"long long int", "long long int", 8, true}, {"unsigned long long", "long long unsigned int", 8, false}, {"long long unsigned int", "long long unsigned int", 8, false}};
    for (const CWord& c : kWords) {
      if (c.word != name) continue;
      if (base_) if (auto type = base_->find(c.as_btf, btf::Kind::int_)) return type->id();
      btf::TypeId id = builder_.add_int(c.as_btf, c.bytes, {.bits = static_cast<std::uint8_t>(c.bytes * 8), .is_signed = c.is_signed, .is_char = c.is_char});
      own_.emplace(static_cast<std::uint32_t>(id), Own{c.bytes, c.is_signed});
      return id;
    }
    if (!base_) return std::nullopt;
    for (auto [prefix, kind] : {std::pair{std::string_view("struct "), btf::Kind::struct_}, {"union ", btf::Kind::union_}, {"enum ", btf::Kind::enum_}}) {
      if (!name.starts_with(prefix)) continue;
      if (auto type = base_->find(name.substr(prefix.size()), kind)) return type->id();
      return std::nullopt;
    }
    for (btf::Kind kind : {btf::Kind::typedef_, btf::Kind::int_})
      if (auto type = base_->find(name, kind)) return type->id();
    return std::nullopt;
  }

  bool is_integer(btf::TypeId id) const {
    btf::Kind kind = base_ && base_->contains(id) ? base_->resolve(id).kind() : btf::Kind::int_;
    return kind == btf::Kind::int_ || kind == btf::Kind::enum_;
  }
  bool is_signed_type(btf::TypeId id) const {
    if (auto own = own_.find(static_cast<std::uint32_t>(id)); own != own_.end()) return own->second.is_signed;
    return base_ && base_->resolve(id).is_signed();
  }
  std::uint32_t size_of(btf::TypeId id) const {
    if (auto own = own_.find(static_cast<std::uint32_t>(id)); own != own_.end()) return own->second.bytes;
    auto size = base_ && base_->contains(id) ? base_->size_of(id) : Result<std::uint32_t>(0);
    return size.value_or(0);
  }
  btf::TypeId integer(std::uint32_t bytes, bool is_signed) {
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
      return builder_.add_array(integer(1, false), index_type(), bytes);
    auto& id = integers_[{bytes, is_signed}];
    if (!id) {
      id = builder_.add_int(fmt::format("{}{}", is_signed ? 's' : 'u', bytes * 8), bytes, {.bits = static_cast<std::uint8_t>(bytes * 8), .is_signed = is_signed});
      own_.emplace(static_cast<std::uint32_t>(*id), Own{bytes, is_signed});
    }
    return *id;
  }
  btf::TypeId index_type() { return integer(4, false); }

  std::shared_ptr<const btf::Btf> base_;
  btf::Builder builder_;
  std::map<std::string, std::optional<btf::TypeId>, std::less<>> found_;
  std::map<std::pair<std::uint32_t, bool>, std::optional<btf::TypeId>> integers_;
  struct Own { std::uint32_t bytes; bool is_signed; };
  std::map<std::uint32_t, Own> own_;   // integers made here
};

Source source_of(const RecordField& field) {
  switch (field.dynamic) {
    case RecordField::Dynamic::no: return InContext{field.offset};
    case RecordField::Dynamic::from_start: return Located{field.offset, 0};
    case RecordField::Dynamic::from_field: return Located{field.offset, field.offset + 4};
  }
  return InContext{field.offset};
}

}  // namespace

Result<ArgumentSet> typed(const std::vector<RecordField>& fields, std::shared_ptr<const btf::Btf> base) {
  Typer typer(std::move(base));
  ArgumentSet set;
  for (const RecordField& field : fields)
    set.arguments.push_back({.name = field.name, .spelling = field.spelling, .type = typer.of(field), .size = field.size,
                             .is_signed = field.is_signed, .source = source_of(field)});
  set.btf = TRY(typer.build());
  // The file says of a widened `int` that it is not signed; its type does.
  for (Argument& argument : set.arguments) argument.is_signed = argument.is_signed || set.btf->resolve(argument.type).is_signed();
  return set;
}

}  // namespace espy::trace::probes
