# Everything a newcomer needs: make run, make test, make bench. The work is CMake's; this file installs what is missing
# and calls it.
.DEFAULT_GOAL := build
JOBS ?= $(shell nproc)

.PHONY: deps build run test bench fuzz asan format tidy install clean
deps:
	@scripts/install-deps

build: deps
	@[ -f build/build.ninja ] || cmake --preset release
	@cmake --build build -j $(JOBS)
