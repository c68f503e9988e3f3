# Needs git, make and a Python from 3.11 to 3.13 with venv. Everything else goes into .venv.
#
#   make demo       build the sign-up example, serve it, kill it in the middle of a run, watch it finish
#   make test       the tests, on one Python, in minutes
#   make test-all   the tests on 3.11, 3.12 and 3.13, with long loops and many examples, up to an hour
#   make lint       ruff, mypy, pyright, import-linter
#   make build      rebuild generated/ from the examples
#   make clean      remove the virtual environments, the caches and the local runs
#
# Another Python: make PYTHON=python3.12 test

SHELL := /bin/sh
PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DELETE_ON_ERROR:
.PHONY: help demo test test-all test-3.11 test-3.12 test-3.13 lint build clean

help:
	@sed -n '3,10s/^# \{0,1\}//p' Makefile

demo: $(VENV)/installed-demo
	@$(BIN)/python -m examples.signup.demo

# Many tests wait for processes and databases more than they compute: two more than there are cores.
# The processes that they start read the bytecode that is there before.
test: $(VENV)/installed-dev
	@$(BIN)/python -m compileall -q -j 0 wfc runtime
	$(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 2)) --dist worksteal

# One version after the other: several at once would fight for the cores and for the timing tests' patience.
test-all:
	@$(MAKE) --no-print-directory test-3.11
	@$(MAKE) --no-print-directory test-3.12
	@$(MAKE) --no-print-directory test-3.13

test-3.11 test-3.12 test-3.13: test-%:
	@python=$$(.ci/find-python $*) && \
	WORKFLOW_TEST_THOROUGH=1 WORKFLOW_MODEL_HISTORIES=3000 \
	PYTEST_ADDOPTS="-o faulthandler_timeout=3600" $(MAKE) --no-print-directory test PYTHON="$$python" VENV=.venv-$*

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy examples tests --exclude '^tests/compiler/(cases|errors)/'
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

build: $(VENV)/installed-demo
	$(BIN)/wfc build

clean:
	rm -rf .venv .venv-3.11 .venv-3.12 .venv-3.13 .workflow-data .workflow-cache
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

# Each stamp says what is installed in the environment. pyproject.toml is all that can make it stale,
# because the installation is editable.
$(VENV)/installed-demo: pyproject.toml | $(BIN)/python
	@echo "Installing the package, its build extra and uvicorn into $(VENV) ..."
	@$(PIP) install --editable '.[build]' 'uvicorn>=0.37'
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	@echo "Installing the package and its development tools into $(VENV) ..."
	@$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/installed-demo

$(BIN)/python:
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then python=$$(.ci/find-python) || exit 1; fi; \
	echo "Creating $(VENV) with $$python ..."; \
	"$$python" -m venv $(VENV)
