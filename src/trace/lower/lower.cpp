#include "trace/lower/lower.hpp"

#include "ir/check.hpp"
#include "ir/passes/passes.hpp"
#include "trace/lower/object.hpp"
#include "trace/lower/programs.hpp"
#include "trace/lower/unit.hpp"

namespace espy::trace {

Abilities abilities_of_version(facts::KernelVersion version) {
  const auto since = [&](std::uint16_t major, std::uint16_t minor) { return version >= facts::KernelVersion{major, minor, 0}; };
  return {.isa = since(6, 6) ? 4U : since(5, 1) ? 3U : since(4, 14) ? 2U : 1U,
          .ring_buffer = since(5, 8),
          .probe_read_split = since(5, 5),
          .atomics = since(5, 12),
          .bounded_loops = since(5, 3),
          .bpf_loop = since(5, 17),
          .for_each_map_elem = since(5, 13),
          .lookup_percpu = since(5, 19),
          .global_data = since(5, 2),
          .task_btf = since(5, 11),
          .attach_cookie = since(5, 15),
          .ns_pid = since(5, 7),
          .boot_time = since(5, 8),
          .tai_time = since(6, 1),
          .lazy_hash = since(6, 1),
          .uninit_stack = since(6, 3),
          .snprintf = since(5, 13),
          .func_info = since(5, 0)};
}

namespace {

using lowering::Economy;

Result<Compiled> compile(const Checked& checked, const LowerOptions& options, Diagnostics& diagnostics, Economy economy, bool scratch_by_cpu = false) {
  lowering::Unit unit(checked, options, diagnostics, economy);
  unit.scratch_by_cpu = scratch_by_cpu;
  lowering::add_subprograms(unit);
  for (std::uint32_t i = 0; i < checked.probes.size(); ++i) lowering::add_program(unit, i);
  if (diagnostics.has_errors()) return fail(ErrorKind::invalid_argument, "the script cannot be compiled");
  if (!scratch_by_cpu && unit.scratch_bytes() + lowering::kScratchHeader > lowering::kMaxPerCpuValue)
    return compile(checked, options, diagnostics, economy, true);
  if (options.watch) options.watch("ir", unit.module);
  TRY(ir::check(unit.module));
  if (options.optimise) {
    ir::optimise(unit.module);
    if (options.watch) options.watch("optimised", unit.module);
  }
  return lowering::make_object(unit);
}

}  // namespace

Result<Compiled> lower(const Checked& checked, const LowerOptions& options, Diagnostics& diagnostics) {
  // Too much for the stack: the same with more and more of it in the scratch.
  auto compiled = compile(checked, options, diagnostics, Economy::none);
  for (const Economy economy : {Economy::temporaries, Economy::variables}) {
    if (compiled || compiled.error().kind != ErrorKind::exhausted) return compiled;
    compiled = compile(checked, options, diagnostics, economy);
  }
  return compiled;
}

}  // namespace espy::trace
