#include "symbol/demangle.hpp"

#include <cxxabi.h>

#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "symbol/demangle_limits.hpp"

// libstdc++'s own demangler with the output handed out in pieces (libiberty's cp-demangle.c, which bounds its recursion).
// The static library has it; the shared one keeps it to itself.
extern "C" __attribute__((weak)) int __gcclibcxx_demangle_callback(const char* mangled, void (*callback)(const char*, std::size_t, void*),
                                                                   void* opaque);

namespace espy::symbol {

namespace {

// Substitutions let a name of a hundred bytes stand for gigabytes, so the output is cut off while it is made. The demangler
// keeps nothing on the heap and is C: leaving it by longjmp leaks and skips nothing.
struct Sink {
  std::jmp_buf too_long;
  char* out = nullptr;   // kDemangledLimit bytes
  std::size_t size = 0;
};

void collect(const char* text, std::size_t size, void* opaque) {
  auto& sink = *static_cast<Sink*>(opaque);
  if (size > kDemangledLimit - sink.size) std::longjmp(sink.too_long, 1);
  std::memcpy(sink.out + sink.size, text, size);
  sink.size += size;
}

bool run_demangler(const char* mangled, Sink& sink) {
  if (setjmp(sink.too_long) != 0) return false;
  return __gcclibcxx_demangle_callback(mangled, collect, &sink) == 0;
}

// The demangler that every libstdc++ has builds the whole output first. Each substitution ("S1_") at most doubles what the
// name stands for, about, and names with more than these stay as they are.
constexpr std::size_t kSubstitutionLimit = 40;

std::optional<std::string> demangle_whole(const std::string& mangled) {
  std::size_t substitutions = 0;
  for (std::size_t at = 0; at + 1 < mangled.size(); ++at) {
    const char next = mangled[at + 1];
    const bool numbered = next == '_' || (next >= '0' && next <= '9') || (next >= 'A' && next <= 'Z');
    if ((mangled[at] == 'S' || mangled[at] == 'T') && numbered && ++substitutions > kSubstitutionLimit) return std::nullopt;
  }
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
  if (!text || std::strlen(text.get()) > kDemangledLimit) return std::nullopt;
  return std::string(text.get());
}

// "f(int) const" to "f": the parameters are the last parenthesis, which only qualifiers may follow.
std::string_view without_parameters(std::string_view name) {
  std::string_view head = name.substr(0, name.find(" [clone"));
  std::size_t close = head.rfind(')');
  if (close == head.npos || close == 0) return head;
  std::string_view after = head.substr(close + 1);
  if (after.find_first_not_of(" &abcdefghijklmnopqrstuvwxyz") != after.npos) return head;
  int depth = 0;
  for (std::size_t at = close + 1; at-- > 0;) {
    depth += head[at] == ')' ? 1 : head[at] == '(' ? -1 : 0;
    if (depth == 0) return at == 0 || head.substr(at).starts_with("(anonymous namespace)") ? head : head.substr(0, at);
  }
  return head;
}

}  // namespace

std::optional<std::string> demangle_cpp(std::string_view name) {
  if (!name.starts_with("_Z") || name.size() > kMangledLimit) return std::nullopt;
  std::string mangled(name);
  if (__gcclibcxx_demangle_callback == nullptr) return demangle_whole(mangled);
  std::string text(kDemangledLimit, '\0');
  Sink sink;
  sink.out = text.data();
  if (!run_demangler(mangled.c_str(), sink)) return std::nullopt;
  text.resize(sink.size);
  text.shrink_to_fit();
  return text;
}

std::string demangle(std::string_view name, Parameters parameters) {
  if (name.starts_with("_R") || name.starts_with("_ZN"))
    if (auto rust = demangle_rust(name)) return *rust;
  auto cpp = demangle_cpp(name);
  if (!cpp) return std::string(name);
  return parameters == Parameters::kept ? *cpp : std::string(without_parameters(*cpp));
}

}  // namespace espy::symbol
