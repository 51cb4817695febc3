#include "trace/run/kernel_engine.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <variant>

#include "base/text.hpp"
#include "kernel/attach.hpp"
#include "kernel/map.hpp"
#include "object/link.hpp"
#include "trace/rings.hpp"

namespace espy::trace::run {

namespace {

using facts::ProgType;

class KernelEngine final : public Engine {
 public:
  KernelEngine(kernel::Object object, unsigned cpus) : object_(std::move(object)), cpus_(cpus) {}

  Result<void> open_ring(std::size_t perf_pages) {
    if (const kernel::Map* control = object_.find_map(kControlRingMap)) control_ring_ = TRY(kernel::RingBuffer::open(*control));
    const kernel::Map* map = object_.find_map(kRingMap);
    if (map == nullptr) return {};
    if (map->info().type == facts::MapType::ringbuf) ring_ = TRY(kernel::RingBuffer::open(*map));
    else perf_ = TRY(kernel::PerfBuffer::open(*map, perf_pages));
    return {};
  }

  Result<void> fire(const ProgramPlan& plan) override {
    TRY(TRY(program(plan))->test_run({}));
    return {};
  }

  Result<Attached> attach(const ProgramPlan& plan, int pid) override {
    const kernel::Program* program = TRY(this->program(plan));
    Attached attached;
    std::size_t done = 0;
    for (const probes::Attachment& attachment : plan.instance.attachments) {
      kernel::AttachOptions options{.pid = pid == 0 ? std::nullopt : std::optional(pid), .cookie = attachment.cookie};
      auto link = kernel::attach(object_, *program, attachment.probe, options);
      if (!link) {
        attached.failures.push_back(std::move(link.error()));
        continue;
      }
      ++done;
      links_.push_back({std::move(*link), watched(plan), std::holds_alternative<probe::Iterator>(attachment.probe)});
    }
    // One attachment may serve many targets.
    if (done == plan.instance.attachments.size()) attached.targets = plan.instance.targets.size();
    else attached.targets = std::min(done, plan.instance.targets.size());
    return attached;
  }

  Result<void> run_iterators() override {
    // What they print comes through the ring; what they would write to a reader is nothing.
    for (Attachment& attachment : links_)
      if (attachment.is_iterator) TRY(kernel::read_iterator(attachment.link, [](Bytes) { return true; }));
    return {};
  }

  void unwatch(std::uint64_t address) override {
    std::erase_if(links_, [&](const Attachment& attachment) { return attachment.watched == address; });
  }

  void stop() override {
    for (Attachment& attachment : links_) attachment.link.stop();
  }

  void detach() override {
    std::vector<kernel::Link> links;
    for (Attachment& attachment : links_) links.push_back(std::move(attachment.link));
    links_.clear();
    kernel::detach_all(std::move(links));
  }

  Result<std::size_t> drain(kernel::RecordSink sink) override {
    if (ring_) {
      // What was sent to the control ring was sent because the other was full: that was before, and is read before.
      const bool overflowed = control_ring_ && control_ring_->waiting() != 0;
      std::size_t count = TRY(ring_->drain(sink));
      if (overflowed) count += TRY(control_ring_->drain(sink));
      return count;
    }
    if (perf_) return perf_->drain(sink);
    return std::size_t{0};
  }

  std::vector<int> wake_descriptors() const override {
    if (ring_ && control_ring_) return {ring_->fd(), control_ring_->fd()};
    if (ring_) return {ring_->fd()};
    if (perf_) return perf_->fds();
    return {};
  }

  std::uint64_t lost() const override { return perf_ ? perf_->lost() : 0; }

  std::optional<MapHandle> find_map(std::string_view name) const override {
    auto index = object_.spec().map_index(name);
    if (!index || !object_.has_map(*index)) return std::nullopt;
    return static_cast<MapHandle>(*index);
  }

  unsigned cpus() const override { return cpus_; }
  Result<void> for_each(MapHandle handle, const std::function<bool(Bytes, Bytes)>& visit) const override { return map(handle).for_each(visit); }
  Result<bool> lookup(MapHandle handle, Bytes key, MutableBytes value) const override { return map(handle).lookup_into(key, value.first(std::min(value.size(), map(handle).value_bytes()))); }
  Result<void> update(MapHandle handle, Bytes key, Bytes value) override { return map(handle).update(key, value); }
  Result<void> erase(MapHandle handle, Bytes key) override {
    TRY(map(handle).erase(key));
    return {};
  }

 private:
  struct Attachment {
    kernel::Link link;
    std::optional<std::uint64_t> watched;   // address of a watchpoint
    bool is_iterator = false;
  };

  static std::optional<std::uint64_t> watched(const ProgramPlan& plan) {
    if (plan.instance.targets.empty() || plan.instance.targets.front().provider != probes::Provider::watchpoint) return std::nullopt;
    auto point = probes::parse_attach_point(plan.instance.targets.front().name);
    if (!point) return std::nullopt;
    auto* place = std::get_if<probes::MemoryPlace>(&point->place);
    return place != nullptr ? std::optional(place->address) : std::nullopt;
  }

  const kernel::Map& map(MapHandle handle) const { return object_.maps()[static_cast<std::size_t>(handle)]; }

  Result<const kernel::Program*> program(const ProgramPlan& plan) const {
    const kernel::Program* found = object_.find_program(plan.program);
    if (found == nullptr) return fail(ErrorKind::not_found, "the object has no program `{}`", plan.program);
    return found;
  }

  kernel::Object object_;
  unsigned cpus_;
  std::optional<kernel::RingBuffer> ring_, control_ring_;
  std::optional<kernel::PerfBuffer> perf_;
  std::vector<Attachment> links_;
};

// Programs that only run in user space's name need less than those that trace; what still works is worth telling.
Error with_privileges(Error error, kernel::CapabilitySet needed) {
  if (error.kind != ErrorKind::permission || kernel::missing(needed).empty()) return error;
  error.notes.clear();
  kernel::explain_permission(error, needed);
  error.notes.emplace_back("without them a script can still be checked and compiled: -d, -l, --explain, --emit-elf");
  return error;
}

}  // namespace

Result<std::unique_ptr<Engine>> load_into_kernel(object::ObjectSpec object, const Plan& plan, const KernelOptions& options) {
  object::Target target = TRY(kernel::running_target());
  object::LinkedObject linked = TRY(object::link(std::move(object), target, {}));
  const kernel::CapabilitySet needed = kernel::needed_to_run(linked);
  auto loaded = kernel::Object::load(std::move(linked), {.log_level = options.log_level, .log_sink = options.log});
  if (!loaded) return std::unexpected(with_privileges(std::move(loaded.error()), needed));
  auto engine = std::make_unique<KernelEngine>(std::move(*loaded), TRY(kernel::possible_cpus()));
  const std::size_t pages = options.perf_pages != 0 ? options.perf_pages : plan.config.perf_rb_pages != 0 ? plan.config.perf_rb_pages : 64;
  TRY(engine->open_ring(std::bit_ceil(std::min<std::size_t>(pages, 1U << 16))));
  return engine;
}

}  // namespace espy::trace::run
