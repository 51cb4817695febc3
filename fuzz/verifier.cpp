// Random instruction streams, with maps and types, under the rules of old and new kernels: a verdict each time, in bounded time
// and memory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "btf/btf.hpp"
#include "isa/insn.hpp"
#include "verifier/verify.hpp"

using namespace espy;

namespace {

constexpr std::size_t kMaxInsns = 256;

object::MapSpec map_of(facts::MapType type, std::uint32_t key, std::uint32_t value) {
  object::MapSpec map;
  map.name = "m";
  map.type = type;
  map.key_size = key;
  map.value_size = value;
  map.max_entries = 4;
  return map;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  const std::uint8_t type = data[0], kernel = data[1], flags = data[2];
  const std::size_t btf_bytes = (flags & 4) != 0 ? std::min<std::size_t>(std::size_t{data[3]} * 4, size - 8) : 0;
  object::LinkedObject object;
  object.object.license = (flags & 1) != 0 ? "GPL" : "";
  object.object.maps = {map_of(facts::MapType::array, 4, 64), map_of(facts::MapType::hash, 8, 16), map_of(facts::MapType::ringbuf, 0, 0),
                        map_of(facts::MapType::prog_array, 4, 4), map_of(facts::MapType::sockmap, 4, 4)};
  if (btf_bytes != 0) {
    const auto bytes = std::as_bytes(std::span(data + 8, btf_bytes));
    if (auto parsed = btf::Btf::parse({bytes.begin(), bytes.end()}); parsed && (*parsed)->validate()) {
      object.object.btf = *parsed;
      object.object.maps[1].value_type = btf::TypeId{data[3] % (*parsed)->type_count()};
    }
  }
  object::LinkedProgram program;
  program.spec.name = "fuzzed";
  program.spec.type = static_cast<facts::ProgType>(type % 33);
  program.spec.attach_type = static_cast<facts::AttachType>(data[4] % 58);
  program.spec.flags.sleepable = (flags & 8) != 0;
  for (std::size_t at = 8 + btf_bytes; at + 8 <= size && program.spec.code.insns.size() < kMaxInsns; at += 8) {
    isa::Insn insn;
    std::memcpy(&insn, data + at, sizeof insn);
    const auto index = static_cast<isa::InsnIdx>(program.spec.code.insns.size());
    if (isa::is_ld_imm64(insn) && (insn.src == 1 || insn.src == 2)) {
      const auto map = static_cast<object::MapIdx>(static_cast<std::uint32_t>(insn.imm) % object.object.maps.size());
      if (insn.src == 1) program.spec.code.relocations.push_back({index, object::MapRef{map}});
      else program.spec.code.relocations.push_back({index, object::MapValueRef{map, static_cast<std::uint32_t>(insn.off) & 127}});
    }
    if ((flags & 16) != 0 && object.object.btf != nullptr && isa::is_call(insn, isa::CallKind::subprogram))
      program.spec.code.func_info.push_back({index + 1 + static_cast<std::uint32_t>(insn.imm), btf::TypeId{data[5]}});
    program.spec.code.insns.push_back(insn);
  }
  object::Target target;
  target.version = {.major = 6, .minor = 18};
  target.vmlinux = object.object.btf;
  constexpr facts::KernelVersion kKernels[] = {{.major = 4, .minor = 19}, {.major = 5, .minor = 10}, {.major = 6, .minor = 1}, {.major = 6, .minor = 18}};
  const verifier::Profile profile = verifier::profile_of(kKernels[kernel % 4]);
  const verifier::Options options{.unprivileged = (flags & 2) != 0, .max_insns = 20000};
  const verifier::Verdict verdict = verifier::verify(object, program, target, profile, options);
  if (verdict.accepted != verdict.errors.empty()) std::abort();
  return 0;
}
