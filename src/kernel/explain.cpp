#include "kernel/explain.hpp"

#include <cerrno>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/syscall.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

std::unexpected<Error> explain_map_failure(int error_number, const object::MapSpec& spec) {
  auto failure = fail_sys(error_number, "create map `{}` ({})", spec.name, facts::to_string(spec.type));
  Error& error = failure.error();
  const facts::MapTypeRow* row = facts::find(spec.type);
  if (error_number == EINVAL && row != nullptr && running_version() < row->since) {
    error.kind = ErrorKind::unsupported;
    error.hint = fmt::format("{} maps exist since Linux {}, this is {}", row->name, to_string(row->since), to_string(running_version()));
  } else if (error_number == EPERM) {
    explain_permission(error, needed_to_create(spec.type));
    if (error.notes.empty() && !raise_memlock()) {
      error.kind = ErrorKind::permission;
      error.notes.emplace_back("kernels before 5.11 count maps against RLIMIT_MEMLOCK, which could not be raised");
      error.hint = "run it with CAP_SYS_RESOURCE, or after `ulimit -l unlimited`";
    }
  } else if (error_number == ENOMEM || error_number == E2BIG) {
    error.kind = ErrorKind::exhausted;
    error.hint = fmt::format("it would hold {} entries of {} + {} bytes", spec.max_entries, spec.key_size, spec.value_size);
  } else if (error_number == EINVAL) {
    error.notes.push_back(fmt::format("key_size {}, value_size {}, max_entries {}, map_flags {:#x}, map_extra {:#x}", spec.key_size,
                                      spec.value_size, spec.max_entries, spec.flags, spec.map_extra));
  }
  return failure;
}

Error explain_program_failure(int error_number, const object::LinkedProgram& program, const object::ObjectSpec&, std::string_view log) {
  Error error{.kind = ErrorKind::rejected,
              .message = fmt::format("load program `{}`: {}", program.spec.name, errno_text(error_number)),
              .sys = error_number};
  for (std::string_view line : split(log, '\n')) error.notes.emplace_back(line);
  explain_permission(error, needed_to_load(program.spec.type));
  return error;
}

}  // namespace espy::kernel
