#include "kernel/verifier_log.hpp"

#include <cctype>

#include "base/text.hpp"

namespace espy::kernel {

namespace {

// How lines begin that trace the walk and object to nothing.
constexpr std::string_view kBookkeeping[] = {
    "processed ", "verification time", "stack depth", "from ", "cur state:", "old state:", "last_idx ", "regs=", "mark_precise:",
    "parent ", "propagating ", "func#", "caller:", "callee:", "returning from callee", "to caller at ", "Func#", "Validating ",
    "arg#", "Live regs before insn", "max_states", "peak_states", "insns processed", "Global function ", "subprog ",
    "Finalizing", "BPF program hit", "size of ", "verifier:", "falling back to", "frame ", "reg type unsupported",
};

// What a reason may say that comes after it began like bookkeeping.
constexpr std::string_view kStillReasons[] = {"arg#0 expected", "is not valid", "must be", "cannot", "invalid", "expected", "doesn't", "should", "don't", "not supported"};

struct Advice {
  std::string_view words;  ///< part of the reason
  std::string_view what_to_do;
};
// The first row that fits counts.
constexpr Advice kAdvice[] = {
    {"bpf_override_return#", "replacing a function's result needs a kernel with CONFIG_BPF_KPROBE_OVERRIDE, and a kprobe"},
    {"bpf_probe_write_user#", "a kernel that is locked down (/sys/kernel/security/lockdown) lets nobody write into processes"},
    {"_or_null", "the lookup may have found nothing: compare the pointer with NULL before using it"},
    {"invalid mem access 'scalar'", "a number is used as an address: read kernel memory with BPF_CORE_READ() or bpf_probe_read_kernel(), user memory with bpf_probe_read_user()"},
    {"invalid mem access 'inv'", "a number is used as an address: read kernel memory with BPF_CORE_READ() or bpf_probe_read_kernel(), user memory with bpf_probe_read_user()"},
    {"invalid access to packet", "compare with data_end before the access: if (data + N > data_end) return …"},
    {"outside of the packet", "compare with data_end before the access: if (data + N > data_end) return …"},
    {"invalid bpf_context access", "programs of this type may not access that field of the context, or not in that width, or not write it"},
    {"invalid bpf_sock", "programs of this type may not access that field of the socket"},
    {"GPL-restricted", "the helper is for GPL-compatible programs: char LICENSE[] SEC(\"license\") = \"GPL\""},
    {"GPL compatible", "this is for GPL-compatible programs: char LICENSE[] SEC(\"license\") = \"GPL\""},
    {"unbounded memory access", "bound the offset first: mask it (i & (SIZE - 1)) or compare it, as an unsigned number"},
    {"unbounded min value", "bound the number from below: make it unsigned, or compare it with 0"},
    {"min value is negative", "the number may be negative: make it unsigned, or compare it with 0"},
    {"max value is outside", "bound the number from above: mask it (i & (SIZE - 1)) or compare it with the size"},
    {"invalid access to map value", "the access reaches past the map's value: bound the offset, or make the value larger"},
    {"invalid access to memory", "the access reaches past the memory: bound the offset"},
    {"invalid variable-offset", "bound the index into the array on the stack: mask it (i & (SIZE - 1)) or compare it with the size"},
    {"variable stack", "bound the index into the array on the stack: mask it (i & (SIZE - 1)) or compare it with the size"},
    {"infinite loop detected", "the verifier sees no end of the loop: count to a constant, or use bpf_loop() (Linux 5.17) or bpf_for() (6.4)"},
    {"back-edge", "this kernel takes no such loop (Linux 5.3 takes bounded ones): unroll it with #pragma unroll"},
    {"loop detected", "this kernel takes no such loop (Linux 5.3 takes bounded ones): unroll it with #pragma unroll"},
    {"program is too large", "the verifier gave up: bound loops lower, use bpf_loop(), or make parts global functions, which are checked once"},
    {"too complex", "the verifier gave up: bound loops lower, use bpf_loop(), or make parts global functions, which are checked once"},
    {"combined stack size", "functions that call each other share 512 bytes of stack: move large variables to a per-CPU array of one element"},
    {"stack size", "a function has 512 bytes of stack: move large variables to a per-CPU array of one element"},
    {"invalid indirect read from stack", "initialise the whole variable, its padding too, before passing it on: = {} does not clear padding, __builtin_memset does"},
    {"invalid read from stack", "initialise the variable before reading it"},
    {"Unreleased reference", "every path must give back what it took: submit or discard the ring buffer record, release the socket or object"},
    {"reference leak", "every path must give back what it took: submit or discard the ring buffer record, release the socket or object"},
    {"bpf_spin_lock-ed region", "every path must unlock before it returns or calls"},
    {"R0 !read_ok", "the function ends on a path that sets no return value"},
    {"!read_ok", "the register is used on a path where it was not set, or after a call that clobbered it"},
    {"unreachable insn", "an instruction can not be reached: a jump or the compiler went wrong, or code follows an exit"},
    {"not an exit or jmp", "the last instruction must be exit or a jump: the program falls off its end"},
    {"should have been in", "the program returns a number that its type does not allow"},
    {"unknown#195896080", "a CO-RE relocation found nothing in this kernel, and the instruction is reached: guard it with bpf_core_field_exists() or bpf_core_type_exists()"},
    {"is not allowed", "the kernel lets only certain program types call this function"},
    {"failed to find kernel BTF type ID", "this kernel does not have the function or type"},
    {"passes invalid args into", "a global function is verified on its own: its arguments must be numbers, the context, or pointers to memory of known size"},
    {"failed to find the address for kernel symbol", "the kernel's BTF names the variable, but its symbol table (/proc/kallsyms) does not: declare it __weak if the program can do without"},
    {"has to have BTF", "the map's key and value need BTF: compile with -g"},
    {" expected=", "an argument is not what the function takes"},
    {"jump out of range", "a jump leaves the program"},
    {"unknown opcode", "this kernel is older than the instruction: compile with a lower -mcpu (v3, v2)"},
    {"invalid insn", "this kernel is older than the instruction: compile with a lower -mcpu (v3, v2)"},
    {"BPF_ATOMIC uses", "this kernel has only atomic add (others need Linux 5.12): compile with -mcpu=v2"},
    {"sleepable", "only programs of a sleepable section (fentry.s, lsm.s, uprobe.s, iter.s …) may do this"},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "R1=ctx() R10=fp0", " R0_w=inv1", "frame1: R6=…": what the registers hold.
bool is_state(std::string_view line) {
  if (line.starts_with("frame") && line.size() > 5 && is_digit(line[5])) return true;
  while (line.starts_with(' ')) line.remove_prefix(1);
  if (line.starts_with("fp-")) return true;
  if (line.size() < 3 || line[0] != 'R' || !is_digit(line[1])) return false;
  std::size_t at = 1;
  while (at < line.size() && is_digit(line[at])) ++at;
  return at < line.size() && (line[at] == '=' || line[at] == '_');
}

bool is_bookkeeping(std::string_view line) {
  if (is_state(line) || line.find("size cannot be determined") != line.npos) return true;
  for (std::string_view begin : kBookkeeping)
    if (line.starts_with(begin)) {
      if (begin != "arg#" && begin != "Global function " && begin != "func#" && begin != "Func#" && begin != "subprog ") return true;
      for (std::string_view words : kStillReasons)
        if (line.find(words) != line.npos) return false;
      return true;
    }
  return false;
}

// "12: (85) call bpf_map_lookup_elem#1    ; R0=…" → 12 and the text behind it.
struct InsnLine {
  std::uint32_t insn;
  std::string_view text;   ///< after the opcode, without the states
  bool traced;             ///< false: "12: R1=…", states before instruction 12
};
std::optional<InsnLine> insn_line(std::string_view line) {
  auto colon = line.find(": ");
  if (colon == line.npos || colon == 0 || colon > 9) return std::nullopt;
  auto number = parse_number<std::uint32_t>(line.substr(0, colon));
  if (!number) return std::nullopt;
  std::string_view rest = line.substr(colon + 2);
  if (rest.size() > 4 && rest[0] == '(' && rest[3] == ')') {
    rest.remove_prefix(4);
    for (std::string_view states : {"; R", "; frame", "; refs", "; fp"})
      if (auto at = rest.find(states); at != rest.npos) rest = rest.substr(0, at);
    return InsnLine{*number, trim(rest), true};
  }
  if (is_state(rest)) return InsnLine{*number, {}, false};
  return std::nullopt;
}

// A loop is reported on the line of its jump.
constexpr std::string_view kInLine = "infinite loop detected";

std::optional<std::uint32_t> number_after(std::string_view text, std::string_view words) {
  auto at = text.find(words);
  if (at == text.npos) return std::nullopt;
  text.remove_prefix(at + words.size());
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  return parse_number<std::uint32_t>(text.substr(0, size));
}

void add_instruction(VerifierReport& report, const InsnLine& line) {
  report.reasons.clear();  // what was said before was not the end
  report.insn = line.insn;
  if (!line.traced) return;
  std::string_view text = line.text;
  if (auto at = text.find(kInLine); at != text.npos) {
    report.reasons.emplace_back(trim(text.substr(at)));
    text = trim(text.substr(0, at));
  }
  report.insn_text = text;
}

void add_source(VerifierReport& report, std::string_view line) {
  std::string_view text = trim(line.substr(1));
  report.place.clear();
  // Since 6.4: "; text @ file:line".
  if (auto at = text.rfind(" @ "); at != text.npos && text.rfind(':') > at) {
    report.place = text.substr(at + 3);
    text = trim(text.substr(0, at));
  }
  report.source = text;
}

}  // namespace

VerifierReport read_verifier_log(std::string_view log) {
  constexpr std::size_t kMostReasons = 8;  // a reason has two or three lines; more are no reasons
  VerifierReport report;
  while (!log.empty()) {
    auto end = log.find('\n');
    std::string_view line = log.substr(0, end);
    log.remove_prefix(end == log.npos ? log.size() : end + 1);
    if (trim(line).empty()) continue;
    if (auto instruction = insn_line(line)) add_instruction(report, *instruction);
    else if (line.starts_with(';')) add_source(report, line);
    else if (line.starts_with("processed ")) report.processed = number_after(line, "processed ").value_or(0);
    else if (!is_bookkeeping(line) && report.reasons.size() < kMostReasons) report.reasons.emplace_back(trim(line));
  }
  for (const std::string& reason : report.reasons) {
    if (auto acquired = number_after(reason, "alloc_insn=")) report.acquired_at = acquired;
    // Checks before the walk name the instruction in words.
    if (!report.insn)
      for (std::string_view words : {"unreachable insn ", "from insn ", "at insn ", "insn "})
        if (!report.insn) report.insn = number_after(reason, words);
  }
  return report;
}

std::string_view advice_for(std::string_view reason) {
  for (const Advice& row : kAdvice)
    if (reason.find(row.words) != reason.npos) return row.what_to_do;
  return {};
}

}  // namespace espy::kernel
