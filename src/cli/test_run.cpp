// `espy test-run`: one program, run by the kernel on given input (BPF_PROG_TEST_RUN).
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/open.hpp"
#include "espy/espy.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"OBJ.o", "an eBPF object file"}};
constexpr Option kOptions[] = {
    {.name = "--prog", .value = "NAME", .help = "the program to run; may be left out where the object has only one"},
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

Result<int> run(const Invocation& invocation) {
  object::ObjectSpec spec = TRY(open_object(invocation));
  fill_sizes(spec);
  std::string name = TRY(chosen_program(spec, invocation.value("--prog")));
  kernel::TestRun input = TRY(test_run_of(invocation, spec.find_program(name)->type));

  object::Target target = TRY(kernel::running_target());
  object::LinkedObject linked = TRY(object::link(std::move(spec), target, {.programs = {name}}));
  kernel::Object object = TRY(kernel::Object::load(std::move(linked)));
  kernel::TestRunResult result = TRY(object.find_program(name)->test_run(input));

  if (auto file = invocation.value("--data-out")) TRY(write_file(*file, result.data_out));
  if (auto file = invocation.value("--ctx-out")) TRY(write_file(*file, result.ctx_out));
  auto sink = render::to_descriptor(STDOUT_FILENO);
  auto output = invocation.has("--json") ? render::json_output(sink) : render::terminal_output(sink);
  output->test_run(name, result.retval, result.duration_ns);
  TRY(output->flush());
  return kOk;
}

}  // namespace

extern const Command kTestRun{
    .name = "test-run", .summary = "run one program on given input and print what it returns",
    .description = "The kernel runs the program as often as asked, on the packet and context given, attached to nothing.",
    .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
