#!/usr/bin/env python3
"""tests/layers/check.py ROOT    fails on an #include that climbs the floors of the house, and on circles.

The floors are the espy_floor lines of ROOT/CMakeLists.txt, lowest first, and what stands on which is what their DEPS say;
espy_program lines name the folder of a program. A file of src/X includes only X and what X stands on. A program's folder
includes itself, include/espy and the ground (floors that stand on nothing), and include/espy whatever it shows."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
cmake = re.sub(r"#.*", "", (root / "CMakeLists.txt").read_text(encoding="utf-8"))
problems = []


def words_after(text, keyword):
    """The arguments that follow a keyword, up to the next one."""
    match = re.search(rf"\b{keyword}\b([^A-Z]*)", text)
    return match.group(1).split() if match else []


stands_on = {}  # floor: every floor below it that it may include, itself too
for arguments in re.findall(r"espy_floor\(([^)]*)\)", cmake):
    name = arguments.split()[0]
    below = {name}
    for dependency in words_after(arguments, "DEPS"):
        if dependency not in stands_on:
            problems.append(f"CMakeLists.txt: floor {name} stands on {dependency}, which is not declared above it")
        below |= stands_on.get(dependency, set())
    stands_on[name] = below
programs = {pathlib.PurePath(a.split()[1]).name for a in re.findall(r"espy_program\(([^)]*)\)", cmake)}
if not stands_on:
    problems.append("CMakeLists.txt: no espy_floor line")


def may_include(folder, included):
    if folder in programs:
        return included in (folder, "espy") or stands_on.get(included) == {included}
    if folder == "espy":
        return included == "espy" or included in stands_on
    return included in stands_on.get(folder, ())


includes = {}  # file: the files of ours that it includes
for base in (root / "src", root / "include"):
    for path in sorted(base.rglob("*.[hc]pp")):
        folder = path.relative_to(base).parts[0]
        name = path.relative_to(base).as_posix()
        if folder not in stands_on and folder not in programs and folder != "espy":
            problems.append(f"{path.relative_to(root)}: folder {folder} is no floor of CMakeLists.txt")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not match:
                continue
            included = match.group(1)
            includes.setdefault(name, []).append(included)
            if not may_include(folder, included.split("/")[0]):
                problems.append(f"{path.relative_to(root)}:{number}: {folder} may not include \"{included}\"")

seen = {}  # file: "open" while its includes are followed, then "done"


def follow(name, trail):
    if seen.get(name) == "done":
        return
    if seen.get(name) == "open":
        problems.append("circle of includes: " + " -> ".join(trail[trail.index(name):] + [name]))
        return
    seen[name] = "open"
    for included in includes.get(name, ()):
        follow(included, trail + [name])
    seen[name] = "done"


for file_name in list(includes):
    follow(file_name, [])

plan = root / "docs/architecture.md"
if plan.exists():
    text = plan.read_text(encoding="utf-8")
    problems += [f"docs/architecture.md does not name the floor src/{f}" for f in stands_on if f"`src/{f}`" not in text]

print("\n".join(problems) or f"{len(includes)} files on {len(stands_on)} floors: no include climbs, none goes in a circle")
sys.exit(1 if problems else 0)
