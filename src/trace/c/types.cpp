#include "trace/c/types.hpp"

#include <algorithm>
#include <limits>

#include "btf/builder.hpp"
#include "trace/c/declare.hpp"
#include "trace/c/preprocess.hpp"

namespace espy::trace::c {

namespace {

bool is_tagged(const CType& type) { return type.kind == btf::Kind::struct_ || type.kind == btf::Kind::union_ || type.kind == btf::Kind::enum_; }

void add_type(btf::Builder& builder, const CType& type, std::span<const btf::TypeId> ids, btf::TypeId index_type) {
  const auto id = [&](TypeIndex index) { return ids[index]; };
  switch (type.kind) {
    case btf::Kind::int_: {
      const btf::IntInfo info{.bits = static_cast<std::uint8_t>(type.size * 8), .is_signed = type.is_signed && !type.is_char, .is_char = false, .is_bool = type.is_bool};
      builder.add_int(type.name, static_cast<std::uint32_t>(type.size), info);
      break;
    }
    case btf::Kind::float_: builder.add_float(type.name, static_cast<std::uint32_t>(type.size)); break;
    case btf::Kind::ptr: case btf::Kind::typedef_: builder.add_ref(type.kind, type.name, id(type.target)); break;
    case btf::Kind::array: builder.add_array(id(type.target), index_type, static_cast<std::uint32_t>(type.count)); break;
    case btf::Kind::struct_: case btf::Kind::union_: {
      if (!type.is_complete) {
        builder.add_fwd(type.name, type.kind == btf::Kind::union_);
        break;
      }
      std::vector<btf::Member> members;
      for (const CMember& it : type.members) members.push_back({it.name, id(it.type), static_cast<std::uint32_t>(it.bit_offset), it.bits});
      builder.add_struct(type.kind, type.name, static_cast<std::uint32_t>(type.size), members);
      break;
    }
    case btf::Kind::enum_: {
      std::vector<btf::Enumerator> values;
      for (const auto& [name, value] : type.enumerators) values.push_back({name, value});
      builder.add_enum(type.name, type.size == 0 ? 4 : static_cast<std::uint32_t>(type.size), type.is_signed, values);
      break;
    }
    default: {
      std::vector<btf::Param> params;
      for (const CMember& it : type.members) params.push_back({it.name, id(it.type)});
      if (type.is_variadic) params.push_back({"", btf::kVoid});
      builder.add_func_proto(id(type.target), params);
      break;
    }
  }
}

std::optional<Constant> constant_of(std::string_view name, Preprocessor& preprocessor, const Macro& macro, Declarations& declarations) {
  const std::vector<Token> body = preprocessor.expanded(macro);
  if (body.empty()) return std::nullopt;
  const bool is_string = std::ranges::all_of(body, [](const Token& token) { return token.kind == TokenKind::string; });
  if (is_string) return Constant{std::string(name), string_value(body)};
  const auto value = declarations.constant(body);
  if (!value) return std::nullopt;
  if (value->is_unsigned) return Constant{std::string(name), value->bits};
  return Constant{std::string(name), static_cast<std::int64_t>(value->bits)};
}

}  // namespace

Result<std::shared_ptr<const btf::Btf>> Declarations::build() const {
  btf::Builder builder(options_.kernel);
  // Everything has its id before it is written, because types name later ones.
  std::vector<btf::TypeId> ids(types_.size(), btf::kVoid);
  std::uint32_t next = builder.next_id();
  for (std::size_t index = 1; index < types_.size(); ++index) {
    const CType& type = types_[index];
    ids[index] = type.foreign;
    if (is_tagged(type) && !type.is_complete && options_.kernel) {
      if (const auto found = options_.kernel->find(type.name, type.kind)) ids[index] = found->id();
    }
    // One that was not understood and has no name is nothing.
    const bool is_nothing = is_tagged(type) && !type.is_complete && type.name.empty();
    if (ids[index] == btf::kVoid && !is_nothing) ids[index] = btf::TypeId{next++};
  }
  const std::uint32_t first = builder.next_id();
  const btf::TypeId index_type{next};
  bool any_array = false;
  for (std::size_t index = 1; index < types_.size(); ++index) {
    if (static_cast<std::uint32_t>(ids[index]) < first) continue;
    any_array |= types_[index].kind == btf::Kind::array;
    add_type(builder, types_[index], ids, index_type);
  }
  if (any_array) builder.add_int("__ARRAY_SIZE_TYPE__", 4, {.bits = 32});
  return builder.build("C of the script");
}

const Constant* CTypes::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(constants, name, {}, [](const Constant& constant) { return std::string_view(constant.name); });
  return found != constants.end() && found->name == name ? &*found : nullptr;
}

CTypes parse(const std::vector<Preamble>& preambles, Sources& sources, const Options& options, Diagnostics& diagnostics) {
  Preprocessor preprocessor(sources, options, diagnostics);
  for (const std::string& path : options.include_files) preprocessor.file(path, {});
  for (const Preamble& preamble : preambles) {
    const bool is_there = sources.text(preamble.at) == preamble.text;
    const auto size = static_cast<std::uint32_t>(preamble.text.size());
    const Span at = is_there ? preamble.at : Span{0, size, sources.add("C", preamble.text)};
    preprocessor.text(sources.source(at.source).text, at, false);
  }
  Declarations declarations(preprocessor.tokens(), options, diagnostics);
  declarations.file();
  CTypes result;
  auto built = declarations.build();
  if (built) {
    result.btf = std::move(*built);
  } else {
    diagnostics.error(preambles.empty() ? Span{} : preambles.front().at, one_line(built.error()));
    const auto empty = btf::Builder().build();
    if (empty) result.btf = *empty;
  }
  for (const auto& [name, value] : declarations.enumerators()) {
    if (value.is_unsigned) result.constants.push_back({name, value.bits});
    else result.constants.push_back({name, static_cast<std::int64_t>(value.bits)});
  }
  for (const auto& [name, macro] : preprocessor.macros()) {
    if (macro.is_function || macro.is_ours || macro.body.empty() || declarations.enumerators().contains(name)) continue;
    if (auto constant = constant_of(name, preprocessor, macro, declarations)) result.constants.push_back(std::move(*constant));
  }
  std::ranges::sort(result.constants, {}, &Constant::name);
  return result;
}

}  // namespace espy::trace::c
