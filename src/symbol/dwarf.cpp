#include "symbol/dwarf.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "symbol/debug_file.hpp"
#include "symbol/dwarf_impl.hpp"
#include "symbol/dwarf_types.hpp"

namespace espy::symbol {

namespace {

constexpr std::size_t kRangesLimit = 1 << 22, kUnitsLimit = 1 << 20;
constexpr std::uint64_t kMemoryLimit = std::uint64_t{1} << 30;


bool has_debug_info(const ElfFile& file) {
  return file.find_section(".debug_info") != nullptr || file.find_section(".zdebug_info") != nullptr;
}

}  // namespace

Dwarf::Dwarf(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Dwarf::Dwarf(Dwarf&&) noexcept = default;
Dwarf& Dwarf::operator=(Dwarf&&) noexcept = default;
Dwarf::~Dwarf() = default;

Dwarf::Impl::Handle::~Handle() {
  if (dwarf != nullptr) dwarf_end(dwarf);
  if (elf != nullptr) elf_end(elf);
}

// The file is read, not mapped: it may shrink meanwhile.
Result<void> Dwarf::Impl::Handle::open(const ElfFile& file) {
  elf_version(EV_CURRENT);
  if (file.fd() >= 0) {
    fd = UniqueFd(::fcntl(file.fd(), F_DUPFD_CLOEXEC, 0));
    elf = elf_begin(fd.get(), ELF_C_READ, nullptr);
  } else {
    bytes = TRY(file.whole(kMemoryLimit));
    elf = elf_memory(reinterpret_cast<char*>(bytes.data()), bytes.size());
  }
  if (elf != nullptr) dwarf = dwarf_begin_elf(elf, DWARF_C_READ, nullptr);
  if (dwarf != nullptr) return {};
  const char* reason = elf == nullptr ? elf_errmsg(-1) : dwarf_errmsg(-1);
  return fail(ErrorKind::malformed, "read the debug information of {}: {}", file.path(), reason == nullptr ? "it is broken" : reason);
}

Result<Dwarf> Dwarf::open(const std::string& path, const std::string& root) {
  ElfFile file = TRY(ElfFile::open(root + path));
  return of(file, path, root);
}

Result<Dwarf> Dwarf::of(const ElfFile& file, const std::string& path, const std::string& root) {
  std::optional<ElfFile> debug;
  if (!has_debug_info(file)) debug = find_debug_file(file, path, root);
  const ElfFile& from = debug ? *debug : file;
  if (!has_debug_info(from)) {
    const std::string id = build_id(file);
    return std::unexpected(Error{.kind = ErrorKind::not_found, .message = fmt::format("{} has no debug information", path),
                                 .hint = id.empty() ? "compile it with -g"
                                                    : fmt::format("compile it with -g, or install its debug symbols (build-id {})", id)});
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->segments = file.segments();
  TRY(impl->main.open(from));
  // libdw would look for this file by itself, and open whatever it is told of.
  if (auto shared = TRY(find_shared_debug_file(from, root))) {
    if (shared->find_section(".gnu_debugaltlink") != nullptr) return fail(ErrorKind::malformed, "{} shares debug information in circles", path);
    TRY(impl->shared.open(*shared));
    dwarf_setalt(impl->main.dwarf, impl->shared.dwarf);
  }
  return Dwarf(std::move(impl));
}

// --- the indexes -----------------------------------------------------------------------------------------------------

const std::vector<Dwarf_Die>& Dwarf::Impl::units() {
  if (std::exchange(has_units_, true)) return units_;
  Dwarf_Off offset = 0, next = 0;
  std::size_t header = 0;
  while (units_.size() < kUnitsLimit && dwarf_nextcu(main.dwarf, offset, &next, &header, nullptr, nullptr, nullptr) == 0 && next > offset) {
    Dwarf_Die unit;
    const int tag = dwarf_offdie(main.dwarf, offset + header, &unit) == nullptr ? 0 : dwarf_tag(&unit);
    is_split = is_split || tag == DW_TAG_skeleton_unit || (tag != 0 && dwarf_hasattr(&unit, DW_AT_GNU_dwo_name));
    if (tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit) units_.push_back(unit);
    offset = next;
  }
  return units_;
}

std::optional<std::uint64_t> Dwarf::Impl::code_offset(std::uint64_t address) const {
  for (const Segment& s : segments)
    if (s.type == PT_LOAD && s.flags & PF_X && address >= s.address && address - s.address < s.file_size) return address - s.address + s.offset;
  return std::nullopt;
}

void Dwarf::Impl::add_ranges(std::vector<Range>& ranges, Dwarf_Die& die) const {
  Dwarf_Addr base = 0, begin = 0, end = 0;
  std::ptrdiff_t at = 0;
  for (std::size_t count = 0; count < kRangesLimit && ranges.size() < kRangesLimit; ++count) {
    at = dwarf_ranges(&die, at, &base, &begin, &end);
    if (at <= 0) return;
    if (begin < end && code_offset(begin)) ranges.push_back({begin, end, die});
  }
}

// Functions lie in units, namespaces, types and (GNU C's, Rust's closures) functions.
void Dwarf::Impl::add_functions(std::vector<Range>& ranges, Dwarf_Die& parent, int depth) const {
  die::for_each_child(parent, [&](Dwarf_Die& child) {
    switch (dwarf_tag(&child)) {
      case DW_TAG_subprogram: add_ranges(ranges, child); break;
      case DW_TAG_namespace:
      case DW_TAG_module:
      case DW_TAG_structure_type:
      case DW_TAG_class_type:
      case DW_TAG_union_type:
      case DW_TAG_enumeration_type: break;
      default: return true;
    }
    if (depth < die::kDepthLimit && dwarf_haschildren(&child) > 0) add_functions(ranges, child, depth + 1);
    return ranges.size() < kRangesLimit;
  });
}

namespace {

void sort_ranges(std::vector<Dwarf::Impl::Range>& ranges) {
  std::ranges::stable_sort(ranges, [](const auto& a, const auto& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
}

// The narrowest of the ranges around an address that begin near it.
const Dwarf::Impl::Range* find_range(const std::vector<Dwarf::Impl::Range>& ranges, std::uint64_t address) {
  auto after = std::ranges::upper_bound(ranges, address, {}, &Dwarf::Impl::Range::begin);
  for (int i = 0; i < 32 && after != ranges.begin(); ++i)
    if ((--after)->end > address) return &*after;
  return nullptr;
}

}  // namespace

Dwarf_Die* Dwarf::Impl::unit_at(std::uint64_t address) {
  if (!std::exchange(has_unit_ranges_, true)) {
    for (Dwarf_Die unit : units()) add_ranges(unit_ranges_, unit);
    sort_ranges(unit_ranges_);
  }
  const Range* range = find_range(unit_ranges_, address);
  return range == nullptr ? nullptr : const_cast<Dwarf_Die*>(&range->die);
}

const std::vector<Dwarf::Impl::Range>& Dwarf::Impl::functions_of(Dwarf_Die& unit) {
  auto [known, is_new] = functions_.try_emplace(unit.addr);
  if (is_new) {
    add_functions(known->second, unit, 0);
    sort_ranges(known->second);
  }
  return known->second;
}

std::optional<Dwarf_Die> Dwarf::Impl::function_at(std::uint64_t address) {
  Dwarf_Die* unit = unit_at(address);
  if (unit == nullptr) return std::nullopt;
  const Range* range = find_range(functions_of(*unit), address);
  if (range == nullptr) return std::nullopt;
  return range->die;
}

std::vector<Dwarf_Die> Dwarf::Impl::scopes_at(std::uint64_t address) {
  std::vector<Dwarf_Die> scopes;
  auto function = function_at(address);
  if (!function) return scopes;
  scopes.push_back(*function);
  std::optional<Dwarf_Die> inside = function;
  for (int depth = 0; inside && depth < die::kDepthLimit; ++depth) {
    std::optional<Dwarf_Die> next;
    die::for_each_child(*inside, [&](Dwarf_Die& child) {
      const int tag = dwarf_tag(&child);
      if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) && dwarf_haspc(&child, address) == 1) next = child;
      return !next.has_value();
    });
    if (next && dwarf_tag(&*next) == DW_TAG_inlined_subroutine) scopes.push_back(*next);
    inside = next;
  }
  return scopes;
}

// --- what is asked ---------------------------------------------------------------------------------------------------

Result<FunctionTypes> Dwarf::function_types(std::uint64_t address) const {
  auto function = impl_->function_at(address);
  if (!function) {
    Error error{.kind = ErrorKind::not_found, .message = fmt::format("the debug information of {} has no function at {:#x}", impl_->path, address)};
    if (impl_->is_split) error.hint = "its types are in .dwo files, which are not read: compile it without -gsplit-dwarf";
    return std::unexpected(std::move(error));
  }
  return types_of_function(*function, impl_->path);
}

std::vector<FunctionSignature> Dwarf::functions() const {
  std::vector<FunctionSignature> found;
  for (Dwarf_Die unit : impl_->units()) {
    const void* previous = nullptr;
    for (const Impl::Range& range : impl_->functions_of(unit)) {
      Dwarf_Die function = range.die;
      Dwarf_Addr entry = 0;
      if (std::exchange(previous, function.addr) == function.addr || found.size() >= kRangesLimit) continue;
      if (dwarf_entrypc(&function, &entry) != 0 || entry != range.begin) continue;   // another of its pieces
      FunctionSignature signature{.name = std::string(die::name(function)), .address = entry, .returns = spell_type(die::type(function))};
      signature.linkage_name = die::text(function, DW_AT_linkage_name);
      for (Dwarf_Die& parameter : die::parameters(function)) {
        if (dwarf_tag(&parameter) == DW_TAG_unspecified_parameters) signature.parameters.push_back({.type = "..."});
        else signature.parameters.push_back({spell_type(die::type(parameter)), std::string(die::name(parameter))});
      }
      if (!signature.name.empty()) found.push_back(std::move(signature));
    }
  }
  std::ranges::stable_sort(found, {}, &FunctionSignature::name);
  return found;
}

Result<FunctionTypes> function_types(const std::string& path, std::string_view function) {
  ElfFile file = TRY(ElfFile::open(path));
  auto found = find_function(file, function);
  if (found) return TRY(Dwarf::of(file, path)).function_types(found->address);
  // A stripped program's own functions are named by its debug file alone.
  auto dwarf = Dwarf::of(file, path);
  if (!dwarf || found.error().kind != ErrorKind::not_found) return std::unexpected(std::move(found.error()));
  for (const FunctionSignature& known : dwarf->functions())
    if (known.name == function || known.linkage_name == function) return dwarf->function_types(known.address);
  return std::unexpected(std::move(found.error()));
}

Result<std::vector<LineAddress>> addresses_of_line(const std::string& path, std::string_view file, std::uint32_t line, std::uint32_t column) {
  Dwarf dwarf = TRY(Dwarf::open(path));
  return dwarf.addresses_of_line(file, line, column);
}

}  // namespace espy::symbol
