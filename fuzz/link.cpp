// Mutated objects through the reader and the linker, against a small made-up kernel: no crash, no hang, bounded memory.
#include <cstddef>
#include <cstdint>

#include "btf/builder.hpp"
#include "object/link.hpp"
#include "object/read.hpp"

namespace {

using namespace espy;

/// Types that the corpus asks for, some of them with other members than it knows.
std::shared_ptr<const btf::Btf> made_up_kernel() {
  btf::Builder builder;
  auto integer = builder.add_int("int", 4, {.bits = 32, .is_signed = true});
  auto wide = builder.add_int("unsigned long", 8, {.bits = 64});
  auto character = builder.add_int("char", 1, {.bits = 8, .is_signed = true});
  auto text = builder.add_array(character, integer, 16);
  auto task = static_cast<btf::TypeId>(builder.next_id() + 1);
  auto pointer = builder.add_ref(btf::Kind::ptr, "", task);
  auto inner = static_cast<btf::TypeId>(builder.next_id() + 1);
  builder.add_struct(btf::Kind::struct_, "task_struct", 64,
                     {{"flags", wide, 0, 0}, {"comm", text, 64, 0}, {"pid", integer, 192, 0}, {"real_parent", pointer, 256, 0}, {"", inner, 320, 0}});
  builder.add_struct(btf::Kind::union_, "", 8, {{"tgid", integer, 0, 0}, {"bits", wide, 3, 40}});
  auto proto = builder.add_func_proto(integer, {{"p", pointer}});
  auto function = builder.add_ref(btf::Kind::ptr, "", proto);
  builder.add_func("vfs_read", proto, btf::Linkage::static_);
  builder.add_func("bpf_task_release", proto, btf::Linkage::static_);
  builder.add_ref(btf::Kind::typedef_, "btf_trace_sys_enter", function);
  builder.add_var("runqueues", wide, btf::Linkage::global);
  builder.add_enum("bpf_prog_type", 4, false, {{"BPF_PROG_TYPE_XDP", 6}});
  auto ops = builder.add_struct(btf::Kind::struct_, "tcp_congestion_ops", 40, {{"init", function, 0, 0}, {"ssthresh", function, 64, 0}, {"name", text, 192, 0}});
  builder.add_struct(btf::Kind::struct_, "bpf_struct_ops_tcp_congestion_ops", 64, {{"refcnt", wide, 0, 0}, {"data", ops, 128, 0}});
  auto built = builder.build();
  return built ? *built : nullptr;
}

object::Target made_up_target() {
  object::Target target;
  target.name = "made-up kernel";
  target.version = {6, 1, 0};
  target.vmlinux = made_up_kernel();
  target.symbol_address = [](std::string_view) -> Result<std::optional<std::uint64_t>> { return 0xffffffff81000000; };
  target.kconfig = []() -> Result<const std::unordered_map<std::string, std::string>*> {
    static const std::unordered_map<std::string, std::string> config{{"CONFIG_HZ", "250"}, {"CONFIG_BPF", "y"}, {"CONFIG_DEFAULT_HOSTNAME", "\"(none)\""}};
    return &config;
  };
  target.has = [](std::string_view) { return true; };
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const object::Target target = made_up_target();
  auto object = object::read(std::as_bytes(std::span(data, size)), "fuzz.o");
  if (!object) return 0;
  object::LinkOptions every;
  for (const auto& program : object->programs) every.programs.push_back(program.name);
  auto linked = object::link(std::move(*object), target, every);
  if (!linked) return 0;
  for (const auto& program : linked->programs) (void)object::linked_insns(program);
  return 0;
}
