// Programs that call one helper, for asking the running kernel's verifier what it makes of the arguments.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "facts/prototypes.hpp"
#include "facts/tables.hpp"

namespace espy::facts {

/// A kind of program that this kernel may load.
struct ProbeKind {
  ProgType type{};
  AttachType attach{};
  int btf_id = 0;
  unsigned flags = 0;
  std::string name() const { return to_string(type) + "/" + to_string(attach); }
};
std::vector<ProbeKind> probe_kinds();

/// What is given for an argument instead of what the prototype asks for.
enum class Instead : std::uint8_t {
  nothing_else,   ///< the right thing
  number,         ///< 5: no pointer, but a fair size
  null,           ///< 0: NULL; of memory with a size, so is the size
  frame_pointer, packet, read_only_value,
};

struct Call {
  const Prototype* prototype = nullptr;
  int argument = -1;                       ///< which is given `instead`; -1: none
  Instead instead = Instead::nothing_else;
  std::optional<MapType> map = {};         ///< another map than the first that the helper takes
  bool reads_packet_after = false;         ///< a packet pointer from before the call is used behind it
  bool keeps = false;                      ///< what the helper acquires is not released
};

/// Can the harness make every argument, and give back what is acquired?
bool can_call(const Prototype& prototype, const ProbeKind& kind);

/// Does the kernel take the program? If not, `log` gets the verifier's words.
bool kernel_takes(const ProbeKind& kind, const Call& call, std::string& log, const char* license = "GPL");

/// Program types whose packets the harness reaches into.
bool has_packet(const ProbeKind& kind);

KernelVersion kernel_version();

}  // namespace espy::facts
