#include "vm/jit/announce.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/text.hpp"

// The interface that debuggers know (gdb's manual, "JIT Compilation Interface"): they break at the function, and then read the
// list. Its names and layout are theirs.
extern "C" {
struct jit_code_entry {
  jit_code_entry* next_entry;
  jit_code_entry* prev_entry;
  const char* symfile_addr;
  std::uint64_t symfile_size;
};
struct jit_descriptor {
  std::uint32_t version;
  std::uint32_t action_flag;   // 0: none, 1: register, 2: unregister
  jit_code_entry* relevant_entry;
  jit_code_entry* first_entry;
};
[[gnu::weak, gnu::noinline]] void __jit_debug_register_code() { asm volatile("" ::: "memory"); }
[[gnu::weak]] jit_descriptor __jit_debug_descriptor = {1, 0, nullptr, nullptr};
}

namespace espy::vm {

struct Announcement::Entry {
  std::vector<char> file;      // the ELF file that debuggers read
  jit_code_entry entry{};
};

namespace {

std::mutex& mutex() {
  static std::mutex one;
  return one;
}

// ---- perf's map -----------------------------------------------------------------------------------------------------

void write_perf_map(std::span<const std::uint8_t> code, std::string_view name) {
  UniqueFd file(::open(fmt::format("/tmp/perf-{}.map", ::getpid()).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return;
  const std::string line = fmt::format("{:x} {:x} bpf:{}\n", reinterpret_cast<std::uintptr_t>(code.data()), code.size(), name);
  static_cast<void>(::write(file.get(), line.data(), line.size()));
}

// ---- jitdump: tools/perf/Documentation/jitdump-specification.txt ----------------------------------------------------

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

/// Opened once; perf learns of it by a page of it that is mapped as if it were code.
class Jitdump {
 public:
  explicit Jitdump(const char* folder) : file_(::open(fmt::format("{}/jit-{}.dump", folder, ::getpid()).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)) {
    if (!file_) return;
    constexpr std::uint32_t kMagic = 0x4a695444, kVersion = 1;
    struct Header {
      std::uint32_t magic, version, size, machine, padding, pid;
      std::uint64_t time, flags;
    };
    const Header header{kMagic, kVersion, sizeof(Header), EM_X86_64, 0, static_cast<std::uint32_t>(::getpid()), now(), 0};
    static_cast<void>(::write(file_.get(), &header, sizeof header));
    ::mmap(nullptr, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), PROT_READ | PROT_EXEC, MAP_PRIVATE, file_.get(), 0);
  }

  void add(std::span<const std::uint8_t> code, std::string_view name) {
    if (!file_) return;
    struct Load {
      std::uint32_t id, size;
      std::uint64_t time;
      std::uint32_t pid, tid;
      std::uint64_t vma, address, bytes, index;
    };
    const std::string symbol = fmt::format("bpf:{}", name);
    const auto address = reinterpret_cast<std::uint64_t>(code.data());
    const Load load{0, static_cast<std::uint32_t>(sizeof(Load) + symbol.size() + 1 + code.size()), now(), static_cast<std::uint32_t>(::getpid()),
                    static_cast<std::uint32_t>(::syscall(SYS_gettid)), address, address, code.size(), index_++};
    std::vector<char> record(load.size);
    std::memcpy(record.data(), &load, sizeof load);
    std::memcpy(record.data() + sizeof load, symbol.c_str(), symbol.size() + 1);
    std::memcpy(record.data() + sizeof load + symbol.size() + 1, code.data(), code.size());
    static_cast<void>(::write(file_.get(), record.data(), record.size()));
  }

 private:
  UniqueFd file_;
  std::uint64_t index_ = 0;
};

// ---- debuggers ------------------------------------------------------------------------------------------------------

/// An ELF file with one symbol, in a section that lies where the code lies.
std::vector<char> symbol_file(std::span<const std::uint8_t> code, std::string_view name) {
  constexpr std::string_view kSections{"\0.text\0.symtab\0.strtab\0", 23};
  const std::string strings = fmt::format("{}bpf:{}{}", '\0', name, '\0');
  struct Image {
    Elf64_Ehdr header;
    std::array<Elf64_Shdr, 5> sections;
    std::array<Elf64_Sym, 2> symbols;
  } image{};
  const auto address = reinterpret_cast<Elf64_Addr>(code.data());
  std::memcpy(image.header.e_ident, ELFMAG, SELFMAG);
  image.header.e_ident[EI_CLASS] = ELFCLASS64, image.header.e_ident[EI_DATA] = ELFDATA2LSB, image.header.e_ident[EI_VERSION] = EV_CURRENT;
  image.header.e_type = ET_REL, image.header.e_machine = EM_X86_64, image.header.e_version = EV_CURRENT;
  image.header.e_shoff = offsetof(Image, sections), image.header.e_ehsize = sizeof(Elf64_Ehdr), image.header.e_shentsize = sizeof(Elf64_Shdr);
  image.header.e_shnum = image.sections.size(), image.header.e_shstrndx = 4;
  image.sections[1] = {.sh_name = 1, .sh_type = SHT_NOBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = address, .sh_size = code.size(), .sh_addralign = 16};
  image.sections[2] = {.sh_name = 7, .sh_type = SHT_SYMTAB, .sh_offset = offsetof(Image, symbols), .sh_size = sizeof image.symbols, .sh_link = 3, .sh_info = 1,
                       .sh_addralign = 8, .sh_entsize = sizeof(Elf64_Sym)};
  image.sections[3] = {.sh_name = 15, .sh_type = SHT_STRTAB, .sh_offset = sizeof image, .sh_size = strings.size(), .sh_addralign = 1};
  image.sections[4] = {.sh_name = 15, .sh_type = SHT_STRTAB, .sh_offset = sizeof image + strings.size(), .sh_size = kSections.size(), .sh_addralign = 1};
  image.symbols[1] = {.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1, .st_size = code.size()};
  std::vector<char> file(sizeof image);
  std::memcpy(file.data(), &image, sizeof image);
  file.insert(file.end(), strings.begin(), strings.end());
  file.insert(file.end(), kSections.begin(), kSections.end());
  return file;
}

void tell_debugger(jit_code_entry& entry, std::uint32_t action) {
  __jit_debug_descriptor.relevant_entry = &entry;
  __jit_debug_descriptor.action_flag = action;
  __jit_debug_register_code();
}

void enter(jit_code_entry& entry) {
  entry.next_entry = __jit_debug_descriptor.first_entry;
  if (entry.next_entry != nullptr) entry.next_entry->prev_entry = &entry;
  __jit_debug_descriptor.first_entry = &entry;
  tell_debugger(entry, 1);
}

void withdraw(jit_code_entry& entry) {
  (entry.prev_entry == nullptr ? __jit_debug_descriptor.first_entry : entry.prev_entry->next_entry) = entry.next_entry;
  if (entry.next_entry != nullptr) entry.next_entry->prev_entry = entry.prev_entry;
  tell_debugger(entry, 2);
}

}  // namespace

Announcement::Announcement() = default;
Announcement::Announcement(Announcement&&) noexcept = default;
Announcement& Announcement::operator=(Announcement&& other) noexcept {
  std::swap(entry_, other.entry_);
  return *this;
}
Announcement::~Announcement() {
  if (!entry_) return;
  std::lock_guard hold(mutex());
  withdraw(entry_->entry);
}

Announcement announce(std::span<const std::uint8_t> code, std::string_view name) {
  static const bool perf = std::getenv("ESPY_PERF_MAP") != nullptr, gdb = std::getenv("ESPY_GDB_JIT") != nullptr;
  static const char* const folder = std::getenv("ESPY_JITDUMP");
  Announcement announcement;
  if (!perf && !gdb && folder == nullptr) return announcement;
  std::lock_guard hold(mutex());
  if (perf) write_perf_map(code, name);
  if (folder != nullptr) {
    static Jitdump dump(folder);
    dump.add(code, name);
  }
  if (!gdb) return announcement;
  announcement.entry_ = std::make_unique<Announcement::Entry>();
  announcement.entry_->file = symbol_file(code, name);
  announcement.entry_->entry.symfile_addr = announcement.entry_->file.data();
  announcement.entry_->entry.symfile_size = announcement.entry_->file.size();
  enter(announcement.entry_->entry);
  return announcement;
}

}  // namespace espy::vm
