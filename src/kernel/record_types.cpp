#include "kernel/record_types.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text.hpp"
#include "kernel/record_sizes.hpp"

namespace espy::kernel {

namespace {

using btf::Btf;
using btf::Kind;
using btf::TypeId;

bool is_struct(Kind kind) { return kind == Kind::struct_ || kind == Kind::union_; }

std::optional<TypeId> find_type(const Btf& btf, std::string_view name) {
  name = trim(name);
  constexpr std::pair<std::string_view, Kind> kKeywords[] = {{"struct ", Kind::struct_}, {"union ", Kind::union_}, {"enum ", Kind::enum_}};
  for (auto [keyword, kind] : kKeywords)
    if (name.starts_with(keyword)) {
      auto type = btf.find(trim(name.substr(keyword.size())), kind);
      return type ? std::optional(type->id()) : std::nullopt;
    }
  for (Kind kind : {Kind::struct_, Kind::typedef_, Kind::union_, Kind::int_, Kind::enum_, Kind::enum64})
    if (auto type = btf.find(name, kind)) return type->id();
  return std::nullopt;
}

std::unexpected<Error> no_such_type(const Btf& btf, std::string_view wanted) {
  std::vector<std::string_view> names;
  for (std::uint32_t id = btf.start_id(); id < btf.type_count(); ++id)
    if (is_struct(btf.type(TypeId{id}).kind())) names.push_back(btf.type(TypeId{id}).name());
  std::string_view bare = wanted.starts_with("struct ") ? trim(wanted.substr(7)) : wanted;
  std::string_view near = nearest(bare, names);
  return std::unexpected(Error{.kind = ErrorKind::not_found, .message = fmt::format("the object has no type `{}`", wanted),
                               .hint = near.empty() ? "`espy show` lists its types" : fmt::format("did you mean `struct {}`?", near)});
}

render::RecordType record_type(const Btf& btf, TypeId id) {
  render::RecordType type{.name = btf.type_name(id), .shape = render::Shape(btf, id), .size = btf.size_of(id).value_or(0)};
  const auto& fields = type.shape.root().fields;
  if (!fields.empty()) {
    const render::ShapeNode& last = type.shape.node(fields.back().node);
    type.open_ended = last.kind == render::ShapeKind::array && last.count == 0;
  }
  return type;
}

// The structs that a line of source names: the words after `struct`.
std::vector<std::string_view> structs_in(std::string_view line) {
  std::vector<std::string_view> names;
  constexpr std::string_view kKeyword = "struct ";
  for (std::size_t at = 0; (at = line.find(kKeyword, at)) != std::string_view::npos;) {
    at += kKeyword.size();
    std::string_view rest = trim(line.substr(at));
    auto end = std::ranges::find_if(rest, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_'; });
    names.push_back(rest.substr(0, static_cast<std::size_t>(end - rest.begin())));
  }
  return names;
}

class Chooser {
 public:
  Chooser(const object::ObjectSpec& object, const object::MapSpec& map) : object_(object), btf_(*object.btf), map_(map) {}

  RecordChoice choose() {
    if (auto type = tagged()) return made({*type}, "a declaration tag on the map");
    if (auto type = type_tagged()) return made({*type}, "a type tag that names the map");
    if (auto type = value_type()) return made({*type}, "the map's value type");
    collect_writes();
    std::vector<TypeId> types;
    std::string reason;
    auto take = [&](std::optional<TypeId> type, std::string_view why) {
      if (!type) return false;
      if (std::ranges::find(types, *type) == types.end()) types.push_back(*type);
      if (reason.empty()) reason = why;
      return true;
    };
    for (std::uint32_t size : sizes_)
      if (!take(named_at_write(size), "the source lines that write it"))
        if (!take(kept_by_pointer(size), "a global pointer that keeps the type"))
          if (!names_what_is_not_here(size)) take(only_of_size(size), "the only struct of the size that is written");
    if (types.empty() && sizes_.empty() && !take(kept_by_pointer(std::nullopt), "a global pointer that keeps the type"))
      take(find_struct("event"), "its name");
    return made(types, types.empty() ? "no type is known: --type MAP=TYPE names it" : reason);
  }

  RecordChoice made(const std::vector<TypeId>& types, std::string reason) const {
    RecordChoice choice{.format = {.map = map_.name}, .reason = std::move(reason)};
    for (TypeId type : types) choice.format.types.push_back(record_type(btf_, type));
    return choice;
  }

 private:
  std::optional<TypeId> find_struct(std::string_view name) const {
    auto type = btf_.find(name, Kind::struct_);
    return type ? std::optional(type->id()) : std::nullopt;
  }

  std::optional<TypeId> tagged() const {
    auto var = btf_.find(map_.name, Kind::var);
    if (!var) return std::nullopt;
    for (std::uint32_t id = btf_.start_id(); id < btf_.type_count(); ++id) {
      btf::Type type = btf_.type(TypeId{id});
      if (type.kind() != Kind::decl_tag || type.target() != var->id()) continue;
      for (std::string_view prefix : {"record:", "event:"})
        if (type.name().starts_with(prefix))
          if (auto found = find_type(btf_, type.name().substr(prefix.size()))) return found;
    }
    return std::nullopt;
  }

  // Type tags stand on what pointers point to: struct event __attribute__((btf_type_tag("record:events"))) *p;
  std::optional<TypeId> type_tagged() const {
    for (std::uint32_t id = btf_.start_id(); id < btf_.type_count(); ++id) {
      btf::Type tag = btf_.type(TypeId{id});
      if (tag.kind() != Kind::type_tag) continue;
      for (std::string_view prefix : {"record:", "event:"})
        if (tag.name().starts_with(prefix) && tag.name().substr(prefix.size()) == map_.name)
          if (btf::Type kept = btf_.resolve(tag.target()); is_struct(kept.kind())) return kept.id();
    }
    return std::nullopt;
  }

  // `__type(value, int)` of a perf event array describes its descriptors.
  std::optional<TypeId> value_type() const {
    if (map_.value_type == btf::kVoid || !btf_.contains(map_.value_type)) return std::nullopt;
    bool plain = btf_.resolve(map_.value_type).kind() == Kind::int_;
    if (plain && map_.type == facts::MapType::perf_event_array) return std::nullopt;
    return map_.value_type;
  }

  void collect_writes() {
    for (const RecordWrite& write : record_writes(object_)) {
      if (&object_.map(write.map) != &map_) continue;
      writes_.push_back(write);
      if (write.size) sizes_.insert(*write.size);
    }
  }

  std::optional<TypeId> of_size(std::string_view name, std::uint32_t size) const {
    auto type = find_struct(name);
    return type && btf_.type(*type).size() == size ? type : std::nullopt;
  }

  // The line of the call first, then every line of the function.
  std::optional<TypeId> named_at_write(std::uint32_t size) const {
    for (const RecordWrite& write : writes_) {
      if (write.size != size) continue;
      std::set<TypeId> named;
      for (const btf::LineInfo& line : write.function->line_info) {
        bool at_call = line.insn <= write.insn;
        for (std::string_view name : structs_in(btf_.string(line.line_text)))
          if (auto type = of_size(name, size)) {
            named.insert(*type);
            if (at_call && line.insn == line_of(write)) return type;
          }
      }
      if (named.size() == 1) return *named.begin();
    }
    return std::nullopt;
  }

  // Does the line of the call name a struct that the BTF lacks? Then another of its size is not it. (Compilers leave out
  // types that only functions use.)
  bool names_what_is_not_here(std::uint32_t size) const {
    for (const RecordWrite& write : writes_)
      for (const btf::LineInfo& line : write.function->line_info) {
        if (write.size != size || line.insn != line_of(write)) continue;
        for (std::string_view name : structs_in(btf_.string(line.line_text)))
          if (!find_struct(name)) return true;
      }
    return false;
  }

  // The instruction at which the call's source line begins.
  static isa::InsnIdx line_of(const RecordWrite& write) {
    isa::InsnIdx latest = 0;
    for (const btf::LineInfo& line : write.function->line_info)
      if (line.insn <= write.insn) latest = std::max(latest, line.insn);
    return latest;
  }

  std::optional<TypeId> kept_by_pointer(std::optional<std::uint32_t> size) const {
    for (std::uint32_t id = btf_.start_id(); id < btf_.type_count(); ++id) {
      btf::Type var = btf_.type(TypeId{id});
      if (var.kind() != Kind::var || var.name().find("unused") == std::string_view::npos) continue;
      btf::Type pointer = btf_.resolve(var.target());
      if (pointer.kind() != Kind::ptr) continue;
      btf::Type kept = btf_.resolve(pointer.target());
      if (is_struct(kept.kind()) && (!size || kept.size() == *size)) return kept.id();
    }
    return std::nullopt;
  }

  // Of several, the one named like a record.
  std::optional<TypeId> only_of_size(std::uint32_t size) const {
    std::vector<TypeId> all, like_records;
    for (std::uint32_t id = btf_.start_id(); id < btf_.type_count(); ++id) {
      btf::Type type = btf_.type(TypeId{id});
      if (type.kind() != Kind::struct_ || type.size() != size || type.name().empty()) continue;
      all.push_back(type.id());
      if (type.name().find("event") != std::string_view::npos) like_records.push_back(type.id());
    }
    if (all.size() == 1) return all.front();
    return like_records.size() == 1 ? std::optional(like_records.front()) : std::nullopt;
  }

  const object::ObjectSpec& object_;
  const Btf& btf_;
  const object::MapSpec& map_;
  std::vector<RecordWrite> writes_;
  std::set<std::uint32_t> sizes_;
};

}  // namespace

bool carries_records(facts::MapType type) { return type == facts::MapType::ringbuf || type == facts::MapType::perf_event_array; }

Result<RecordChoice> choose_record_types(const object::ObjectSpec& object, const object::MapSpec& map, std::string_view wanted) {
  if (!object.btf) {
    if (!wanted.empty()) return fail(ErrorKind::not_found, "the object has no types (BTF), so none is named `{}`", wanted);
    return RecordChoice{.format = {.map = map.name}, .reason = "the object has no types"};
  }
  Chooser chooser(object, map);
  if (wanted.empty()) return chooser.choose();
  auto type = find_type(*object.btf, wanted);
  if (!type) return no_such_type(*object.btf, wanted);
  return chooser.made({*type}, "asked for");
}

}  // namespace espy::kernel
