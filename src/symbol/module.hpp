// A file that processes map: opened early (it may be unlinked soon), its symbols read when they are first asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "symbol/process.hpp"
#include "symbol/process_files.hpp"
#include "symbol/symbol_table.hpp"

namespace espy::symbol {

class Module {
 public:
  /// `path` as the process sees it; `root`: where that process' files are found ("/proc/PID/root"), for debug files.
  Module(OpenedFile opened, std::string path, std::string root);
  /// This process' own [vdso], which all processes share.
  static std::shared_ptr<Module> vdso();

  /// Whether this is the file that `status` tells of, unchanged.
  bool is(const struct stat& status) const;
  const std::string& path() const { return path_; }

  /// The address as linked of a place in the file; nullopt: it is in no segment.
  std::optional<std::uint64_t> linked_address(std::uint64_t file_offset);
  std::optional<Symbol> function_at(std::uint64_t address);
  std::optional<Symbol> find(std::string_view name);
  std::vector<SourceFrame> source_of(std::uint64_t address);

  /// Has a descriptor open, to read from later.
  bool holds_file() const { return static_cast<bool>(opened_.fd); }
  /// Gives the descriptor back: if the file is needed later it is opened by path again, if it is still the same.
  void release_file() { opened_.fd = {}; }
  /// What the file is asked for from here on is its symbols alone: it is closed once those are read.
  void without_lines() { keep_file_ = false; }

 private:
  Module() = default;
  const ElfFile* file();
  const SymbolTable& table();

  OpenedFile opened_;
  std::string path_, root_;
  bool keep_file_ = true;
  bool tried_file_ = false, tried_table_ = false, tried_dwarf_ = false;
  std::optional<ElfFile> file_;
  std::vector<Segment> segments_;
  SymbolTable table_;
  std::optional<Dwarf> dwarf_;
};

}  // namespace espy::symbol
