// The checks that opening leaves out because only foreign bytes need them: what one record says of another.
#include <algorithm>

#include "btf/impl.hpp"

namespace espy::btf {
namespace {

std::unexpected<Error> bad(const Type& type, std::string_view what) {
  return fail(ErrorKind::malformed, "{}: type {} ({} `{}`): {}", type.btf().origin(), static_cast<std::uint32_t>(type.id()),
              to_string(type.kind()), type.name(), what);
}

bool needs_name(Kind kind) {
  return kind == Kind::int_ || kind == Kind::fwd || kind == Kind::typedef_ || kind == Kind::func || kind == Kind::var ||
         kind == Kind::datasec || kind == Kind::float_ || kind == Kind::decl_tag || kind == Kind::type_tag;
}

/// Longer names no compiler makes, not of C++ or Rust types either. Many types may share one name, and who looks at each
/// type's name would look at all of it each time.
constexpr std::size_t kLongestName = 8192;

bool too_long(const Btf& btf, std::uint32_t name) {
  const Btf* owner = &btf;
  while (owner->base() && name < owner->string_end() - owner->string_section().size()) owner = owner->base().get();
  const std::size_t start = owner->string_end() - owner->string_section().size();
  if (name < start || name >= owner->string_end()) return false;
  const Bytes rest = owner->string_section().subspan(name - start);
  return rest.size() > kLongestName && std::memchr(rest.data(), 0, kLongestName + 1) == nullptr;
}

Result<void> check_record(const Type& type, std::uint64_t string_end) {
  if (too_long(type.btf(), load<std::uint32_t>(type.record(), 0))) return fail(ErrorKind::malformed, "{}: type {} has a name longer than {} characters", type.btf().origin(), static_cast<std::uint32_t>(type.id()), kLongestName);
  if (needs_name(type.kind()) && type.name().empty()) return bad(type, "it needs a name");
  if (type.kind() == Kind::int_) {
    const IntInfo info = type.int_info();
    if (info.bits > 128 || info.bits + info.offset > type.size() * 8) return bad(type, fmt::format("{} bits at {} do not fit its {} bytes", info.bits, info.offset, type.size()));
  }
  std::optional<std::uint32_t> type_outside, name_outside;
  const Bytes record = type.record();
  for_each_reference(record, [&](char meaning, std::size_t offset) {
    const auto word = load<std::uint32_t>(record, offset);
    if (meaning == 't' && word >= type.btf().type_count()) type_outside = word;
    if (meaning == 'n' && word != 0 && (word >= string_end || too_long(type.btf(), word))) name_outside = word;
  });
  if (type_outside) return bad(type, fmt::format("it refers to type {}, the last is {}", *type_outside, type.btf().type_count() - 1));
  if (name_outside) return bad(type, fmt::format("it refers to string offset {:#x}, past the strings or longer than {} characters", *name_outside, kLongestName));
  if (type.kind() == Kind::func && type.btf().type(type.target()).kind() != Kind::func_proto) return bad(type, "its type is no func_proto");
  return {};
}

/// Finds a loop that no pointer breaks (a struct inside itself), walking depth first with an own stack.
class Loops {
 public:
  explicit Loops(const Btf& btf) : btf_(btf), state_(btf.type_count(), State::unseen) {}

  Result<void> check() {
    for (std::uint32_t id = btf_.start_id(); id < btf_.type_count(); ++id)
      if (state_[id] == State::unseen) TRY(walk(TypeId{id}));
    return {};
  }

 private:
  enum class State : std::uint8_t { unseen, open, done };
  struct Frame {
    TypeId id;
    std::uint32_t next;
  };

  // The next-th type whose size this one's depends on, or which it merely stands for.
  std::optional<TypeId> part(const Type& type, std::uint32_t index) const {
    switch (type.kind()) {
      case Kind::struct_:
      case Kind::union_: return index < type.vlen() ? std::optional(type.member(index).type) : std::nullopt;
      case Kind::array: return index == 0 ? std::optional(type.array().element) : std::nullopt;
      case Kind::typedef_:
      case Kind::const_:
      case Kind::volatile_:
      case Kind::restrict_:
      case Kind::type_tag:
      case Kind::var:
      case Kind::decl_tag: return index == 0 ? std::optional(type.target()) : std::nullopt;
      default: return std::nullopt;
    }
  }

  Result<void> walk(TypeId root) {
    std::vector<Frame> stack{{root, 0}};
    state_[static_cast<std::uint32_t>(root)] = State::open;
    while (!stack.empty()) {
      Frame& top = stack.back();
      const auto below = part(btf_.type(top.id), top.next++);
      if (!below) {
        state_[static_cast<std::uint32_t>(top.id)] = State::done;
        stack.pop_back();
        continue;
      }
      State& state = state_[static_cast<std::uint32_t>(*below)];
      if (state == State::open) return bad(btf_.type(*below), "it contains itself");
      if (state == State::unseen) state = State::open, stack.push_back({*below, 0});
    }
    return {};
  }

  const Btf& btf_;
  std::vector<State> state_;
};

}  // namespace

Result<void> Btf::validate() const {
  const std::uint32_t count = type_count();
  if (impl_->index_error) return std::unexpected(*impl_->index_error);
  for (std::uint32_t id = start_id(); id < count; ++id) TRY(check_record(type(TypeId{id}), std::uint64_t{impl_->start_string} + impl_->strings.size()));
  return Loops(*this).check();
}

}  // namespace espy::btf
