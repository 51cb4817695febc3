// Runs build/espy and reads what it says.
#pragma once

#include <string>
#include <vector>

namespace espy::test {

struct Outcome {
  int status = -1;      ///< exit status; 128 + N when signal N ended it
  std::string out, err;
};

/// Runs `espy WORDS...` to its end. `signal_after_ms` sends SIGINT that much later (0: never).
Outcome espy(const std::vector<std::string>& words, int signal_after_ms = 0);

/// Runs any program the same way.
Outcome command(const std::vector<std::string>& words, int signal_after_ms = 0);

/// The lines of a text, without their ends.
std::vector<std::string> lines(const std::string& text);

/// build/examples/NAME and the objects of this folder.
std::string example(const std::string& name);
std::string object(const std::string& name);

/// May this process load eBPF programs?
bool privileged();

}  // namespace espy::test
