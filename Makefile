# Everything a newcomer needs: make run, make test, make bench. The work is CMake's; this file installs what is missing
# and calls it.
.DEFAULT_GOAL := build
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
PROGRAMS ?= 100000
PREFIX ?= /usr/local
export JOBS FUZZ_SECONDS FUZZ_SEED

.PHONY: help deps configure build run test vm kernels bench differential engines fuzz asan tsan format tidy install clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

deps: ## installs what the build needs
	@scripts/install-deps build

build: deps ## leaves the program at build/espy, example programs in build/examples
	@[ -f build/build.ninja ] || cmake --preset release
	@cmake --build build -j $(JOBS)

run: build ## shows this machine live for ten seconds
	@scripts/run-demo

# Tests are configured anew: their libraries may have come after the build was configured.
test: ## builds everything and runs every test, those in virtual machines too
	@scripts/install-deps build test
	@cmake --preset release
	@cmake --build build -j $(JOBS) --target all tests
	@tests/vm/kernels get || echo "tests in virtual machines will be skipped where their kernel is missing"
	@scripts/run-tests build --repeat until-pass:2

kernels: ## downloads the kernels that tests boot in virtual machines
	@scripts/install-deps build test
	@tests/vm/kernels get

vm: kernels ## runs the tests in virtual machines only
	@cmake --preset release
	@cmake --build build -j $(JOBS) --target all tests
	@scripts/run-tests build -L vm

bench: ## builds the benchmarks and prints their tables
	@scripts/install-deps build bench
	@cmake --preset release
	@cmake --build build -j $(JOBS) --target all bench
	@scripts/run-bench build

differential: ## compares the verifier with the running kernel's on PROGRAMS (100000) random programs
	@scripts/install-deps build test
	@cmake --preset release
	@cmake --build build -j $(JOBS) --target verifier_differential
	@build/bin/verifier_differential --programs $(PROGRAMS)

engines: ## runs PROGRAMS (100000) random programs on the kernel and on each tier of the user engine
	@scripts/install-deps build test
	@cmake --preset release
	@cmake --build build -j $(JOBS) --target engine_test engine_vm_test
	@ESPY_PROGRAMS=$(PROGRAMS) build/bin/engine_test --gtest_filter='RandomPrograms*'
	@ESPY_PROGRAMS=$(PROGRAMS) build/bin/engine_vm_test --gtest_filter='RandomPrograms*'

fuzz: ## runs every fuzz target for FUZZ_SECONDS (60)
	@scripts/install-deps fuzz
	@cmake --preset fuzz
	@cmake --build build-fuzz -j $(JOBS) --target fuzzers
	@scripts/run-tests build-fuzz -L fuzz

asan: ## runs the tests under the address and undefined-behaviour sanitizers
	@scripts/install-deps build test
	@cmake --preset asan
	@cmake --build build-asan -j $(JOBS) --target all tests
	@scripts/run-tests build-asan -LE 'vm|install'

tsan: ## runs the tests under the thread sanitizer
	@scripts/install-deps build test
	@cmake --preset tsan
	@cmake --build build-tsan -j $(JOBS) --target all tests
	@scripts/run-tests build-tsan -LE 'vm|install'

format: ## formats the sources
	@scripts/install-deps lint
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 -i

tidy: build ## runs the linter over the sources
	@scripts/install-deps lint test
	@run-clang-tidy-19 -quiet -p build -j $(JOBS) "$(CURDIR)/(src|include)/.*"

install: build ## installs the program, the library and its headers under PREFIX (/usr/local)
	@cmake --install build --strip --prefix $(PREFIX)

clean: ## removes what was built
	@rm -rf build build-dev build-asan build-tsan build-fuzz
