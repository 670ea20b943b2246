# `make help` lists the targets. Everything stays inside this folder.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Two processes that use one core each; `make test PYTEST_ARGS="-n 0"` runs the tests in one.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --durations=20 --numprocesses=2 --dist=loadfile --no-loadscope-reorder

# A stamp is newer than the files it depends on, so that a second call installs nothing.
VENV_STAMP := $(VENV)/.made
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo install test test-all coverage lint format clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(RUN_STAMP)  ## train and compare two models on made-up patients (minutes)
	$(BIN)/python main.py --make_phantoms data/phantoms --compare --config configs/demo.yaml
	@echo
	@echo "table        runs/demo/results.md"
	@echo "report       runs/demo/report.html"
	@echo "TensorBoard  $(BIN)/tensorboard --logdir runs/demo"

install: $(RUN_STAMP)  ## create .venv with everything main.py needs

test: $(DEV_STAMP)  ## run the tests
	$(PYTEST) -m "not exhaustive" $(PYTEST_ARGS)

test-all: test  ## run all tests, also the exhaustive ones
	$(PYTEST) -m exhaustive $(PYTEST_ARGS)

coverage: $(DEV_STAMP)  ## run the tests of `make test`, half as long again, and report their coverage
	$(PYTEST) -m "not exhaustive" --cov --cov-report=term $(PYTEST_ARGS)

lint: $(DEV_STAMP)  ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(DEV_STAMP)  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove .venv and caches, but no data or runs
	rm -rf $(VENV) build .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path ./data -prune -o -path ./runs -prune -o -type d \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +

$(VENV_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed and $(PYTHON) is not: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) -m venv failed: on Debian and Ubuntu, install the package python3-venv" >&2; exit 2; }
	@touch $@

$(RUN_STAMP): requirements.txt $(VENV_STAMP)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@
