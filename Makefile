# `make demo` and `make test` are all a fresh machine needs: Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo dev test test-all lint format bench screenshots lock clean

help:  ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(READY)  ## Sixty days of an invented shop, from first insight to pushed budget
	$(BIN)/zyenta demo

dev: $(READY)  ## Sandbox, console, Dagster UI and daemon together; Ctrl-C stops all
	$(BIN)/zyenta dev

test: $(READY)  ## The fast tests, in parallel
	$(BIN)/pytest -n auto --dist loadgroup

test-all: $(READY)  ## All tests, slow ones included, with coverage of the core
	$(BIN)/coverage erase
	HYPOTHESIS_PROFILE=thorough $(BIN)/coverage run -m pytest -n auto --dist loadgroup -m ''
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --skip-covered --fail-under 90

lint: $(READY)  ## Lint, format check and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## Put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## Measure against peers and physical limits; see docs/benchmarks.md
	$(BIN)/python -m benchmarks

screenshots: $(READY)  ## The pictures of the console in the README, of a finished demo
	test -f .zyenta/demo/store.db || $(BIN)/zyenta demo
	$(BIN)/python -m benchmarks.screenshots

lock: $(READY)  ## Renew the lock files from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-emit-index-url --no-annotate --no-header -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate --no-header -q \
	  -o requirements-dev.lock

clean:  ## Remove the environment and the demo's data
	rm -rf $(VENV) .zyenta/demo

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages (once; a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@touch $@
