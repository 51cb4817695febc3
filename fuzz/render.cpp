// Rendering of any bytes by any BTF that parses: no crash, no hang, output bounded by the input.
// Input: a 32-bit length, that many bytes of BTF, the rest is the value.
#include <cstdlib>

#include "render/map.hpp"
#include "render/per_cpu.hpp"
#include "render/record_table.hpp"
#include "render/value.hpp"

using namespace espy;

namespace {

constexpr std::size_t kMaxInput = 1 << 16;

void render_all(const render::Shape& shape, Bytes value) {
  for (Endian endian : {Endian::little, Endian::big}) {
    render::ValueOptions options{.endian = endian};
    JsonWriter json;
    write_json(json, shape, value, options);
    (void)render::text(shape, value, options);
    render::RecordColumns columns(shape, "value");
    if (columns.cells(value, options).size() != columns.columns().size()) std::abort();
    (void)render::section_text(shape, value, options);
  }
  std::size_t size = shape.root().size;
  if (size > 0 && size <= value.size()) (void)render::sum_per_cpu(shape, value, size, (size + 7) / 8 * 8);
  render::MapView map{.name = "hist", .key = shape, .value = shape};
  for (int i = 0; i < 3; ++i) map.entries.push_back({{value.begin(), value.end()}, {value.begin(), value.end()}});
  (void)render::text(map);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input = std::as_bytes(std::span(data, size));
  if (size < 4 || size > kMaxInput) return 0;
  std::size_t length = std::min<std::size_t>(load<std::uint32_t>(input, 0), size - 4);
  Bytes blob = input.subspan(4, length), value = input.subspan(4 + length);
  auto btf = btf::Btf::parse({blob.begin(), blob.end()});
  if (!btf) return 0;
  std::uint32_t types = std::min<std::uint32_t>((*btf)->type_count(), 24);
  for (std::uint32_t id = 0; id < types; ++id) render_all(render::Shape(**btf, btf::TypeId{id}), value);
  return 0;
}
