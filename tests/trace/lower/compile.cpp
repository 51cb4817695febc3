#include "compile.hpp"

#include <algorithm>
#include <cstring>

#include "isa/disassemble.hpp"
#include "trace/compile.hpp"

namespace espy::trace {

Trial::Trial(std::string_view text, std::optional<LowerOptions> options) {
  static probes::Machine machine = probes::Machine::running();
  const std::uint32_t source = sources.add("test.bt", std::string(text));
  CompileOptions how{.allow_unsafe = true};
  if (options) {
    how.lower = std::move(*options);
  } else if (auto running = running_options()) {
    how.lower = std::move(*running);
  } else {
    problem = describe(running.error());
    return;
  }
  how.wants = [](std::string_view stage) { return stage == "ir" || stage == "optimised"; };
  how.show = [&](std::string_view stage, std::string_view shown) {
    if (stage == "ir") ir = shown;
    if (stage == "optimised") optimised = shown;
  };
  Compilation compilation = compile(sources, source, machine, {}, how);
  for (const Diagnostic& each : compilation.diagnostics.all()) problem += render(each, sources, false) + "\n";
  if (compilation.error) problem += describe(*compilation.error);
  compiled = std::move(compilation.script);
}

std::string disassembly(const object::ObjectSpec& object) {
  std::string out;
  const auto show = [&](const object::FunctionSpec& function) { out += function.name + ":\n" + isa::disassemble(function.insns); };
  for (const object::ProgramSpec& program : object.programs) show(program.code);
  for (const object::FunctionSpec& function : object.functions) show(function);
  return out;
}

std::size_t instructions(const object::ObjectSpec& object) {
  std::size_t out = 0;
  for (const object::ProgramSpec& program : object.programs) out += program.code.insns.size();
  for (const object::FunctionSpec& function : object.functions) out += function.insns.size();
  return out;
}

Result<kernel::Object> load(const Compiled& compiled) {
  const object::Target target = TRY(kernel::running_target());
  std::string log;
  kernel::LoadOptions options;
  options.log_sink = [&](const std::string& program, std::string_view text) { log += program + ":\n" + std::string(text); };
  auto object = kernel::Object::load(TRY(object::link(compiled.object, target)), options);
  if (!object) return fail(object.error().kind, "{}\n{}", describe(object.error()), log);
  return object;
}

Result<void> run_begin(const kernel::Object& object, const Compiled& compiled) {
  for (const ProgramPlan& plan : compiled.plan.programs) {
    if (plan.instance.targets[0].provider != probes::Provider::begin) continue;
    const kernel::Program* program = object.find_program(plan.program);
    if (program == nullptr) return fail(ErrorKind::not_found, "no program `{}`", plan.program);
    TRY(program->test_run(kernel::TestRun{}));
  }
  return {};
}

std::optional<std::int64_t> element(const kernel::Object& object, const Compiled& compiled, std::string_view map_name, std::uint64_t key) {
  const kernel::Map* map = object.find_map(map_name);
  if (map == nullptr) return std::nullopt;
  std::vector<std::byte> key_bytes(map->info().key_size);
  std::memcpy(key_bytes.data(), &key, std::min<std::size_t>(sizeof key, key_bytes.size()));
  const auto value = map->lookup(key_bytes);
  if (!value || !*value) return std::nullopt;
  const auto plan = std::ranges::find(compiled.plan.maps, map_name, &MapPlan::map);
  if (plan == compiled.plan.maps.end()) return std::nullopt;
  const std::size_t stride = (plan->value_bytes + 7) / 8 * 8;
  std::int64_t sum = 0;
  for (std::size_t at = 0; at + 8 <= (*value)->size(); at += stride) {
    std::int64_t one = 0;
    std::memcpy(&one, (*value)->data() + at, sizeof one);
    sum += one;
  }
  return sum;
}

}  // namespace espy::trace
