// The order of a header. C wants a type defined before it is used by value, a typedef or enum before it is used at all,
// and a struct named in a parameter list declared before it (a declaration inside the list would be local to it).
// Everything else, such as a pointer to a struct in a member, declares itself. So one walk in order of ids, depth first
// into what each type needs, yields an order; a loop can only be hostile, and is left as it is.
#include "btf/print.hpp"

#include <fmt/format.h>

#include <unordered_set>

#include "btf/print_types.hpp"

namespace espy::btf {
namespace {

constexpr int kMaxDepth = 400;  // nested needs; real ones reach about 30

constexpr std::string_view kHead = R"(#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

)";
constexpr std::string_view kKfuncHead = R"(
#ifndef BPF_NO_KFUNC_PROTOTYPES
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif

)";
constexpr std::string_view kKfuncTail = "#endif\n";
constexpr std::string_view kTail = R"(
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
)";
// bool, false and true are words of C since 2023.
constexpr std::string_view kBeforeC23 = "#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 202311L\n";

enum class Need : bool { declared, complete };

class HeaderPrinter {
 public:
  explicit HeaderPrinter(const Btf& btf) : btf_(btf), printer_(btf, Names(btf)), state_(btf.type_count(), State::none) {}

  std::string all(Kfuncs kfuncs) {
    text_ = kHead;
    for (std::uint32_t id = btf_.start_id(); id < btf_.type_count(); ++id) top_level(btf_.type(TypeId{id}));
    if (kfuncs == Kfuncs::declared) declare_kfuncs();
    text_ += kTail;
    return std::move(text_);
  }

 private:
  enum class State : std::uint8_t { none, forward, open, done };

  State& state(const Type& type) { return state_[static_cast<std::uint32_t>(type.id())]; }

  void top_level(const Type& type) {
    switch (type.kind()) {
      case Kind::struct_:
      case Kind::union_:
        if (!type.name().empty()) need(type.id(), Need::complete, false, 0);
        return;
      case Kind::enum_:
      case Kind::enum64:
        if (!type.name().empty()) return need(type.id(), Need::complete, false, 0);
        // Anonymous: its enumerators are constants in their own right, unless a typedef or member has them already.
        if (type.vlen() != 0 && !referenced(type)) define(type, 0);
        return;
      case Kind::fwd: return need(type.id(), Need::declared, true, 0);
      case Kind::typedef_: return need(type.id(), Need::declared, false, 0);
      default: return;
    }
  }

  // Is this anonymous type part of another's text? Found for all types at the first question.
  bool referenced(const Type& type) {
    if (referenced_.empty()) {
      referenced_.resize(btf_.type_count());
      auto note = [&](TypeId id) {
        if (btf_.contains(id)) referenced_[static_cast<std::uint32_t>(id)] = true;
      };
      for (std::uint32_t id = 1; id < btf_.type_count(); ++id) {
        const Type user = btf_.type(TypeId{id});
        if (user.kind() != Kind::var && user.kind() != Kind::decl_tag) note(user.target());
        note(user.array().element);
        for (std::uint32_t i = 0; i < user.vlen(); ++i) {
          note(user.member(i).type);
          note(user.param(i).type);
        }
      }
    }
    return referenced_[static_cast<std::uint32_t>(type.id())];
  }

  void need(TypeId id, Need how, bool in_parameters, int depth) {
    if (depth > kMaxDepth) return;
    const Type type = btf_.type(id);
    switch (type.kind()) {
      case Kind::ptr: return need(type.target(), Need::declared, in_parameters, depth + 1);
      case Kind::const_:
      case Kind::volatile_:
      case Kind::restrict_:
      case Kind::type_tag: return need(type.target(), how, in_parameters, depth + 1);
      case Kind::array: return need(type.array().element, Need::complete, in_parameters, depth + 1);
      case Kind::func_proto:
        if (state(type) != State::none) return;
        state(type) = State::done;
        for (std::uint32_t i = 0; i < type.vlen(); ++i) need(type.param(i).type, Need::declared, true, depth + 1);
        return need(type.target(), Need::declared, true, depth + 1);
      case Kind::int_:
      case Kind::float_:
        if (state(type) == State::none && !is_c_word(type.name())) line(printer_.alias(type), type);
        return;
      case Kind::enum_:
      case Kind::enum64:
        if (!type.name().empty() && state(type) == State::none) define(type, depth);
        return;
      case Kind::struct_:
      case Kind::union_: return need_composite(type, how, in_parameters, depth);
      case Kind::fwd:
        if (in_parameters) forward(type);
        return;
      case Kind::typedef_:
        alias(type, depth);
        if (how == Need::complete) need(type.target(), how, in_parameters, depth + 1);
        return;
      default: return;
    }
  }

  void need_composite(const Type& type, Need how, bool in_parameters, int depth) {
    if (type.name().empty()) {
      // It will be expanded where it is used; what it needs is there after the first time.
      if (state(type) != State::none) return;
      state(type) = State::done;
      for (std::uint32_t i = 0; i < type.vlen(); ++i) need(type.member(i).type, Need::complete, false, depth + 1);
    } else if (how == Need::complete) {
      if (state(type) == State::none || state(type) == State::forward) define(type, depth);
    } else if (in_parameters) {
      forward(type);
    }
  }

  void forward(const Type& type) {
    if (type.name().empty() || state(type) == State::forward || state(type) == State::done) return;
    const std::string text = printer_.tag(type);
    if (state(type) == State::none) state(type) = State::forward;
    if (!forwarded_.insert(text).second) return;
    text_ += text + ";\n\n";
  }

  void define(const Type& type, int depth) {
    state(type) = State::open;
    for (std::uint32_t i = 0; i < type.vlen(); ++i) {
      const Member member = type.member(i);
      if (member.type != kVoid) need(member.type, Need::complete, false, depth + 1);
    }
    bool keyword = false;
    for (std::uint32_t i = 0; i < type.vlen(); ++i) {
      const std::string_view name = type.enumerator(i).name;
      keyword = keyword || name == "true" || name == "false";
    }
    const std::string body = printer_.body(type, 0);
    text_ += keyword ? fmt::format("{}{};\n#endif\n\n", kBeforeC23, body) : body + ";\n\n";
    state(type) = State::done;
  }

  void alias(const Type& type, int depth) {
    if (state(type) != State::none) return;
    state(type) = State::open;
    need(type.target(), Need::declared, false, depth + 1);
    if (type.name() == "bool") text_ += kBeforeC23;
    line(printer_.alias(type), type);
    if (type.name() == "bool") text_ += "#endif\n\n";
  }

  void line(const std::string& text, const Type& type) {
    state(type) = State::done;
    text_ += text + ";\n\n";
  }

  void declare_kfuncs() {
    std::vector<Type> functions;
    for (std::uint32_t id = 1; id < btf_.type_count(); ++id) {
      const Type tag = btf_.type(TypeId{id});
      if (tag.kind() != Kind::decl_tag || tag.name() != "bpf_kfunc" || tag.component_index() != -1) continue;
      const Type function = btf_.type(tag.target());
      if (function.kind() != Kind::func || printer_.names().taken(function.name())) continue;
      printer_.names().take(function.name());
      functions.push_back(function);
      need(function.target(), Need::declared, false, 0);
    }
    text_ += kKfuncHead;
    for (const Type& function : functions)
      text_ += fmt::format("extern {} __weak __ksym;\n", printer_.declaration(function.target(), identifier(function.name())));
    text_ += kKfuncTail;
  }

  const Btf& btf_;
  TypePrinter printer_;
  std::vector<State> state_;
  std::vector<bool> referenced_;
  std::unordered_set<std::string> forwarded_;
  std::string text_;
};

}  // namespace

std::string declaration(const Btf& btf, TypeId id, std::string_view name) { return TypePrinter(btf, Names()).declaration(id, name); }

std::string definition(const Btf& btf, TypeId id) {
  const Type type = btf.type(id);
  TypePrinter printer(btf, Names{});
  switch (type.kind()) {
    case Kind::struct_:
    case Kind::union_:
    case Kind::enum_:
    case Kind::enum64: return printer.body(type, 0) + ";";
    case Kind::typedef_: return printer.alias(type) + ";";
    case Kind::fwd: return printer.tag(type) + ";";
    default: return "";
  }
}

std::string header(const Btf& btf, Kfuncs kfuncs) { return HeaderPrinter(btf).all(kfuncs); }

}  // namespace espy::btf
