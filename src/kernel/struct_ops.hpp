// struct_ops: a struct of function pointers that the kernel calls, implemented by eBPF programs.
//
// The object declares the struct as it was when the object was compiled; the kernel's may have other members in another
// order, and the map's value wraps it in `struct bpf_struct_ops_NAME` behind the kernel's own state. The plan translates
// member by member, by name: a member the kernel lacks may be missing only if the object leaves it zero.
#pragma once

#include <string>
#include <vector>

#include "object/spec.hpp"

namespace espy::kernel {

/// Where a program goes.
struct StructOpsSlot {
  std::string program;
  std::uint32_t member_index = 0;   ///< in the kernel's struct: the program's expected_attach_type
  std::uint32_t value_offset = 0;   ///< in the map's value: its descriptor, 8 bytes
};

struct StructOpsPlan {
  btf::TypeId ops_type{};           ///< the kernel's `struct NAME`: the programs' attach_btf_id
  btf::TypeId value_type{};         ///< the kernel's `struct bpf_struct_ops_NAME`
  std::string module;               ///< whose BTF both are in; empty: vmlinux
  int module_fd = -1;               ///< its descriptor, once there is one
  std::uint32_t value_size = 0;
  std::vector<std::byte> value;     ///< the kernel's layout, function pointers zero
  std::vector<StructOpsSlot> programs;
};

/// Translates the map's contents to the kernel's types, given its BTF. Pure.
Result<StructOpsPlan> plan_struct_ops_map(const object::ObjectSpec& object, const object::MapSpec& map, const btf::Btf& kernel);

/// The same against the running kernel: vmlinux, then modules.
Result<StructOpsPlan> plan_struct_ops_map(const object::ObjectSpec& object, const object::MapSpec& map);

}  // namespace espy::kernel
