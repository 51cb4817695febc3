// Kernel symbols and kfuncs: `extern … __ksym`.
//
// With a type, a symbol is looked up in BTF, vmlinux first, then the modules in the kernel's order, and the types must
// fit; without one (`extern const void x`), its address comes from the kernel's symbol table. A weak one may be missing:
// its address is then zero, and calls of it must not be reached.
#include "object/link_steps.hpp"

namespace espy::object {
namespace {

struct Found {
  btf::Type type;
  std::string module;
};

std::optional<Found> find_in_kernel(const Target& target, std::string_view name, btf::Kind kind) {
  if (!target.vmlinux) return std::nullopt;
  if (auto type = target.vmlinux->find(name, kind)) return Found{*type, {}};
  if (!target.modules) return std::nullopt;
  auto modules = target.modules();
  if (!modules) return std::nullopt;
  for (const ModuleBtf& module : *modules) {
    auto type = module.btf->find(name, kind);
    if (type && static_cast<std::uint32_t>(type->id()) >= module.btf->start_id()) return Found{*type, module.name};
  }
  return std::nullopt;
}

}  // namespace

ExternLinker::ExternLinker(const ObjectSpec& object, const Target& target)
    : object_(object), target_(target), resolved_(object.externs.size()) {}

Result<const ResolvedExtern*> ExternLinker::resolve(ExternIdx index) {
  auto at = static_cast<std::size_t>(index);
  if (at >= resolved_.size()) return fail(ErrorKind::malformed, "a relocation names extern {}, there are {}", at, resolved_.size());
  if (!resolved_[at]) resolved_[at] = TRY(look_up(object_.externs[at]));
  return &*resolved_[at];
}

Result<ResolvedExtern> ExternLinker::look_up(const ExternSpec& external) {
  if (const auto* kconfig = std::get_if<KconfigExtern>(&external.kind)) return KconfigValue{kconfig->offset};
  if (const auto* kfunc = std::get_if<KfuncExtern>(&external.kind)) return look_up_object(external, btf::Kind::func, kfunc->proto);
  if (std::holds_alternative<UndeclaredExtern>(external.kind)) return look_up_undeclared(external);
  const auto& symbol = std::get<KsymExtern>(external.kind);
  return symbol.typeless ? look_up_address(external) : look_up_object(external, btf::Kind::var, symbol.type);
}

Result<ResolvedExtern> ExternLinker::look_up_undeclared(const ExternSpec& external) {
  if (external.weak) return Missing{};
  auto error = fail(ErrorKind::not_found, "`{}` is not defined in the object, and no `extern` declares what it is", external.name);
  error.error().hint = kDeclareIt;
  return error;
}

Result<ResolvedExtern> ExternLinker::look_up_address(const ExternSpec& external) {
  if (target_.symbol_address) {
    if (auto address = TRY(target_.symbol_address(external.name))) return KernelAddress{*address};
  }
  if (external.weak) return Missing{};
  auto error = target_.symbol_address
                   ? fail(ErrorKind::not_found, "{} has no symbol `{}`", target_.name, external.name)
                   : fail(ErrorKind::unsupported, "the addresses of {}'s symbols are not known here (`{}`)", target_.name, external.name);
  error.error().hint = "declare it __weak if the program can do without it";
  return error;
}

Result<ResolvedExtern> ExternLinker::look_up_object(const ExternSpec& external, btf::Kind kind, btf::TypeId local_type) {
  std::string_view what = kind == btf::Kind::func ? "kernel function (kfunc)" : "kernel variable";
  std::string_view name = kind == btf::Kind::func && !external.essence.empty() ? std::string_view(external.essence) : std::string_view(external.name);
  auto found = find_in_kernel(target_, name, kind);
  if (!found) {
    if (kind == btf::Kind::func && target_.offers && target_.offers(name)) return KernelObject{};
    if (external.weak) return Missing{};
    auto error = fail(ErrorKind::not_found, "{} has no {} `{}`", target_.name, what, name);
    error.error().hint = target_.vmlinux ? nearest_name(name, target_.vmlinux.get(), kind) : "the target has no BTF";
    if (error.error().hint.empty()) error.error().hint = "declare it __weak if the program can do without it";
    return error;
  }
  if (!object_.btf) return fail(ErrorKind::malformed, "extern `{}` has a type, but the object no BTF", external.name);
  const btf::Btf& there = found->type.btf();
  btf::TypeId local = object_.btf->resolve(local_type).id();
  btf::TypeId target = there.resolve(found->type.target()).id();
  if (!btf::types_are_compatible(*object_.btf, local, there, target)) {
    if (external.weak) return Missing{};  // another flavour's prototype: as if it were not there
    return fail(ErrorKind::unsupported, "the {} `{}` has another type in {}: {}", what, name, target_.name, there.type_name(target));
  }
  return KernelObject{found->type.id(), std::move(found->module)};
}

}  // namespace espy::object
