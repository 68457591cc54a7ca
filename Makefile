# Markethall. `make help` lists what can be made; `make run` and `make test` set up what they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000
DATA ?= data
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run test e2e check format bench prove openapi messages lock clean

help: ## List the targets
	@echo "Markethall"
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo
	@echo "  PORT=8000 DATA=data        where \`make run\` serves and keeps its data"
	@echo "  ARGS=\"-k credits\"          passed on to pytest, bench"
	@echo "  PYTHON=python3.12          which Python makes the environment"

setup: $(READY) ## Make the virtual environment and install the locked dependencies

$(READY): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked dependencies (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(READY) ## Everything on http://127.0.0.1:$(PORT), with demo data in $(DATA)
	@DATA_DIR=$(DATA) $(BIN)/markethall up --port $(PORT)

test: $(READY) ## All tests, browser tests included where Chromium is installed
	@$(BIN)/python -m pytest $(ARGS)

e2e: $(READY) ## Browser tests only
	@$(BIN)/python -m pytest tests/browser $(ARGS)

check: $(READY) ## Lint, format, types, import contracts, missing migrations, OpenAPI drift
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy
	@DJANGO_SETTINGS_MODULE=markethall.config.settings $(BIN)/python -m tools.check_drift

format: $(READY) ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

openapi: $(READY) ## Renew the snapshot of the OpenAPI document
	@$(BIN)/markethall openapi > docs/openapi.json

bench: $(READY) ## Measure speed as ratios, into docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

prove: $(READY) ## The long safety proofs: crashes, hostile uploads, backup and restore
	@$(BIN)/python -m pytest -m slow $(ARGS)

lock: $(READY) ## Renew the locked dependencies from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 --quiet --output-file requirements/dev.lock
	@$(BIN)/uv pip compile pyproject.toml --constraint requirements/dev.lock --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 --quiet --output-file requirements/base.lock

clean: ## Remove caches, not data
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build
