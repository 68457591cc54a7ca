# Markethall. `make help` lists what can be made; `make run` and `make test` set up what they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000
DATA ?= data
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUNNABLE := $(VENV)/.runnable
TESTABLE := $(VENV)/.testable

.DEFAULT_GOAL := help
.PHONY: help setup run test e2e check format bench prove docs openapi pictures lock clean

help: ## List the targets
	@echo "Markethall"
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo
	@echo "  PORT=8000 DATA=data        where \`make run\` serves and keeps its data"
	@echo "  ARGS=\"-k credits\"          passed on to pytest, bench"
	@echo "  PYTHON=python3.12          which Python makes the environment"

setup: $(TESTABLE) ## Make the virtual environment and install all locked dependencies

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }

$(RUNNABLE): requirements/base.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked dependencies (once, a minute or two) …"
	@$(PIP) --require-hashes --no-deps -r requirements/base.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(TESTABLE): requirements/dev.lock | $(RUNNABLE)
	@echo "Installing what checks and tests need (once, a minute or two) …"
	@$(PIP) --require-hashes --no-deps -r requirements/dev.lock
	@touch $@

run: $(RUNNABLE) ## Everything on http://127.0.0.1:$(PORT), with demo data in $(DATA)
	@DATA_DIR=$(DATA) $(BIN)/markethall up --port $(PORT)

test: $(TESTABLE) ## All tests, browser tests included where Chromium is installed
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 $(ARGS)

e2e: $(TESTABLE) ## Browser tests only
	@$(BIN)/python -m pytest tests/browser $(ARGS)

check: $(TESTABLE) ## Lint, format, types, import contracts, missing migrations, OpenAPI drift
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy
	@DJANGO_SETTINGS_MODULE=markethall.config.settings $(BIN)/python -m tools.check_drift

format: $(TESTABLE) ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: openapi ## Renew the pages made from the code
	@$(BIN)/python -m tools.settings_page

openapi: $(TESTABLE) ## Renew the snapshot of the OpenAPI document
	@$(BIN)/markethall openapi > docs/openapi.json

pictures: $(TESTABLE) ## Render the jewellery of the demo again (some twenty minutes)
	@$(BIN)/python -m tools.jewellery src/markethall/interfaces/cli/demo/elysium/pictures --again $(ARGS)

bench: $(TESTABLE) ## Measure speed as ratios, into docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

prove: $(TESTABLE) ## The long safety proofs: crashes, hostile uploads and forms, backup and restore
	@$(BIN)/python -m pytest -m slow $(ARGS)

lock: $(TESTABLE) ## Renew the locked dependencies from pyproject.toml
	@$(PIP) uv
	@$(BIN)/uv pip compile pyproject.toml --extra build --extra dev --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 --quiet --output-file requirements/dev.lock
	@$(BIN)/uv pip compile pyproject.toml --extra build --constraint requirements/dev.lock --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 --quiet --output-file requirements/base.lock

clean: ## Remove caches, not data
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build
