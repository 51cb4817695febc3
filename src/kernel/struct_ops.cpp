#include "kernel/struct_ops.hpp"

#include <algorithm>
#include <cstring>

#include "kernel/kernel_btf.hpp"

namespace espy::kernel {

using btf::Btf;
using btf::Kind;
using btf::Member;
using btf::Type;
using object::MapSpec;

namespace {

// "tcp_congestion_ops___mine" → "tcp_congestion_ops": what stands behind three underscores tells local variants apart.
std::string_view essence(std::string_view name) {
  auto flavour = name.find("___");
  return flavour == name.npos || flavour == 0 ? name : name.substr(0, flavour);
}

std::optional<std::uint32_t> member_index(const Type& type, std::string_view name) {
  for (std::uint32_t i = 0; i < type.vlen(); ++i)
    if (type.member(i).name == name) return i;
  return std::nullopt;
}

bool is_function_pointer(const Btf& btf, btf::TypeId id) {
  Type type = btf.resolve(id);
  return type.kind() == Kind::ptr && btf.resolve(type.target()).kind() == Kind::func_proto;
}

bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{}; });
}

/// The translation of one map's value.
struct Translation {
  const object::ObjectSpec& object;
  const MapSpec& map;
  const Btf& kernel;
  StructOpsPlan plan = {};
  std::uint32_t data_offset = 0;  // of the ops struct in the value

  std::unexpected<Error> refuse(ErrorKind kind, std::string_view member, std::string_view why) const {
    return fail(kind, "struct_ops map `{}`: member `{}`: {}", map.name, member, why);
  }

  // Members are bounded by the object's own contents, and by the kernel's value.
  Result<void> translate(const Type& local, const Type& ops) {
    for (const Member& from : local.members()) {
      if (from.bitfield_size != 0 || from.bit_offset % 8 != 0) return refuse(ErrorKind::unsupported, from.name, "bit-fields are not supported");
      const std::uint32_t offset = from.bit_offset / 8;
      const std::uint32_t size = TRY(object.btf->size_of(from.type));
      if (offset > map.contents.size() || size > map.contents.size() - offset)
        return refuse(ErrorKind::malformed, from.name, "it stands outside the map's initial value");
      Bytes bytes = Bytes(map.contents).subspan(offset, size);
      const object::StructOpsMember* program = nullptr;
      for (const object::StructOpsMember& candidate : map.struct_ops_members)
        if (candidate.offset == offset) program = &candidate;
      auto index = member_index(ops, from.name);
      if (!index) {
        if (program == nullptr && all_zero(bytes)) continue;
        return refuse(ErrorKind::unsupported, from.name, fmt::format("this kernel's struct {} has no such member, and the object sets it", ops.name()));
      }
      TRY(place(from, *index, ops.member(*index), bytes, program));
    }
    return {};
  }

  Result<void> place(const Member& from, std::uint32_t index, const Member& to, Bytes bytes, const object::StructOpsMember* program) {
    if (to.bitfield_size != 0 || to.bit_offset % 8 != 0) return refuse(ErrorKind::unsupported, from.name, "it is a bit-field in this kernel");
    const std::uint32_t size = TRY(kernel.size_of(to.type));
    const std::uint32_t offset = data_offset + to.bit_offset / 8;
    if (offset > plan.value.size() || size > plan.value.size() - offset) return refuse(ErrorKind::malformed, from.name, "the kernel's BTF places it outside its struct");
    if (program != nullptr) {
      if (!is_function_pointer(kernel, to.type) || size != sizeof(std::uint64_t))
        return refuse(ErrorKind::invalid_argument, from.name, "it is set to a program, but is no function pointer in this kernel");
      plan.programs.push_back({.program = program->program, .member_index = index, .value_offset = offset});
      return {};
    }
    if (all_zero(bytes)) return {};
    if (object.btf->resolve(from.type).kind() != kernel.resolve(to.type).kind() || size != bytes.size())
      return refuse(ErrorKind::unsupported, from.name,
                    fmt::format("it is `{}` in the object but `{}` in this kernel", object.btf->type_name(from.type), kernel.type_name(to.type)));
    std::memcpy(plan.value.data() + offset, bytes.data(), bytes.size());
    return {};
  }
};

}  // namespace

Result<StructOpsPlan> plan_struct_ops_map(const object::ObjectSpec& object, const MapSpec& map, const Btf& kernel) {
  if (!object.btf || !object.btf->contains(map.value_type)) return fail(ErrorKind::malformed, "struct_ops map `{}` has no type", map.name);
  Type local = object.btf->resolve(map.value_type);
  if (local.kind() != Kind::struct_) return fail(ErrorKind::malformed, "struct_ops map `{}` is no struct", map.name);
  std::string_view name = essence(local.name());
  auto ops = kernel.find(name, Kind::struct_);
  auto value = kernel.find(fmt::format("bpf_struct_ops_{}", name), Kind::struct_);
  if (!ops || !value) {
    return std::unexpected(Error{.kind = ErrorKind::not_found,
                                 .message = fmt::format("struct_ops map `{}`: this kernel has no struct_ops of struct {}", map.name, name),
                                 .hint = "it may be of a newer kernel, of an option that is off, or of a module that is not loaded"});
  }
  Translation translation{.object = object, .map = map, .kernel = kernel};
  bool wrapped = false;
  for (const Member& member : value->members())
    if (member.type == ops->id()) translation.data_offset = member.bit_offset / 8, wrapped = true;
  if (!wrapped) return fail(ErrorKind::malformed, "struct {} does not hold a struct {}", value->name(), name);
  constexpr std::uint32_t kLargestValue = 1U << 20;  // no struct_ops comes near: a bound for BTF that lies
  if (value->size() > kLargestValue) return fail(ErrorKind::malformed, "struct {} has {} bytes", value->name(), value->size());
  translation.plan.ops_type = ops->id();
  translation.plan.value_type = value->id();
  translation.plan.value_size = value->size();
  translation.plan.value.resize(value->size());
  TRY(translation.translate(local, *ops));
  return std::move(translation.plan);
}

Result<StructOpsPlan> plan_struct_ops_map(const object::ObjectSpec& object, const MapSpec& map) {
  auto vmlinux = TRY(vmlinux_btf());
  auto plan = plan_struct_ops_map(object, map, *vmlinux);
  if (plan || plan.error().kind != ErrorKind::not_found) return plan;
  for (const auto& module : TRY(module_btfs(vmlinux))) {
    auto in_module = plan_struct_ops_map(object, map, *module);
    if (in_module) in_module->module = module->origin();
    if (in_module || in_module.error().kind != ErrorKind::not_found) return in_module;
  }
  return plan;
}

}  // namespace espy::kernel
