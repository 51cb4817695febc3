#!/usr/bin/env python3
"""scripts/test-report.py REPORT.xml COUNTS    reads the JUnit report that ctest writes: prints the reasons of skipped
tests, each once with the tests that give it, and writes the line "N passed, N failed, N skipped" to COUNTS."""
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


passed = failed = 0
skips = collections.defaultdict(list)
for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    if case.get("status") == "run":
        passed += 1
    elif was_skipped(case):
        skips[reason(case)].append(case.get("name"))
    else:
        failed += 1

if skips:
    print("\nSkipped:")
for why, names in sorted(skips.items()):
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    print(f"  {why}\n    {shown}")
print()
with open(sys.argv[2], "w", encoding="utf-8") as counts:
    counts.write(f"{passed} passed, {failed} failed, {sum(map(len, skips.values()))} skipped\n")
