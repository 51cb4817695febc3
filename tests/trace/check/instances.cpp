#include "instances.hpp"

#include "btf/builder.hpp"
#include "trace/probes/attach_point.hpp"

namespace espy::trace {

namespace {

struct MadeUp {
  std::shared_ptr<const btf::Btf> btf;
  btf::TypeId int_type, text_array, any_text, text_pointer, user_text, flag, color, node_pointer, context, words, argv;
};

/// struct made_up { int n; char name[16]; struct made_up *next; const char *text; char __user *user; struct { int inner; };
///   unsigned int low : 3, high : 5; enum color color; int numbers[4]; struct pair { short a, b; } pair; _Bool flag; u64 big;
///   union number { int i; unsigned char bytes[4]; } number; int grid[2][3]; }
MadeUp make() {
  btf::Builder b;
  MadeUp out;
  out.int_type = b.add_int("int", 4, {.bits = 32, .is_signed = true});
  const auto character = b.add_int("char", 1, {.bits = 8, .is_signed = true});
  const auto byte = b.add_int("unsigned char", 1, {.bits = 8});
  const auto word = b.add_int("short", 2, {.bits = 16, .is_signed = true});
  const auto whole = b.add_int("unsigned int", 4, {.bits = 32});
  const auto big = b.add_int("unsigned long", 8, {.bits = 64});
  out.flag = b.add_int("_Bool", 1, {.bits = 8, .is_bool = true});
  out.text_array = b.add_array(character, out.int_type, 16);
  out.any_text = b.add_array(character, out.int_type, 0);
  out.text_pointer = b.add_ref(btf::Kind::ptr, "", b.add_ref(btf::Kind::const_, "", character));
  out.user_text = b.add_ref(btf::Kind::ptr, "", b.add_ref(btf::Kind::type_tag, "user", character));
  out.argv = b.add_ref(btf::Kind::ptr, "", out.text_pointer);
  out.color = b.add_enum("color", 4, false, {{"RED", 0}, {"GREEN", 5}, {"BLUE", 6}});
  const auto numbers = b.add_array(out.int_type, out.int_type, 4);
  const auto grid = b.add_array(b.add_array(out.int_type, out.int_type, 3), out.int_type, 2);
  const auto bytes = b.add_array(byte, out.int_type, 4);
  out.words = b.add_array(byte, out.int_type, 6);
  const auto inner = b.add_struct(btf::Kind::struct_, "", 4, {{"inner", out.int_type, 0, 0}});
  const auto pair = b.add_struct(btf::Kind::struct_, "pair", 4, {{"a", word, 0, 0}, {"b", word, 16, 0}});
  const auto number = b.add_struct(btf::Kind::union_, "number", 4, {{"i", out.int_type, 0, 0}, {"bytes", bytes, 0, 0}});
  const auto made_up = btf::TypeId{b.next_id() + 1};
  out.node_pointer = b.add_ref(btf::Kind::ptr, "", made_up);
  b.add_struct(btf::Kind::struct_, "made_up", 152,
               {{"n", out.int_type, 0, 0}, {"name", out.text_array, 32, 0}, {"next", out.node_pointer, 192, 0}, {"text", out.text_pointer, 256, 0},
                {"user", out.user_text, 320, 0}, {"", inner, 384, 0}, {"low", whole, 416, 3}, {"high", whole, 419, 5}, {"color", out.color, 448, 0},
                {"numbers", numbers, 480, 0}, {"pair", pair, 608, 0}, {"flag", out.flag, 640, 0}, {"big", big, 704, 0}, {"number", number, 768, 0},
                {"grid", grid, 800, 0}, {"mac", out.words, 992, 0}});
  out.context = b.add_struct(btf::Kind::struct_, "made_up_context", 8, {{"node", out.node_pointer, 0, 0}});
  out.btf = b.build("made up").value();
  return out;
}

const MadeUp& made_up() {
  static const MadeUp value = make();
  return value;
}

probes::Argument argument(std::string name, btf::TypeId type, std::uint32_t size, bool is_signed = false) {
  return {.name = std::move(name), .spelling = {}, .type = type, .size = size, .is_signed = is_signed, .source = probes::InContext{}};
}

std::vector<probes::Argument> registers(unsigned count) {
  std::vector<probes::Argument> out;
  for (unsigned i = 0; i < count; ++i) out.push_back(argument("arg" + std::to_string(i), btf::kVoid, 8));
  return out;
}

probes::ArgumentSet arguments_of_provider(const probes::ProviderRow& row) {
  const MadeUp& m = made_up();
  probes::ArgumentSet set;
  set.btf = m.btf;
  switch (row.reads) {
    case probes::Reads::record:
      set.arguments = {argument("n", m.int_type, 4, true), argument("name", m.text_array, 16),   argument("p", m.text_pointer, 8),
                       argument("data", m.any_text, 0),    argument("flag", m.flag, 1),          argument("color", m.color, 4),
                       argument("argv", m.argv, 8),        argument("nr", m.int_type, 8, true), argument("mac", m.words, 6)};
      break;
    case probes::Reads::parameters:
      set.arguments = {argument("node", m.node_pointer, 8)};
      set.numbered = set.arguments;
      set.typed_pointers = true;
      if (row.has_retval) set.result = argument("", m.int_type, 4, true);
      break;
    case probes::Reads::registers: set.numbered = registers(6); break;
    case probes::Reads::result: set.result = argument("", btf::kVoid, 8); break;
    case probes::Reads::usdt: set.numbered = registers(2); break;
    case probes::Reads::context: set.context = m.context; break;
    case probes::Reads::nothing: break;
  }
  return set;
}

}  // namespace

std::vector<probes::Instance> made_up_instances(const Probe& probe, const probes::Needs&, const Config&, Diagnostics& diagnostics) {
  std::vector<probes::Instance> out;
  for (const AttachPointText& text : probe.attach_points) {
    auto point = probes::parse_attach_point(text.text);
    if (!point) {
      diagnostics.error(text.at, point.error().message, point.error().hint);
      continue;
    }
    const probes::ProviderRow& row = probes::row_of(point->provider);
    probes::Instance& instance = out.emplace_back();
    instance.arguments = arguments_of_provider(row);
    instance.targets.push_back({.provider = point->provider, .name = probes::name_of(*point), .function = row.has_func ? "function" : ""});
  }
  return out;
}

c::CTypes made_up_types() {
  return {.btf = made_up().btf,
          .constants = {{"HUGE_NUMBER", std::uint64_t{0xffffffffffffffff}}, {"LESS", std::int64_t{-3}}, {"LIMIT", std::int64_t{12}}, {"NAME", std::string("espy")}}};
}

}  // namespace espy::trace
