# The commands of this project. `make run` and `make test` are all that a newcomer needs.
SHELL := /usr/bin/env bash
export PATH := $(HOME)/.cargo/bin:$(PATH)
# Compiled things live outside the clone, shared by its checkouts, unless you say otherwise.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/showrunner/target

LISTEN ?= 127.0.0.1:8787
DATA_DIR ?= data

.DEFAULT_GOAL := help
.PHONY: help run test check bench build sim docs run-postgres needs

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

run: needs build ## install what is missing, build, serve with the demo, say where to look
	target/release/showrunner serve --data-dir $(DATA_DIR) --listen $(LISTEN) --open-demo

test: ## the whole suite, on SQLite and on a throwaway Postgres
	@scripts/install-needs.sh test
	scripts/test.sh

check: ## formatting, lints, architecture
	. scripts/target.sh
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --locked -p xtask

bench: build ## measure this machine, both databases
	scripts/postgres.sh with sh -c 'target/release/showrunner bench --database both --database-url "$$SHOWRUNNER_TEST_POSTGRES" $(BENCH)'

build: ## the release binary at target/release/showrunner
	scripts/build.sh

sim: ## the simulated server, crashed at every append, over all example definitions
	cargo test --locked -p showrunner-runtime --test simulation -- --nocapture

docs: ## the documentation of the code, and the checks that the written one keeps up
	cargo doc --locked --workspace --no-deps
	cargo test --locked -p xtask

run-postgres: ## a throwaway Postgres in the foreground, for --database-url
	@scripts/install-needs.sh test
	scripts/postgres.sh run

needs: ## install what serving needs
	@scripts/install-needs.sh
