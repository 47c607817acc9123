# Two commands are enough on a fresh Debian or Ubuntu machine: `make run` and `make test`. The work is in scripts/.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup build dist run test chaos check fmt bench clean

# Passed on: make run ARGS="--data ./data", make test ARGS="-p pactum-domain", make bench ARGS="commands --json"
ARGS ?=

help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo '  ARGS="..." is passed on by run, test, chaos and bench.'

setup: ## install whatever is missing to build, check, test and try Pactum
	@scripts/setup build check run test

build: ## build the pactum binary
	@scripts/setup build
	@. scripts/common && cd "$$root" && cargo build "$${cargo_flags[@]}" -p pactum && say "$$target/release/pactum"

dist: ## build the binary to deploy, optimized as a whole: takes several minutes
	@scripts/setup build
	@. scripts/common && cd "$$root" && cargo build --locked --profile dist -p pactum && say "$$target/dist/pactum"

run: ## build and start a demo program on the embedded log
	@scripts/run --with run demo $(ARGS)

test: ## run every test
	@scripts/test $(ARGS)

chaos: ## break brokers, processes and networks under load for half an hour
	@scripts/chaos $(ARGS)

check: ## formatting, lints, documentation, dependencies, protocol
	@scripts/check

fmt: ## format the code
	@cargo fmt --all

bench: ## measure throughput and latency
	@scripts/run bench $(ARGS)

clean: ## remove what was built (not data, not installed tools)
	@. scripts/common && cd "$$root" && cargo clean
