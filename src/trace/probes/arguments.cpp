// From a target's description to the list of what a program can read. One function for each way that arguments come.
#include "trace/probes/arguments.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "kernel/program_functions.hpp"
#include "symbol/dwarf.hpp"

namespace espy::trace::probes {

namespace {

constexpr unsigned kNumbered = 10;   // arg0 to arg9

// The argument at this place of a context of 8-byte slots.
Argument slot(const btf::Btf& btf, std::string_view name, btf::TypeId type, std::uint32_t offset) {
  btf::Type resolved = btf.resolve(type);
  std::uint32_t size = btf.size_of(type).value_or(8);
  return {.name = std::string(name), .spelling = btf.type_name(type), .type = type, .size = size,
          .is_signed = resolved.is_signed(), .source = InContext{offset}};
}

void number(ArgumentSet& set) {
  for (std::size_t i = 0; i < set.arguments.size(); ++i) {
    set.numbered.push_back(set.arguments[i]);
    set.numbered.back().name = fmt::format("arg{}", i);
  }
}

// A parameter takes 8 bytes of the context, or 16 if it is a struct that two registers hold.
std::uint32_t slots_of(const btf::Btf& btf, btf::TypeId type) { return btf.size_of(type).value_or(8) > 8 ? 2 : 1; }

// The parameters of a prototype from number `first` on. `names`: another prototype of the same shape that knows the names.
ArgumentSet of_prototype(std::shared_ptr<const btf::Btf> btf, btf::Type proto, unsigned first, std::optional<btf::Type> names) {
  ArgumentSet set{.btf = btf};
  std::uint32_t offset = 0;
  for (unsigned i = first; i < proto.vlen(); ++i) {
    btf::Param param = proto.param(i);
    if (param.type == btf::kVoid) break;   // `...`
    std::string_view name = param.name;
    if (name.empty() && names && names->vlen() == proto.vlen()) name = names->param(i).name;
    set.arguments.push_back(slot(*btf, name.empty() ? fmt::format("arg{}", i - first) : std::string(name), param.type, offset));
    offset += 8 * slots_of(*btf, param.type);
  }
  number(set);
  if (proto.target() != btf::kVoid) {
    set.result = slot(*btf, "retval", proto.target(), offset);
    set.result->name = "retval";
  }
  return set;
}

std::optional<btf::Type> prototype_of(const btf::Btf& btf, std::string_view function) {
  if (auto found = btf.find(function, btf::Kind::func)) return btf.type(found->target());
  return std::nullopt;
}

Result<ArgumentSet> of_raw_tracepoint(Machine& machine, const ParameterArguments& arguments) {
  auto btf = TRY(machine.btf_of(arguments.module));
  auto type = btf->find("btf_trace_" + arguments.name, btf::Kind::typedef_);
  if (!type) return fail(ErrorKind::not_found, "BTF has no raw tracepoint `{}`", arguments.name);
  btf::Type proto = btf->type(btf->type(type->target()).target());
  if (proto.kind() != btf::Kind::func_proto) return fail(ErrorKind::malformed, "BTF: btf_trace_{} is no function", arguments.name);
  // The typedef's parameters have no names; those of the kernel's own function for the event have.
  std::optional<btf::Type> names;
  for (std::string_view prefix : {"__probestub_", "__traceiter_", "__bpf_trace_"})
    if (names = prototype_of(*btf, fmt::format("{}{}", prefix, arguments.name)); names) break;
  ArgumentSet set = of_prototype(btf, proto, 1, names);   // the first is the tracepoint's private data
  set.result.reset();
  return set;
}

Result<ArgumentSet> of_function(Machine& machine, const ParameterArguments& arguments) {
  std::shared_ptr<const btf::Btf> btf;
  if (arguments.of == ParameterArguments::Of::program) btf = TRY(kernel::btf_of_program(arguments.program_id));
  else btf = TRY(machine.btf_of(arguments.module));
  auto proto = prototype_of(*btf, arguments.name);
  if (!proto) return fail(ErrorKind::not_found, "BTF has no function `{}`", arguments.name);
  return of_prototype(btf, *proto, 0, {});
}

Argument in_register(std::string name, std::uint32_t offset) {
  return {.name = std::move(name), .spelling = "uint64", .type = {}, .size = 8, .is_signed = false, .source = InContext{offset}};
}

// Where the calling convention puts integer argument N when the function is entered.
std::optional<Source> at_entry(unsigned index) {
  if (auto offset = argument_register(index)) return InContext{*offset};
#if defined(__x86_64__)
  return OnStack{8 + 8 * (index - 6)};   // behind the return address
#elif defined(__aarch64__)
  return OnStack{8 * (index - 8)};
#else
  return std::nullopt;
#endif
}

// Named parameters of a function whose prototype is known, as far as they are integers and pointers before any that is
// passed in other ways.
void name_parameters(ArgumentSet& set, std::shared_ptr<const btf::Btf> btf, btf::Type proto) {
  unsigned next = 0;
  for (const btf::Param& param : proto.params()) {
    btf::Kind kind = btf->resolve(param.type).kind();
    if (kind == btf::Kind::float_) continue;   // in a register of another kind
    auto source = at_entry(next);
    if (kind == btf::Kind::struct_ || kind == btf::Kind::union_ || kind == btf::Kind::void_ || !source) break;
    ++next;
    if (param.name.empty()) continue;
    Argument argument = slot(*btf, param.name, param.type, 0);
    argument.source = *source;
    set.arguments.push_back(std::move(argument));
  }
  set.btf = std::move(btf);
}

Result<ArgumentSet> of_registers(Machine& machine, const RegisterArguments& arguments) {
  ArgumentSet set;
  if (arguments.at_return) {
    set.result = in_register("retval", result_register());
    return set;
  }
  for (unsigned i = 0; i < kNumbered; ++i)
    if (auto source = at_entry(i)) set.numbered.push_back({.name = fmt::format("arg{}", i), .spelling = "uint64", .type = {}, .size = 8, .source = *source});
  if (arguments.function.empty()) return set;
  if (arguments.path.empty()) {
    if (auto btf = machine.vmlinux())
      if (auto proto = prototype_of(**btf, arguments.function)) name_parameters(set, *btf, *proto);
    return set;
  }
  if (auto types = symbol::function_types(arguments.path, arguments.function)) name_parameters(set, types->btf, types->btf->type(types->proto));
  return set;
}

Result<ArgumentSet> of_note(const UsdtArguments& arguments) {
  if (!arguments.error.empty()) return fail(ErrorKind::unsupported, "{}", arguments.error);
  ArgumentSet set;
  for (std::size_t i = 0; i < arguments.arguments.size(); ++i) {
    const symbol::UsdtArgument& note = arguments.arguments[i];
    set.numbered.push_back({.name = fmt::format("arg{}", i), .spelling = fmt::format("{}int{}", note.is_signed ? "" : "u", note.size * 8),
                            .type = {}, .size = note.size, .is_signed = note.is_signed, .source = ByNote{note}});
  }
  return set;
}

Result<ArgumentSet> of_context(Machine& machine, const ContextArguments& arguments) {
  ArgumentSet set{.btf = TRY(machine.btf_of(arguments.module))};
  auto type = set.btf->find(arguments.struct_name, btf::Kind::struct_);
  if (!type) return fail(ErrorKind::not_found, "BTF has no struct `{}`", arguments.struct_name);
  set.context = type->id();
  set.typed_pointers = true;
  return set;
}

Result<ArgumentSet> of_record(Machine& machine, const RecordArguments& arguments) {
  auto fields = parse_format(TRY(machine.format(arguments.category, arguments.event)));
  if (!fields) return std::unexpected(wrap(std::move(fields.error()), fmt::format("tracepoint {}:{}", arguments.category, arguments.event)));
  auto base = machine.vmlinux();
  return typed(*fields, base ? *base : nullptr);
}

}  // namespace

bool is_loadable(const btf::Btf& btf, btf::TypeId type) {
  btf::Type resolved = btf.resolve(type);
  if (resolved.kind() != btf::Kind::ptr) return true;
  // `const void *` is a pointer to something odd for kernels before 6.16.
  btf::Kind pointee = btf.resolve(resolved.target()).kind();
  return pointee == btf::Kind::struct_ || pointee == btf::Kind::union_ || resolved.target() == btf::kVoid;
}

Result<ArgumentSet> arguments_of(Machine& machine, const Target& target) {
  auto set = std::visit(overload{
      [](const NoArguments&) -> Result<ArgumentSet> { return ArgumentSet{}; },
      [&](const RecordArguments& a) { return of_record(machine, a); },
      [&](const ParameterArguments& a) { return a.of == ParameterArguments::Of::raw_tracepoint ? of_raw_tracepoint(machine, a) : of_function(machine, a); },
      [&](const RegisterArguments& a) { return of_registers(machine, a); },
      [](const UsdtArguments& a) { return of_note(a); },
      [&](const ContextArguments& a) { return of_context(machine, a); }}, target.arguments);
  if (!set) return std::unexpected(wrap(std::move(set.error()), fmt::format("arguments of {}", target.name)));
  if (std::holds_alternative<ParameterArguments>(target.arguments)) set->typed_pointers = target.prog_type == facts::ProgType::tracing;
  if (target.provider == Provider::fentry) set->result.reset();
  return set;
}

}  // namespace espy::trace::probes
