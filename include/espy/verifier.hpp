// The verifier: would a kernel take this program, and if not, why? No privileges and no kernel are needed.
//
//   auto spec = TRY(espy::object::read("filter.bpf.o"));
//   auto kernel = espy::verifier::kernel_of({6, 1}, nullptr);            // or kernel_of(TRY(kernel::running_target()))
//   auto linked = TRY(espy::object::link(spec, kernel.target));
//   for (const auto& program : linked.programs) {
//     auto verdict = espy::verifier::verify(linked, program, kernel.target, kernel.profile);
//     if (!verdict.accepted) fmt::print("{}", espy::verifier::draw(verdict.errors.front()));
//   }
//
// `check` does that for all programs and many kernels, on several threads.
#pragma once

#include "verifier/check.hpp"
#include "verifier/diagnostic.hpp"
#include "verifier/needs.hpp"
#include "verifier/profile.hpp"
#include "verifier/rules.hpp"
#include "verifier/verify.hpp"
