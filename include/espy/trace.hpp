// The tracing language: compile scripts to eBPF, and run them.
//
//   espy::trace::Sources sources;
//   auto source = sources.add("-e", "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }");
//   auto machine = espy::trace::probes::Machine::running();
//   espy::trace::Compilation result = espy::trace::compile(sources, source, machine, {}, {});
//   if (!result.script) …                              // result.diagnostics says what is wrong, with places
//   espy::trace::run::run_script(std::move(*result.script), {});
#pragma once

#include "symbol/debug_file.hpp"
#include "trace/compile.hpp"
#include "trace/config.hpp"
#include "trace/explain.hpp"
#include "trace/lower/running.hpp"
#include "trace/plan.hpp"
#include "trace/probes/list.hpp"
#include "trace/run/child.hpp"
#include "trace/run/live.hpp"
#include "trace/run/session.hpp"
#include "trace/run/user_engine.hpp"
#include "trace/syntax/parser.hpp"
#include "trace/syntax/print.hpp"
