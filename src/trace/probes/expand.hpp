// Inside expand: a function for each family of providers, and what they share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trace/probes/target.hpp"

namespace espy::trace::probes {

struct Expanding {
  Machine& machine;
  const AttachPoint& point;
  const ExpandOptions& options;

  std::string_view provider() const { return to_string(point.provider); }
  bool at_return() const { return point.provider == Provider::uretprobe || point.provider == Provider::kretprobe || point.provider == Provider::fexit; }
};

/// Something named is not there. Suggests the nearest of `known` if the error has no hint yet.
Error missing(std::string message, std::string_view wanted = {}, const std::vector<std::string_view>& known = {});

Result<std::vector<Target>> expand_tracepoint(const Expanding& ask, const EventPlace& place);
Result<std::vector<Target>> expand_raw_tracepoint(const Expanding& ask, const RawEventPlace& place);
Result<std::vector<Target>> expand_kernel_function(const Expanding& ask, const KernelPlace& place);
Result<std::vector<Target>> expand_program(const Expanding& ask, const ProgramPlace& place);
Result<std::vector<Target>> expand_iterator(const Expanding& ask, const IteratorPlace& place);
Result<std::vector<Target>> expand_user_function(const Expanding& ask, const UserPlace& place);
Result<std::vector<Target>> expand_usdt(const Expanding& ask, const UsdtPlace& place);

/// The files that the path of a user-space probe names, as this process can open them: a path, a pattern of paths, a program
/// or library by name, `*` (what process -p has mapped), or nothing (the program of -p).
Result<std::vector<std::string>> files_named(std::string_view path, std::optional<int> pid);

}  // namespace espy::trace::probes
