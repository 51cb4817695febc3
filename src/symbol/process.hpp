// Addresses of processes: which file is mapped where, and what is at an address of it.
//
// A Symboliser learns a process' address space at first sight, from /proc/PID/maps, or is told of it as it changes
// (kernel/process_events.hpp feeds it): then programs that have exited, files that have been unlinked and processes that
// lived for a millisecond are named, too. Files are found as the process sees them, in its own root (a container's), and
// are taken only if they are the mapped ones (device and inode). Their symbols are read when the first address in them is
// asked for, once for all processes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "symbol/demangle.hpp"
#include "symbol/dwarf.hpp"
#include "symbol/symbol_table.hpp"

namespace espy::symbol {

/// What an address space is remembered by (bpftrace's `cache_user_symbols`).
enum class SpaceCache : std::uint8_t {
  per_pid,      ///< each process has its own
  per_program,  ///< processes of one program share the first one's: right only without address randomisation
  none,         ///< /proc/PID/maps is read for each address: exited processes are not named
};

struct SymboliserOptions {
  SpaceCache cache = SpaceCache::per_pid;
  bool demangled = true;
  bool lines = false;                   ///< source lines too, where there is debug information
  std::size_t exited_processes = 4096;  ///< how many are remembered after their end
};

/// What is known of an address.
struct Frame {
  std::string symbol;                   ///< demangled if asked for; empty: not known
  std::uint64_t offset = 0;             ///< from the symbol's begin
  std::string module;                   ///< path as the process sees it, "[vdso]", "[heap]", a perf-PID.map; empty: unmapped
  std::uint64_t module_address = 0;     ///< the address as linked in `module` (of an ELF file), for addr2line and the like
  std::vector<SourceFrame> source;      ///< with SymboliserOptions::lines: inlined functions first; empty: not known
};

/// One mapping of executable memory, as /proc/PID/maps and the kernel's mmap records tell it.
struct Mapping {
  std::uint64_t start = 0, end = 0;
  std::uint64_t offset = 0;             ///< of `start` in the file
  std::uint32_t device_major = 0, device_minor = 0;
  std::uint64_t inode = 0;              ///< 0: no file
  std::string path;                     ///< without " (deleted)"; "[vdso]", "//anon"; empty: anonymous
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// Reads the text of /proc/PID/maps: the executable mappings in order of address. Lines that are none are left out.
std::vector<Mapping> parse_maps(std::string_view maps);

/// Reads the text of a /tmp/perf-PID.map, by which just-in-time compilers name their code: lines "START SIZE NAME", in
/// hexadecimal. Where code was written over other code, the later line holds.
struct JitSymbol {
  std::uint64_t address = 0, size = 0;
  std::string name;
};
std::vector<JitSymbol> parse_perf_map(std::string_view text);

/// Names addresses of processes. Used by one thread at a time.
class Symboliser {
 public:
  explicit Symboliser(SymboliserOptions options = {});
  Symboliser(Symboliser&&) noexcept;
  Symboliser& operator=(Symboliser&&) noexcept;
  ~Symboliser();

  /// What is at an address of a process (its id in our pid namespace; a thread's id serves as well while it lives).
  Frame resolve(int pid, std::uint64_t address);
  /// The address of a function or variable of the program that the process runs, or of its libraries, and its size.
  std::optional<Symbol> address_of(int pid, std::string_view name);

  /// A file that processes are likely to map, perhaps by other paths, in roots that are gone with them before it is asked for.
  void expect(const std::string& path);

  /// Reads the process' address space now, if it is not known: so that it is there after the process has ended.
  void learn(int pid);
  /// The same for all processes that run now.
  void learn_all();

  // What happens to processes, in order. From on_exec or on_fork of a process on, its address space is what these tell.
  void on_exec(int pid);
  void on_mmap(int pid, Mapping mapping);
  void on_fork(int parent, int child);
  void on_exit(int pid);

  struct Counts {
    std::uint64_t processes = 0;        ///< address spaces known now
    std::uint64_t exited = 0;           ///< of them, of processes that have ended
    std::uint64_t forgotten = 0;        ///< ended ones that were dropped because there were too many
    std::uint64_t modules = 0;          ///< files known now
  };
  Counts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espy::symbol
