# `make` or `make help` lists the targets. They use .venv where `make setup` has made it, else what is on the path.
BIN := $(if $(wildcard .venv/bin/python),.venv/bin/,)
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup format lint types test test-slow golden smoke bench docs ci

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-10s %s\n", $$1, $$2}'

setup: ## makes .venv with the package (editable) and everything for development
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -e '.[dev]'

format: ## formats the code and sorts the imports
	$(BIN)ruff check --select I --fix .
	$(BIN)ruff format .

lint: ## lints, and checks the format
	$(BIN)ruff check .
	$(BIN)ruff format --check .

types: ## checks the types
	$(BIN)mypy

test: ## the quick tests (minutes)
	$(BIN)pytest

test-slow: ## the tests that take long
	$(BIN)pytest -m slow

golden: ## only the comparisons with numbers of the originals
	$(BIN)pytest -m golden

smoke: ## the tests that need no torch, on Python 3.13 or 3.12 with the PyAV of those, in a fresh environment
	.ci/smoke

bench: ## prints the benchmarks that need nothing but themselves, each in its own process
	@for file in benchmarks/decode.py benchmarks/views.py benchmarks/waiting.py benchmarks/retrieval_memory.py benchmarks/iic_step.py; do echo "== $$file"; $(BIN)python "$$file" || exit 1; done

docs: ## checks that every link of the documentation resolves (plain Markdown: nothing is built)
	$(BIN)pytest tests/house/test_pages.py

ci: ## what continuous integration runs, in a fresh environment
	.ci/run
