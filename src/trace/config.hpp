// What a script's `config` block and BPFTRACE_* variables set. One row for each in config.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "trace/types.hpp"

namespace espy::trace {

enum class MissingProbes : std::uint8_t { error, warn, ignore };
enum class UserSymbolCache : std::uint8_t { per_pid, per_program, none };
enum class Unstable : std::uint8_t { enable, warn, error };

/// A string is read into memory of its own in one piece; programs of old kernels can follow no longer ones.
inline constexpr std::uint64_t kMaxStringBytes = 65536;

struct Config {
  UserSymbolCache cache_user_symbols = UserSymbolCache::per_program;
  bool cpp_demangle = true;
  bool lazy_symbolication = false;
  std::string license = "GPL";
  std::uint64_t log_size = 1000000;
  std::uint64_t max_bpf_progs = 1024;
  std::uint64_t max_cat_bytes = 10240;
  std::uint64_t max_map_keys = 4096;
  std::uint64_t max_probes = 1024;
  std::uint64_t max_strlen = 1024;
  MissingProbes missing_probes = MissingProbes::error;
  std::uint64_t on_stack_limit = 32;
  std::uint64_t perf_rb_pages = 0;             ///< 0: chosen by the run time
  bool print_maps_on_exit = true;
  bool show_debug_info = true;
  bool use_blazesym = true;                    ///< accepted; nothing depends on it
  StackMode stack_mode = StackMode::bpftrace;
  std::string str_trunc_trailer = "..";
  Unstable unstable_tseries = Unstable::warn, unstable_typeinfo = Unstable::error,
           unstable_import_statement = Unstable::error, unstable_dw_ustack = Unstable::warn;
};

/// One configuration variable.
struct ConfigRow {
  std::string_view name;          ///< "max_map_keys"; the environment's is BPFTRACE_MAX_MAP_KEYS
  std::string_view default_value;
  std::string_view help;
  Result<void> (*set)(Config&, std::string_view value);
  std::string (*get)(const Config&);
  bool removed = false;           ///< accepted and without effect
};
std::span<const ConfigRow> config_rows();

/// Sets one by its name, an older name, or BPFTRACE_NAME. An unknown name gets the nearest as a hint.
Result<void> set_config(Config& config, std::string_view name, std::string_view value);

/// getenv(3), or what stands for it.
using Environment = std::function<const char*(const char*)>;
/// Takes every BPFTRACE_* variable that is set over what is there.
Result<void> set_from_environment(Config& config, const Environment& getenv);
Result<Config> config_from_environment(const Environment& getenv);

/// The value as a script would write it.
std::string value_of(const Config& config, const ConfigRow& row);

}  // namespace espy::trace
