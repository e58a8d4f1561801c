# The commands a person or a CI machine runs. Each installs what it lacks, checks first and says what it does.
#
#   make echo                       build the data channel echo server, check it end to end, keep serving its page
#   make echo ARGS=--once           the same, but end after the check (exit status 0 only if all came back unaltered)
#   make test                       unit tests, then interoperability with Chromium, aiortc and Pion
#   make lint                       swift-format, strict

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help echo build test unit-test interop wpt lint format sanitize sanitize-thread sanitize-address \
	fuzz bench docs clean dependencies dependencies-test

ARGS ?=
SECONDS ?= 60
SWIFT_SOURCES := Sources Tests Examples Benchmarks Fuzz Package.swift

help:
	@echo 'make echo [ARGS=--once]   build and check the data channel echo server, then serve its page'
	@echo 'make build                debug build of everything'
	@echo 'make test                 unit tests and interoperability tests'
	@echo 'make unit-test            unit tests only'
	@echo 'make interop [ARGS=...]   interoperability tests only; ARGS go to pytest'
	@echo 'make wpt                  W3C web-platform-tests'
	@echo 'make lint | format        check or rewrite the formatting'
	@echo 'make sanitize             unit tests under the thread and address sanitizers'
	@echo 'make fuzz SECONDS=60      fuzz every parser for that long'
	@echo 'make bench [ARGS=...]     benchmarks, release build'
	@echo 'make docs                 DocC archives'
	@echo 'make clean                remove everything built'

dependencies:
	@Scripts/install-dependencies.sh build

dependencies-test:
	@Scripts/install-dependencies.sh test

echo: dependencies
	@Scripts/echo.sh $(ARGS)

build: dependencies
	swift build --build-tests

test: unit-test interop

unit-test: dependencies
	swift test --no-parallel

interop: dependencies-test
	Scripts/interop.sh $(ARGS)

wpt: dependencies-test
	Tests/Conformance/run.sh $(ARGS)

lint:
	@Scripts/install-dependencies.sh toolchain
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format:
	@Scripts/install-dependencies.sh toolchain
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

sanitize: sanitize-thread sanitize-address

# A sanitized process must not be handed to the crash backtracer (it waits for ever), and the thread sanitizer
# sees races only without address space randomisation. XCTest, which has no tests here, leaks by itself.
sanitize-thread: dependencies
	SWIFT_BACKTRACE=enable=no TSAN_OPTIONS=suppressions=$(CURDIR)/Scripts/tsan.supp setarch -R \
		swift test --no-parallel --disable-xctest --sanitize=thread --scratch-path .build-tsan $(ARGS)

sanitize-address: dependencies
	SWIFT_BACKTRACE=enable=no LSAN_OPTIONS=suppressions=$(CURDIR)/Scripts/lsan.supp \
		swift test --no-parallel --disable-xctest --sanitize=address --scratch-path .build-asan $(ARGS)

fuzz: dependencies
	Scripts/fuzz.sh $(SECONDS) $(ARGS)

bench: dependencies
	swift run -c release rtc-bench $(ARGS)

docs: dependencies
	swift package generate-documentation --target WebRTC --enable-experimental-combined-documentation

clean:
	rm -rf .build .build-tsan .build-asan .build-fuzz Tests/Interop/.venv Tests/Interop/_build
	find Tests -name __pycache__ -prune -exec rm -rf {} +
