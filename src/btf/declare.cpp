// A declarator is built from the name outwards while the type is walked from the declared thing to its base: a pointer
// puts `*` in front, an array or a function something behind, in parentheses if a pointer was put in front last.
// Qualifiers met on the way belong to what comes next: to a pointer (`*const p`), else to the base.
#include "btf/declare.hpp"

#include <fmt/format.h>

#include "btf/impl.hpp"

namespace espy::btf {
namespace {

constexpr int kMaxDepth = 48;
// Functions take functions as parameters and so on: hostile bytes can nest them to any length of text.
constexpr int kMaxParams = 4096;
constexpr std::size_t kMaxName = 512;

class Declarator {
 public:
  Declarator(const Btf& btf, const SpellBase& spell, Tags tags) : btf_(btf), spell_(spell), tags_(tags) {}

  std::string declare(TypeId id, std::string text, int depth) {
    std::string qualifiers;  // met since the last pointer, in front-to-back order
    bool pointer_last = false;
    for (int steps = 0; steps < kMaxDepth; ++steps) {
      const Type type = btf_.type(id);
      switch (type.kind()) {
        case Kind::const_: add(qualifiers, "const"), id = type.target(); continue;
        case Kind::volatile_: add(qualifiers, "volatile"), id = type.target(); continue;
        case Kind::restrict_: add(qualifiers, "restrict"), id = type.target(); continue;
        case Kind::type_tag:
          if (tags_ == Tags::kept)
            add(qualifiers, type.kind_flag() ? fmt::format("__attribute__(({}))", type.name().substr(0, kMaxName))
                                             : fmt::format("__attribute__((btf_type_tag(\"{}\")))", type.name().substr(0, kMaxName)));
          id = type.target();
          continue;
        case Kind::ptr: {
          const bool space = !qualifiers.empty() && !text.empty() && text.front() != ')' && text.front() != '[';
          text = "*" + qualifiers + (space ? " " : "") + text;
          qualifiers.clear();
          pointer_last = true;
          id = type.target();
          continue;
        }
        case Kind::array:
          text = parenthesised(std::move(text), pointer_last) + fmt::format("[{}]", type.array().count);
          pointer_last = false;
          id = type.array().element;
          continue;
        case Kind::func_proto:
          text = parenthesised(std::move(text), pointer_last) + "(" + params(type, depth) + ")";
          pointer_last = false;
          qualifiers.clear();  // C has no qualified functions
          id = type.target();
          continue;
        default: return joined(type, qualifiers, text);
      }
    }
    return joined(btf_.type(kVoid), qualifiers, text);
  }

 private:
  // A qualifier that is there already (const of a typedef of const) stays once.
  static void add(std::string& list, std::string_view word) {
    if ((" " + list + " ").find(" " + std::string(word) + " ") == list.npos) list += (list.empty() ? "" : " "), list += word;
  }
  static std::string parenthesised(std::string text, bool pointer_last) { return pointer_last ? "(" + text + ")" : text; }

  std::string joined(const Type& base, const std::string& qualifiers, const std::string& text) const {
    std::string words = base.kind() == Kind::void_ ? "void" : spell_(base);
    // Tags go behind the base, where clang takes them to belong to the pointee; C's own qualifiers in front.
    if (!qualifiers.empty()) words = qualifiers.find("__attribute__") == qualifiers.npos ? qualifiers + " " + words : words + " " + qualifiers;
    if (text.empty()) return words;
    return words + (text.front() == '[' ? "" : " ") + text;
  }

  std::string params(const Type& proto, int depth) {
    if (depth >= 8 || params_ > kMaxParams) return "";
    const std::uint32_t count = proto.vlen();
    if (count == 0) return "void";
    std::string text;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Param param = proto.param(i);
      if (i != 0) text += ", ";
      if (++params_ > kMaxParams) return text + "...";
      text += param.type == kVoid && i + 1 == count && i != 0 ? "..." : declare(param.type, std::string(param.name.substr(0, kMaxName)), depth + 1);
    }
    return text == "void" || count != 1 || proto.param(0).type != kVoid ? text : "void";
  }

  const Btf& btf_;
  const SpellBase& spell_;
  Tags tags_;
  int params_ = 0;
};

}  // namespace

std::string declare(const Btf& btf, TypeId id, std::string_view name, const SpellBase& spell, Tags tags) {
  return Declarator(btf, spell, tags).declare(id, std::string(name), 0);
}

std::string spell_by_name(const Type& type) {
  std::string_view word;
  switch (type.kind()) {
    case Kind::struct_: word = "struct "; break;
    case Kind::union_: word = "union "; break;
    case Kind::enum_:
    case Kind::enum64: word = "enum "; break;
    case Kind::fwd: word = type.is_union_fwd() ? "union " : "struct "; break;
    default: break;
  }
  return fmt::format("{}{}", word, type.name().empty() && !word.empty() ? "{...}" : type.name().substr(0, kMaxName));
}

std::string Btf::type_name(TypeId id) const { return declare(*this, id, "", spell_by_name, Tags::dropped); }

}  // namespace espy::btf
