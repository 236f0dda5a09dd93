# Thin names over the CMake presets. Each target installs what is missing first (see .ci/setup).
.DEFAULT_GOAL := build
.PHONY: build run test tsan asan dev bench model lint docs setup clean
ONLY ?= .

setup:
	@.ci/setup

build/%/build.ninja: | setup
	cmake --preset $*

build dev tsan-build asan-build: setup

build: setup build/release/build.ninja
	cmake --build --preset release

run: setup build/release/build.ninja
	cmake --build --preset release --target flagserver
	@examples/flagserver/run build/release/bin/flagserver

test: build
	ctest --preset release

dev tsan asan: %: setup build/%/build.ninja
	cmake --build --preset $*
	ctest --preset $*

bench: setup build/release/build.ninja
	cmake --build --preset release --target benchmarks
	build/release/bin/benchmarks --only='$(ONLY)' --json=build/release/bench.json

clean:
	rm -rf build
