// `espy test-run`: one program, run on given input by the kernel (BPF_PROG_TEST_RUN), in this process, or by both.
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/compare_engines.hpp"
#include "cli/open.hpp"
#include "cli/verify_first.hpp"
#include "espy/espy.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"OBJ.o", "an eBPF object file"}};
constexpr Option kOptions[] = {
    {.name = "--prog", .value = "NAME", .help = "the program to run; may be left out where the object has only one"},
    {.name = "--engine", .value = "kernel|user|both", .help = "who runs it: the kernel (default), this process without privileges, or both, compared"},
    {.name = "--tier", .value = "TIER", .help = "in this process: interpreter (default: checks every access), baseline or optimised (compiled)"},
    {.name = "--unverified", .value = {}, .help = "in this process: run it even if it does not verify, interpreted"},
    {.name = "--data-in", .value = "FILE", .help = "the packet it gets (packet programs; default: 64 zero bytes)"},
    {.name = "--data-out", .value = "FILE", .help = "where to write the packet it leaves"},
    {.name = "--ctx-in", .value = "FILE", .help = "the context it gets, as the kernel's struct for its type"},
    {.name = "--ctx-out", .value = "FILE", .help = "where to write the context it leaves"},
    {.name = "--repeat", .value = "N", .help = "run it N times and give the average duration"},
    {.name = "--set", .value = "VAR=VALUE", .help = "set a global variable before loading", .repeat = Repeat::many},
    {.name = "--json", .value = {}, .help = "print one JSON line"},
};
constexpr Example kExamples[] = {
    {"espy test-run filter.bpf.o --prog drop_udp --data-in packet.bin --repeat 100000", "how fast a packet filter is"},
    {"espy test-run prog.bpf.o --prog main --json", "the return value, for a script"},
    {"espy test-run filter.bpf.o --engine user --data-in packet.bin", "the same without privileges, on any Linux"},
    {"espy test-run filter.bpf.o --engine user --tier optimised --repeat 1000000", "how fast it is there"},
    {"espy test-run filter.bpf.o --engine both --data-in packet.bin", "do both engines agree on value, packet and maps?"},
};

bool takes_packets(facts::ProgType type) {
  using enum facts::ProgType;
  constexpr facts::ProgType kPacketTypes[] = {socket_filter, sched_cls, sched_act, xdp, cgroup_skb, lwt_in, lwt_out,
                                              lwt_xmit, lwt_seg6local, flow_dissector, netfilter};
  return std::ranges::find(kPacketTypes, type) != std::end(kPacketTypes);
}

// The program asked for, or the only one.
Result<std::string> chosen_program(const object::ObjectSpec& spec, const std::optional<std::string>& name) {
  if (name && spec.find_program(*name) != nullptr) return *name;
  if (!name && spec.programs.size() == 1) return spec.programs.front().name;
  return std::unexpected(Error{.kind = name ? ErrorKind::not_found : ErrorKind::invalid_argument,
                               .message = name ? fmt::format("{} has no program `{}`", spec.path, *name)
                                               : fmt::format("{} has {} programs", spec.path, spec.programs.size()),
                               .hint = fmt::format("--prog one of: {}", program_names(spec))});
}

Result<kernel::TestRun> test_run_of(const Invocation& invocation, facts::ProgType type) {
  kernel::TestRun run;
  if (auto file = invocation.value("--data-in")) run.data_in = TRY(read_file(*file));
  else if (takes_packets(type)) run.data_in.resize(64);
  if (auto file = invocation.value("--ctx-in")) run.ctx_in = TRY(read_file(*file));
  if (auto repeat = invocation.value("--repeat")) {
    auto number = parse_number<std::uint32_t>(*repeat);
    if (!number || *number == 0) return fail(ErrorKind::invalid_argument, "--repeat takes a number from 1, not `{}`", *repeat);
    run.repeat = *number;
  }
  if (!run.data_in.empty()) run.data_out_size = run.data_in.size() + 4096;  // programs may grow a packet
  return run;
}

struct Engines {
  bool kernel = false, user = false;
};

Result<Engines> chosen_engines(const Invocation& invocation) {
  const std::string word = invocation.value("--engine").value_or("kernel");
  if (word == "kernel") return Engines{.kernel = true};
  if (word == "user") return Engines{.user = true};
  if (word == "both") return Engines{.kernel = true, .user = true};
  return fail(ErrorKind::invalid_argument, "--engine takes kernel, user or both, not `{}`", word);
}

struct UserRun {
  std::unique_ptr<vm::Object> object;
  vm::TestRunResult result;
};

// On a copy of the linked object: the kernel may get it too.
Result<UserRun> run_in_user_space(object::LinkedObject linked, const std::string& name, const object::Target& target, const kernel::TestRun& input, UserWay way,
                                  render::Output& output) {
  if (way.verify) TRY(verify_first(linked, target));
  UserRun run{.object = TRY(vm::Object::load(std::move(linked), way.tier)), .result = {}};
  if (const std::string& why = run.object->find_program(name)->fallback(); !why.empty()) output.warning(fmt::format("it is interpreted: {}", why));
  vm::TestRun same{.data_in = input.data_in, .ctx_in = input.ctx_in, .repeat = input.repeat};
  same.print = [&](std::string_view text) { output.printk("espy", ::getpid(), text); };
  run.result = TRY(vm::test_run(*run.object->find_program(name), same));
  return run;
}

// Says where the engines differ; gives the exit code.
Result<int> compared(const kernel::Object& object, const kernel::TestRunResult& result, const UserRun& user, render::Output& output) {
  const EngineDifferences differences = TRY(compare_engines(object, result, *user.object, user.result));
  for (const std::string& map : differences.not_compared) output.warning(fmt::format("map `{}` was not compared: reading it would change it", map));
  for (const std::string& what : differences.found) {
    output.error({.kind = ErrorKind::rejected, .message = fmt::format("the engines differ: {}", what)});
  }
  return differences.found.empty() ? kOk : kFailed;
}

Result<int> run(const Invocation& invocation) {
  object::ObjectSpec spec = TRY(open_object(invocation));
  fill_sizes(spec);
  std::string name = TRY(chosen_program(spec, invocation.value("--prog")));
  kernel::TestRun input = TRY(test_run_of(invocation, spec.find_program(name)->type));

  object::Target target = TRY(kernel::running_target());
  object::LinkedObject linked = TRY(object::link(std::move(spec), target, {.programs = {name}}));
  auto sink = render::to_descriptor(STDOUT_FILENO);
  auto output = invocation.has("--json") ? render::json_output(sink) : render::terminal_output(sink);
  const Engines engines = TRY(chosen_engines(invocation));
  const UserWay way = TRY(chosen_way(invocation));
  for (std::string_view option : {"--tier", "--unverified"}) {
    if (invocation.has(option) && !engines.user) return fail(ErrorKind::invalid_argument, "{} is of the user engine: --engine user or both", option);
  }
  std::optional<UserRun> user;
  if (engines.user) user = TRY(run_in_user_space(linked, name, target, input, way, *output));
  kernel::TestRunResult result;
  int code = kOk;
  if (engines.kernel) {
    kernel::Object object = TRY(kernel::Object::load(std::move(linked)));
    result = TRY(object.find_program(name)->test_run(input));
    output->test_run(user ? name + " (kernel)" : name, result.retval, result.duration_ns);
    if (user) code = TRY(compared(object, result, *user, *output));
  } else {
    result.data_out = user->result.data_out;
    result.ctx_out = user->result.ctx_out;
  }
  if (user) output->test_run(engines.kernel ? name + " (user)" : name, user->result.retval, user->result.duration_ns);
  if (auto file = invocation.value("--data-out")) TRY(write_file(*file, result.data_out));
  if (auto file = invocation.value("--ctx-out")) TRY(write_file(*file, result.ctx_out));
  TRY(output->flush());
  return code;
}

}  // namespace

extern const Command kTestRun{
    .name = "test-run", .summary = "run one program on given input and print what it returns",
    .description = "The program runs as often as asked, on the packet and context given, attached to nothing. In user space it is verified "
                   "first, and every access is checked: a bad one ends the run and says where, unless --tier asks for compiled code. With --engine both, the exit code is 1 where "
                   "the engines differ in return value, packet or maps.",
    .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
