// Builtins: their types in a probe, and what is not to be had there.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

constexpr std::uint32_t kFrames = 127;       // of a stack, unless the script says
constexpr std::uint32_t kMostFrames = 1024;  // what the kernel can be told to record

/// What `ctx` points to where the probe's own arguments do not say.
struct ContextRow {
  facts::ProgType type;
  std::string_view name;
};
constexpr ContextRow kContexts[] = {{facts::ProgType::perf_event, "bpf_perf_event_data"}, {facts::ProgType::kprobe, "pt_regs"}};

struct ClockRow {
  std::string_view name;
  Clock clock;
};
constexpr ClockRow kClocks[] = {{"boot", Clock::boot}, {"monotonic", Clock::monotonic}, {"tai", Clock::tai}, {"sw_tai", Clock::sw_tai}};

struct NamespaceRow {
  std::string_view name;
  PidNamespace space;
};
constexpr NamespaceRow kNamespaces[] = {{"curr_ns", PidNamespace::current}, {"init", PidNamespace::init}};

struct ModeRow {
  std::string_view name;
  StackMode mode;
};
constexpr ModeRow kModes[] = {{"bpftrace", StackMode::bpftrace}, {"perf", StackMode::perf}, {"raw", StackMode::raw}, {"build_id", StackMode::build_id}};

/// The row with this name, or a message of which there are.
template <typename Row, std::size_t N>
const Row* row_named(const Row (&rows)[N], std::string_view name) {
  auto found = std::ranges::find(rows, name, &Row::name);
  return found == std::end(rows) ? nullptr : &*found;
}

template <typename Row, std::size_t N>
std::string names(const Row (&rows)[N]) {
  std::string out;
  for (const Row& row : rows) out += (out.empty() ? "" : ", ") + std::string(row.name);
  return out;
}

std::string_view what_is_missing(Where where) {
  switch (where) {
    case Where::anywhere: return "";
    case Where::parameters: return "has no numbered parameters";
    case Where::fields: return "has no parameters with names";
    case Where::result: return "does not see what a function returns";
    case Where::context: return "has no context to look into";
    case Where::function: return "probes no function";
    case Where::registers: return "interrupts nothing whose registers could be read";
    case Where::user_code: return "is in no program or library";
    case Where::kprobe: return "cannot change what a function of the kernel returns";
    case Where::trampoline: case Where::tracing: return "has no pointers that the kernel knows by type";
    case Where::watchpoint: return "is no watchpoint";
  }
  return "";
}

bool may_offer(const ProviderRow& row, Where where) {
  switch (where) {
    case Where::anywhere: case Where::context: return true;
    case Where::parameters: return row.reads == Reads::registers || row.reads == Reads::usdt || row.reads == Reads::parameters;
    case Where::fields: return row.reads == Reads::record || row.reads == Reads::parameters || row.reads == Reads::registers;
    case Where::result: return row.has_retval;
    case Where::function: return row.has_func;
    case Where::registers:
      return row.reads == Reads::registers || row.reads == Reads::result || row.reads == Reads::usdt || row.provider == Provider::profile ||
             row.provider == Provider::interval || row.provider == Provider::software || row.provider == Provider::hardware || row.provider == Provider::watchpoint;
    case Where::user_code: return row.is_user;
    case Where::kprobe: return row.provider == Provider::kprobe;
    case Where::trampoline: return row.provider == Provider::fentry || row.provider == Provider::fexit;
    case Where::tracing: return row.provider == Provider::fentry || row.provider == Provider::fexit || row.provider == Provider::iter;
    case Where::watchpoint: return row.provider == Provider::watchpoint;
  }
  return false;
}

}  // namespace

bool offers(const ProviderRow& provider, const probes::Instance& instance, Where where) {
  if (where == Where::parameters && !instance.arguments.numbered.empty()) return true;
  if (where == Where::fields && !instance.arguments.arguments.empty()) return true;
  return may_offer(provider, where);
}

bool Checker::available(Span at, std::string_view name, Where where, facts::KernelVersion since) {
  if (options_.kernel && since > *options_.kernel) {
    error(at, fmt::format("`{}` needs Linux {}, and this is {}", name, to_string(since), to_string(*options_.kernel)));
    return false;
  }
  if (where == Where::anywhere) return true;
  if (body_->provider == nullptr) {
    error(at, fmt::format("`{}` means nothing in a subprogram", name), "pass what it needs as a parameter");
    return false;
  }
  if (offers(*body_->provider, *body_->instance, where)) return true;
  std::string there;
  for (const ProviderRow& row : probes::providers())
    if (may_offer(row, where)) there += (there.empty() ? "" : ", ") + std::string(row.name);
  error(at, fmt::format("`{}` is not available here: {} {}", name, body_->provider->name, what_is_missing(where)), fmt::format("it is in {}", there));
  return false;
}

Type Checker::task_pointer() {
  if (auto task = find_type("task_struct", TypeName::Tag::struct_, Space::kernel)) return pointer_to(std::move(*task), Space::kernel);
  return uint64_type();
}

Type Checker::builtin_type(Span at, const Builtin& row, std::uint32_t number) {
  switch (row.id) {
    case BuiltinId::pid: case BuiltinId::tid: case BuiltinId::cpu: case BuiltinId::numaid: case BuiltinId::rand: case BuiltinId::ppid:
    case BuiltinId::leader_tid: case BuiltinId::cpid:
      return integer_type(4, false);
    case BuiltinId::comm: case BuiltinId::pcomm: case BuiltinId::leader_comm: return string_type(16);
    case BuiltinId::uid: case BuiltinId::gid: case BuiltinId::cgroup: case BuiltinId::ncpus: case BuiltinId::jiffies: case BuiltinId::nsecs:
    case BuiltinId::elapsed:
      return uint64_type();
    case BuiltinId::username: return simple_type(Kind::username);
    case BuiltinId::curtask: return task_pointer();
    case BuiltinId::has_cpid: return boolean_type();
    case BuiltinId::arg: {
      const auto& arguments = body_->instance->arguments.numbered;
      if (number < arguments.size()) return argument_type(arguments[number]);
      return refuse(at, fmt::format("{} has no arg{}", body_->instance->targets.front().name, number),
                    arguments.empty() ? "" : fmt::format("it has {}, from arg0", arguments.size()));
    }
    case BuiltinId::args: return whole_arguments(at);
    case BuiltinId::retval: {
      const auto& result = body_->instance->arguments.result;
      return result ? argument_type(*result) : refuse(at, "the function returns nothing");
    }
    case BuiltinId::ctx: {
      const probes::ArgumentSet& set = body_->instance->arguments;
      if (set.context && set.btf) return pointer_to(type_of_btf(set.btf, *set.context, Space::context), Space::context);
      const auto* row = std::ranges::find(kContexts, body_->instance->prog_type, &ContextRow::type);
      const auto kernel = row != std::end(kContexts) ? kernel_btf() : nullptr;
      if (kernel)
        if (auto found = kernel->find(row->name, btf::Kind::struct_)) return pointer_to(type_of_btf(kernel, found->id(), Space::context), Space::context);
      return pointer_to({}, Space::context);
    }
    case BuiltinId::func: {
      std::size_t longest = 0;
      for (const probes::Target& target : body_->instance->targets) longest = std::max(longest, target.function.size());
      return string_type(static_cast<std::uint32_t>(longest + 1));
    }
    case BuiltinId::probe: return simple_type(Kind::probe_name);
    case BuiltinId::probetype: return string_type(static_cast<std::uint32_t>(body_->provider != nullptr ? body_->provider->name.size() + 1 : 16));
    case BuiltinId::kstack: case BuiltinId::ustack: case BuiltinId::dw_ustack: return unknown_type();  // stack()
    case BuiltinId::usermode: return integer_type(1, false);
  }
  return unknown_type();
}

/// All of a probe's arguments as one value, for print(args).
Type Checker::whole_arguments(Span at) {
  std::vector<Field> fields;
  for (const probes::Argument& argument : body_->instance->arguments.arguments) fields.push_back({.name = argument.name, .type = argument_type(argument)});
  if (fields.empty()) return refuse(at, fmt::format("nothing is known of the arguments of {}", body_->instance->targets.front().name));
  return record_of(std::move(fields));
}

Type Checker::builtin(Expr& expr, Identifier& node, const Builtin& row) {
  if (row.id == BuiltinId::arg) node.number = argument_number(node.name);
  const bool in_subprogram = body_->provider == nullptr;
  if (in_subprogram && (row.id == BuiltinId::probe || row.id == BuiltinId::probetype || row.id == BuiltinId::ctx))
    return refuse(expr.at, fmt::format("`{}` means nothing in a subprogram", node.name));
  if (!available(expr.at, node.name, row.where, since(row))) return unknown_type();
  if (row.id == BuiltinId::kstack || row.id == BuiltinId::ustack || row.id == BuiltinId::dw_ustack) return stack(expr, nullptr, row);
  Type type = builtin_type(expr.at, row, node.number);
  if (!final_) return type;
  if (row.id == BuiltinId::has_cpid) {
    expr.node = Boolean{options_.child.has_value()};
  } else if (row.id == BuiltinId::cpid) {
    if (!options_.child) warning(expr.at, "there is no child: `cpid` is 0", "start a command with -c, or ask has_cpid first");
    expr.node = Integer{.value = options_.child.value_or(0), .is_unsigned = true};
  } else if (row.id == BuiltinId::probetype) {
    const Provider provider = body_->provider->provider;
    const bool special = provider == Provider::begin || provider == Provider::end || provider == Provider::self;
    std::string name(special ? "special" : body_->provider->name);
    type = string_type(static_cast<std::uint32_t>(name.size() + 1));
    expr.node = String{std::move(name)};
  }
  return type;
}

Type Checker::stack(Expr& expr, Call* call, const Builtin& row) {
  Type type = simple_type(row.id == BuiltinId::kstack ? Kind::kstack : Kind::ustack);
  type.mode = checked_.config.stack_mode;
  type.count = kFrames;
  if (row.id == BuiltinId::dw_ustack && checked_.config.unstable_dw_ustack != Unstable::enable) {
    if (checked_.config.unstable_dw_ustack == Unstable::error)
      return refuse(expr.at, "dw_ustack may change, and is not allowed", "set `config = { unstable_dw_ustack = enable }`");
    warning(expr.at, "dw_ustack may change");
  }
  std::vector<Expr> none;
  std::vector<Expr>& arguments = call != nullptr ? call->arguments : none;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    auto* word = std::get_if<Identifier>(&arguments[i].node);
    if (const ModeRow* mode = word != nullptr ? row_named(kModes, word->name) : nullptr; mode != nullptr && i == 0) {
      type.mode = mode->mode;
      continue;
    }
    auto frames = constant_integer(arguments[i]);
    if (!frames)
      return refuse(arguments[i].at, fmt::format("{}() takes a mode ({}) and a number of frames", row.name, names(kModes)));
    if (*frames == 0 || *frames > kMostFrames) return refuse(arguments[i].at, fmt::format("a stack has 1 to {} frames", kMostFrames));
    type.count = static_cast<std::uint32_t>(*frames);
    if (i + 1 < arguments.size()) return refuse(arguments[i + 1].at, "the number of frames is last");
  }
  if (type.mode == StackMode::build_id && row.id == BuiltinId::kstack) return refuse(expr.at, "the kernel's stack has no build ids", "they are for ustack");
  if (final_ && call != nullptr) {
    Identifier identifier{.name = std::string(row.name), .builtin = &row};
    expr.node = std::move(identifier);
  }
  return type;
}

Type Checker::builtin_call(Expr& expr, Call& node, const Builtin& row) {
  if (node.arguments.size() > row.arguments)
    return refuse(expr.at, fmt::format("{}() takes {}, and here are {}", row.name, row.arguments == 0 ? "no arguments" : fmt::format("at most {} argument{}", row.arguments, row.arguments == 1 ? "" : "s"), node.arguments.size()),
                  row.forms.empty() ? "" : std::string(row.forms));
  if (row.id == BuiltinId::kstack || row.id == BuiltinId::ustack || row.id == BuiltinId::dw_ustack)
    return available(expr.at, row.name, row.where, since(row)) ? stack(expr, &node, row) : unknown_type();
  Identifier identifier{.name = node.name, .builtin = &row};
  if (!node.arguments.empty()) {
    Expr& argument = node.arguments.front();
    auto* word = std::get_if<Identifier>(&argument.node);
    const std::string_view name = word != nullptr ? std::string_view(word->name) : std::string_view{};
    if (row.id == BuiltinId::nsecs) {
      const ClockRow* clock = row_named(kClocks, name);
      if (clock == nullptr) return refuse(argument.at, fmt::format("nsecs() takes one of {}", names(kClocks)));
      if (clock->clock == Clock::tai && !available(expr.at, "nsecs(tai)", Where::anywhere, {6, 1, 0})) return unknown_type();
      identifier.number = static_cast<std::uint32_t>(clock->clock);
    } else if (row.id == BuiltinId::pid || row.id == BuiltinId::tid) {
      const NamespaceRow* space = row_named(kNamespaces, name);
      if (space == nullptr) return refuse(argument.at, fmt::format("{}() takes one of {}", row.name, names(kNamespaces)));
      identifier.number = static_cast<std::uint32_t>(space->space);
    } else {
      // comm(pid), ppid(task) …: with a value.
      expression(argument);
      if (is_unknown(argument.type)) return unknown_type();
      node.builtin = &row;
      if (row.id == BuiltinId::comm) {
        if (!is_integer_like(argument.type)) return refuse(argument.at, fmt::format("comm() takes a process id, and this is a `{}`", to_string(argument.type)));
        if (!available(expr.at, "comm(pid)", Where::anywhere, {6, 2, 0})) return unknown_type();
        convert(argument, wide_integer(argument.type));
      } else if (argument.type.kind != Kind::pointer || to_string(argument.type) != "struct task_struct *") {
        return refuse(argument.at, fmt::format("{}() takes a `struct task_struct *`, and this is a `{}`", row.name, to_string(argument.type)));
      }
      return builtin_type(expr.at, row, 0);
    }
  }
  if (!final_) return builtin(expr, identifier, row);
  // Nothing at run time is left of the call.
  expr.node = std::move(identifier);
  return builtin(expr, std::get<Identifier>(expr.node), row);
}

}  // namespace espy::trace
