// struct_ops: a table of the kernel's function pointers, implemented by programs. Writing the map's only element registers
// it; with BPF_F_LINK (6.4) a link does, after the value was written.
#include <linux/bpf.h>

#include <cerrno>

#include "base/text.hpp"
#include "kernel/attach/families.hpp"

namespace espy::kernel {

namespace {

constexpr std::uint32_t kLinkFlag = 1U << 13;   // BPF_F_LINK

std::string ops_hint(int error_number) {
  switch (error_number) {
    case EEXIST: return "something of this name is registered already; another name is free";
    case EBUSY: return "it is registered already";
    case EINVAL: return "the kernel checks that the members it needs are there and the name is valid";
    default: return {};
  }
}

}  // namespace

Result<Link> attach_struct_ops(Object& object, object::MapIdx index) {
  const object::MapSpec& spec = object.spec().map(index);
  std::string where = "struct_ops " + spec.name;
  if (!object.has_map(index)) return fail(ErrorKind::not_found, "{}: the map was not created", where);
  const Map& map = object.maps()[static_cast<std::size_t>(index)];
  std::vector<std::byte> value = TRY(object.struct_ops_value(index));
  std::uint32_t key = 0;
  if (auto written = map.update(bytes_of(key), value); !written) {
    Error error = wrap(std::move(written.error()), fmt::format("register {}", where));
    error.hint = ops_hint(error.sys);
    return std::unexpected(std::move(error));
  }
  if ((map.info().flags & kLinkFlag) == 0) {
    return Link({}, where, [map_fd = attaching::duplicate(map.fd())] {
      std::uint32_t zero = 0;
      struct { std::uint32_t map_fd, pad; std::uint64_t key, value, flags; } attr{static_cast<std::uint32_t>(map_fd.get()), 0, to_u64(&zero), 0, 0};
      sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof attr);
    });
  }
  UniqueFd link = attaching::link_create({.prog_fd = static_cast<std::uint32_t>(map.fd()), .target = 0, .attach_type = static_cast<std::uint32_t>(facts::AttachType::struct_ops)});
  if (link) return Link(std::move(link), where);
  auto failure = fail_sys(errno, "register {}", where);
  failure.error().hint = ops_hint(failure.error().sys);
  return failure;
}

namespace attaching {

Result<Link> attach_to(const Call& call, const probe::StructOps& probe) {
  const auto& maps = call.object.spec().maps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    if (maps[i].origin != object::MapOrigin::struct_ops) continue;
    bool member = false;
    for (const object::StructOpsMember& m : maps[i].struct_ops_members) member = member || m.program == call.program.name();
    if (maps[i].name == probe.map || member) return attach_struct_ops(call.object, static_cast<object::MapIdx>(i));
  }
  return fail(ErrorKind::not_found, "program `{}` is a member of no struct_ops map of the object", call.program.name());
}

}  // namespace attaching
}  // namespace espy::kernel
