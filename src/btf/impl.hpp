// The inside of a Btf, shared by the files of this folder only.
#pragma once

#include <array>
#include <atomic>
#include <mutex>

#include "base/fd.hpp"
#include "btf/btf.hpp"
#include "btf/kinds.hpp"

namespace espy::btf {

/// Two kinds of names, asked for apart: those of data types, few and asked for most, and those of functions and variables.
enum class Btf::Family : std::uint8_t { data, code };

/// Chains of own types by the hash of their essential name.
struct NameTable {
  struct Entry {
    std::uint32_t index, next;  // own index of a type; entry + 1 of the next in the chain, 0 at its end
  };
  std::once_flag once;
  std::atomic<unsigned> lookups{0};
  std::vector<std::uint32_t> heads;  // entry + 1
  std::vector<Entry> entries;
};

struct Btf::Impl {
  std::vector<std::byte> owned;  // either this or `mapped` holds the blob
  MappedRegion mapped;
  Bytes blob;     // the whole blob, native order
  Bytes types;    // its type section
  Bytes strings;  // its string section: empty, or ending in NUL
  std::shared_ptr<const Btf> base;
  std::uint32_t start_id = 1;      // first own id
  std::uint32_t start_string = 0;  // first own string offset
  std::string origin;
  Endian stored_endian = Endian::native;

  // The index: where each own type begins, and its name, side by side so that a search by name reads 4 bytes a type.
  std::once_flag index_once;
  std::vector<std::uint32_t> offsets, names;
  std::optional<Error> index_error;

  // The name tables, one a family, each made once several of its names were looked up.
  std::array<NameTable, 2> tables;

  std::once_flag pointer_once;
  unsigned pointer_size = 8;

  /// Checks the blob's header and sets the views; swaps `owned` where it is of the other byte order.
  Result<void> adopt();
  Result<void> check_header();
  void index();
  Error explain(std::size_t at) const;
  Family family(std::uint32_t index) const;
  void build_table(Family family);
  class OffsetSet;
  void find_strings(std::string_view name, bool flavours, OffsetSet& found) const;
  std::string_view string(std::uint32_t offset) const;  // by offset as types hold it, base's included
  std::uint32_t word(std::size_t offset) const { return load<std::uint32_t>(types, offset); }
};

/// Makes the bytes of a whole blob of the other order native, or (`to_native` false) the reverse.
Result<void> swap_blob(MutableBytes blob, bool to_native, std::string_view origin);

}  // namespace espy::btf
