// What is known of processes, and by whom.
//
// Each process id leads to a Space (shared by forks until one of them maps something) and to what tells that the id still
// means the same process. An id that nobody tells us about is checked when it is asked for, at most every 100 ms: it may
// have been given to another process, or run another program. An address that is in no mapping may have been mapped since:
// then the maps are read again, as seldom.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "symbol/space.hpp"

namespace espy::symbol {

namespace {

constexpr std::size_t kOpenFiles = 128;      // modules that hold a descriptor without having been read
constexpr std::size_t kMapsLimit = 32 << 20;

using ProgramKey = std::pair<std::uint64_t, std::uint64_t>;

struct FileKey {
  std::uint32_t major, minor;
  std::uint64_t inode;
  std::string path;
  friend auto operator<=>(const FileKey&, const FileKey&) = default;
};

}  // namespace

struct Symboliser::Impl {
  struct Process {
    std::shared_ptr<Space> space = std::make_shared<Space>();
    std::shared_ptr<JitMap> jit = std::make_shared<JitMap>();
    ProcessIdentity identity;
    std::int64_t checked_ns = 0, read_ns = 0;
    std::uint64_t ended = 0;      // 0: not that we know; else which entry of `exited` it is
    bool of_program = false;      // shared with others of its program: what it maps itself is not noted
  };
  struct KnownFile {
    std::shared_ptr<Module> module;
    std::int64_t checked_ns = 0;
  };

  explicit Impl(SymboliserOptions given) : options(given) {}

  std::shared_ptr<Module> module_of(int pid, const Mapping& mapping);
  void limit_open_files(const std::shared_ptr<Module>& added);
  void drop_unused();
  bool read_maps(int pid, Process& process);
  Process* process_of(int pid);
  void check(int pid, Process& process);
  void end(int pid, Process& process);
  const Space::Place* place_of(int pid, Process& process, std::uint64_t address);
  Space& own_space(Process& process);

  SymboliserOptions options;
  std::unordered_map<int, Process> processes;
  std::map<ProgramKey, std::shared_ptr<Space>> programs;
  std::map<FileKey, KnownFile> files;
  std::map<std::array<std::uint64_t, 3>, UniqueFd> expected;   // by device, major and minor, and inode
  std::deque<std::weak_ptr<Module>> unread;
  std::deque<std::pair<int, std::uint64_t>> exited;   // process id, which end
  std::uint64_t ends = 0, exited_now = 0, forgotten = 0;
  std::size_t sweep_at = 2048;
  std::shared_ptr<Module> vdso;
  bool tried_vdso = false;
};

// The file of a mapping, the same for all processes that map it. It is looked at again after a while: the number of an
// inode may have been given to another file.
std::shared_ptr<Module> Symboliser::Impl::module_of(int pid, const Mapping& mapping) {
  if (mapping.path == "[vdso]") {
    if (!std::exchange(tried_vdso, true)) vdso = Module::vdso();
    return vdso;
  }
  if (mapping.inode == 0 || !mapping.path.starts_with('/')) return nullptr;
  const std::int64_t now = now_ns();
  KnownFile& known = files[{mapping.device_major, mapping.device_minor, mapping.inode, mapping.path}];
  if (known.module && now - known.checked_ns < kCheckEveryNs) return known.module;
  auto opened = open_mapped(pid, mapping);
  if (auto ours = expected.find({mapping.device_major, mapping.device_minor, mapping.inode}); !opened && !known.module && ours != expected.end())
    opened = open_again(ours->second);
  if (!opened) return known.module;   // the process is gone, or the file: most likely it is the one that we know
  known.checked_ns = now;
  if (known.module && known.module->is(opened->status)) return known.module;
  known.module = std::make_shared<Module>(std::move(*opened), mapping.path, fmt::format("/proc/{}/root", pid));
  if (!options.lines) known.module->without_lines();
  limit_open_files(known.module);
  return known.module;
}

void Symboliser::Impl::limit_open_files(const std::shared_ptr<Module>& added) {
  unread.push_back(added);
  while (unread.size() > kOpenFiles) {
    if (auto oldest = unread.front().lock()) oldest->release_file();
    unread.pop_front();
  }
}

// Files that no process maps any more, and processes that have ended without anybody telling.
void Symboliser::Impl::drop_unused() {
  if (processes.size() + files.size() < sweep_at) return;
  for (auto& [pid, process] : processes)
    if (process.ended == 0 && !process_identity(pid)) end(pid, process);
  std::erase_if(files, [](const auto& file) { return file.second.module.use_count() <= 1; });
  std::erase_if(programs, [](const auto& program) { return program.second.use_count() <= 1; });
  sweep_at = 2 * (processes.size() + files.size()) + 2048;
}

bool Symboliser::Impl::read_maps(int pid, Process& process) {
  auto identity = process_identity(pid);
  if (!identity) return false;
  process.identity = *identity;
  process.checked_ns = process.read_ns = now_ns();
  const ProgramKey program{identity->program_device, identity->program_inode};
  if (options.cache == SpaceCache::per_program && program.second != 0) {
    auto known = programs.find(program);
    process.of_program = known != programs.end();
    if (process.of_program && process.space != known->second) return process.space = known->second, true;
  }
  auto text = read_text_file(fmt::format("/proc/{}/maps", pid), kMapsLimit);
  if (!text) return false;
  std::vector<Space::Place> places;
  for (Mapping& mapping : parse_maps(*text)) {
    auto module = module_of(pid, mapping);
    places.push_back({std::move(mapping), std::move(module)});
  }
  if (places.empty()) return false;   // it is ending, or has no memory of its own (a kernel thread)
  process.space = std::make_shared<Space>(std::move(places));
  if (options.cache == SpaceCache::per_program && program.second != 0) programs[program] = process.space;
  return true;
}

void Symboliser::Impl::end(int pid, Process& process) {
  process.ended = ++ends;
  ++exited_now;
  exited.emplace_back(pid, process.ended);
  auto is_stale = [&](const auto& entry) {
    auto found = processes.find(entry.first);
    return found == processes.end() || found->second.ended != entry.second;
  };
  while (is_stale(exited.front())) exited.pop_front();
  while (exited_now > options.exited_processes && !exited.empty()) {
    auto [oldest, which] = exited.front();
    exited.pop_front();
    auto found = processes.find(oldest);
    if (found == processes.end() || found->second.ended != which) continue;   // the id has come to mean another process
    if (oldest != pid) processes.erase(found);
    else found->second = Process{.ended = which};
    --exited_now, ++forgotten;
  }
}

// Is it still the process, and the program, that we know?
void Symboliser::Impl::check(int pid, Process& process) {
  const std::int64_t now = now_ns();
  if (options.cache != SpaceCache::none && now - process.checked_ns < kCheckEveryNs) return;
  process.checked_ns = now;
  auto identity = process_identity(pid);
  if (!identity) {
    if (process.ended == 0) end(pid, process);
    if (options.cache == SpaceCache::none) process.space = std::make_shared<Space>();
    return;
  }
  const bool same = *identity == process.identity && process.ended == 0;
  if (same && options.cache != SpaceCache::none) return;
  Process fresh;
  if (!read_maps(pid, fresh)) return;
  if (process.ended != 0) --exited_now;
  process = std::move(fresh);
}

Symboliser::Impl::Process* Symboliser::Impl::process_of(int pid) {
  if (auto known = processes.find(pid); known != processes.end()) {
    check(pid, known->second);
    known = processes.find(pid);   // it may have ended and been forgotten
    return known == processes.end() ? nullptr : &known->second;
  }
  drop_unused();
  Process process;
  if (!read_maps(pid, process)) return nullptr;
  return &(processes[pid] = std::move(process));
}

const Space::Place* Symboliser::Impl::place_of(int pid, Process& process, std::uint64_t address) {
  if (const Space::Place* place = process.space->find(address)) return place;
  if (process.ended != 0 || process.of_program || now_ns() - process.read_ns < kCheckEveryNs) return nullptr;
  // What has been mapped since it was read, or while nobody told.
  process.read_ns = now_ns();
  if (!read_maps(pid, process)) return nullptr;
  return process.space->find(address);
}

// The process' space, to be changed: its own from now on.
Space& Symboliser::Impl::own_space(Process& process) {
  if (process.space.use_count() > 1) process.space = std::make_shared<Space>(*process.space);
  return *process.space;
}

// ---------------------------------------------------------------------------------------------------------------------

Symboliser::Symboliser(SymboliserOptions options) : impl_(std::make_unique<Impl>(options)) {}
Symboliser::Symboliser(Symboliser&&) noexcept = default;
Symboliser& Symboliser::operator=(Symboliser&&) noexcept = default;
Symboliser::~Symboliser() = default;

Frame Symboliser::resolve(int pid, std::uint64_t address) {
  Frame frame;
  Impl::Process* process = impl_->process_of(pid);
  if (process == nullptr) return frame;
  const Space::Place* place = impl_->place_of(pid, *process, address);
  if (place != nullptr) frame.module = place->mapping.path;
  std::optional<std::uint64_t> linked;
  if (place != nullptr && place->module) linked = place->module->linked_address(address - place->mapping.start + place->mapping.offset);
  if (!linked) {   // no program's file: anonymous memory, or a file that a compiler writes its code to
    if (const JitSymbol* symbol = process->jit->find(pid, address)) {
      frame.symbol = impl_->options.demangled ? demangle(symbol->name) : symbol->name;
      frame.offset = address - symbol->address;
      frame.module = fmt::format("/tmp/perf-{}.map", pid);
    }
    return frame;
  }
  frame.module_address = *linked;
  if (auto symbol = place->module->function_at(*linked)) {
    frame.symbol = impl_->options.demangled ? demangle(symbol->name) : std::string(symbol->name);
    frame.offset = *linked - symbol->address;
  }
  if (impl_->options.lines) frame.source = place->module->source_of(*linked);
  return frame;
}

std::optional<Symbol> Symboliser::address_of(int pid, std::string_view name) {
  Impl::Process* process = impl_->process_of(pid);
  if (process == nullptr) return std::nullopt;
  for (const Space::Place& place : process->space->places()) {
    if (!place.module) continue;
    auto symbol = place.module->find(name);
    auto first = symbol ? place.module->linked_address(place.mapping.offset) : std::nullopt;
    if (!first) continue;
    symbol->address += place.mapping.start - *first;
    return symbol;
  }
  return std::nullopt;
}

void Symboliser::expect(const std::string& path) {
  if (impl_->expected.size() >= kOpenFiles) return;
  UniqueFd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (file && ::fstat(file.get(), &status) == 0)
    impl_->expected.emplace(std::array<std::uint64_t, 3>{major(status.st_dev), minor(status.st_dev), status.st_ino}, std::move(file));
}

void Symboliser::learn(int pid) { static_cast<void>(impl_->process_of(pid)); }

void Symboliser::learn_all() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    int pid = 0;
    auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failure == std::errc{} && end == name.data() + name.size()) learn(pid);
  }
}

void Symboliser::on_exec(int pid) {
  impl_->drop_unused();
  auto& process = impl_->processes[pid];
  if (process.ended != 0) --impl_->exited_now;
  process = Impl::Process{};
  process.checked_ns = process.read_ns = now_ns();
  if (auto identity = process_identity(pid)) process.identity = *identity;
  if (impl_->options.cache != SpaceCache::per_program) return;
  auto known = impl_->programs.find({process.identity.program_device, process.identity.program_inode});
  if (known != impl_->programs.end()) process.space = known->second, process.of_program = true;
}

void Symboliser::on_mmap(int pid, Mapping mapping) {
  auto known = impl_->processes.find(pid);
  if (known == impl_->processes.end()) {
    learn(pid);
    known = impl_->processes.find(pid);
    if (known == impl_->processes.end()) known = impl_->processes.emplace(pid, Impl::Process{}).first;
  }
  if (known->second.of_program) return;
  auto module = impl_->module_of(pid, mapping);
  impl_->own_space(known->second).insert({std::move(mapping), std::move(module)});
}

void Symboliser::on_fork(int parent, int child) {
  if (!impl_->processes.contains(parent)) learn(parent);
  impl_->drop_unused();
  auto known = impl_->processes.find(parent);
  if (known == impl_->processes.end()) return;
  Impl::Process copy = known->second;
  copy.ended = 0;
  copy.jit = std::make_shared<JitMap>(*copy.jit);
  copy.checked_ns = now_ns();
  if (auto identity = process_identity(child)) copy.identity = *identity;
  auto& process = impl_->processes[child];
  if (process.ended != 0) --impl_->exited_now;
  process = std::move(copy);
}

void Symboliser::on_exit(int pid) {
  auto known = impl_->processes.find(pid);
  if (known != impl_->processes.end() && known->second.ended == 0) impl_->end(pid, known->second);
}

Symboliser::Counts Symboliser::counts() const {
  return {.processes = impl_->processes.size(), .exited = impl_->exited_now, .forgotten = impl_->forgotten, .modules = impl_->files.size()};
}

}  // namespace espy::symbol
