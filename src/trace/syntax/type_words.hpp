// Words that name types without a tag, as far as the grammar must know them.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace espy::trace {

/// Words that C's integer types are made of, several of them: unsigned long.
inline constexpr std::array kCIntegerWords = std::to_array<std::string_view>({"int", "unsigned", "signed", "char", "short", "long"});
/// Integers that are one word. A builtin is never called so.
inline constexpr std::array kIntegerWords = std::to_array<std::string_view>({
    "void", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "int8_t", "int16_t", "int32_t", "int64_t",
    "uint8_t", "uint16_t", "uint32_t", "uint64_t", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "__u8", "__u16", "__u32",
    "__u64", "__s8", "__s16", "__s32", "__s64", "size_t", "ssize_t", "uintptr_t", "intptr_t", "pid_t", "uid_t", "gid_t", "loff_t"});
/// Types whose names are also those of values or functions.
inline constexpr std::array kOtherTypeWords = std::to_array<std::string_view>({"string", "buffer", "inet", "macaddr_t", "ksym_t",
    "usym_t", "kstack_t", "ustack_t", "timestamp", "cgroup_path_t", "username"});

template <std::size_t size>
constexpr bool contains(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

constexpr bool is_type_tag(std::string_view word) { return word == "struct" || word == "union" || word == "enum"; }
constexpr bool is_c_integer_word(std::string_view word) { return contains(kCIntegerWords, word); }
constexpr bool is_integer_type(std::string_view word) { return is_c_integer_word(word) || contains(kIntegerWords, word); }
constexpr bool is_type_word(std::string_view word) { return is_integer_type(word) || contains(kOtherTypeWords, word); }

}  // namespace espy::trace
