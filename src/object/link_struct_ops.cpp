// struct_ops: a value of a kernel struct whose function pointers are programs.
//
// The program declares the struct as it knows it; the kernel's may have more members, others, or another order. Members
// are matched by name and copied to where the kernel has them; a pointer to a program becomes a slot that the load fills
// with the program's descriptor. The map's value is the kernel's `struct bpf_struct_ops_NAME`, which wraps NAME.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "object/link_steps.hpp"

namespace espy::object {
namespace {

/// No kernel's struct_ops value comes near; foreign BTF may say any size.
constexpr std::uint32_t kMaxValueBytes = 1 << 20;

/// The kernel's types of one struct_ops kind.
struct KernelTypes {
  btf::Type wrapper, inner;
  std::uint32_t inner_offset = 0;   ///< bytes
  std::string module;
};

std::optional<KernelTypes> find_types(const btf::Btf& btf, const std::string& name, std::string module) {
  auto inner = btf.find(name, btf::Kind::struct_);
  auto wrapper = btf.find("bpf_struct_ops_" + name, btf::Kind::struct_);
  if (!inner || !wrapper) return std::nullopt;
  for (const btf::Member& member : wrapper->members())
    if (btf.resolve(member.type).id() == inner->id()) return KernelTypes{*wrapper, *inner, member.bit_offset / 8, std::move(module)};
  return std::nullopt;
}

Result<KernelTypes> find_types(const Target& target, const std::string& name) {
  if (!target.vmlinux) return fail(ErrorKind::unsupported, "{} has no BTF, which struct_ops need", target.name);
  if (auto types = find_types(*target.vmlinux, name, "")) return *types;
  if (target.modules)
    for (const ModuleBtf& module : TRY(target.modules()))
      if (auto types = find_types(*module.btf, name, module.name)) return *types;
  auto error = fail(ErrorKind::unsupported, "{} has no struct_ops of type `{}`", target.name, name);
  error.error().hint = nearest_name(name, target.vmlinux.get(), btf::Kind::struct_, "bpf_struct_ops_");
  return error;
}

/// Copies the members of one map's value into the kernel's layout.
class Layouter {
 public:
  Layouter(const btf::Btf& local, const MapSpec& map, const KernelTypes& kernel, StructOpsLayout& out)
      : local_(local), map_(map), kernel_(kernel), out_(out) {
    for (std::uint32_t i = 0; i < kernel.inner.vlen(); ++i) kernel_members_.emplace(kernel.inner.member(i).name, i);
    for (const StructOpsMember& member : map.struct_ops_members) implementations_.emplace(member.offset, &member);
    for (std::size_t i = 0; i < map.contents.size(); ++i)
      if (map.contents[i] != std::byte{}) not_zero_.push_back(i);
  }

  Result<void> member(const btf::Member& member) {
    auto there = find_member(member.name);
    TRY(check_range(member));
    if (!there) {
      if (is_zero(member)) return {};  // an older kernel has it not, and nothing is lost
      return fail(ErrorKind::unsupported, "the kernel's `struct {}` has no member `{}`", kernel_.inner.name(), member.name);
    }
    const auto& [index, target] = *there;
    if (member.bitfield_size != 0 || target.bitfield_size != 0)
      return fail(ErrorKind::unsupported, "member `{}` is a bit-field, which struct_ops do not carry", member.name);
    btf::Type local_type = local_.resolve(member.type);
    btf::Type target_type = kernel_.inner.btf().resolve(target.type);
    if (local_type.kind() != target_type.kind())
      return fail(ErrorKind::unsupported, "member `{}` is a {} in the kernel", member.name, btf::to_string(target_type.kind()));
    std::uint32_t offset = kernel_.inner_offset + target.bit_offset / 8;
    if (local_type.kind() == btf::Kind::ptr) return pointer(member, index, offset);
    std::uint32_t size = TRY(local_.size_of(local_type.id()));
    if (size != TRY(kernel_.inner.btf().size_of(target_type.id())))
      return fail(ErrorKind::unsupported, "member `{}` has another size in the kernel", member.name);
    std::uint32_t from = member.bit_offset / 8;
    if (offset > out_.linked.value.size() || size > out_.linked.value.size() - offset || from + std::size_t{size} > map_.contents.size())
      return fail(ErrorKind::malformed, "member `{}` reaches past its struct", member.name);
    std::memcpy(out_.linked.value.data() + offset, map_.contents.data() + from, size);
    return {};
  }

 private:
  std::optional<std::pair<std::uint32_t, btf::Member>> find_member(std::string_view name) const {
    auto found = kernel_members_.find(name);
    if (found == kernel_members_.end()) return std::nullopt;
    return std::pair{found->second, kernel_.inner.member(found->second)};
  }

  const StructOpsMember* implementation(const btf::Member& member) const {
    auto found = implementations_.find(member.bit_offset / 8);
    return found == implementations_.end() ? nullptr : found->second;
  }

  Result<void> check_range(const btf::Member& member) const {
    if (member.bit_offset / 8 <= map_.contents.size()) return {};
    return fail(ErrorKind::malformed, "member `{}` starts past the value's {} bytes", member.name, map_.contents.size());
  }

  bool is_zero(const btf::Member& member) const {
    if (implementation(member)) return false;
    auto size = local_.size_of(member.type);
    std::size_t from = member.bit_offset / 8;
    auto first = std::ranges::lower_bound(not_zero_, from);
    return first == not_zero_.end() || *first >= from + (size ? *size : 0);
  }

  Result<void> pointer(const btf::Member& member, std::uint32_t index, std::uint32_t offset) {
    const StructOpsMember* program = implementation(member);
    if (!program) return {};  // the kernel's default
    if (offset + std::size_t{8} > out_.linked.value.size())
      return fail(ErrorKind::malformed, "member `{}` reaches past the kernel's struct", member.name);
    out_.linked.programs.push_back({offset, program->program});
    out_.implementations.push_back({program->program, index});
    return {};
  }

  const btf::Btf& local_;
  const MapSpec& map_;
  const KernelTypes& kernel_;
  StructOpsLayout& out_;
  std::unordered_map<std::string_view, std::uint32_t> kernel_members_;   // names of the target's BTF
  std::unordered_map<std::uint32_t, const StructOpsMember*> implementations_;   // by offset
  std::vector<std::size_t> not_zero_;   // offsets of the bytes of the value that are not zero
};

}  // namespace

Result<StructOpsLayout> lay_out_struct_ops(const ObjectSpec& object, MapIdx index, const Target& target) {
  const MapSpec& map = object.map(index);
  auto failed = [&](Error cause) { return std::unexpected(wrap(std::move(cause), fmt::format("struct_ops map `{}`", map.name))); };
  if (!object.btf) return failed(fail(ErrorKind::malformed, "the object has no BTF").error());
  btf::Type local = object.btf->resolve(map.value_type);
  if (local.kind() != btf::Kind::struct_) return failed(fail(ErrorKind::malformed, "its type is no struct").error());
  auto kernel = find_types(target, std::string(btf::essential_name(local.name())));
  if (!kernel) return failed(kernel.error());

  if (kernel->wrapper.size() > kMaxValueBytes)
    return failed(fail(ErrorKind::malformed, "the target's struct has {} bytes", kernel->wrapper.size()).error());

  StructOpsLayout layout;
  layout.kernel_struct = kernel->inner.id();
  layout.linked.map = index;
  layout.linked.value_type = kernel->wrapper.id();
  layout.linked.module = kernel->module;
  layout.linked.value.resize(kernel->wrapper.size());
  Layouter layouter(*object.btf, map, *kernel, layout);
  for (const btf::Member& member : local.members())
    if (auto done = layouter.member(member); !done) return failed(done.error());
  return layout;
}

}  // namespace espy::object
