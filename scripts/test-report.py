#!/usr/bin/env python3
"""scripts/test-report.py REPORT.xml COUNTS FAILURES    reads the JUnit report that ctest writes: prints the reasons of
skipped tests, each once with the tests that give it; writes the line "N passed, N failed, N skipped" to COUNTS, and the
failed tests with the end of what each printed to FAILURES, which is not made if there are none."""
import collections
import re
import sys
import xml.etree.ElementTree as ElementTree


def reason(case):
    """What the test said: GoogleTest's line after "Skipped", or a script's line that begins with "skip:"."""
    output = case.findtext("system-out") or ""
    match = re.search(r": Skipped\n(.+)", output) or re.search(r"^skip: (.+)", output, re.MULTILINE)
    if match:
        return match.group(1).strip()
    return "no reason given"


def was_skipped(case):
    """Skipped by its own word: ctest reports a test whose program is missing as "notrun" too."""
    skipped = case.find("skipped")
    return skipped is not None and (skipped.get("message") or "").startswith("SKIP_")


def last_words(case, lines=25):
    """The end of what a failed test printed, without what it only says when all is well."""
    text = (case.findtext("system-out") or "") + (case.findtext("system-err") or "")
    kept = [line for line in text.splitlines() if not re.match(r"\[( RUN|=====|-----|       OK)|Note: Google Test|Running main", line)]
    return kept[-lines:]


passed = 0
failures = []
skips = collections.defaultdict(list)
for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    if case.get("status") == "run":
        passed += 1
    elif was_skipped(case):
        skips[reason(case)].append(case.get("name"))
    else:
        failures.append(case)

if skips:
    print("\nSkipped:")
for why, names in sorted(skips.items()):
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    print(f"  {why}\n    {shown}")
print()
if failures:
    with open(sys.argv[3], "w", encoding="utf-8") as told:
        for case in failures:
            told.write(f"Failed: {case.get('name')}\n")
            told.writelines(f"    {line[:300]}\n" for line in last_words(case))
with open(sys.argv[2], "w", encoding="utf-8") as counts:
    counts.write(f"{passed} passed, {len(failures)} failed, {sum(map(len, skips.values()))} skipped\n")
