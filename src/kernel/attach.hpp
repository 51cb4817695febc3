// attach: Program × Probe → Link. One small file for each family of kinds under kernel/attach/.
#pragma once

#include <optional>

#include "kernel/link.hpp"
#include "kernel/object.hpp"
#include "probe/probe.hpp"

namespace espy::kernel {

struct AttachOptions {
  std::optional<int> pid;          ///< only this process, where the kind can
  std::uint64_t cookie = 0;        ///< bpf_get_attach_cookie()
};

/// Attaches one program. Where this kernel lacks the kind, the error says which configuration or version it needs and what
/// would serve instead.
Result<Link> attach(Object& object, const Program& program, const probe::Probe& probe, const AttachOptions& options = {});

/// Registers a struct_ops map (with BPF_F_LINK as a link, else until its element is deleted).
Result<Link> attach_struct_ops(Object& object, object::MapIdx map);

/// Reads a whole iterator, in pieces, as the program wrote it.
Result<void> read_iterator(const Link& link, const std::function<bool(Bytes)>& sink);

}  // namespace espy::kernel
