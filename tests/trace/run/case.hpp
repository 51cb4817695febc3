// A test of a script, as data. A .test file holds cases; each is a paragraph of directives, one a line, that starts with
// NAME. A line that begins with white space continues the one above (of a FILE, behind its first column); `#` begins a comment line.
//
//   NAME count calls by process
//   PROG tracepoint:syscalls:sys_enter_getppid { @[comm] = count(); } interval:s:5 { exit(); }
//   AFTER sh -c 'echo $PPID'
//   EXPECT_REGEX ^@\[sh\]: \d+$
//
// What is run, where @PROGRAMS@ is the folder of the programs made in tests/trace/programs:
//   PROG SCRIPT       espy trace OPTIONS -e SCRIPT
//   OPTS OPTIONS      the options in front of it, words of the shell; also words behind it: `-- a b` goes last
//   RUN COMMAND       a shell command instead; $ESPY is the program, $ENGINE the engine (it is run once with each only if it says this), $DIR a scratch folder,
//                     $CASES the folder of the .test file
//   FILE NAME TEXT    a file written into $DIR first, where PROG and RUN start
//   ENV A=B ...       environment
//   BEFORE COMMAND    run in the background first (its pid is $BEFORE_PID), killed at the end
//   AFTER COMMAND     run when the probes are attached; at its end the script gets SIGINT, unless it says exit()
//   TIMEOUT SECONDS   10 if not said; ESPY_PATIENCE multiplies it on slow machines
//   ENGINES E ...     the case is run once with each engine, kernel or user; the user engine always without privileges. In front
//                     of a file's first NAME it is said for all of the file's cases that do not say it themselves
// What must be:
//   EXPECT TEXT       a line of the output is TEXT (white space at its ends aside)
//   EXPECT_PART TEXT  TEXT is somewhere in the output
//   EXPECT_REGEX RE   an ECMAScript expression matches some line
//   EXPECT_NONE RE    it matches no line
//   EXPECT_JSON TEXT  a line is this JSON, whatever its spaces; and every line is JSON
//   EXPECT_FILE FILE  the output is this file's contents
//   ERROR TEXT        TEXT is somewhere in what was written to standard error
//   STATUS N          0 if not said, 1 where there is an ERROR
// When it is skipped:
//   SINCE 5.17        older kernels
//   REQUIRES WORD ... each of: kprobe, fentry, lsm, hardware, root, bpftrace, clang, or a shell command in quotes that must succeed
#pragma once

#include <map>
#include <string>
#include <vector>

namespace espy::test {

struct Case {
  std::string name, file;
  int line = 0;
  std::string engine;       ///< empty: not said, which is the kernel's
  std::multimap<std::string, std::string> directives;

  bool has(const std::string& directive) const { return directives.contains(directive); }
  std::string value(const std::string& directive) const;
  std::vector<std::string> values(const std::string& directive) const;
};

/// Reads a .test file; a case with several engines is there once for each. What is no directive makes a case named "malformed" whose run fails with the reason.
std::vector<Case> read_cases(const std::string& path);

/// What came of running one.
struct Ran {
  int status = -1;          ///< 128 + N: signal N; -1: it did not end in time
  std::string out, err;
};
Ran run(const Case& test);

/// Why this machine cannot run it; empty: it can.
std::string missing(const Case& test);

}  // namespace espy::test
