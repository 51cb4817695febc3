#include <array>
#include <iterator>

#include "ir/text.hpp"

namespace espy::ir {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"none", "i1", "i32", "i64", "ptr"};
constexpr std::array<std::string_view, 11> kSpaces = {"none",  "stack",  "ctx",    "map_value", "packet", "packet_end",
                                                      "arena", "kernel", "memory", "map",       "code"};

bool plain(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '$'; };
  if (name.empty() || !letter(name.front())) return false;
  for (char c : name)
    if (!letter(c) && !(c >= '0' && c <= '9')) return false;
  return true;
}

std::string quoted(std::string_view name) {
  if (plain(name)) return std::string(name);
  std::string out = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20)
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

/// Writes one function. Numbers are given to values, blocks and slots as they are defined.
class Printer {
 public:
  Printer(const Module& module, const Function& function, std::string& out) : m_(module), f_(function), out_(out) {
    number();
  }

  void run() {
    header();
    for (std::size_t i = 0; i < f_.slots.size(); ++i) {
      if (slots_[i] == kNoId) continue;
      put("  slot s{} {}", slots_[i], f_.slots[i].size);
      if (f_.slots[i].align != 8) put(" align {}", f_.slots[i].align);
      out_ += '\n';
    }
    for (BlockId id : f_.order) block(id);
    out_ += "}\n";
  }

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void number() {
    values_.assign(f_.insts.size(), kNoId);
    blocks_.assign(f_.blocks.size(), kNoId);
    std::uint32_t value = 0, block = 0;
    for (BlockId id : f_.order) {
      blocks_[index_of(id)] = block++;
      for (ValueId param : f_[id].params) values_[index_of(param)] = value++;
      for (ValueId inst : f_[id].insts)
        if (f_.type_of(inst) != kNoType) values_[index_of(inst)] = value++;
    }
    // Slots that nothing refers to are gone.
    slots_.assign(f_.slots.size(), kNoId);
    auto see = [&](std::span<const ValueId> list) {
      for (ValueId v : list)
        if (f_[v].is(Op::stack_addr)) slots_[f_[v].extra] = 0;
    };
    for (BlockId id : f_.order)
      for (ValueId inst : f_[id].insts) {
        see(f_.operands(inst));
        for (const Edge& edge : f_.edges_of(f_[inst])) see(f_.arguments(edge));
      }
    std::uint32_t slot = 0;
    for (std::uint32_t& number : slots_)
      if (number != kNoId) number = slot++;
  }

  void header() {
    if (f_.role == Role::callback) out_ += "callback ";
    if (f_.role == Role::subprogram) out_ += "subprogram ";
    put("func {}(", quoted(f_.name));
    params(f_.params());
    out_ += ')';
    if (f_.result != kNoType) put(" -> {}", to_string(f_.result));
    if (f_.cold) out_ += " cold";
    out_ += " {\n";
  }

  void params(std::span<const ValueId> list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      put("{}v{}:{}", i == 0 ? "" : ", ", values_[index_of(list[i])], to_string(f_.type_of(list[i])));
      fact(list[i]);
    }
  }

  void fact(ValueId id) {
    const Fact* fact = f_.fact(id);
    if (fact == nullptr || *fact == Fact{}) return;
    std::string words;
    if (fact->umin != 0 || fact->umax != ~std::uint64_t{0}) words += fmt::format(" {}..{}", fact->umin, fact->umax);
    if (fact->zeros != 0) words += fmt::format(" zeros={:#x}", fact->zeros);
    if (fact->ones != 0) words += fmt::format(" ones={:#x}", fact->ones);
    if (fact->non_null) words += " non_null";
    put(" {{{}}}", std::string_view(words).substr(1));
  }

  void block(BlockId id) {
    const Block& block = f_[id];
    put("b{}", blocks_[index_of(id)]);
    if (id != f_.entry() && !block.params.empty()) {
      out_ += '(';
      params(block.params);
      out_ += ')';
    }
    out_ += block.cold ? ": cold\n" : ":\n";
    for (ValueId inst : block.insts) instruction(inst);
  }

  void instruction(ValueId id) {
    const Inst& inst = f_[id];
    out_ += "  ";
    if (inst.type != kNoType) put("v{}:{} = ", values_[index_of(id)], to_string(inst.type));
    out_ += to_string(inst.op);
    if (has(inst.op, kHasWidth)) put(".{}", inst.width);
    for (unsigned bit = 0; bit < std::size(kFlagNames); ++bit)
      if ((inst.flags >> bit & 1) != 0) put(".{}", kFlagNames[bit]);
    if (has(inst.op, kCall))
      call(inst);
    else
      operands(inst);
    edges(inst);
    if (inst.mark != Mark{}) put(" @{}", index_of(inst.mark));
    fact(id);
    out_ += '\n';
  }

  void call(const Inst& inst) {
    auto number = static_cast<std::uint32_t>(inst.imm);
    if (inst.is(Op::call_helper))
      put(" {}(", number);
    else
      put(" {}(", quoted(inst.is(Op::call) ? m_.functions[number].name : m_.externs[number].name));
    list(f_.operands(inst));
    out_ += ')';
  }

  void operands(const Inst& inst) {
    std::span<const ValueId> all = f_.operands(inst);
    if (!all.empty()) out_ += ' ';
    if (has(inst.op, kHasOffset)) {
      out_ += '[';
      value(all[0]);
      if (inst.imm != 0) put("{:+}", inst.imm);
      out_ += all.size() > 1 ? "], " : "]";
      all = all.subspan(1);
    }
    list(all);
    if (inst.is(Op::copy) || inst.is(Op::zero)) put(", {}", inst.imm);
  }

  void edges(const Inst& inst) {
    std::span<const Edge> all = f_.edges_of(inst);
    if (inst.is(Op::switch_)) {
      for (const Edge& one : all.first(all.size() - 1)) {
        put(", {} ", one.value);
        edge(one);
      }
      out_ += ", else ";
      edge(all.back());
      return;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      out_ += inst.is(Op::jump) ? " " : ", ";
      edge(all[i]);
    }
  }

  void edge(const Edge& edge) {
    put("b{}", blocks_[index_of(edge.to)]);
    if (edge.argument_count == 0) return;
    out_ += '(';
    list(f_.arguments(edge));
    out_ += ')';
  }

  void list(std::span<const ValueId> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i != 0) out_ += ", ";
      value(values[i]);
    }
  }

  void value(ValueId id) {
    const Inst& inst = f_[id];
    auto offset = [&] {
      if (inst.imm != 0) put("{:+}", inst.imm);
    };
    switch (inst.op) {
      case Op::constant:
        if (inst.type.is_ptr())
          put("null:{}", to_string(inst.type));
        else if (inst.type == kI64)
          put("{}", inst.imm);
        else
          put("{}:{}", inst.imm, to_string(inst.type));
        break;
      case Op::stack_addr: put("s{}", slots_[inst.extra]), offset(); break;
      case Op::map: put("map({})", quoted(m_.maps[inst.extra])); break;
      case Op::map_value: put("value({}", quoted(m_.maps[inst.extra])), offset(), out_ += ')'; break;
      case Op::func_addr: put("func({})", quoted(m_.functions[inst.extra].name)); break;
      case Op::extern_addr: put("extern({}):{}", quoted(m_.externs[inst.extra].name), to_string(inst.type)); break;
      default: put("v{}", values_[index_of(id)]);
    }
  }

  const Module& m_;
  const Function& f_;
  std::string& out_;
  std::vector<std::uint32_t> values_, blocks_, slots_;   // number by id; kNoId: not printed
};

}  // namespace

std::string_view to_string(Type type) {
  return type.is_ptr() ? kSpaces[std::to_underlying(type.space)] : kKinds[std::to_underlying(type.kind)];
}

std::optional<Type> find_type(std::string_view name) {
  for (std::size_t i = 1; i < kSpaces.size(); ++i) {
    if (i < 4 && kKinds[i] == name) return Type{static_cast<Kind>(i)};
    if (kSpaces[i] == name) return ptr(static_cast<Space>(i));
  }
  return std::nullopt;
}

std::string print(const Module& module, const Function& function) {
  std::string out;
  Printer(module, function, out).run();
  return out;
}

std::string print(const Module& module) {
  std::string out;
  for (const std::string& map : module.maps) out += fmt::format("map {}\n", quoted(map));
  for (const Extern& external : module.externs)
    out += fmt::format("{} {}\n", external.kind == ExternKind::kfunc ? "kfunc" : "variable", quoted(external.name));
  for (const Function& function : module.functions) {
    if (!out.empty()) out += '\n';
    Printer(module, function, out).run();
  }
  return out;
}

}  // namespace espy::ir
