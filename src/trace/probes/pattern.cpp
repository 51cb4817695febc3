// Wildcards of probe names. The matcher goes back to the latest `*` only: quadratic at worst, never exponential.
#include "trace/probes/attach_point.hpp"

namespace espy::trace::probes {

namespace {

// The end of a set "[…]" that begins at `at`; npos: it is not closed, and the bracket is a plain character.
std::size_t end_of_set(std::string_view pattern, std::size_t at) {
  std::size_t first = at + 1;
  if (first < pattern.size() && (pattern[first] == '!' || pattern[first] == '^')) ++first;
  return pattern.find(']', first + 1);
}

bool in_set(std::string_view set, char c) {
  bool negated = set.starts_with('!') || set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = found || (set[i] <= c && c <= set[i + 2]);
      i += 2;
    } else {
      found = found || set[i] == c;
    }
  }
  return found != negated;
}

// How many characters of the pattern stand for `c` at `at`; 0: none do.
std::size_t step(std::string_view pattern, std::size_t at, char c) {
  if (at >= pattern.size()) return 0;
  if (pattern[at] == '[')
    if (std::size_t end = end_of_set(pattern, at); end != pattern.npos)
      return in_set(pattern.substr(at + 1, end - at - 1), c) ? end + 1 - at : 0;
  return pattern[at] == '?' || pattern[at] == c ? 1 : 0;
}

}  // namespace

bool is_pattern(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '*' || text[i] == '?' || (text[i] == '[' && end_of_set(text, i) != text.npos)) return true;
  return false;
}

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (std::size_t taken = step(pattern, p, text[t])) {
      p += taken, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace espy::trace::probes
