#include "corpus_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "object/asm.hpp"
#include "object/read.hpp"
#include "object/write.hpp"

namespace espy::corpus {
namespace {

struct Macro {
  std::string name;
  std::vector<std::string> parameters, lines;
};

/// What may stand before the programs of a file, ready to be put before one of them.
struct Prelude {
  std::vector<Macro> macros;
  struct Definition { std::string name, text; };
  std::vector<Definition> definitions;   // maps with their contents, externs
};

struct Header {
  std::string name, section;
  bool unprivileged = false, proprietary = false, types = false, slow = false;
  std::vector<Expectation> expectations;
};

Result<facts::KernelVersion> version_of(std::string_view text) {
  auto parts = split(text, '.');
  auto major = parse_number<std::uint16_t>(parts[0]);
  auto minor = parts.size() == 2 ? parse_number<std::uint16_t>(parts[1]) : std::nullopt;
  if (!major || !minor) return fail(ErrorKind::malformed, "`{}` is no kernel version", text);
  return facts::KernelVersion{.major = *major, .minor = *minor};
}

facts::KernelVersion next(facts::KernelVersion version) { return {.major = version.major, .minor = static_cast<std::uint16_t>(version.minor + 1)}; }

/// "accept", "reject: why", "<6.1 accept".
Result<Expectation> expectation_of(std::string_view field) {
  Expectation expectation;
  std::string_view text = trim(field);
  if (!text.starts_with("accept") && !text.starts_with("reject")) {
    std::string_view range = text.substr(0, text.find(' '));
    text = trim(text.substr(range.size()));
    if (range.starts_with(">=")) expectation.from = TRY(version_of(range.substr(2)));
    else if (range.starts_with("<")) expectation.below = TRY(version_of(range.substr(1)));
    else {
      auto dots = range.find("..");
      expectation.from = TRY(version_of(range.substr(0, dots)));
      expectation.below = next(dots == range.npos ? expectation.from : TRY(version_of(range.substr(dots + 2))));
    }
  }
  expectation.accept = text == "accept";
  if (!expectation.accept && text != "reject" && !text.starts_with("reject:")) return fail(ErrorKind::malformed, "`{}` is no verdict", field);
  if (text.starts_with("reject:")) expectation.message = trim(text.substr(7));
  return expectation;
}

Result<Header> header_of(std::string_view line) {
  Header header;
  auto fields = split(line, '|');
  if (fields.size() < 3) return fail(ErrorKind::malformed, "a header is `== NAME | SECTION | VERDICT`");
  header.name = trim(fields[0].substr(2));
  auto words = split_words(fields[1]);
  if (words.empty()) return fail(ErrorKind::malformed, "a header names a section");
  header.section = words[0];
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "unprivileged") header.unprivileged = true;
    else if (words[i] == "proprietary") header.proprietary = true;
    else if (words[i] == "types") header.types = true;
    else if (words[i] == "slow") header.slow = true;
    else return fail(ErrorKind::malformed, "`{}` is nothing that a header says", words[i]);
  }
  for (std::size_t i = 2; i < fields.size(); ++i) header.expectations.push_back(TRY(expectation_of(fields[i])));
  return header;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// `$NAME` by the arguments.
std::string substitute(const std::string& line, const Macro& macro, const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '$') {
      out += line[i];
      continue;
    }
    std::size_t end = i + 1;
    while (end < line.size() && is_word(line[end])) ++end;
    auto parameter = std::ranges::find(macro.parameters, line.substr(i + 1, end - i - 1));
    auto at = static_cast<std::size_t>(parameter - macro.parameters.begin());
    if (at < macro.parameters.size() && at + 1 < words.size()) out += words[at + 1];
    i = end - 1;
  }
  return out;
}

/// Macros are replaced statement by statement, in what they leave too; `;;` stands between two statements of a line.
void expand(const std::string& line, const Prelude& prelude, std::string& out, int depth = 0) {
  if (auto end = line.find(";;"); end != line.npos) {
    expand(line.substr(0, end), prelude, out, depth);
    return expand(line.substr(end + 2), prelude, out, depth);
  }
  auto words = split_words(line);
  auto macro = words.empty() ? prelude.macros.end() : std::ranges::find(prelude.macros, words[0], &Macro::name);
  if (macro == prelude.macros.end() || depth > 8) {
    out += line + "\n";
    return;
  }
  for (const std::string& inside : macro->lines) expand(substitute(inside, *macro, words), prelude, out, depth + 1);
}

/// Reads macros and definitions; `index` stands on the line behind them afterwards.
Prelude prelude_of(const std::vector<std::string>& lines, std::size_t& index, Prelude prelude = {}) {
  for (; index < lines.size() && !lines[index].starts_with("== "); ++index) {
    auto words = split_words(lines[index]);
    if (words.empty() || words[0].front() == '#') continue;
    if (words[0] == ".macro") {
      Macro macro{.name = std::string(words.at(1)), .parameters = {words.begin() + 2, words.end()}, .lines = {}};
      for (++index; index < lines.size() && trim(lines[index]) != ".endm"; ++index) macro.lines.push_back(lines[index]);
      prelude.macros.push_back(std::move(macro));
    } else if (words[0] == ".map" || words[0] == ".extern") {
      prelude.definitions.push_back({.name = std::string(words.at(1)), .text = lines[index] + "\n"});
    } else if (!prelude.definitions.empty()) {
      prelude.definitions.back().text += lines[index] + "\n";   // contents of the map above
    }
  }
  return prelude;
}

/// The definitions that `body` names, directly or by one of them, in their order.
std::string definitions_for(const std::string& body, const Prelude& prelude) {
  std::string text;
  std::vector<bool> used(prelude.definitions.size());
  auto names = [](const std::string& where, const std::string& name) {
    return where.find("[" + name + "]") != where.npos || where.find("=" + name + "\n") != where.npos || where.find("=" + name + " ") != where.npos;
  };
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (used[i]) continue;
      bool named = names(body, prelude.definitions[i].name);
      for (std::size_t j = 0; j < used.size() && !named; ++j) named = used[j] && names(prelude.definitions[j].text, prelude.definitions[i].name);
      if (named) used[i] = more = true;
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) text += used[i] ? prelude.definitions[i].text : "";
  return text;
}

Result<object::ObjectSpec> written_and_read(const object::ObjectSpec& object) {
  const std::vector<std::byte> file = TRY(object::write_elf(object));
  return object::read(file, object.name + ".o");
}

Result<Program> program_of(const Header& header, const std::string& body, const Prelude& prelude, const std::string& path, std::uint32_t line) {
  Program program{.name = header.name, .file = path, .line = line, .unprivileged = header.unprivileged, .slow = header.slow,
                  .expectations = header.expectations, .object = {}};
  std::string text = fmt::format(".license \"{}\"\n", header.proprietary ? "Proprietary" : "GPL") + definitions_for(body, prelude) +
                     fmt::format(".section \"{}\"\n.func {}\n", header.section, header.name) + body;
  auto object = object::assemble_object(text, fmt::format("{}.s", header.name));
  if (!object) return std::unexpected(wrap(std::move(object.error()), fmt::format("{}:{}: {}", path, line, header.name)));
  if (header.types) object = written_and_read(*object);
  if (!object) return std::unexpected(wrap(std::move(object.error()), fmt::format("{}:{}: {}", path, line, header.name)));
  program.object = std::make_shared<object::ObjectSpec>(std::move(*object));
  return program;
}

/// Text declares no types of the kernel functions that it calls, so linking cannot compare them: they go by name alone.
Result<void> number_kfuncs(const object::ObjectSpec& object, object::FunctionSpec& code, const object::Target& target) {
  std::vector<object::Relocation> left;
  for (const object::Relocation& relocation : code.relocations) {
    const auto* reference = std::get_if<object::ExternRef>(&relocation.to);
    isa::Insn& insn = code.insns[relocation.insn];
    if (reference == nullptr || insn.opcode != isa::kOpCall) {
      left.push_back(relocation);
      continue;
    }
    const std::string& name = object.external(reference->external).name;
    auto found = target.vmlinux ? target.vmlinux->find(name, btf::Kind::func) : std::nullopt;
    if (!found) return fail(ErrorKind::unsupported, "the kernel has no kfunc `{}`", name);
    insn.src = std::to_underlying(isa::CallKind::kfunc);
    insn.imm = static_cast<std::int32_t>(std::to_underlying(found->id()));
  }
  code.relocations = std::move(left);
  return {};
}

Result<std::string> text_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorKind::not_found, "{} cannot be read", path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::string_view line : split(text, '\n')) lines.emplace_back(line);
  return lines;
}

}  // namespace

const Expectation& Program::expected(facts::KernelVersion version) const {
  version.patch = 0;
  auto fits = std::ranges::find_if(expectations.rbegin(), expectations.rend(), [&](const Expectation& e) { return e.from <= version && version < e.below; });
  return fits == expectations.rend() ? expectations.front() : *fits;
}

Result<std::vector<Program>> read_text(const std::string& path, std::string_view common) {
  std::size_t index = 0;
  Prelude prelude = prelude_of(lines_of(common), index);
  std::vector<std::string> lines = lines_of(TRY(text_of(path)));
  index = 0;
  prelude = prelude_of(lines, index, std::move(prelude));
  std::vector<Program> programs;
  while (index < lines.size()) {
    const auto line = static_cast<std::uint32_t>(index + 1);
    auto header = header_of(lines[index]);
    if (!header) return std::unexpected(wrap(std::move(header.error()), fmt::format("{}:{}", path, line)));
    std::string body;
    for (++index; index < lines.size() && !lines[index].starts_with("== "); ++index) expand(lines[index], prelude, body);
    programs.push_back(TRY(program_of(*header, body, prelude, path, line)));
  }
  return programs;
}

Result<std::vector<Program>> read_object(const std::string& path) {
  auto object = std::make_shared<const object::ObjectSpec>(TRY(object::read(path)));
  std::vector<Program> programs;
  if (!object->btf) return fail(ErrorKind::malformed, "{} has no BTF", path);
  for (const object::ProgramSpec& spec : object->programs) {
    Program program{.name = spec.name, .file = path, .object = object};
    for (std::uint32_t id = 1; id < object->btf->type_count(); ++id) {
      const btf::Type tag = object->btf->type(btf::TypeId{id});
      if (tag.kind() != btf::Kind::decl_tag || tag.component_index() != -1) continue;
      const btf::Type target = object->btf->type(tag.target());
      if (target.kind() == btf::Kind::func && target.name() == spec.name) program.expectations.push_back(TRY(expectation_of(tag.name())));
    }
    // The one without a range comes first, wherever the compiler put it.
    std::ranges::stable_partition(program.expectations, [](const Expectation& e) { return e.from == facts::KernelVersion{} && e.below.major == 9999; });
    if (!program.expectations.empty()) programs.push_back(std::move(program));
  }
  return programs;
}

Result<std::vector<std::string>> files_of(const std::string& folder, const std::string& objects) {
  std::vector<std::string> paths;
  for (const std::string& where : {folder, objects}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(where, error)) {
      const std::string path = entry.path().string();
      if (path.ends_with(".s") || path.ends_with(".bpf.o")) paths.push_back(path);
    }
    if (error) return fail(ErrorKind::not_found, "{}: {}", where, error.message());
  }
  std::ranges::sort(paths);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

Result<std::vector<Program>> read_file(const std::string& path) {
  if (path.ends_with(".o")) return read_object(path);
  return read_text(path, TRY(text_of((std::filesystem::path(path).parent_path() / "common.inc").string())));
}

Result<object::LinkedObject> link_alone(const Program& program, const object::Target& target) {
  object::ObjectSpec object = *program.object;
  if (!object.btf) {
    for (object::FunctionSpec& function : object.functions) TRY(number_kfuncs(object, function, target));
    for (object::ProgramSpec& one : object.programs) TRY(number_kfuncs(object, one.code, target));
  }
  object::LinkedObject linked = TRY(object::link(std::move(object), target, {.programs = {program.name}}));
  std::vector<bool> used(linked.object.maps.size());
  for (const object::LinkedProgram& one : linked.programs) {
    for (const object::Relocation& relocation : one.spec.code.relocations) {
      if (const auto* map = std::get_if<object::MapRef>(&relocation.to)) used[std::to_underlying(map->map)] = true;
      if (const auto* value = std::get_if<object::MapValueRef>(&relocation.to)) used[std::to_underlying(value->map)] = true;
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    object::MapSpec& map = linked.object.maps[i];
    if (!used[i]) continue;
    for (const object::SlotValue& slot : map.slots)
      if (const auto* inner = std::get_if<object::MapIdx>(&slot.value)) used[std::to_underlying(*inner)] = true;
  }
  for (std::size_t i = 0; i < used.size(); ++i) linked.object.maps[i].autocreate = used[i];
  return linked;
}

}  // namespace espy::corpus
