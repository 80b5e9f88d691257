# `make help` is the menu. Each target sets up what it needs first.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test static fmt lint types imports tests unit http browser proof conformance bench telephone lock clean

BIN := .venv/bin
# The tests start hundreds of processes: compiling every module anew in each would be a third of their time.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python -m pytest
# The checks print how long each stage took, so that the budget of 15 minutes stays visible.
TIMED = start=$$(date +%s); $(1); code=$$?; echo "== $(2): $$(( $$(date +%s) - start )) s"; exit $$code

help: ## This menu
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup:
	@deploy/setup.sh run

setup-dev:
	@deploy/setup.sh test

run: setup ## Start the demonstration territory on this machine; prints its address
	@$(BIN)/liaison sandbox

test: setup-dev ## Everything that must pass: static checks beside unit and store, HTTP, browser
	@$(call TIMED,$(MAKE) --no-print-directory -j 2 tests static,all)

static: fmt-check lint types imports

fmt: setup-dev ## Format the code
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix-only .

.PHONY: fmt-check
fmt-check: setup-dev
	@$(call TIMED,$(BIN)/ruff format --check -q .,format)

lint: setup-dev ## Lint
	@$(call TIMED,$(BIN)/ruff check -q .,lint)

types: setup-dev ## Check the types
	@$(call TIMED,$(BIN)/mypy,types)

imports: setup-dev ## Check that imports go one way
	@$(call TIMED,$(BIN)/lint-imports,imports)

# In one run: a process of it imports every test and starts its PostgreSQL, service and sandbox once, and none is idle
# while the last test of a stage ends. Three on two cores, because tests of the whole service wait for its processes.
tests: setup-dev ## All tests, as `make test` runs them
	@$(call TIMED,$(PYTEST) -q -n 3 --dist worksteal -m 'not proof',tests)

unit: setup-dev ## Unit and store tests
	@$(call TIMED,$(PYTEST) -q -n 2 -m 'not http and not browser and not proof',unit and store)

http: setup-dev ## Tests that drive the whole service over HTTP
	@$(call TIMED,$(PYTEST) -q -n 2 -m 'http and not browser and not proof',http)

browser: setup-dev ## Tests in a real Chromium
	@$(call TIMED,$(PYTEST) -q -m 'browser and not proof',browser)

proof: setup-dev ## The long proofs: crash cycles, differential runs, load; and each law on many examples
	@$(call TIMED,$(PYTEST) -q -m 'proof or hypothesis' --hypothesis-profile=thorough --timeout 7200,proof)

conformance: setup-dev ## SMART, checked from outside, in one table; APP=request.json checks a vendor's software instead
	@$(BIN)/python -m tests.conformance$(if $(APP),.software $(APP) $(REPORT))

bench: setup-dev ## Measure the running service; prints one table
	@$(BIN)/python -m tests.bench

telephone: setup-dev ## Measure the telephone's page in a slow Chromium, and draw its screens into docs/telephone
	@$(BIN)/python -m tests.browser.telephone_screens

lock: ## Resolve the dependencies again and lock them with their hashes
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || python3 -m pip --python $(BIN)/python install -q uv
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal --group dev pyproject.toml -o requirements-dev.lock

clean: ## Remove what the set-up made (never a data directory)
	rm -rf .venv .stamps tests/services/clients/node/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
