# Thin names over the CMake presets. Every target that builds installs what is missing first (.ci/setup).
#
# make            builds everything; programs are in build/release/bin/
# make run        serves the demo flags on http://127.0.0.1:8016
# make test       builds and passes every test
# make tsan asan  the same under ThreadSanitizer; under AddressSanitizer and UBSan
# make dev        the same without optimisation, for a debugger
# make model      the model tests, then a table: each edge of the library, who shows it, what fails with it weakened
# make bench      measures, and writes build/release/bench.json; ONLY=snapshot_source for one type
# make lint       the house rules and the format of the code; make format writes it
# make setup      only installs what is missing
# make clean      removes build/
.DEFAULT_GOAL := build
.PHONY: help setup build run test dev tsan asan model bench lint format clean
ONLY ?= .

help:
	@sed -n 's/^# \(make \)/  \1/p' Makefile

setup:
	@.ci/setup

# CMake looks after its own files; this is for a first configuration and for changed presets.
build/%/build.ninja: CMakePresets.json | setup
	cmake --preset $*

build: build/release/build.ninja setup
	cmake --build --preset release

run: build/release/build.ninja setup
	cmake --build --preset release --target flagserver
	@examples/flagserver/run build/release/bin/flagserver

test: build
	ctest --preset release

dev tsan asan: %: build/%/build.ninja setup
	cmake --build --preset $*
	ctest --preset $*

# All tests run to their end, and the table is printed, whatever fails.
edges := $(CURDIR)/build/release/edges.jsonl
model: build/release/build.ninja setup
	cmake --build --preset release --target model_tests
	@rm -f $(edges); failed=0; \
	ACQREL_MODEL_REPORT=$(edges) ctest --preset release -R '^model/[a-z_]+/' || failed=1; \
	python3 -B tests/rules/edges_report.py $(edges) || failed=1; \
	exit $$failed

bench: build/release/build.ninja setup
	cmake --build --preset release --target benchmarks
	build/release/bin/benchmarks --only='$(ONLY)' --json=build/release/bench.json

# Both run to their end, so that one look shows all there is to do.
lint: setup
	@failed=0; \
	for rule in edges layers readme words shown; do python3 -B tests/rules/$$rule.py || failed=1; done; \
	.ci/format --check || failed=1; \
	exit $$failed

format:
	@.ci/format

clean:
	rm -rf build
