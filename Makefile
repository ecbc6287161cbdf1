# The only commands. Each one says what it does while it does it; the work itself stands in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run run-cluster build test test-cluster lint fmt dev bench bench-cluster bench-live kill outages rolling faults simulate fuzz

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

test-cluster: ## Run the HTTP and socket tests and the story once more over PostgreSQL, MongoDB and Redis
	@scripts/setup test
	@scripts/test cluster

lint: ## Formatting, clippy on both halves, docs, licences, types, shell scripts
	@scripts/setup lint
	@scripts/lint

fmt: ## Format the Rust code
	@cargo fmt --all

dev: ## Serve a debug build and rebuild it whenever a file changes
	@scripts/setup build
	@scripts/dev

kill: ## Kill the server ROUNDS times while ten clients write; STORE=app|postgres|mongo|redis|all: on or of the other databases
	@scripts/setup test
	@scripts/kill "$(STORE)" "$(ROUNDS)"

outages: ## Take PostgreSQL, MongoDB and Redis down for SECONDS (60) each, and check what waits and what goes on
	@scripts/setup test
	@REQUIRE_SERVICES=1 DOWN_MS=$(or $(SECONDS),60)000 node --test --test-concurrency=1 end2end/cluster/outages.test.mjs end2end/cluster/nodes.test.mjs

rolling: ## Restart three nodes ROUNDS times (10) one after the other under load, once across a migration
	@scripts/setup test
	@REQUIRE_SERVICES=1 ROUNDS=$(or $(ROUNDS),10) node --test end2end/cluster/rolling.test.mjs

faults: ## Run ROUNDS stories (200) with random faults of the stores, and each fault at each step of a commit on real servers
	@scripts/setup test
	@FAULT_SEEDS=$(or $(ROUNDS),200) cargo test --test faults survives_many -- --nocapture
	@REQUIRE_SERVICES=1 FAULTS_ALL=1 scripts/services run postgres mongo -- cargo test --test commit_table -- --nocapture

simulate: ## Run SEEDS stories (20000) of live editing over a bad network
	@SIMULATE_SEEDS=$(or $(SEEDS),20000) cargo test --test simulation -- --nocapture

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
