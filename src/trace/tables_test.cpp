#include <gtest/gtest.h>

#include <map>

#include "facts/tables.hpp"
#include "trace/builtins.hpp"
#include "trace/config.hpp"
#include "trace/functions.hpp"

namespace espy::trace {
namespace {

TEST(Builtins, AreFoundByNameAliasAndIntrinsic) {
  ASSERT_NE(find_builtin("pid"), nullptr);
  EXPECT_EQ(find_builtin("pid")->id, BuiltinId::pid);
  EXPECT_EQ(find_builtin("__builtin_comm")->id, BuiltinId::comm);
  EXPECT_EQ(find_builtin("arg0")->id, BuiltinId::arg);
  EXPECT_EQ(find_builtin("arg17")->id, BuiltinId::arg);
  EXPECT_EQ(argument_number("arg17"), 17U);
  EXPECT_EQ(argument_number("__builtin_arg3"), 3U);
  EXPECT_EQ(find_builtin("args")->id, BuiltinId::args);
  for (auto word : {"argN", "arg", "argx", "arg100", "", "__builtin_", "Pid"}) EXPECT_EQ(find_builtin(word), nullptr) << word;
}

TEST(Functions, AreFoundAndSuggested) {
  EXPECT_EQ(find_function("delete")->id, FunctionId::delete_);
  EXPECT_EQ(find_function("static_assert")->id, FunctionId::static_assert_);
  EXPECT_EQ(find_function("printff"), nullptr);
  EXPECT_EQ(nearest_function("prntf"), "printf");
  EXPECT_EQ(nearest_function("kstak"), "kstack");
}

TEST(Tables, NameHelpersThatExist) {
  for (const Builtin& row : builtins())
    EXPECT_TRUE(row.helper.empty() || facts::find_helper(row.helper) != nullptr) << row.helper;
  for (const Function& row : functions())
    EXPECT_TRUE(row.helper.empty() || facts::find_helper(row.helper) != nullptr) << row.helper;
  EXPECT_EQ(since(row_of(FunctionId::path)), (facts::KernelVersion{5, 10, 0}));
  EXPECT_EQ(since(row_of(FunctionId::printf)), facts::KernelVersion{});
  EXPECT_EQ(since(row_of(BuiltinId::jiffies)), (facts::KernelVersion{5, 6, 0}));
}

TEST(Config, SetsWhatIsNamed) {
  Config config;
  EXPECT_TRUE(set_config(config, "BPFTRACE_MAX_MAP_KEYS", "7"));
  EXPECT_EQ(config.max_map_keys, 7U);
  EXPECT_TRUE(set_config(config, "strlen", "128"));
  EXPECT_EQ(config.max_strlen, 128U);
  EXPECT_TRUE(set_config(config, "no_cpp_demangle", "1"));
  EXPECT_FALSE(config.cpp_demangle);
  EXPECT_TRUE(set_config(config, "stack_mode", "perf"));
  EXPECT_EQ(config.stack_mode, StackMode::perf);
  EXPECT_TRUE(set_config(config, "cache_user_symbols", "PER_PID"));
  EXPECT_EQ(config.cache_user_symbols, UserSymbolCache::per_pid);
  EXPECT_TRUE(set_config(config, "unstable_macro", "whatever"));
  EXPECT_TRUE(set_config(config, "missing_probes", "warn"));
  EXPECT_EQ(config.missing_probes, MissingProbes::warn);
}

TEST(Config, SaysWhatIsWrong) {
  Config config;
  auto unknown = set_config(config, "max_map_kes", "7");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().hint, "did you mean `max_map_keys`?");
  for (auto [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"max_map_keys", "0"}, {"max_map_keys", "many"}, {"max_strlen", "1"}, {"max_strlen", "1000000"}, {"stack_mode", "deep"},
           {"print_maps_on_exit", "2"}, {"missing_probes", ""}})
    EXPECT_FALSE(set_config(config, name, value)) << name << "=" << value;
}

TEST(Config, DefaultsAreTheRows) {
  // Setting every variable to what its row calls the default changes nothing.
  Config config;
  for (const ConfigRow& row : config_rows()) {
    ASSERT_TRUE(row.set(config, row.default_value)) << row.name;
    EXPECT_EQ(value_of(config, row), value_of(Config{}, row)) << row.name;
  }
}

TEST(Config, ReadsTheEnvironment) {
  const std::map<std::string, const char*> variables{{"BPFTRACE_MAX_STRLEN", "64"}, {"BPFTRACE_STRLEN", "32"}, {"BPFTRACE_STACK_MODE", "raw"}};
  auto config = config_from_environment([&](const char* name) {
    auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second;
  });
  ASSERT_TRUE(config);
  EXPECT_EQ(config->max_strlen, 64U);  // the present name wins
  EXPECT_EQ(config->stack_mode, StackMode::raw);
  auto wrong = config_from_environment([](const char* name) { return std::string_view(name) == "BPFTRACE_LOG_SIZE" ? "big" : nullptr; });
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("BPFTRACE_LOG_SIZE"), std::string::npos);
}

}  // namespace
}  // namespace espy::trace
