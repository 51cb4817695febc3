// What lives in a loaded object: global variables, local storage, struct_ops values.
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/capabilities.hpp"
#include "kernel/object.hpp"
#include "kernel/test_support.hpp"
#include "object/read.hpp"

namespace espy::kernel {
namespace {

Result<Object> load(std::string_view name, const std::vector<std::string>& programs = {}) {
  auto spec = TRY(object::read(fmt::format("{}/tests/corpus/v3/{}.bpf.o", ESPY_BINARY_DIR, name)));
  return Object::load(TRY(object::link(std::move(spec), TRY(running_target()), {.programs = programs})));
}

const Map* find_map(const Object& object, facts::MapType type) {
  for (const Map& map : object.maps())
    if (map.valid() && map.info().type == type) return &map;
  return nullptr;
}

TEST(Values, VariablesAreReadAndWrittenByName) {
  SKIP_WITHOUT_BPF();
  auto object = load("data_sections");
  ASSERT_OK(object);
  int written = 0;
  for (const object::Variable& variable : object::variables(object->spec())) {
    auto value = object->read_variable(variable.name);
    ASSERT_OK(value);
    EXPECT_EQ(value->size(), variable.size);
    const auto origin = object->spec().map(variable.map).origin;
    for (std::byte& byte : *value) byte ^= std::byte{0x5a};
    auto changed = object->write_variable(variable.name, *value);
    if (origin == object::MapOrigin::rodata || origin == object::MapOrigin::kconfig) {
      EXPECT_FALSE(changed.has_value()) << variable.name;
      continue;
    }
    ASSERT_OK(changed);
    EXPECT_EQ(object->read_variable(variable.name).value(), *value) << variable.name;
    ++written;
  }
  EXPECT_GT(written, 0);
  EXPECT_EQ(object->read_variable("no_such_variable").error().kind, ErrorKind::not_found);
}

TEST(Values, LocalStorageIsKeyedByDescriptors) {
  SKIP_WITHOUT_BPF();
  auto object = load("maps_local_storage");
  ASSERT_OK(object);
  const Map* by_task = find_map(*object, facts::MapType::task_storage);
  ASSERT_NE(by_task, nullptr);
  UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  ASSERT_TRUE(self);
  const int key = self.get();
  EXPECT_FALSE(by_task->lookup(bytes_of(key)).value().has_value());
  const std::uint64_t calls = 7;
  ASSERT_OK(by_task->update(bytes_of(key), bytes_of(calls)));
  auto there = by_task->lookup(bytes_of(key));
  ASSERT_OK(there);
  EXPECT_EQ(espy::load<std::uint64_t>(there->value(), 0), calls);
  EXPECT_TRUE(by_task->erase(bytes_of(key)).value());
}

TEST(Values, StructOpsValueIsTakenByTheKernel) {
  SKIP_WITHOUT_BPF();
  auto object = load("struct_ops_tcp");
  if (!object && object.error().kind == ErrorKind::not_found) GTEST_SKIP() << describe(object.error());
  ASSERT_OK(object);
  const Map* map = find_map(*object, facts::MapType::struct_ops);
  ASSERT_NE(map, nullptr);
  auto value = object->struct_ops_value(object->spec().map_index("espy_cc").value());
  ASSERT_OK(value);
  EXPECT_EQ(value->size(), map->value_bytes());
  const std::uint32_t zero = 0;
  ASSERT_OK(map->update(bytes_of(zero), *value));
  auto names = read_text_file("/proc/sys/net/ipv4/tcp_available_congestion_control");
  ASSERT_OK(names);
  EXPECT_NE(names->find("espy_cc"), std::string::npos) << *names;
  EXPECT_TRUE(map->erase(bytes_of(zero)).value());
}

TEST(Values, ArenaIsMapped) {
  SKIP_WITHOUT_BPF();
  auto object = load("arena");
  if (!object) GTEST_SKIP() << "arena: " << describe(object.error());
  const MappedRegion* memory = object->arena(object->spec().map_index("arena").value());
  ASSERT_NE(memory, nullptr);
  ASSERT_OK(object->find_program("allocate")->test_run({}));
  auto value = object->read_variable("value");
  ASSERT_OK(value);
  EXPECT_EQ(espy::load<std::uint32_t>(*value, 0), 3U);
  // The program's page is at the end of the arena or at its beginning: the number is in the memory that we see.
  bool seen = false;
  for (std::size_t at = 0; at < memory->size(); at += 4096) seen |= espy::load<std::uint32_t>(memory->bytes(), at) == 3;
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace espy::kernel
