// The kernel types that Espy carries: for some long-term kernels, those that eBPF programs name most.
#pragma once

#include <memory>
#include <optional>

#include "btf/btf.hpp"
#include "facts/types.hpp"

namespace espy::verifier {

struct StoredTypes {
  facts::KernelVersion version = {};          ///< whose they are
  std::shared_ptr<const btf::Btf> types = {};
};

/// The stored types that are nearest to a version: its own, else those of the newest one before it, else of the oldest.
/// nullopt: none are stored.
std::optional<StoredTypes> stored_types(facts::KernelVersion version);

}  // namespace espy::verifier
