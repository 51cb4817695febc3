#include "trace/run/user_engine.hpp"

#include <cstring>

#include "object/link.hpp"
#include "trace/rings.hpp"
#include "vm/cpu.hpp"
#include "vm/maps/ring_buffer.hpp"
#include "vm/object.hpp"

namespace espy::trace::run {
namespace {

// Probes that espy itself fires.
bool is_ours(const probes::Instance& instance) {
  using probes::Provider;
  switch (instance.targets.front().provider) {
    case Provider::begin: case Provider::end: case Provider::self: case Provider::interval: case Provider::test: case Provider::bench: return true;
    default: return false;
  }
}

class UserEngine final : public Engine {
 public:
  explicit UserEngine(std::unique_ptr<vm::Object> object) : object_(std::move(object)) {
    for (const std::string_view name : {kRingMap, kControlRingMap})
      if (auto ring = std::dynamic_pointer_cast<vm::RingBuffer>(object_->find_map(name))) rings_.push_back(std::move(ring));
  }

  Result<void> fire(const ProgramPlan& plan) override {
    const vm::Program* program = object_->find_program(plan.program);
    if (program == nullptr) return fail(ErrorKind::not_found, "the object has no program `{}`", plan.program);
    std::uint64_t context[16] = {};
    TRY(program->run({.context = context, .context_bytes = sizeof context}));
    return {};
  }
  Result<Attached> attach(const ProgramPlan& plan, int) override { return Attached{.targets = plan.instance.targets.size()}; }
  Result<void> run_iterators() override { return {}; }
  void unwatch(std::uint64_t) override {}
  void stop() override {}
  void detach() override {}

  Result<std::size_t> drain(kernel::RecordSink sink) override {
    std::size_t count = 0;
    for (const auto& ring : rings_) count += ring->consume([&](Bytes record) { return sink(record); });
    return count;
  }
  std::vector<int> wake_descriptors() const override { return {}; }   // whoever fires drains
  std::uint64_t lost() const override { return 0; }                   // programs count what the ring refuses

  std::optional<MapHandle> find_map(std::string_view name) const override {
    auto index = object_->spec().map_index(name);
    if (!index || object_->maps()[static_cast<std::size_t>(*index)] == nullptr) return std::nullopt;
    return static_cast<MapHandle>(*index);
  }
  unsigned cpus() const override { return vm::cpu_count(); }

  Result<void> for_each(MapHandle handle, const std::function<bool(Bytes, Bytes)>& visit) const override {
    std::vector<std::byte> key;
    for (auto next = TRY(map(handle).next_key({})); next; next = TRY(map(handle).next_key(key))) {
      key = std::move(*next);
      auto value = TRY(map(handle).read(key));
      if (value && !visit(key, *value)) break;
    }
    return {};
  }
  Result<bool> lookup(MapHandle handle, Bytes key, MutableBytes value) const override {
    auto found = TRY(map(handle).read(key));
    if (!found) return false;
    std::memcpy(value.data(), found->data(), std::min(value.size(), found->size()));
    return true;
  }
  Result<void> update(MapHandle handle, Bytes key, Bytes value) override { return map(handle).write(key, value); }
  Result<void> erase(MapHandle handle, Bytes key) override {
    TRY(map(handle).remove(key));
    return {};
  }

 private:
  vm::Map& map(MapHandle handle) const { return *object_->maps()[static_cast<std::size_t>(handle)]; }

  std::unique_ptr<vm::Object> object_;
  std::vector<std::shared_ptr<vm::RingBuffer>> rings_;     // in the order in which they are read
};

}  // namespace

Result<std::unique_ptr<Engine>> load_into_process(object::ObjectSpec object, const Plan& plan) {
  for (const ProgramPlan& program : plan.programs) {
    if (is_ours(program.instance)) continue;
    return std::unexpected(Error{.kind = ErrorKind::unsupported, .message = fmt::format("only a kernel can fire {}", program.instance.targets.front().name),
                                 .hint = "leave --engine user away"});
  }
  object::LinkedObject linked = TRY(object::link(std::move(object), object::Target{}));
  return std::make_unique<UserEngine>(TRY(vm::Object::load(std::move(linked))));
}

}  // namespace espy::trace::run
