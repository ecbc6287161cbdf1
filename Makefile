# The only commands. Each one says what it does while it does it; the work itself stands in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run run-cluster build test lint fmt dev bench bench-cluster bench-live kill faults simulate fuzz

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: build ## Build what changed, then serve http://localhost:7999 with the data in ./data
	@scripts/run

run-cluster: build ## Serve http://localhost:7999 from two nodes behind nginx, over PostgreSQL, MongoDB and Redis
	@scripts/setup cluster
	@scripts/run-cluster

build: ## Install what is missing, then build target/release/izanagi and target/site
	@scripts/setup build
	@scripts/build

test: ## Run every test; the last line is "N passed, N failed"
	@scripts/setup test
	@scripts/test

lint: ## Formatting, clippy on both halves, docs, licences, types, shell scripts
	@scripts/setup lint
	@scripts/lint

fmt: ## Format the Rust code
	@cargo fmt --all

dev: ## Serve a debug build and rebuild it whenever a file changes
	@scripts/setup build
	@scripts/dev

kill: ## Kill the server ROUNDS times (100) while ten clients write, and check that nothing is lost
	@scripts/setup test
	@KILL_ROUNDS=$(or $(ROUNDS),100) KILL_WRITERS=10 cargo test -p izanagi --test kill -- --nocapture

faults: ## Run ROUNDS stories (200) with random faults of the stores
	@scripts/setup test
	@FAULT_SEEDS=$(or $(ROUNDS),200) cargo test -p izanagi-domain --test faults survives_many -- --nocapture

simulate: ## Run SEEDS stories (20000) of live editing over a bad network
	@SIMULATE_SEEDS=$(or $(SEEDS),20000) cargo test -p izanagi-shared --test simulation -- --nocapture

fuzz: ## Fuzz each reader of untrusted input for SECONDS (60)
	@scripts/fuzz $(or $(SECONDS),60)

bench: ## Print the table of figures
	@scripts/setup test
	@scripts/bench

bench-live: ## Print the figures of live editing, beside y-websocket and Hocuspocus (ONLY=live-join: one of them)
	@scripts/setup build
	@scripts/bench-live $(ONLY)

bench-cluster: ## Print the figures of two stores and several nodes, on real servers (ONLY=cluster-edits: one of them)
	@scripts/setup test
	@scripts/bench-cluster $(ONLY)
