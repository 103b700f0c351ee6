# make run [PORT=8000] [STATE=./state]    everything on this machine, with the demo's year of purchases
# make install                            only .venv/bin/rightsend
# make test                               all tests          make lint    format, lint, types, import rules
PORT ?= 8000
STATE ?= ./state
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST_ARGS ?= -n 2

.PHONY: run install test lint constraints clean

run: $(VENV)/.run
	@exec $(BIN)/rightsend demo --port "$(PORT)" --state "$(STATE)" --die-with-parent

install: $(VENV)/.run

test: $(VENV)/.test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(BIN)/python:
	@echo "[1/3] making a Python environment in $(VENV)"
	@# Debian's python3 comes without ensurepip, but its pip can install into another environment
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --without-pip --clear $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }

$(VENV)/.run: $(BIN)/python setup.cfg pyproject.toml constraints.txt
	@echo "[2/3] installing Rightsend and what it needs (a minute or two, once)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "[3/3] installing the test tools"
	@$(PIP) --editable ".[test,benchmarks]"
	@touch $@

constraints: $(VENV)/.test
	$(BIN)/python -m pip freeze --exclude-editable | LC_ALL=C sort -f > constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info
