# graphmind: `make help` lists the targets. Needs Python 3.11+ and make; everything else goes to .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile

.DEFAULT_GOAL := check
.PHONY: check demo test live format lint types imports fresh bench clean help

check: format lint types imports fast fresh ## format, lint, types, imports, fast tests, generated files fresh

demo: $(READY) ## load planted incidents into the embedded stores and print what failed together
	@$(BIN)/graphmind demo

test: $(READY) ## all tests that need no extra server, JOBS=2 at a time
	@$(PYTEST) -m "not neo4j and not live"

live: $(READY) ## the tests against real servers (starts a Neo4j; skips with a reason where it cannot)
	@$(BIN)/python -m pytest -q -m "neo4j or live"

.PHONY: fast
fast: $(READY)
	@$(PYTEST) -m "not neo4j and not live and not slow"

format: $(READY)
	@$(BIN)/ruff format -q .

lint: $(READY)
	@$(BIN)/ruff check -q --fix .

types: $(READY)
	@$(BIN)/mypy

imports: $(READY)
	@$(BIN)/lint-imports --no-cache

fresh: $(READY) ## generated files match what they are generated from
	@$(BIN)/graphmind schema --check

bench: $(READY) ## every benchmark, its tables written to benchmarks/results (hours; LONG=--long for more)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --group benchmarks || \
	  echo "without the benchmarks' own packages some rivals are skipped"
	@$(BIN)/python -m benchmarks bench $(LONG)

clean: ## remove the environment and the local data folder
	rm -rf $(VENV) .graphmind

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "graphmind needs Python 3.11 or newer, $(PYTHON) is older: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "This Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "installing graphmind into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e . -e ./capture --group dev
	@touch $@
