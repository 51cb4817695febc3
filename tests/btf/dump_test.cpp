// bpftool as oracle: every type of vmlinux and of the corpus, field by field, as `bpftool btf dump format raw` prints it.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "object.hpp"

namespace espy::btf::test {
namespace {

std::string id_text(TypeId id) { return std::to_string(static_cast<std::uint32_t>(id)); }
std::string name_text(std::string_view name) { return name.empty() ? "(anon)" : std::string(name); }

std::string_view linkage_text(Linkage linkage) {
  constexpr std::array<std::string_view, 3> texts{"static", "global", "extern"};
  const auto index = static_cast<std::size_t>(linkage);
  return index < texts.size() ? texts[index] : "(unknown)";
}

std::string signed_text(const Type& type, std::uint64_t value) {
  return type.is_signed() ? std::to_string(static_cast<std::int64_t>(value)) : std::to_string(value);
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

// One type in bpftool's words; the entries of composite types on lines of their own.
std::string dump(const Type& type) {
  std::string text = fmt::format("[{}] {} '{}'", static_cast<std::uint32_t>(type.id()), upper(to_string(type.kind())), name_text(type.name()));
  switch (type.kind()) {
    case Kind::int_: {
      const IntInfo info = type.int_info();
      const char* encoding = info.is_signed ? "SIGNED" : info.is_char ? "CHAR" : info.is_bool ? "BOOL" : "(none)";
      return text + fmt::format(" size={} bits_offset={} nr_bits={} encoding={}", type.size(), info.offset, info.bits, encoding);
    }
    case Kind::array: {
      const ArrayInfo array = type.array();
      return text + fmt::format(" type_id={} index_type_id={} nr_elems={}", id_text(array.element), id_text(array.index), array.count);
    }
    case Kind::struct_:
    case Kind::union_:
      text += fmt::format(" size={} vlen={}", type.size(), type.vlen());
      for (const Member& member : type.members()) {
        text += fmt::format("\n\t'{}' type_id={} bits_offset={}", name_text(member.name), id_text(member.type), member.bit_offset);
        if (member.bitfield_size != 0) text += fmt::format(" bitfield_size={}", member.bitfield_size);
      }
      return text;
    case Kind::enum_:
    case Kind::enum64:
      text += fmt::format(" encoding={} size={} vlen={}", type.is_signed() ? "SIGNED" : "UNSIGNED", type.size(), type.vlen());
      for (const Enumerator& value : type.enumerators()) text += fmt::format("\n\t'{}' val={}{}", value.name, signed_text(type, value.value), type.kind() == Kind::enum_ ? "" : type.is_signed() ? "LL" : "ULL");
      return text;
    case Kind::fwd: return text + fmt::format(" fwd_kind={}", type.is_union_fwd() ? "union" : "struct");
    case Kind::func: return text + fmt::format(" type_id={} linkage={}", id_text(type.target()), linkage_text(type.linkage()));
    case Kind::func_proto:
      text += fmt::format(" ret_type_id={} vlen={}", id_text(type.target()), type.vlen());
      for (const Param& param : type.params()) text += fmt::format("\n\t'{}' type_id={}", name_text(param.name), id_text(param.type));
      return text;
    case Kind::var: return text + fmt::format(" type_id={}, linkage={}", id_text(type.target()), linkage_text(type.linkage()));
    case Kind::datasec:
      text += fmt::format(" size={} vlen={}", type.size(), type.vlen());
      for (const SectionVar& var : type.section_vars()) {
        const Type target = type.btf().type(var.type);
        text += fmt::format("\n\ttype_id={} offset={} size={} ({} '{}')", id_text(var.type), var.offset, var.size, upper(to_string(target.kind())), target.name());
      }
      return text;
    case Kind::float_: return text + fmt::format(" size={}", type.size());
    case Kind::decl_tag: return text + fmt::format(" type_id={} component_idx={}", id_text(type.target()), type.component_index());
    default: return text + fmt::format(" type_id={}", id_text(type.target()));
  }
}

std::string bpftool_dump(const std::string& path) {
  std::string text;
  FILE* pipe = ::popen(fmt::format("bpftool btf dump file {} format raw 2>/dev/null", path).c_str(), "r");
  std::array<char, 65536> buffer;
  while (pipe != nullptr) {
    const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe);
    if (got == 0) break;
    text.append(buffer.data(), got);
  }
  if (pipe != nullptr && ::pclose(pipe) != 0) text.clear();
  return text;
}

void expect_same_dump(const Btf& btf, const std::string& path) {
  const std::string theirs = bpftool_dump(path);
  ASSERT_FALSE(theirs.empty()) << path;
  std::size_t at = 0;
  for (std::uint32_t id = 1; id < btf.type_count(); ++id) {
    const std::string ours = dump(btf.type(TypeId{id})) + "\n";
    ASSERT_EQ(theirs.substr(at, ours.size()), ours) << path;
    at += ours.size();
  }
  EXPECT_EQ(at, theirs.size()) << path;
}

bool has_bpftool() { return std::system("bpftool version >/dev/null 2>&1") == 0; }

TEST(Dump, OfTheKernelIsBpftools) {
  if (!has_bpftool()) GTEST_SKIP() << "needs bpftool";
  auto kernel = Btf::kernel();
  if (!kernel) GTEST_SKIP() << "needs /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)";
  expect_same_dump(**kernel, "/sys/kernel/btf/vmlinux");
}

TEST(Dump, OfObjectsIsBpftools) {
  if (!has_bpftool()) GTEST_SKIP() << "needs bpftool";
  for (const std::string& path : corpus_objects()) expect_same_dump(*read_object(path).btf, path);
}

}  // namespace
}  // namespace espy::btf::test
