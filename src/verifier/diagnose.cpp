// From a failure to a Diagnostic.
#include "verifier/checker.hpp"

namespace espy::verifier {

bool Checker::fail_with(Rule rule, int reg, std::string says) {
  if (failed_) return false;   // the first one counts
  failed_ = true;
  failure_.rule = rule;
  failure_.insn = insn_;
  failure_.reg = reg;
  failure_.says = std::move(says);
  return false;
}

Place Checker::place_of(std::uint32_t insn) const {
  Place place{.insn = insn};
  if (!code_.subprograms.empty()) place.function = code_.subprograms[code_.subprogram_of(insn)].name;
  const btf::Btf* btf = types_.own();
  if (btf == nullptr) return place;
  const btf::LineInfo* found = nullptr;
  for (const btf::LineInfo& line : program_.spec.code.line_info) {
    if (line.insn > insn) break;
    found = &line;
  }
  if (found == nullptr) return place;
  place.file = std::string(btf->string(found->file_name));
  place.line = found->line;
  place.column = found->column;
  place.source = std::string(btf->string(found->line_text));
  return place;
}

Diagnostic Checker::diagnose() const {
  const RuleRow& row = row_of(failure_.rule);
  Diagnostic diagnostic;
  diagnostic.rule = failure_.rule;
  diagnostic.place = place_of(failure_.insn);
  diagnostic.message = failure_.message.empty() ? std::string(row.title) : failure_.message;
  diagnostic.hint = std::string(row.hint);
  diagnostic.kernel_says = failure_.says;
  return diagnostic;
}

}  // namespace espy::verifier
