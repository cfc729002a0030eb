# make run   sets up and starts the platform at http://127.0.0.1:8000
# make test  sets up and runs every check and test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked

.PHONY: help setup ui run test check storm bench relock clean

help:
	@sed -n '1,2p;/^## /p' Makefile

setup: $(STAMP)

$(STAMP): requirements-dev.lock requirements-uv.lock pyproject.toml
	@echo "Setting up Python packages in $(VENV) (once; about a minute) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip sync --compile-bytecode --python $(BIN)/python --require-hashes requirements-uv.lock requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

ui: setup
	@$(BIN)/python -m tools.build_ui

run: ui
	@$(BIN)/amarktai up

## make check: formatting, lint, types, layers, generated files
check: setup
	@echo "Checking format, lint, types and layers …"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.tidy

## make test-web: the dashboard's own checks
test-web: setup
	@echo "Checking the dashboard …"
	@$(BIN)/python -m tools.build_ui --check

test: check test-web
	@echo "Running the tests …"
	@$(BIN)/pytest -n 2 --ignore tests/e2e
	@echo "Running the browser tests …"
	@# Apart from the others, whose event loops exclude the browser's; one by one, for pages need their time.
	@$(BIN)/pytest tests/e2e

## make storm: the storms that make test runs, and more: SEEDS=1..40 HOURS=24
SEEDS ?= 1..8
HOURS ?= 6
storm: setup
	@$(BIN)/amarktai storm --seeds $(SEEDS) --hours $(HOURS) --jobs 2

## make bench: every benchmark, ratios against peers and limits measured in the same run
bench: setup
	@$(BIN)/python -m benchmarks

## make relock: resolve the lock files anew
relock:
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group dev --group bench -o requirements-bench.lock

## make clean: remove what setup made, not your data
clean:
	rm -rf $(VENV) web/node_modules src/amarktai/api/ui
