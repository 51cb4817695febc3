// The C face of the engine (espy/espy.h): each function says in C what one of the engine's says in C++. No exception passes.
#include <espy/espy.h>   // of the public headers, as it includes nothing that stands above us

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "object/link.hpp"
#include "object/read.hpp"
#include "vm/object.hpp"
#include "vm/test_run.hpp"

using namespace espy;

struct espy_object {
  std::unique_ptr<vm::Object> object;
};
struct espy_map {
  std::shared_ptr<vm::Map> map;
};
struct espy_registry {
  std::shared_ptr<vm::Registry> registry = std::make_shared<vm::Registry>();
};

namespace {

struct Message {
  char* text;
  std::size_t bytes;
};

void say(Message to, std::string_view text) {
  if (to.text == nullptr || to.bytes == 0) return;
  const std::size_t length = std::min(text.size(), to.bytes - 1);
  std::memcpy(to.text, text.data(), length);
  to.text[length] = '\0';
}

/// What `work` gives, or `failed`, and why. Memory that is not to be had is an error like others.
template <typename T, typename Work>
T guarded(Message message, T failed, const Work& work) {
  try {
    Result<T> result = work();
    if (result) return *result;
    say(message, describe(result.error()));
  } catch (const std::exception& thrown) {
    say(message, thrown.what());
  }
  return failed;
}

template <typename T>
Result<T> wrong(std::string_view what) {
  return fail(ErrorKind::invalid_argument, "{}", what);
}

Result<facts::Prototype> prototype_of(const espy_argument* arguments, std::size_t count) {
  facts::Prototype prototype;
  if (count > prototype.args.size() || (count != 0 && arguments == nullptr)) return wrong<facts::Prototype>("a function takes up to five arguments");
  for (std::size_t i = 0; i < count; ++i) {
    const bool sized = i + 1 < count && arguments[i + 1] == ESPY_SIZE;
    facts::Argument& argument = prototype.args[i];
    switch (arguments[i]) {
      case ESPY_NUMBER: argument.kind = facts::Arg::anything; break;
      case ESPY_SIZE: argument.kind = facts::Arg::const_size_or_zero; break;
      case ESPY_CONTEXT: argument.kind = facts::Arg::ctx; break;
      case ESPY_MAP: argument.kind = facts::Arg::const_map; break;
      case ESPY_MEMORY:
      case ESPY_MEMORY_WRITTEN:
        if (!sized) return wrong<facts::Prototype>("the size of memory is the argument behind it");
        argument.kind = arguments[i] == ESPY_MEMORY ? facts::Arg::mem : facts::Arg::write_mem;
        break;
      default: return wrong<facts::Prototype>("an argument that is none of enum espy_argument");
    }
  }
  return prototype;
}

vm::LoadOptions options_of(const espy_options* given) {
  espy_options options{};
  if (given != nullptr) std::memcpy(&options, given, std::min(given->bytes, sizeof options));
  vm::LoadOptions out;
  out.tier = options.tier == ESPY_OPTIMISED ? vm::Tier::optimised : options.tier == ESPY_BASELINE ? vm::Tier::baseline : vm::Tier::interpreter;
  if (options.registry != nullptr) out.registry = options.registry->registry;
  for (std::size_t i = 0; i < options.map_count; ++i) {
    if (options.maps[i] != nullptr) out.maps[options.maps[i]->map->attributes().name] = options.maps[i]->map;
  }
  out.bounded = options.bounded != 0;
  out.blinded = options.blinded != 0;
  return out;
}

Result<espy_object*> load(object::ObjectSpec spec, const espy_options* given) {
  const vm::LoadOptions options = options_of(given);
  auto linked = TRY(object::link(std::move(spec), vm::target(options.registry)));
  return new espy_object{TRY(vm::Object::load(std::move(linked), options))};
}

/// A handle of C is the engine's program itself.
const vm::Program& engine_of(const espy_program* program) { return *reinterpret_cast<const vm::Program*>(program); }

Bytes bytes_at(const void* at, std::size_t bytes) { return {static_cast<const std::byte*>(at), bytes}; }

}  // namespace

extern "C" {

espy_registry* espy_new_registry(void) {
  return guarded<espy_registry*>({nullptr, 0}, nullptr, []() -> Result<espy_registry*> { return new espy_registry; });
}

int espy_add_helper(espy_registry* registry, std::uint32_t number, const char* name, const espy_argument* arguments, std::size_t count, espy_function function,
                    char* message, std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> {
    TRY(registry->registry->add_helper(number, name, TRY(prototype_of(arguments, count)), function));
    return 0;
  });
}

int espy_add_kfunc(espy_registry* registry, const char* name, const espy_argument* arguments, std::size_t count, espy_function function, char* message,
                   std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> {
    TRY(registry->registry->add_kfunc(name, TRY(prototype_of(arguments, count)), function));
    return 0;
  });
}

void espy_free_registry(espy_registry* registry) { delete registry; }

espy_object* espy_load_file(const char* path, const espy_options* options, char* message, std::size_t message_bytes) {
  return guarded<espy_object*>({message, message_bytes}, nullptr, [&]() -> Result<espy_object*> { return load(TRY(object::read(path)), options); });
}

espy_object* espy_load(const void* elf, std::size_t bytes, const espy_options* options, char* message, std::size_t message_bytes) {
  return guarded<espy_object*>({message, message_bytes}, nullptr, [&]() -> Result<espy_object*> { return load(TRY(object::read(bytes_at(elf, bytes), "object")), options); });
}

void espy_free_object(espy_object* object) { delete object; }

const espy_program* espy_find_program(const espy_object* object, const char* name) {
  const auto& programs = object->object->programs();
  const vm::Program* found = name != nullptr ? object->object->find_program(name) : programs.empty() ? nullptr : &programs.front();
  return reinterpret_cast<const espy_program*>(found);
}

const char* espy_program_name(const espy_program* program) { return engine_of(program).name().c_str(); }

espy_map* espy_find_map(const espy_object* object, const char* name) {
  auto map = object->object->find_map(name);
  return map == nullptr ? nullptr : new (std::nothrow) espy_map{std::move(map)};
}

void espy_free_map(espy_map* map) { delete map; }

int espy_run(const espy_program* program, void* context, std::size_t context_bytes, std::uint64_t* result, char* message, std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> {
    const vm::RunResult run = TRY(engine_of(program).run({.context = context, .context_bytes = context_bytes}));
    if (result != nullptr) *result = run.value;
    return 0;
  });
}

int espy_run_packet(const espy_program* program, const void* frame, std::size_t frame_bytes, void* out, std::size_t* out_bytes, std::uint64_t* result,
                    char* message, std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> {
    const vm::Program& engine = engine_of(program);
    if (vm::context_layout(engine.spec().type) == nullptr) return fail(ErrorKind::invalid_argument, "program `{}` takes no packet", engine.name());
    vm::Packet packet = TRY(vm::Packet::make(engine.spec().type, bytes_at(frame, frame_bytes)));
    const vm::RunResult run = TRY(engine.run({.packet = &packet}));
    if (result != nullptr) *result = run.value;
    if (out_bytes == nullptr) return 0;
    const std::vector<std::byte> left = packet.output();
    if (out != nullptr) std::memcpy(out, left.data(), std::min(left.size(), *out_bytes));
    *out_bytes = left.size();
    return 0;
  });
}

std::size_t espy_map_key_bytes(const espy_map* map) { return map->map->attributes().key_size; }
std::size_t espy_map_value_bytes(const espy_map* map) { return map->map->value_bytes(); }

int espy_map_read(const espy_map* map, const void* key, void* value, char* message, std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> {
    const auto found = TRY(map->map->read(bytes_at(key, espy_map_key_bytes(map))));
    if (!found) return 0;
    std::ranges::copy(*found, static_cast<std::byte*>(value));
    return 1;
  });
}

int espy_map_write(const espy_map* map, const void* key, const void* value, std::uint64_t flags, char* message, std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> {
    TRY(map->map->write(bytes_at(key, espy_map_key_bytes(map)), bytes_at(value, espy_map_value_bytes(map)), flags));
    return 0;
  });
}

int espy_map_remove(const espy_map* map, const void* key, char* message, std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> { return TRY(map->map->remove(bytes_at(key, espy_map_key_bytes(map)))) ? 1 : 0; });
}

int espy_map_next(const espy_map* map, const void* key, void* next, char* message, std::size_t message_bytes) {
  return guarded({message, message_bytes}, -1, [&]() -> Result<int> {
    const auto found = TRY(map->map->next_key(bytes_at(key, key == nullptr ? 0 : espy_map_key_bytes(map))));
    if (!found) return 0;
    std::ranges::copy(*found, static_cast<std::byte*>(next));
    return 1;
  });
}

}  // extern "C"
