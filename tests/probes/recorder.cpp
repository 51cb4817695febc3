#include "recorder.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "object/asm.hpp"

namespace espy::probes_test {

using namespace trace::probes;
using facts::ProgType;

namespace {

constexpr unsigned kRows = 4096;   // of each program

std::size_t fields_of(const Instance& instance) { return std::max(instance.arguments.arguments.size(), instance.arguments.numbered.size()); }

bool is_slots(const Instance& instance) { return instance.prog_type == ProgType::tracing || instance.prog_type == ProgType::raw_tracepoint; }

std::string load(std::uint32_t size) { return size >= 8 ? "u64" : size == 4 ? "u32" : size == 2 ? "u16" : "u8"; }

// The value into r1, from the context in r6; up to 8 bytes.
std::string read(const Instance& instance, const Source& source, std::uint32_t size, bool is_array = false) {
  auto from_memory = [&](const std::string& address) {   // r1: address → r1: value, by helper
    return fmt::format("{}  *(u64 *)(r10 -16) = 0\n  r3 = r1\n  r1 = r10\n  r1 += -16\n  r2 = {}\n  call bpf_probe_read_kernel\n  r1 = *(u64 *)(r10 -16)\n", address,
                       std::min<std::uint32_t>(size == 0 ? 8 : size, 8));
  };
  return std::visit(overload{
      [&](const InContext& s) -> std::string {
        if (is_slots(instance)) {
          std::string text = fmt::format("  r1 = *(u64 *)(r6 +{})\n", s.offset);
          if (size < 8) text += fmt::format("  r1 <<= {0}\n  r1 >>= {0}\n", 64 - 8 * size);
          return text;
        }
        if (size <= 8 && s.offset % size == 0) return fmt::format("  r1 = *({} *)(r6 +{})\n", load(size), s.offset);
        return from_memory(fmt::format("  r1 = r6\n  r1 += {}\n", s.offset));
      },
      [&](const Located& s) -> std::string {
        return from_memory(fmt::format("  r1 = *(u32 *)(r6 +{})\n  r1 &= 65535\n  r1 += {}\n  r1 += r6\n", s.offset, s.from));
      },
      [&](const Behind& s) -> std::string {
        std::string text = fmt::format("  r1 = *(u64 *)(r6 +{})\n", s.offset);
        for (std::size_t i = 0; i + 1 < s.steps.size(); ++i) {
          if (instance.arguments.typed_pointers) text += fmt::format("  r1 = *(u64 *)(r1 +{})\n", s.steps[i]);
          else text = from_memory(text + fmt::format("  r1 += {}\n", s.steps[i]));
        }
        bool direct = instance.arguments.typed_pointers && !is_array && (size == 1 || size == 2 || size == 4 || size == 8);
        if (direct) return text + fmt::format("  r1 = *({} *)(r1 +{})\n", load(size), s.steps.back());
        return from_memory(text + fmt::format("  r1 += {}\n", s.steps.back()));
      },
      [&](const ByNote& s) -> std::string {
        if (s.argument.kind == symbol::UsdtArgument::Kind::constant) return fmt::format("  r1 = {} ll\n", s.argument.value);
        std::string text = fmt::format("  r1 = *(u64 *)(r6 +{})\n", s.argument.reg);
        return s.argument.size < 8 ? text + fmt::format("  r1 <<= {0}\n  r1 >>= {0}\n", 64 - 8 * s.argument.size) : text;
      },
      [](const OnStack&) -> std::string { return "  r1 = 0\n"; },
      [](const Always& s) -> std::string { return fmt::format("  r1 = {} ll\n", s.value); }}, source);
}

// The target's index into r7; ends where the call is none of the targets'.
std::string which(const Instance& instance) {
  switch (instance.which) {
    case Which::first: return "  r7 = 0\n";
    case Which::cookie: return "  r1 = r6\n  call bpf_get_attach_cookie\n  r7 = r0\n";
    case Which::syscall: break;
  }
  std::string text = read(instance, instance.number, instance.number_size);
  for (const SyscallCase& one : instance.syscalls) text += fmt::format("  r7 = {}\n  if r1 == {} goto found\n", one.target, one.number);
  text += "  goto out\nfound:\n";
  if (instance.compat)
    text += fmt::format("  call bpf_get_current_task\n  r1 = r0\n  r1 += {}\n  *(u64 *)(r10 -16) = 0\n  r3 = r1\n  r1 = r10\n  r1 += -16\n  r2 = 4\n"
                        "  call bpf_probe_read_kernel\n  r1 = *(u64 *)(r10 -16)\n  if r1 & {} goto out\n", instance.compat->offset, instance.compat->mask);
  return text;
}

std::string program(const Instance& instance, std::size_t index, int tgid) {
  std::string text = fmt::format(".map rows_{0} type=array key=4 value={1} max_entries={2}\n.map count_{0} type=array key=4 value=8 max_entries=1\n"
                                 ".section raw_tp\n.func probe_{0}\n  r6 = r1\n", index, 8 * (fields_of(instance) + 1), kRows);
  text += "  *(u32 *)(r10 -4) = 0\n  r2 = r10\n  r2 += -4\n  r1 = map[control] ll\n  call bpf_map_lookup_elem\n  if r0 == 0 goto out\n"
          "  r1 = *(u64 *)(r0 +0)\n  if r1 == 0 goto out\n";
  if (tgid != 0) text += fmt::format("  call bpf_get_current_pid_tgid\n  r0 >>= 32\n  if r0 != {} goto out\n", tgid);
  text += which(instance);
  text += fmt::format("  *(u32 *)(r10 -4) = 0\n  r2 = r10\n  r2 += -4\n  r1 = map[count_{0}] ll\n  call bpf_map_lookup_elem\n  if r0 == 0 goto out\n  r1 = *(u64 *)(r0 +0)\n"
                      "  r2 = r1\n  r2 += 1\n  *(u64 *)(r0 +0) = r2\n  *(u32 *)(r10 -4) = r1\n  r2 = r10\n  r2 += -4\n  r1 = map[rows_{0}] ll\n"
                      "  call bpf_map_lookup_elem\n  if r0 == 0 goto out\n  r8 = r0\n  *(u64 *)(r8 +0) = r7\n", index);
  const auto& arguments = instance.arguments.arguments.empty() ? instance.arguments.numbered : instance.arguments.arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& btf = instance.arguments.btf;
    bool is_array = btf && btf->resolve(arguments[i].type).kind() == btf::Kind::array;
    text += read(instance, arguments[i].source, arguments[i].size, is_array) + fmt::format("  *(u64 *)(r8 +{}) = r1\n", 8 * (i + 1));
  }
  return text + "out:\n  r0 = 0\n  exit\n";
}

}  // namespace

Result<std::vector<Instance>> plan(Machine& machine, const std::vector<std::string>& points, const Needs& needs, const Abilities& abilities, std::optional<int> pid) {
  std::vector<Target> targets;
  for (const std::string& text : points) {
    auto point = parse_attach_point(text);
    if (!point) return fail(ErrorKind::invalid_argument, "{}", point.error().message);
    auto expansion = TRY(expand(machine, *point, {.pid = pid}));
    std::ranges::move(expansion.targets, std::back_inserter(targets));
  }
  return group(machine, std::move(targets), needs, abilities);
}

Recorder::Recorder(kernel::Object object, std::vector<Instance> instances)
    : object_(std::make_unique<kernel::Object>(std::move(object))), instances_(std::move(instances)) {}

Result<Recorder> Recorder::load(const std::vector<Instance>& instances, int tgid) {
  std::string text = ".license \"GPL\"\n.map control type=array key=4 value=8 max_entries=1\n";
  for (std::size_t i = 0; i < instances.size(); ++i) text += program(instances[i], i, tgid);
  auto spec = object::assemble_object(text);
  if (!spec) return std::unexpected(wrap(std::move(spec.error()), text));
  for (std::size_t i = 0; i < instances.size(); ++i) {
    object::ProgramSpec& program = spec->programs[i];
    program.type = instances[i].prog_type;
    program.attach_type = instances[i].attach_type;
    program.attach_target = instances[i].attach_target;
    program.section_kind.clear();
  }
  auto linked = TRY(object::link(std::move(*spec), TRY(kernel::running_target())));
  auto loaded = TRY(kernel::Object::load(std::move(linked)));
  return Recorder(std::move(loaded), instances);
}

Result<void> Recorder::attach(std::optional<int> pid) {
  for (std::size_t i = 0; i < instances_.size(); ++i)
    for (const Attachment& attachment : instances_[i].attachments)
      links_.push_back(TRY(kernel::attach(*object_, object_->programs()[i], attachment.probe, {.pid = pid, .cookie = attachment.cookie})));
  return {};
}

void Recorder::detach() { kernel::detach_all(std::move(links_)); }

void Recorder::start() {
  std::uint32_t key = 0;
  std::uint64_t on = 1;
  ASSERT_TRUE(object_->find_map("control")->update(bytes_of(key), bytes_of(on)));
}

std::vector<Row> Recorder::rows(std::size_t index) const {
  const kernel::Map* map = object_->find_map(fmt::format("rows_{}", index));
  std::uint32_t zero = 0;
  auto count = object_->find_map(fmt::format("count_{}", index))->lookup(bytes_of(zero));
  std::vector<Row> rows;
  if (!count || !*count) return rows;
  for (std::uint32_t i = 0; i < std::min<std::uint64_t>(espy::load<std::uint64_t>(**count, 0), kRows); ++i) {
    auto value = map->lookup(bytes_of(i));
    if (!value || !*value) break;
    Row row;
    for (std::size_t at = 0; at < (*value)->size(); at += 8) row.push_back(espy::load<std::uint64_t>(**value, at));
    rows.push_back(std::move(row));
  }
  std::ranges::sort(rows);
  return rows;
}

Actor::Actor(std::function<void()> act) {
  int ends[2];
  if (::pipe(ends) != 0) return;
  pid_ = ::fork();
  if (pid_ == 0) {
    char go = 0;
    ::close(ends[1]);
    if (::read(ends[0], &go, 1) != 1) ::_exit(1);
    act();
    ::_exit(0);
  }
  ::close(ends[0]);
  start_ = ends[1];
}

Actor::~Actor() {
  if (start_ >= 0) act();
}

void Actor::act() {
  char go = 1;
  EXPECT_EQ(::write(start_, &go, 1), 1);
  ::close(std::exchange(start_, -1));
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace espy::probes_test
