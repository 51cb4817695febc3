// Loading, in the order that references need: BTF, then maps (inner maps before what holds them), then programs with the
// maps' descriptors in their instructions, then the slots that hold programs. Whatever has been made is owned from the
// moment it exists, so a failure anywhere leaves nothing behind; pins that this load made are taken away again.
#include "kernel/object.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "kernel/bpf_calls.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/map_create.hpp"
#include "kernel/prog_load.hpp"

namespace espy::kernel {

using object::LinkedObject;
using object::LinkedProgram;
using object::MapIdx;
using object::MapSpec;

/// One load in progress.
class Loader {
 public:
  Loader(LinkedObject& linked, const LoadOptions& options) : linked_(linked), options_(options) {}
  ~Loader() {
    for (const std::string& path : new_pins_) ::unlink(path.c_str());
  }

  Result<Object> run() {
    if (spec().endian != Endian::native) {
      return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                                   .message = fmt::format("the object is {}-endian and this machine is not", spec().endian == Endian::little ? "little" : "big"),
                                   .where = spec().path,
                                   .hint = "compile it with `-target bpf`, which takes the machine's byte order"});
    }
    TRY(load_btf());
    size_struct_ops();
    for (std::size_t i = 0; i < spec().maps.size(); ++i) {
      auto map = make_map(i);
      if (!map) return std::unexpected(at_map(std::move(map.error()), i));
      object_.maps_.push_back(std::move(*map));
    }
    TRY(fill_map_slots());
    for (LinkedProgram& program : linked_.programs) TRY(load_one(program));
    TRY(fill_program_slots());
    fill_struct_ops();
    new_pins_.clear();
    object_.spec_ = std::move(linked_.object);
    return std::move(object_);
  }

 private:
  object::ObjectSpec& spec() { return linked_.object; }

  Error at_map(Error error, std::size_t index) const {
    if (error.where.empty() && !linked_.object.path.empty())
      error.where = fmt::format("{}: map {}", linked_.object.path, linked_.object.maps[index].name);
    return error;
  }

  // BTF is a help, not a need, unless a struct_ops map is described by it.
  Result<void> load_btf() {
    object_.btf_fds_.emplace_back();
    if (!spec().btf) return {};
    auto fd = upload_btf(*spec().btf);
    if (fd) {
      object_.btf_fds_.front() = std::move(*fd);
      return {};
    }
    bool needed = std::ranges::any_of(spec().maps, [](const MapSpec& map) { return map.origin == object::MapOrigin::struct_ops && map.autocreate; });
    if (needed) return std::unexpected(std::move(fd.error()));
    spec().warnings.push_back({.where = spec().path.empty() ? spec().name : spec().path,
                               .message = one_line(fd.error()),
                               .hint = "the object is loaded without it: maps and programs show no types and no source lines"});
    return {};
  }

  // The value's size and layout are the kernel's, as linking found them.
  void size_struct_ops() {
    for (const object::LinkedStructOps& ops : linked_.struct_ops) spec().map(ops.map).value_size = static_cast<std::uint32_t>(ops.value.size());
  }

  const object::LinkedStructOps* struct_ops_of(std::size_t map) const {
    for (const object::LinkedStructOps& ops : linked_.struct_ops)
      if (static_cast<std::size_t>(ops.map) == map) return &ops;
    return nullptr;
  }

  Result<Map> make_map(std::size_t index) {
    const MapSpec& wanted = spec().maps[index];
    if (!wanted.autocreate) return Map();
    MapSpec settled = TRY(settle(wanted));
    MapSetting setting{.object_name = spec().name, .btf_fd = object_.btf_fd()};
    if (const object::LinkedStructOps* ops = struct_ops_of(index)) {
      setting.vmlinux_value_type = static_cast<std::uint32_t>(ops->value_type);
      if (!ops->module.empty()) setting.value_btf_fd = TRY(module_fd(ops->module));
    }
    if (auto reuse = options_.reuse_fds.find(wanted.name); reuse != options_.reuse_fds.end()) {
      UniqueFd copy(::fcntl(reuse->second, F_DUPFD_CLOEXEC, 0));
      if (!copy) return fail_sys(errno, "use the open map that was given for `{}`", wanted.name);
      Map map = TRY(Map::adopt(std::move(copy)));
      TRY(check_fits(settled, map.info()));
      reused_.push_back(index);
      return map;
    }
    if (settled.pinning == object::Pinning::by_name) {
      std::string path = (options_.pin_dir.empty() ? std::string("/sys/fs/bpf") : options_.pin_dir) + "/" + wanted.name;
      PinnedMap pinned = TRY(create_or_reuse_pinned(settled, setting, path));
      if (pinned.was_there) {
        reused_.push_back(index);
        return std::move(pinned.map);
      }
      new_pins_.push_back(path);
      if (settled.is_data()) TRY(fill_data(settled, pinned.map));
      return std::move(pinned.map);
    }
    Map map = TRY(create_map(settled, setting));
    if (settled.type == facts::MapType::arena) TRY(map_arena(settled, map, index));
    else if (!settled.contents.empty() && settled.origin != object::MapOrigin::struct_ops) TRY(fill_data(settled, map));
    return map;
  }

  // Programs are verified against the address at which user space sees the arena, so it is mapped before they load.
  Result<void> map_arena(const MapSpec& spec, const Map& map, std::size_t index) {
    MappedRegion memory = TRY(map.map_memory(true));
    std::ranges::copy(std::span(spec.contents).first(std::min(spec.contents.size(), memory.size())), memory.data());
    object_.mappings_.emplace(index, std::move(memory));
    return {};
  }

  bool is_reused(std::size_t index) const { return std::ranges::find(reused_, index) != reused_.end(); }

  Result<void> put_slot(std::size_t index, std::uint32_t slot, int fd) {
    const Map& map = object_.maps_[index];
    std::vector<std::byte> key(map.info().key_size);
    std::memcpy(key.data(), &slot, std::min(key.size(), sizeof slot));
    const auto value = static_cast<std::uint32_t>(fd);
    auto done = map.update(key, bytes_of(value));
    if (!done) return std::unexpected(at_map(wrap(std::move(done.error()), fmt::format("fill slot {} of map `{}`", slot, spec().maps[index].name)), index));
    return {};
  }

  Result<void> fill_map_slots() {
    for (std::size_t i = 0; i < spec().maps.size(); ++i) {
      if (!object_.maps_[i].valid() || is_reused(i)) continue;
      for (const object::SlotValue& slot : spec().maps[i].slots)
        if (const auto* inner = std::get_if<MapIdx>(&slot.value))
          if (object_.has_map(*inner)) TRY(put_slot(i, slot.slot, object_.maps_[static_cast<std::size_t>(*inner)].fd()));
    }
    return {};
  }

  // A slot whose program is not loaded stays empty: a tail call to it falls through.
  Result<void> fill_program_slots() {
    for (std::size_t i = 0; i < spec().maps.size(); ++i) {
      if (!object_.maps_[i].valid() || is_reused(i)) continue;
      for (const object::SlotValue& slot : spec().maps[i].slots)
        if (const auto* name = std::get_if<std::string>(&slot.value))
          if (const Program* program = object_.find_program(*name)) TRY(put_slot(i, slot.slot, program->fd()));
    }
    return {};
  }

  Result<int> module_fd(const std::string& module) {
    if (auto known = module_fds_.find(module); known != module_fds_.end()) return known->second;
    object_.btf_fds_.push_back(TRY(module_btf_fd(module)));
    return module_fds_[module] = object_.btf_fds_.back().get();
  }

  Result<void> load_one(LinkedProgram& program) {
    ProgramSetting setting{.object = spec(), .map_fds = {}, .btf_fd = object_.btf_fd(), .module_btf_fds = {},
                           .log_level = options_.log_level, .core = &linked_.core, .log_sink = options_.log_sink};
    for (const Map& map : object_.maps_) setting.map_fds.push_back(map.fd());
    for (const object::ModuleBtfUse& use : program.module_btfs) setting.module_btf_fds.push_back(TRY(module_fd(use.module)));
    setting.attach_btf_id = static_cast<std::uint32_t>(program.attach_btf_id.value_or(btf::kVoid));
    if (!program.attach_btf_module.empty()) setting.attach_fd = TRY(module_fd(program.attach_btf_module));
    if (auto target = options_.attach_prog_fds.find(program.spec.name); target != options_.attach_prog_fds.end()) {
      setting.attach_fd = target->second;
      setting.attach_btf_id = static_cast<std::uint32_t>(TRY(function_in_program(target->second, program.spec.attach_target)));
    }
    UniqueFd fd = TRY(load_program(program, setting));
    keep_constants(fd.get());
    object_.programs_.emplace_back(std::move(fd), program.spec, setting.attach_btf_id, setting.attach_fd);
    return {};
  }

  // Constants belong to the program though no instruction may refer to them any more: tools look there for what it says
  // of itself. Kernels before 5.10 do not bind, and nothing depends on it.
  void keep_constants(int program) {
    for (std::size_t i = 0; i < spec().maps.size(); ++i)
      if (spec().maps[i].origin == object::MapOrigin::rodata && object_.maps_[i].valid()) bpf_prog_bind_map(program, object_.maps_[i].fd());
  }

  void fill_struct_ops() {
    for (object::LinkedStructOps& ops : linked_.struct_ops) {
      for (const auto& slot : ops.programs)
        if (const Program* program = object_.find_program(slot.program); program != nullptr && slot.offset + sizeof(std::uint64_t) <= ops.value.size()) {
          const auto fd = static_cast<std::uint64_t>(program->fd());
          std::memcpy(ops.value.data() + slot.offset, &fd, sizeof fd);
        }
      object_.struct_ops_values_[static_cast<std::size_t>(ops.map)] = std::move(ops.value);
    }
  }

  LinkedObject& linked_;
  const LoadOptions& options_;
  Object object_;
  std::vector<std::string> new_pins_;
  std::vector<std::size_t> reused_;
  std::map<std::string, int> module_fds_;
};

Result<Object> Object::load(LinkedObject linked, const LoadOptions& options) { return Loader(linked, options).run(); }

const Map* Object::find_map(std::string_view name) const {
  for (std::size_t i = 0; i < maps_.size(); ++i)
    if (maps_[i].valid() && spec_.maps[i].name == name) return &maps_[i];
  return nullptr;
}

const Program* Object::find_program(std::string_view name) const {
  for (const Program& program : programs_)
    if (program.name() == name) return &program;
  return nullptr;
}

Result<std::vector<std::byte>> Object::struct_ops_value(MapIdx map) const {
  auto value = struct_ops_values_.find(static_cast<std::size_t>(map));
  if (value != struct_ops_values_.end()) return value->second;
  return fail(ErrorKind::invalid_argument, "map `{}` is no struct_ops map that was created", spec_.map(map).name);
}

}  // namespace espy::kernel
