// Names of this machine: functions of the kernel and of processes, stacks, users, cgroups, clocks. Everything is looked up
// when it is first asked for, and remembered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trace/plan.hpp"
#include "trace/run/engine.hpp"
#include "trace/run/names.hpp"

namespace espy::trace::run {

/// What is at an address of a process.
struct UserPlace {
  std::string symbol;          ///< empty: not known
  std::uint64_t offset = 0;    ///< from the symbol's begin
  std::string module;          ///< file that is mapped there; empty: none
};
using UserPlaces = std::function<UserPlace(std::uint32_t pid, std::uint32_t probe, std::uint64_t address)>;

/// The plan and the engine must outlive it. Without `user_places`, addresses of processes are shown as numbers.
std::unique_ptr<Names> machine_names(const Plan& plan, const Engine* engine, UserPlaces user_places = {});

/// Does a script show addresses of processes: usym, ustack?
bool shows_user_addresses(const Plan& plan);

}  // namespace espy::trace::run
