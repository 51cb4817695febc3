#include "kernel/btf_prepare.hpp"

#include <optional>

#include "btf/kinds.hpp"

namespace espy::kernel {

using btf::Kind;

namespace {

constexpr std::string_view kStandIn = "ksym_function";  // name of the variable that stands for functions in .ksyms
constexpr std::uint32_t kIntSize = 4;

/// The types of a blob, with where each record begins, to be changed in place.
class Patcher {
 public:
  explicit Patcher(const btf::Btf& btf) : btf_(btf) {
    Bytes blob = btf.bytes();
    const std::size_t header = load<std::uint32_t>(blob, 4);
    Bytes types = blob.subspan(header + load<std::uint32_t>(blob, 8), load<std::uint32_t>(blob, 12));
    Bytes strings = blob.subspan(header + load<std::uint32_t>(blob, 16), load<std::uint32_t>(blob, 20));
    types_.assign(types.begin(), types.end());
    strings_.assign(strings.begin(), strings.end());
    for (std::size_t at = 0; at + btf::kHeaderBytes <= types_.size();) {
      offsets_.push_back(at);
      const std::uint32_t info = word(at + 4);
      at += btf::kKinds[kind_of(info)].bytes(info & 0xffff);
    }
  }

  std::vector<std::byte> run() {
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
      const btf::Type type = btf_.type(static_cast<btf::TypeId>(btf_.start_id() + i));
      if (type.kind() == Kind::var && type.linkage() == btf::Linkage::extern_) set(offsets_[i] + 12, static_cast<std::uint32_t>(btf::Linkage::global));
      if (type.kind() == Kind::func && type.linkage() == btf::Linkage::extern_) define_function(i, type);
      if (type.kind() == Kind::datasec && type.name() == ".ksyms") define_ksyms(i, type);
    }
    return blob();
  }

 private:
  static std::size_t kind_of(std::uint32_t info) { return info >> 24 & 0x1f; }
  std::uint32_t word(std::size_t at) const { return load<std::uint32_t>(types_, at); }
  void set(std::size_t at, std::uint32_t value) { std::memcpy(types_.data() + at, &value, sizeof value); }
  std::optional<std::size_t> own(btf::TypeId id) const {
    const auto number = static_cast<std::uint32_t>(id);
    if (number < btf_.start_id() || number - btf_.start_id() >= offsets_.size()) return std::nullopt;
    return number - btf_.start_id();
  }

  // Kernels want every parameter of a defined function to have a name.
  void define_function(std::size_t index, const btf::Type& function) {
    set(offsets_[index] + 4, (word(offsets_[index] + 4) & ~0xffffU) | static_cast<std::uint32_t>(btf::Linkage::global));
    auto proto = own(function.target());
    if (!proto || btf_.type(function.target()).kind() != Kind::func_proto) return;
    const std::uint32_t count = btf_.type(function.target()).vlen();
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t param = offsets_[*proto] + btf::kHeaderBytes + std::size_t{i} * 8;
      if (word(param) == 0 && word(param + 4) != 0) set(param, stand_in_name());
    }
  }

  // A section holds variables only, one behind the other; the values of kernel symbols are not ours to describe.
  void define_ksyms(std::size_t index, const btf::Type& section) {
    const std::uint32_t count = section.vlen();
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t entry = offsets_[index] + btf::kHeaderBytes + std::size_t{i} * 12;
      const auto id = static_cast<btf::TypeId>(word(entry));
      if (!btf_.contains(id)) continue;
      if (btf_.type(id).kind() == Kind::func) set(entry, stand_in());
      else if (auto var = own(id); var && btf_.type(id).kind() == Kind::var) set(offsets_[*var] + 8, int_type());
      set(entry + 4, i * kIntSize);
      set(entry + 8, kIntSize);
    }
    set(offsets_[index] + 8, count * kIntSize);
  }

  std::uint32_t add_string(std::string_view text) {
    const auto offset = static_cast<std::uint32_t>(strings_.size());
    Bytes bytes = bytes_of(text);
    strings_.insert(strings_.end(), bytes.begin(), bytes.end());
    strings_.push_back(std::byte{});
    return offset;
  }
  std::uint32_t stand_in_name() {
    if (stand_in_name_ == 0) stand_in_name_ = add_string(kStandIn);
    return stand_in_name_;
  }
  // Types that are added stand behind the others, whose ids stay.
  std::uint32_t add_type(std::uint32_t name, Kind kind, std::uint32_t third, std::uint32_t fourth) {
    const std::uint32_t words[] = {name, static_cast<std::uint32_t>(kind) << 24, third, fourth};
    Bytes bytes = std::as_bytes(std::span(words));
    types_.insert(types_.end(), bytes.begin(), bytes.end());
    return btf_.type_count() + added_++;
  }
  std::uint32_t int_type() {
    if (int_type_ == 0) {
      auto found = btf_.find("int", Kind::int_);
      constexpr std::uint32_t kSigned32 = 1U << 24 | 32;
      int_type_ = found ? static_cast<std::uint32_t>(found->id()) : add_type(add_string("int"), Kind::int_, kIntSize, kSigned32);
    }
    return int_type_;
  }
  std::uint32_t stand_in() {
    if (stand_in_ == 0) {
      const std::uint32_t type = int_type();
      stand_in_ = add_type(stand_in_name(), Kind::var, type, static_cast<std::uint32_t>(btf::Linkage::global));
    }
    return stand_in_;
  }

  std::vector<std::byte> blob() const {
    Writer writer;
    writer.write(btf::kMagic);
    writer.write(std::uint8_t{1});   // version
    writer.write(std::uint8_t{0});   // flags
    writer.write(btf::kBlobHeaderBytes);
    const auto types = static_cast<std::uint32_t>(types_.size());
    for (std::uint32_t value : {0U, types, types, static_cast<std::uint32_t>(strings_.size())}) writer.write(value);
    writer.append(types_);
    writer.append(strings_);
    return std::move(writer.buffer());
  }

  const btf::Btf& btf_;
  std::vector<std::byte> types_, strings_;
  std::vector<std::size_t> offsets_;   // of each own type's record in types_
  std::uint32_t stand_in_name_ = 0, stand_in_ = 0, int_type_ = 0, added_ = 0;
};

}  // namespace

std::vector<std::byte> prepare_btf(const btf::Btf& btf) { return Patcher(btf).run(); }

}  // namespace espy::kernel
