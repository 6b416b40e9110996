# Everything that a person types. `make test` is what decides whether a change is good; nothing else is weaker or stronger.
#
#   make run      builds kefu and its pages, and starts it on ./kefu-data with a demonstration tenant
#   make test     checks the tools, then formatting, lints, docs, purity of the core, and every test
#   make web      builds and tests the TypeScript client and the pages, in Node and in Chromium
#   SEEDS=n make test     runs n seeds of each simulation and of the crash tests, instead of as many as fit some minutes, and two

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Folder of further recorded dialogues (*.jsonl.gz); tests over them say so when it is absent.
RECORDINGS ?= ../shared/data/dialogues
export RECORDINGS

TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)

.PHONY: help run test pages web tools fmt fmt-check clippy doc pure doctest unit bench sim clean

help:
	@sed -n 's/^#   //p' Makefile

run: pages
	cargo build --release -p adapters --bin kefu
	exec $(TARGET)/release/kefu serve --data ./kefu-data --listen 127.0.0.1:8080 --demo --pages web/dist

# The test runner comes last, so that its summary is the end of the output.
test: tools fmt-check clippy doc pure doctest web unit

pages:
	@scripts/build_pages.sh

# The client's tests start a real kefu; the same build as that of the other tests, so that nothing is built twice.
web: pages
	cargo build --workspace --bins
	cd web && npm run --silent test

tools:
	@scripts/check_tools.sh

fmt:
	cargo fmt --all

fmt-check:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# A workspace build unifies features; alone, the core must do without those that others switched on.
pure:
	cargo check -p domain

doctest:
	cargo test --workspace --doc --quiet

# Unit, contract, journey and simulation tests. The binaries come first: some tests start them.
unit:
	cargo build --workspace --bins
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo "cargo nextest run --workspace"; \
		cargo nextest run --workspace --no-fail-fast; \
	else \
		echo "cargo test --workspace (cargo-nextest would be faster)"; \
		cargo test --workspace --lib --bins --tests --no-fail-fast -- --show-output; \
	fi

# The simulations alone, of the core and of delivery, optimised: SEEDS=n for n seeds, SEED=n to begin with seed n.
sim:
	cargo test --release -p tests --test it -- --nocapture simulation

bench:
	cargo bench -p adapters --bench event_log
	cargo bench -p projections

clean:
	cargo clean
