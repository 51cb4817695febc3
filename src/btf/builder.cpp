#include "btf/builder.hpp"

#include <algorithm>
#include <cstring>
#include <ranges>

#include "btf/impl.hpp"

namespace espy::btf {

Builder::Builder(std::shared_ptr<const Btf> base) : base_(std::move(base)) {
  if (base_) {
    next_id_ = base_->type_count();
    start_string_ = base_->string_end();
  } else {
    strings_.push_back('\0');
  }
}

Builder Builder::copy_of(const Btf& btf) {
  Builder builder = strings_of(btf);
  builder.next_id_ = btf.type_count();
  builder.types_.append(btf.type_section());
  return builder;
}

Builder Builder::strings_of(const Btf& btf) {
  Builder builder(btf.base());
  const Bytes strings = btf.string_section();
  builder.strings_.assign(reinterpret_cast<const char*>(strings.data()), strings.size());
  return builder;
}

std::uint32_t Builder::add_string(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  if (text.empty()) return 0;
  // Strings copied from another blob are entered when the first is looked for.
  while (indexed_ < strings_.size()) {
    const std::string_view present(strings_.c_str() + indexed_);
    string_offsets_.try_emplace(std::string(present), start_string_ + static_cast<std::uint32_t>(indexed_));
    indexed_ += present.size() + 1;
  }
  auto [at, added] = string_offsets_.try_emplace(std::string(text), start_string_ + static_cast<std::uint32_t>(strings_.size()));
  if (added) {
    strings_ += text;
    strings_ += '\0';
    indexed_ = strings_.size();
  }
  return at->second;
}

TypeId Builder::add(std::string_view name, Kind kind, bool kind_flag, std::size_t vlen, std::uint32_t size_or_type) {
  types_.write(add_string(name));
  types_.write(info_of(kind, kind_flag, static_cast<std::uint32_t>(std::min<std::size_t>(vlen, kMaxVlen))));
  types_.write(size_or_type);
  return TypeId{next_id_++};
}

TypeId Builder::add_int(std::string_view name, std::uint32_t bytes, IntInfo info) {
  const TypeId id = add(name, Kind::int_, false, 0, bytes);
  const std::uint32_t encoding = (info.is_signed ? 1U : 0U) | (info.is_char ? 2U : 0U) | (info.is_bool ? 4U : 0U);
  types_.write(encoding << 24 | std::uint32_t{info.offset} << 16 | info.bits);
  return id;
}

TypeId Builder::add_float(std::string_view name, std::uint32_t bytes) { return add(name, Kind::float_, false, 0, bytes); }

TypeId Builder::add_ref(Kind kind, std::string_view name, TypeId target, bool attribute) {
  return add(name, kind, attribute, 0, static_cast<std::uint32_t>(target));
}

TypeId Builder::add_array(TypeId element, TypeId index, std::uint32_t count) {
  const TypeId id = add("", Kind::array, false, 0, 0);
  types_.write(static_cast<std::uint32_t>(element));
  types_.write(static_cast<std::uint32_t>(index));
  types_.write(count);
  return id;
}

TypeId Builder::add_struct(Kind struct_or_union, std::string_view name, std::uint32_t bytes, const std::vector<Member>& members) {
  const bool bitfields = std::ranges::any_of(members, [](const Member& member) { return member.bitfield_size != 0; });
  const TypeId id = add(name, struct_or_union, bitfields, members.size(), bytes);
  for (const Member& member : members | std::views::take(kMaxVlen)) {
    types_.write(add_string(member.name));
    types_.write(static_cast<std::uint32_t>(member.type));
    types_.write(bitfields ? member.bitfield_size << 24 | (member.bit_offset & 0xffffff) : member.bit_offset);
  }
  return id;
}

TypeId Builder::add_enum(std::string_view name, std::uint32_t bytes, bool is_signed, const std::vector<Enumerator>& values) {
  const TypeId id = add(name, bytes == 8 ? Kind::enum64 : Kind::enum_, is_signed, values.size(), bytes);
  for (const Enumerator& value : values | std::views::take(kMaxVlen)) {
    types_.write(add_string(value.name));
    types_.write(static_cast<std::uint32_t>(value.value));
    if (bytes == 8) types_.write(static_cast<std::uint32_t>(value.value >> 32));
  }
  return id;
}

TypeId Builder::add_fwd(std::string_view name, bool is_union) { return add(name, Kind::fwd, is_union, 0, 0); }

TypeId Builder::add_func(std::string_view name, TypeId proto, Linkage linkage) {
  return add(name, Kind::func, false, static_cast<std::uint32_t>(linkage), static_cast<std::uint32_t>(proto));
}

TypeId Builder::add_func_proto(TypeId returns, const std::vector<Param>& params) {
  const TypeId id = add("", Kind::func_proto, false, params.size(), static_cast<std::uint32_t>(returns));
  for (const Param& param : params | std::views::take(kMaxVlen)) {
    types_.write(add_string(param.name));
    types_.write(static_cast<std::uint32_t>(param.type));
  }
  return id;
}

TypeId Builder::add_var(std::string_view name, TypeId type, Linkage linkage) {
  const TypeId id = add(name, Kind::var, false, 0, static_cast<std::uint32_t>(type));
  types_.write(static_cast<std::uint32_t>(linkage));
  return id;
}

TypeId Builder::add_datasec(std::string_view name, std::uint32_t bytes, const std::vector<SectionVar>& vars) {
  const TypeId id = add(name, Kind::datasec, false, vars.size(), bytes);
  for (const SectionVar& var : vars | std::views::take(kMaxVlen)) {
    types_.write(static_cast<std::uint32_t>(var.type));
    types_.write(var.offset);
    types_.write(var.size);
  }
  return id;
}

TypeId Builder::add_decl_tag(std::string_view name, TypeId target, std::int32_t component_index, bool attribute) {
  const TypeId id = add(name, Kind::decl_tag, attribute, 0, static_cast<std::uint32_t>(target));
  types_.write(static_cast<std::uint32_t>(component_index));
  return id;
}

TypeId Builder::copy(const Type& type, std::uint32_t from, std::uint32_t delta) {
  const Bytes record = type.record();
  const std::size_t begin = types_.size();
  types_.append(record);
  for_each_reference(record, [&](char meaning, std::size_t offset) {
    auto word = load<std::uint32_t>(record, offset);
    if (meaning == 'n') word = add_string(type.btf().string(word));
    else if (word >= from) word += delta;
    std::memcpy(types_.buffer().data() + begin + offset, &word, sizeof word);
  });
  return TypeId{next_id_++};
}

std::uint32_t Builder::merge(const Btf& other) {
  const std::uint32_t delta = next_id_ - other.start_id();
  for (std::uint32_t id = other.start_id(); id < other.type_count(); ++id) copy(other.type(TypeId{id}), other.start_id(), delta);
  return delta;
}

std::uint32_t Builder::next_id() const { return next_id_; }

std::vector<std::byte> Builder::bytes(Endian endian) const {
  Writer out;
  const auto type_size = static_cast<std::uint32_t>(types_.size()), string_size = static_cast<std::uint32_t>(strings_.size());
  out.write(kMagic);
  out.write(std::uint8_t{1});
  out.write(std::uint8_t{0});
  out.write(kBlobHeaderBytes);
  out.write(std::uint32_t{0});
  out.write(type_size);
  out.write(type_size);
  out.write(string_size);
  out.append(types_.bytes());
  out.append(bytes_of(strings_));
  // What was built from checked records swaps without an error.
  if (endian != Endian::native) (void)swap_blob(out.buffer(), false, "built BTF");
  return std::move(out.buffer());
}

Result<std::shared_ptr<const Btf>> Builder::build(std::string origin) const { return Btf::parse(bytes(), base_, std::move(origin)); }

}  // namespace espy::btf
