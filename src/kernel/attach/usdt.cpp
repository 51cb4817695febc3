// USDT: a probe stands at every place where the compiler put it (inlining multiplies it), each place with its arguments
// elsewhere. Programs read them with <bpf/usdt.bpf.h>, which looks into two maps of the object: `__bpf_usdt_specs` has a
// description for each different set of arguments, found by the attach cookie; where there are no cookies (before 5.15),
// `__bpf_usdt_ip_to_spec_id` gives the description's number by the instruction's address.
#include <algorithm>
#include <bit>
#include <cerrno>

#include "base/text.hpp"
#include "kernel/attach/perf_event.hpp"
#include "kernel/attach/uprobe.hpp"
#include "symbol/find_file.hpp"
#include "symbol/usdt.hpp"

namespace espy::kernel::attaching {

namespace {

using symbol::UsdtArgument;
using symbol::UsdtNote;

constexpr std::size_t kMaxArguments = 12;   // BPF_USDT_MAX_ARG_CNT

// struct __bpf_usdt_arg_spec and __bpf_usdt_spec of <bpf/usdt.bpf.h>.
struct ArgumentSpec {
  std::uint64_t value = 0;
  std::uint32_t type = 0;        ///< 0 constant, 1 register, 2 memory; 3 indexed memory (libbpf 1.7), with the index beside it
  std::int16_t reg = 0;
  std::uint8_t is_signed = 0, bitshift = 0;
};
struct Spec {
  std::array<ArgumentSpec, kMaxArguments> arguments{};
  std::uint64_t cookie = 0;
  std::int16_t count = 0;
  std::int16_t padding[3] = {};
};
static_assert(sizeof(ArgumentSpec) == 16 && sizeof(Spec) == 208);

// Does the object's header know memory by two registers? Its enumeration says so.
bool knows_indexed(const Object& object) {
  const auto& btf = object.spec().btf;
  if (!btf) return false;
  auto type = btf->find("__bpf_usdt_arg_type", btf::Kind::enum_);
  if (!type) return false;
  for (const btf::Enumerator& value : type->enumerators())
    if (value.name == "BPF_USDT_ARG_SIB") return true;
  return false;
}

Result<Spec> spec_of(const Call& call, const UsdtNote& note, std::uint16_t machine) {
  auto arguments = TRY(symbol::parse_usdt_arguments(note.arguments, machine));
  if (arguments.size() > kMaxArguments)
    return fail(ErrorKind::unsupported, "{}: {} arguments, of which {} can be read", call.where, arguments.size(), kMaxArguments);
  Spec spec{.cookie = call.options.cookie, .count = static_cast<std::int16_t>(arguments.size())};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const UsdtArgument& from = arguments[i];
    ArgumentSpec& to = spec.arguments[i];
    to.value = static_cast<std::uint64_t>(from.value);
    to.reg = static_cast<std::int16_t>(from.reg);
    to.is_signed = from.is_signed ? 1 : 0;
    to.bitshift = static_cast<std::uint8_t>(64 - from.size * 8);
    to.type = static_cast<std::uint32_t>(from.kind);
    if (from.kind != UsdtArgument::Kind::indexed) continue;
    if (!knows_indexed(call.object)) {
      auto failure = fail(ErrorKind::unsupported, "{}: argument {} is in memory addressed by two registers", call.where, i);
      failure.error().hint = "compile the program with the <bpf/usdt.bpf.h> of libbpf 1.7 or newer, which can read that";
      return failure;
    }
    // Beside the type's 8 bits: the index register's offset (12 bits) and the scale's logarithm (4 bits).
    to.type |= std::uint32_t{from.index_reg} << 8 | static_cast<std::uint32_t>(std::countr_zero(unsigned{from.scale})) << 20;
  }
  return spec;
}

std::unexpected<Error> no_such_probe(const Call& call, const std::string& path, const std::vector<UsdtNote>& notes, const probe::Usdt& probe) {
  Error error{.kind = ErrorKind::not_found, .message = fmt::format("{}: {} has no such probe", call.where, path)};
  std::vector<std::string> names;
  for (const UsdtNote& note : notes)
    if (std::string name = note.provider + ":" + note.name; std::ranges::find(names, name) == names.end()) names.push_back(name);
  std::string wanted = probe.provider + ":" + probe.name;
  std::string_view near = nearest(wanted, {names.begin(), names.end()});
  if (names.empty()) error.hint = "it was built without USDT probes";
  else if (!near.empty()) error.hint = fmt::format("did you mean {}?", near);
  else error.hint = fmt::format("it has {}{}", fmt::join(std::span(names).first(std::min<std::size_t>(names.size(), 12)), ", "), names.size() > 12 ? ", …" : "");
  return std::unexpected(std::move(error));
}

// Takes numbers in the object's map of descriptions; several USDT programs of an object share it.
class SpecTable {
 public:
  static Result<SpecTable> of(const Call& call) {
    const Map* specs = call.object.find_map("__bpf_usdt_specs");
    if (specs == nullptr) return SpecTable(nullptr, nullptr);   // the program reads no arguments
    if (specs->info().value_size != sizeof(Spec))
      return fail(ErrorKind::malformed, "map `__bpf_usdt_specs` has values of {} bytes, {} are usual", specs->info().value_size, sizeof(Spec));
    return SpecTable(specs, call.object.find_map("__bpf_usdt_ip_to_spec_id"));
  }

  bool used() const { return specs_ != nullptr; }
  const Map* by_address() const { return by_address_; }

  /// The number of this description, written into the map if it is not there yet. A description in use is told from a free
  /// slot by a mark in its padding, which programs do not read.
  Result<std::uint32_t> number_of(Spec spec) {
    spec.padding[0] = kTaken;
    for (std::uint32_t i = 0; i < specs_->info().max_entries; ++i) {
      auto held = TRY(specs_->lookup(bytes_of(i)));
      if (!held) continue;
      if (std::ranges::equal(*held, bytes_of(spec))) return i;
      Spec existing;
      std::memcpy(&existing, held->data(), sizeof existing);
      if (existing.padding[0] == kTaken) continue;
      TRY(specs_->update(bytes_of(i), bytes_of(spec)));
      return i;
    }
    auto failure = fail(ErrorKind::exhausted, "map `__bpf_usdt_specs` has room for {} sets of arguments", specs_->info().max_entries);
    failure.error().hint = "compile the program with a larger -DBPF_USDT_MAX_SPEC_CNT";
    return failure;
  }

 private:
  static constexpr std::int16_t kTaken = 0x5553;
  SpecTable(const Map* specs, const Map* by_address) : specs_(specs), by_address_(by_address) {}
  const Map* specs_;
  const Map* by_address_;
};

// Without cookies the program looks the description up by address, which is known only for a file that is not moved.
Result<void> write_address(const Call& call, const Map* by_address, const UsdtNote& note, std::uint32_t number, bool is_fixed) {
  if (has_feature(facts::Feature::bpf_cookie) || by_address == nullptr) return {};
  if (!is_fixed)
    return fail(ErrorKind::unsupported, "{}: arguments of a probe in a library or position-independent program need Linux 5.15", call.where);
  TRY(by_address->update(bytes_of(note.address), bytes_of(number)));
  return {};
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::Usdt& probe) {
  std::string path = TRY(symbol::find_file(probe.path, call.options.pid));
  auto file = TRY(symbol::ElfFile::open(path));
  auto notes = TRY(symbol::usdt_notes(file));
  auto specs = TRY(SpecTable::of(call));
  UprobeMultiPlaces places{.path = path, .offsets = {}, .semaphores = {}, .cookies = {}};
  for (const UsdtNote& note : notes) {
    if (note.provider != probe.provider || note.name != probe.name) continue;
    std::uint32_t number = 0;
    if (specs.used()) {
      number = TRY(specs.number_of(TRY(spec_of(call, note, file.machine()))));
      TRY(write_address(call, specs.by_address(), note, number, file.is_position_dependent()));
    }
    places.offsets.push_back(note.file_offset);
    places.semaphores.push_back(note.semaphore_offset);
    places.cookies.push_back(specs.used() ? number : call.options.cookie);
  }
  if (places.offsets.empty()) return no_such_probe(call, path, notes, probe);
  std::string where = places.offsets.size() == 1 ? call.where : fmt::format("{} ({} places)", call.where, places.offsets.size());
  Call named{call.object, call.program, call.options, where};
  if (call.program.spec().attach_type == facts::AttachType::trace_uprobe_multi)
    return Link(TRY(open_uprobe_multi(named, places)), where);
  std::vector<UniqueFd> events;
  for (std::size_t i = 0; i < places.offsets.size(); ++i)
    events.push_back(TRY(open_uprobe(named, {.path = path, .offset = places.offsets[i], .semaphore = places.semaphores[i], .at_return = false})));
  if (!has_feature(facts::Feature::bpf_cookie)) places.cookies.assign(events.size(), 0);
  return attach_to_events(named, std::move(events), places.cookies);
}

}  // namespace espy::kernel::attaching
