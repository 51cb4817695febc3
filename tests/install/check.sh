#!/usr/bin/env bash
# tests/install/check.sh BUILD_DIR CXX    installs a build into an empty folder; a program finds it there through CMake, and
# another through pkg-config; both read the same object file.
set -eu
build=$1 compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
object=$build/examples/opens.bpf.o
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >/dev/null
"$work/prefix/bin/espy" --version
cmake -S "$here/consumer" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$compiler" >/dev/null
cmake --build "$work/cmake"
"$work/cmake/consumer" "$object" | tee "$work/first"

flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name espy.pc)") pkg-config --cflags --libs espy)
"$compiler" "$here/consumer/main.cpp" $flags -o "$work/consumer"
"$work/consumer" "$object" >"$work/second"
cmp "$work/first" "$work/second"
grep -q '^program ' "$work/first" && grep -q '^map ' "$work/first"
