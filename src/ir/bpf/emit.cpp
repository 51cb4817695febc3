#include "ir/bpf/emit.hpp"

#include "ir/bpf/allocate.hpp"
#include "ir/bpf/demand.hpp"
#include "ir/bpf/frame.hpp"
#include "ir/bpf/layout.hpp"
#include "ir/bpf/select.hpp"

namespace espy::ir::bpf {
namespace {

Result<Code> emit_function(const Function& function, const Options& options) {
  Demand demand(function, options);
  Frame frame = make_frame(demand);
  MFunction machine = TRY(Selector(demand, frame.offsets).select());
  machine.stack_bytes = frame.bytes;
  machine.any_result = function.role == Role::program && function.result == kNoType;
  find_depths(machine);
  if (Result<void> done = allocate(machine); !done) return std::unexpected(wrap(done.error(), fmt::format("function `{}`", function.name)));
  share_exits(machine);
  if (machine.any_result) drop_results(machine);
  return lay_out(machine, options, function.name);
}

}  // namespace

Result<std::vector<Code>> emit(const Module& module, const Options& options) {
  std::vector<Code> code;
  code.reserve(module.functions.size());
  for (const Function& function : module.functions) {
    bool gone = function.order.empty();   // removed: its id stays taken
    code.push_back(gone ? Code{.name = function.name} : TRY(emit_function(function, options)));
  }
  TRY(check_stack(code, options));
  return code;
}

}  // namespace espy::ir::bpf
