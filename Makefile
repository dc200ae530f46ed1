# Two commands do everything on a machine with python3 (3.11-3.13), git and make: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check bench book types clean

help:  ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/demo.done  ## set up, audit a real public archive (161,347 studies), say where the report lies
	@PATH="$(abspath $(BIN)):$$PATH" examples/idc/demo.sh

test: $(VENV)/test.done  ## set up, run every test (needs no data of the demo)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/test.done  ## lint, types, law files, tests: all that a change must pass
	@$(BIN)/ruff check src tests benchmarks tools
	@$(BIN)/mypy
	@$(BIN)/compliance laws check
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(VENV)/test.done  ## measure speed as ratios, write benchmarks/RESULTS.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@$(BIN)/python benchmarks/run.py

book: $(VENV)/test.done  ## write docs/laws from the law files
	@$(BIN)/compliance laws book --all docs/laws

types: $(VENV)/test.done  ## write docs/api (the frozen contract, TypeScript types) from the code
	@$(BIN)/python -m compliance.service.frozen

clean:  ## remove the virtual environment and what the demo wrote
	@rm -rf $(VENV) demo-report

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 has no venv module (Debian: apt install python3-venv)" >&2; exit 2; }

$(VENV)/test.done: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,check,sql,api]'
	@touch $@

$(VENV)/demo.done: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@touch $@
