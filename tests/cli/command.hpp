// Runs build/espy and reads what it says.
#pragma once

#include <map>
#include <string>
#include <thread>
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

/// Runs `espy WORDS...` as user and group nobody, with these capabilities (as setpriv(1) names them: "+bpf,+perfmon") only.
Outcome unprivileged(const std::vector<std::string>& words, const std::string& capabilities = {});

/// A folder that everybody can read, for one test; removed with what is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};
void write(const std::string& path, const std::string& bytes);
std::string read(const std::string& path);

/// Calls getppid() every millisecond while it lives, for the programs under test to see.
class Caller {
 public:
  Caller();

 private:
  std::jthread thread_;
};

/// The NDJSON lines of an output by their "type"; a line that is no JSON fails the test.
std::multimap<std::string, std::string> by_type(const std::string& output);

/// The lines of a text, without their ends.
std::vector<std::string> lines(const std::string& text);

/// build/examples/NAME and the objects of this folder.
std::string example(const std::string& name);
std::string object(const std::string& name);

/// May this process load eBPF programs?
bool privileged();

}  // namespace espy::test
