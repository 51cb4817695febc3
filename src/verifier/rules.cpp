#include "verifier/rules.hpp"

#include "facts/lookup.hpp"

namespace espy::verifier {
namespace {

// clang-format off
constexpr auto kRules = std::to_array<RuleRow>({
    {Rule::unbounded_offset, "unbounded-offset", "an offset or a size has no bound", "check it against a constant before this line, as an unsigned number: `if (n >= SIZE) return 0;`, or mask it: `n &= SIZE - 1;`"},
    {Rule::missing_null_check, "missing-null-check", "a pointer that may be NULL is used unchecked", "check it first: `if (!p) return 0;`"},
    {Rule::packet_bounds, "packet-bounds", "bytes of the packet are not known to be there", "compare the end of what is accessed with `data_end` first: `if ((void *)(p + 1) > data_end) return …;`, again after every helper that may change the packet"},
    {Rule::uninitialised_stack, "uninitialised-stack", "stack memory is read that was never written", "initialise the variable, padding included: `struct key k = {};`, or `__builtin_memset(&k, 0, sizeof(k));`"},
    {Rule::uninitialised_register, "uninitialised-register", "a register is read that holds no value", "give the variable a value on every path; calls leave r1 to r5 undefined"},
    {Rule::pointer_arithmetic, "pointer-arithmetic", "this arithmetic on a pointer is not allowed", "add or subtract 64-bit offsets only, on pointers into memory; copy the pointer's target into a variable to compute with it"},
    {Rule::leaked_reference, "leaked-reference", "what was acquired is not released on every path", "release it before every `return`, and release only what was acquired and checked for NULL"},
    {Rule::lock_held, "lock-held", "this may not happen while a lock or a protected region is held", "unlock first, and move calls out of the locked region"},
    {Rule::lock_order, "lock-order", "locks are taken or released in an order that is not allowed", "take one lock at a time, the one in the element that it protects, and release it on every path"},
    {Rule::infinite_loop, "infinite-loop", "the loop never ends, or cannot be shown to", "bound it by a constant: `for (int i = 0; i < 64; i++)`, or use bpf_loop or bpf_for"},
    {Rule::too_complex, "too-complex", "the program has too many paths", "move the loop's body into a function of bpf_loop or bpf_for, or parts of the program into global functions, which are verified once"},
    {Rule::stack_overflow, "stack-overflow", "the stack holds 512 bytes", "move large variables into a per-CPU array map of one element"},
    {Rule::stack_bounds, "stack-bounds", "the access is outside the stack frame", "access variables within their size; a register must be loaded with the size that it was stored with"},
    {Rule::helper_not_allowed, "helper-not-allowed", "programs of this type may not call this helper", "use another program type, or another helper"},
    {Rule::gpl_only, "gpl-only", "this helper is for GPL-compatible programs", "`char LICENSE[] SEC(\"license\") = \"GPL\";`"},
    {Rule::wrong_argument, "wrong-argument", "an argument is not what the function takes", "pass the kind of pointer or number that the function's prototype asks for"},
    {Rule::map_value_bounds, "map-value-bounds", "the access goes past the map's value", "check the index against the array's size, or make the value larger"},
    {Rule::memory_bounds, "memory-bounds", "the access is outside the memory that the pointer is known to have", "check the offset against the memory's size before this line"},
    {Rule::modified_pointer, "modified-pointer", "a pointer that must be passed as it came was moved", "keep the original pointer, and access its fields by constant offsets: `ctx->field`"},
    {Rule::context_access, "context-access", "this field of the context may not be accessed so", "read the field with its own size; another program type may offer it"},
    {Rule::dead_code, "dead-code", "no path leads to this instruction", "remove it; an `if` on a constant that the compiler did not fold may hide it"},
    {Rule::sleepable, "sleepable", "sleeping is not allowed here", "make the program sleepable (`SEC(\"fentry.s/…\")`, `SEC(\"lsm.s/…\")`, `SEC(\"uprobe.s\")`), or use what does not sleep"},
    {Rule::kfunc, "kfunc", "this kernel function may not be called so", "see which program types may call it, and what it asks of its arguments"},
    {Rule::kfunc_reference, "kfunc-reference", "an object of the kernel is not acquired, trusted or released as the function asks", "take a reference (…_acquire), check it for NULL, and release it; or read it inside bpf_rcu_read_lock()"},
    {Rule::rcu, "rcu", "an RCU read section is not used as it must be", "pair bpf_rcu_read_lock() and bpf_rcu_read_unlock() on every path, and do not sleep between"},
    {Rule::missing_btf, "missing-btf", "type information is missing", "compile with `-g`, for a kernel with BTF, or give one with --btf"},
    {Rule::missing_core_field, "missing-core-field", "a field or type that the program uses does not exist on this kernel", "guard it: `if (bpf_core_field_exists(x->field)) …`"},
    {Rule::too_large, "too-large", "the kernel gives up: the program takes too long to verify", "reduce the paths: fewer branches in loops, bpf_loop or bpf_for for long ones, global functions, tail calls"},
    {Rule::bad_instruction, "bad-instruction", "the instruction is not one, or not on this kernel", "compile with an older -mcpu for older kernels"},
    {Rule::bad_jump, "bad-jump", "control leaves its function", "jumps stay inside a function, and a function ends with `exit` or a jump"},
    {Rule::return_value, "return-value", "the program may return a value that the kernel does not take", "return one of the values that programs of this type may return, on every path"},
    {Rule::read_only, "read-only", "this memory may not be written", "copy it into a variable and change that"},
    {Rule::pointer_leak, "pointer-leak", "a kernel address would become visible, or be stored where it must not", "store values, not pointers; a pointer may be spilled to the own stack only, whole"},
    {Rule::misaligned, "misaligned", "the access is not aligned to its size", "align the variable, or access it in smaller parts"},
    {Rule::callback, "callback", "a callback is not used as it must be", "pass a static function of the same object, with the arguments that the helper calls it with"},
    {Rule::dynptr, "dynptr", "a dynptr is not used as it must be", "initialise it once, pass it by its address on the stack, release what was reserved on every path"},
    {Rule::iterator, "iterator", "an iterator is not used as it must be", "create it, advance it, destroy it on every path: bpf_for and bpf_for_each do"},
    {Rule::irq, "irq", "interrupts are not restored as they must be", "restore what bpf_local_irq_save saved, in reverse order, on every path"},
    {Rule::map_use, "map-use", "this map cannot be used so", "use a map type that the helper or the program type takes"},
    {Rule::map_field, "map-field", "a special field of a map's value may only be used through its helpers", "access the other fields by their own names; do not copy the whole value"},
    {Rule::tail_call, "tail-call", "a tail call is not possible here", "call it where nothing is held, and with less than 256 bytes of stack in the callers"},
    {Rule::call_depth, "call-depth", "functions call each other too deeply", "at most 8 frames: inline functions (`static __always_inline`)"},
    {Rule::privileges, "privileges", "this needs more privileges", "load with CAP_BPF and CAP_PERFMON, or avoid it"},
    {Rule::exception, "exception", "exceptions are not used as they must be", "throw only where nothing is held"},
    {Rule::arena, "arena", "an arena is not used as it must be", "reference the arena map in the program"},
    {Rule::program_type, "program-type", "the program's type, or what it attaches to, is not possible", "check the section's name"},
    {Rule::btf_access, "btf-access", "a kernel structure is not accessed as its type says", "read whole fields at their offsets, with CO-RE (`BPF_CORE_READ`), or through bpf_probe_read_kernel"},
    {Rule::subprogram, "subprogram", "a function is not called or declared as it must be", "match the call with the function's prototype; global functions take numbers, contexts and pointers to memory of known size"},
    {Rule::zero_size, "zero-size", "the size may be 0 where it must not", "check `if (n == 0) return 0;` first"},
    {Rule::limit, "limit", "a limit of the kernel is exceeded", "split the program"},
});
// clang-format on
static_assert(facts::rows_are_in_order(kRules, [](const RuleRow& row) { return row.rule; }));
static_assert(facts::names_are_unique(kRules));

}  // namespace

std::span<const RuleRow> rules() { return kRules; }

const RuleRow& row_of(Rule rule) { return kRules[static_cast<std::size_t>(rule)]; }

}  // namespace espy::verifier
