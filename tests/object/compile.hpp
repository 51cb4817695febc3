// Compiles small sources for tests that need an object of a certain kind: C and assembly, both byte orders.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "base/fd.hpp"
#include "object/read.hpp"

namespace espy::object {

/// Compiles a source (`suffix` "c" or "s") with further flags; the object's path. Fails the test that cannot.
inline std::string compile(const std::string& name, const std::string& suffix, const std::string& source, const std::string& flags = "-g") {
  const std::string folder = ESPY_BINARY_DIR "/tests/object/compiled";
  mkdir(folder.c_str(), 0755);
  const std::string input = folder + "/" + name + "." + suffix, output = folder + "/" + name + ".o";
  EXPECT_TRUE(write_file(input, bytes_of(std::string_view(source))));
  const std::string target = flags.find("-target") == std::string::npos ? " -target bpf" : "";
  const std::string command = std::string(ESPY_BPF_CLANG) + target + " -O2 -mcpu=v3 -w " + flags + " -c " + input + " -o " + output;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return output;
}

/// What a current <bpf/bpf_helpers.h> gives, as far as these tests need it.
inline const std::string kPrelude = R"(
typedef unsigned int u32; typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __noinline __attribute__((noinline))
char LICENSE[] SEC("license") = "GPL";
static void *(*lookup)(void *, const void *) = (void *)1;
static long (*tail_call)(void *, void *, u32) = (void *)12;
)";

/// Compiled and read.
inline ObjectSpec read_source(const std::string& name, const std::string& source, const std::string& flags = "-g", const std::string& suffix = "c") {
  auto object = read(compile(name, suffix, suffix == "c" ? kPrelude + source : source, flags));
  EXPECT_TRUE(object) << describe(object.error());
  return object ? std::move(*object) : ObjectSpec{};
}

/// Is there a warning with these words?
inline bool warns(const ObjectSpec& object, std::string_view words) {
  return std::ranges::any_of(object.warnings, [&](const Warning& warning) { return warning.message.find(words) != std::string::npos && !warning.hint.empty(); });
}

}  // namespace espy::object
