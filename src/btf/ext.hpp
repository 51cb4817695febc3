// .BTF.ext: what belongs to instructions rather than types: functions, source lines and CO-RE relocations.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "btf/btf.hpp"

namespace espy::btf {

struct FuncInfo {
  std::uint32_t insn = 0;  ///< in instruction slots, from the start of the section (or program, once moved there)
  TypeId type{};             ///< a func

  bool operator==(const FuncInfo&) const = default;
};
struct LineInfo {
  std::uint32_t insn = 0;
  std::uint32_t file_name = 0;    ///< string offsets into the BTF
  std::uint32_t line_text = 0;
  std::uint32_t line = 0, column = 0;

  bool operator==(const LineInfo&) const = default;
};

/// What a CO-RE relocation asks (enum bpf_core_relo_kind).
enum class CoreKind : std::uint32_t {
  field_byte_offset = 0, field_byte_size = 1, field_exists = 2, field_signed = 3, field_lshift_u64 = 4,
  field_rshift_u64 = 5, type_id_local = 6, type_id_target = 7, type_exists = 8, type_size = 9, enumval_exists = 10,
  enumval_value = 11, type_matches = 12,
};
std::string_view to_string(CoreKind kind);  ///< as the kernel's log prints it: "byte_off"

struct CoreRelocation {
  std::uint32_t insn = 0;      ///< the instruction to patch, in slots
  TypeId type{};                 ///< the root type, in the object's BTF
  std::string access;          ///< "0:1:2": array index, member, member …; enumerator index; "0"
  CoreKind kind{};

  bool operator==(const CoreRelocation&) const = default;
};

/// The records of one ELF section, sorted by instruction.
struct ExtSection {
  std::string name;
  std::vector<FuncInfo> functions;
  std::vector<LineInfo> lines;
  std::vector<CoreRelocation> relocations;
};

/// Parses .BTF.ext; record sizes other than today's are read by their declared size. Instruction offsets, which the
/// section stores in bytes, become slots.
Result<std::vector<ExtSection>> parse_ext(Bytes bytes, const Btf& btf);

/// The func_info and line_info arrays as BPF_PROG_LOAD takes them (8- and 16-byte records).
std::vector<std::byte> encode_func_info(const std::vector<FuncInfo>& functions);
std::vector<std::byte> encode_line_info(const std::vector<LineInfo>& lines);

/// A whole .BTF.ext section, for objects that we write. Strings are offsets into the BTF that goes with it, except
/// `access`, which must have been added to it: `access_offset` gives its string offset.
std::vector<std::byte> encode_ext(const std::vector<ExtSection>& sections,
                                  const std::vector<std::uint32_t>& section_name_offsets,
                                  const std::function<std::uint32_t(std::string_view)>& string_offset,
                                  Endian endian = Endian::native);

}  // namespace espy::btf
