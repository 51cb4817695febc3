#include <unordered_map>

#include "base/text.hpp"
#include "ir/cursor.hpp"
#include "ir/text.hpp"

namespace espy::ir {
namespace {

using FunctionIds = std::unordered_map<std::string, FuncId>;

/// Reads one function. Values and blocks may be used before they are defined; `finish` finds what never was.
class FunctionReader {
 public:
  FunctionReader(Cursor& cursor, Module& module, Function& function, const FunctionIds& functions)
      : c_(cursor), m_(module), f_(function), functions_(functions) {}

  Result<void> run() {
    TRY(header());
    while (c_.is("slot")) TRY(slot());
    if (c_.is("}")) return c_.expected("a block");
    while (!c_.is("}")) TRY(block());
    c_.next();
    return finish();
  }

 private:
  struct Named {
    ValueId id{};
    const Token* first_use = nullptr;   // null: defined
  };

  // --- what is named

  ValueId value_named(std::uint32_t number) {
    auto [at, fresh] = values_.try_emplace(number);
    if (fresh) at->second = {f_.add_inst({}, {}), &c_.peek()};
    return at->second.id;
  }
  Result<ValueId> define_value() {
    std::optional<std::uint32_t> number = c_.numbered('v');
    if (!number) return c_.expected("a value");
    ValueId id = value_named(*number);
    if (values_[*number].first_use == nullptr) return c_.error(fmt::format("v{} is defined twice", *number));
    c_.next();
    return id;
  }
  void defined(std::uint32_t number) { values_[number].first_use = nullptr; }

  Result<BlockId> block_named(bool define) {
    std::optional<std::uint32_t> number = c_.numbered('b');
    if (!number) return c_.expected("a block");
    auto [at, fresh] = blocks_.try_emplace(*number);
    if (fresh) at->second = {f_.add_block(false), &c_.peek()};
    if (define) {
      if (at->second.second == nullptr) return c_.error(fmt::format("b{} is defined twice", *number));
      at->second.second = nullptr;
      f_.order.push_back(at->second.first);
    }
    c_.next();
    return at->second.first;
  }

  Result<void> finish() {
    for (const auto& [number, named] : values_)
      if (named.first_use != nullptr) return c_.error_at(*named.first_use, fmt::format("v{} is nowhere defined", number));
    for (const auto& [number, named] : blocks_)
      if (named.second != nullptr) return c_.error_at(*named.second, fmt::format("b{} is nowhere defined", number));
    for (const auto& [id, fact] : facts_) f_.set_fact(id, fact);
    return {};
  }

  // --- declarations

  Result<void> header() {
    TRY(c_.expect("("));
    std::vector<ValueId> params = TRY(param_list(BlockId{0}));
    if (c_.take("->")) f_.result = TRY(c_.type());
    else f_.result = kNoType;
    f_.cold = c_.take("cold");
    TRY(c_.expect("{"));
    f_.blocks.front().params = std::move(params);
    return {};
  }

  /// After `(`, up to and with `)`.
  Result<std::vector<ValueId>> param_list(BlockId block) {
    std::vector<ValueId> params;
    while (!c_.take(")")) {
      if (!params.empty()) TRY(c_.expect(","));
      std::uint32_t number = c_.numbered('v').value_or(0);
      ValueId id = TRY(define_value());
      defined(number);
      TRY(c_.expect(":"));
      f_[id] = {.op = Op::param, .type = TRY(c_.type()), .block = block, .extra = static_cast<std::uint32_t>(params.size())};
      TRY(fact(id));
      params.push_back(id);
    }
    return params;
  }

  Result<void> slot() {
    c_.next();
    std::optional<std::uint32_t> number = c_.numbered('s');
    if (!number || *number != f_.slots.size()) return c_.expected(fmt::format("s{}", f_.slots.size()));
    c_.next();
    std::uint32_t size = TRY(c_.number("a size")), align = 8;
    if (c_.take("align")) align = TRY(c_.number("an alignment"));
    f_.add_slot(size, align);
    return {};
  }

  Result<void> block() {
    bool entry = f_.order.empty();
    if (entry) {
      std::optional<std::uint32_t> number = c_.numbered('b');
      if (number) blocks_.emplace(*number, std::pair{BlockId{0}, &c_.peek()});
    }
    BlockId id = TRY(block_named(true));
    if (c_.take("(")) {
      if (entry) return c_.error("the entry block's parameters are the function's");
      std::vector<ValueId> params = TRY(param_list(id));
      f_[id].params = std::move(params);
    }
    TRY(c_.expect(":"));
    f_[id].cold = c_.take("cold");
    bool ended = false;
    while (!ended) ended = TRY(instruction(id));
    return {};
  }

  // --- instructions

  /// Was it a terminator?
  Result<bool> instruction(BlockId block) {
    ValueId id = kNoValue;
    Type type;
    if (std::optional<std::uint32_t> number = c_.numbered('v')) {
      id = TRY(define_value());
      defined(*number);
      TRY(c_.expect(":"));
      type = TRY(c_.type());
      TRY(c_.expect("="));
    }
    Inst inst = TRY(operation());
    inst.type = type;
    inst.block = block;
    std::vector<ValueId> operands;
    TRY(body(inst, operands));
    if (c_.take("@")) inst.mark = Mark{TRY(c_.number("a mark"))};
    f_.set_operands(inst, operands);
    if (id == kNoValue) id = f_.add_inst({}, {});
    f_[id] = inst;
    f_[block].insts.push_back(id);
    TRY(fact(id));
    return inst.terminator();
  }

  /// `load.32.signed`: operation, width, flags.
  Result<Inst> operation() {
    if (c_.peek().kind != TokenKind::word) return c_.expected("an instruction");
    std::vector<std::string_view> words = split(c_.peek().text, '.');
    std::optional<Op> op = find_op(words.front());
    if (!op || *op <= Op::param) return c_.expected("an instruction");
    Inst inst{.op = *op};
    std::size_t at = 1;
    if (has(*op, kHasWidth)) {
      std::optional<std::uint8_t> width = at < words.size() ? parse_number<std::uint8_t>(words[at++]) : std::nullopt;
      if (!width) return c_.error(fmt::format("`{}` needs a width: `{}.64`", words.front(), words.front()));
      inst.width = *width;
    }
    for (; at < words.size(); ++at) {
      auto flag = std::ranges::find(kFlagNames, words[at]);
      if (flag == std::end(kFlagNames)) return c_.error(fmt::format("`{}` is no flag", words[at]));
      inst.flags |= static_cast<std::uint8_t>(1U << (flag - std::begin(kFlagNames)));
    }
    c_.next();
    return inst;
  }

  Result<void> body(Inst& inst, std::vector<ValueId>& operands) {
    if (has(inst.op, kCall)) return call(inst, operands);
    switch (inst.op) {
      case Op::jump: return edges(inst, 1, false);
      case Op::ret:
        if (starts_value()) operands.push_back(TRY(value()));
        return {};
      case Op::switch_: operands.push_back(TRY(value())); return cases(inst);
      default: break;
    }
    int count = row_of(inst.op).operands;
    for (int i = 0; i < count; ++i) {
      if (i != 0) TRY(c_.expect(","));
      bool bracket = i == 0 && has(inst.op, kHasOffset);
      if (bracket) TRY(c_.expect("["));
      operands.push_back(TRY(value(!bracket)));
      if (bracket) {
        inst.imm = TRY(c_.offset());
        TRY(c_.expect("]"));
      }
    }
    if (inst.is(Op::copy) || inst.is(Op::zero)) {
      TRY(c_.expect(","));
      inst.imm = TRY(c_.number("a size"));
    }
    if (inst.is(Op::branch)) return edges(inst, 2, true);
    if (inst.is(Op::tail_call)) return edges(inst, 1, true);
    return {};
  }

  Result<void> call(Inst& inst, std::vector<ValueId>& operands) {
    if (inst.is(Op::call_helper)) inst.imm = TRY(c_.number("a helper's number"));
    else if (inst.is(Op::call)) inst.imm = index_of(TRY(function_named()));
    else inst.imm = index_of(m_.external(TRY(c_.name()), ExternKind::kfunc));
    TRY(c_.expect("("));
    while (!c_.take(")")) {
      if (!operands.empty()) TRY(c_.expect(","));
      operands.push_back(TRY(value()));
      if (operands.size() > 255) return c_.error("a call takes fewer arguments");
    }
    return {};
  }

  Result<FuncId> function_named() {
    Token at = c_.peek();
    std::string name = TRY(c_.name());
    auto found = functions_.find(name);
    if (found == functions_.end()) return c_.error_at(at, fmt::format("there is no function `{}`", name));
    return found->second;
  }

  Result<void> edges(Inst& inst, int count, bool comma) {
    std::vector<Edge> list;
    for (int i = 0; i < count; ++i) {
      if (comma || i != 0) TRY(c_.expect(","));
      list.push_back(TRY(edge()));
    }
    f_.set_edges(inst, list);
    return {};
  }

  Result<void> cases(Inst& inst) {
    std::vector<Edge> list;
    for (bool last = false; !last;) {
      TRY(c_.expect(","));
      last = c_.take("else");
      std::int64_t value = last ? 0 : TRY(c_.integer());
      list.push_back(TRY(edge()));
      list.back().value = value;
      if (list.size() > 65535) return c_.error("a switch has fewer cases");
    }
    f_.set_edges(inst, list);
    return {};
  }

  Result<Edge> edge() {
    BlockId to = TRY(block_named(false));
    std::vector<ValueId> arguments;
    if (c_.take("("))
      while (!c_.take(")")) {
        if (!arguments.empty()) TRY(c_.expect(","));
        arguments.push_back(TRY(value()));
      }
    return f_.make_edge(to, arguments);
  }

  // --- operands

  bool starts_value() const {
    return c_.peek().kind == TokenKind::number || c_.is("-") || c_.numbered('v') || c_.numbered('s') || c_.is("null") ||
           c_.is("map") || c_.is("value") || c_.is("func") || c_.is("extern");
  }

  /// A leaf, or a value by its number. `offset`: may `+8` follow the address of a slot?
  Result<ValueId> value(bool offset = true) {
    if (c_.peek().kind == TokenKind::number || c_.is("-")) {
      std::int64_t number = TRY(c_.integer());
      Type type = c_.take(":") ? TRY(c_.type()) : kI64;
      if (type.is_ptr()) return c_.error("a number is no pointer");
      return f_.constant(type, number);
    }
    if (std::optional<std::uint32_t> number = c_.numbered('v')) {
      ValueId id = value_named(*number);
      c_.next();
      return id;
    }
    if (std::optional<std::uint32_t> number = c_.numbered('s')) {
      if (*number >= f_.slots.size()) return c_.error(fmt::format("there is no slot s{}", *number));
      c_.next();
      return f_.stack_addr(SlotId{*number}, offset ? TRY(c_.offset()) : 0);
    }
    return address();
  }

  Result<ValueId> address() {
    if (c_.take("null")) {
      TRY(c_.expect(":"));
      Type type = TRY(c_.type());
      if (!type.is_ptr()) return c_.error("only a pointer is null");
      return f_.leaf(Op::constant, type, 0, 0);
    }
    std::string_view kind = c_.is("map") || c_.is("value") || c_.is("func") || c_.is("extern") ? c_.next().text : "";
    if (kind.empty()) return c_.expected("a value");
    TRY(c_.expect("("));
    ValueId id;
    if (kind == "map") {
      id = f_.leaf(Op::map, ptr(Space::map), index_of(m_.map(TRY(c_.name()))), 0);
    } else if (kind == "value") {
      MapId map = m_.map(TRY(c_.name()));
      id = f_.leaf(Op::map_value, ptr(Space::map_value), index_of(map), TRY(c_.offset()));
    } else if (kind == "func") {
      id = f_.leaf(Op::func_addr, ptr(Space::code), index_of(TRY(function_named())), 0);
    } else {
      ExternId external = m_.external(TRY(c_.name()), ExternKind::variable);
      TRY(c_.expect(")"));
      TRY(c_.expect(":"));
      return f_.leaf(Op::extern_addr, TRY(c_.type()), index_of(external), 0);
    }
    TRY(c_.expect(")"));
    return id;
  }

  /// `{0..63 zeros=0x1 ones=0x2 non_null}`, or nothing.
  Result<void> fact(ValueId id) {
    if (!c_.take("{")) return {};
    Fact fact;
    while (!c_.take("}")) {
      if (c_.take("non_null")) {
        fact.non_null = true;
      } else if (c_.is("zeros") || c_.is("ones")) {
        std::uint64_t& bits = c_.next().text == "zeros" ? fact.zeros : fact.ones;
        TRY(c_.expect("="));
        bits = TRY(c_.number<std::uint64_t>("bits"));
      } else {
        fact.umin = TRY(c_.number<std::uint64_t>("a fact"));
        TRY(c_.expect(".."));
        fact.umax = TRY(c_.number<std::uint64_t>("a number"));
      }
    }
    facts_.emplace_back(id, fact);
    return {};
  }

  Cursor& c_;
  Module& m_;
  Function& f_;
  const FunctionIds& functions_;
  std::unordered_map<std::uint32_t, Named> values_;
  std::unordered_map<std::uint32_t, std::pair<BlockId, const Token*>> blocks_;   // token: of the first use; null: defined
  std::vector<std::pair<ValueId, Fact>> facts_;
};

class ModuleReader {
 public:
  ModuleReader(std::span<const Token> tokens, std::string_view file) : tokens_(tokens), c_(tokens, file) {}

  Result<Module> run() {
    TRY(name_functions());
    while (!c_.done()) TRY(item());
    return std::move(m_);
  }

 private:
  /// Functions are known before they are read: they may call each other.
  Result<void> name_functions() {
    std::size_t depth = 0;
    for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
      if (tokens_[i].kind == TokenKind::op && tokens_[i].text == "{") ++depth;
      if (tokens_[i].kind == TokenKind::op && tokens_[i].text == "}" && depth > 0) --depth;
      if (depth != 0 || tokens_[i].kind != TokenKind::word || tokens_[i].text != "func") continue;
      const Token& name = tokens_[i + 1];
      if (name.kind != TokenKind::word && name.kind != TokenKind::string) continue;
      std::string text = name.kind == TokenKind::string ? unescaped(name.text) : std::string(name.text);
      FuncId id{static_cast<std::uint32_t>(ids_.size())};
      if (!ids_.emplace(std::move(text), id).second) return c_.error_at(name, "a second function of this name");
      i += 1;
    }
    m_.functions.reserve(ids_.size());
    return {};
  }

  Result<void> item() {
    if (c_.take("map")) return m_.map(TRY(c_.name())), Result<void>{};
    if (c_.take("kfunc")) return m_.external(TRY(c_.name()), ExternKind::kfunc), Result<void>{};
    if (c_.take("variable")) return m_.external(TRY(c_.name()), ExternKind::variable), Result<void>{};
    Role role = c_.take("callback") ? Role::callback : c_.take("subprogram") ? Role::subprogram : Role::program;
    if (!c_.take("func")) return c_.expected("a function");
    std::string name = TRY(c_.name());
    if (auto known = ids_.find(name); known == ids_.end() || index_of(known->second) != m_.functions.size())
      return c_.expected("a function");
    FuncId id = m_.add_function(std::move(name), kNoType, std::span<const Type>{}, role);
    m_[id].order.clear();
    return FunctionReader(c_, m_, m_[id], ids_).run();
  }

  std::span<const Token> tokens_;
  Cursor c_;
  Module m_;
  FunctionIds ids_;
};

}  // namespace

Result<Module> parse(std::string_view text, std::string_view file) {
  std::vector<Token> tokens = lex(text);
  return ModuleReader(tokens, file).run();
}

}  // namespace espy::ir
