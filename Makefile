# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test test-all fuzz benchmarks lint types contracts unit format docs-images clean

help:
	@echo "make demo       set up, then show the built-in thorax phantom"
	@echo "make test       set up, then lint, types, contracts, tests and doctests"
	@echo "make test-all   the same and the slow end-to-end checks"
	@echo "make fuzz       ten minutes of damaged headers (SECONDS=600 SEED=1)"
	@echo "make benchmarks reading and 3D: speed against other programs"
	@echo "make format     let ruff format and sort"
	@echo "make clean      remove the virtual environment and caches"

$(STAMP): pyproject.toml .ci/requirements.lock
	@PYTHON="$(PYTHON)" .ci/system-libraries
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "hounsview needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 demo" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r .ci/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)
	@$(BIN)/hounsview render -o demo.png
	@echo "The built-in thorax phantom: $(CURDIR)/demo.png"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

unit: $(STAMP)
	@.ci/system-libraries dicom3tools
	$(BIN)/python -m pytest -q -m "not slow"

test: lint types contracts unit

test-all: lint types contracts
	@.ci/system-libraries dicom3tools
	$(BIN)/python -m pytest -q

SECONDS ?= 600
SEED ?= 1
fuzz: $(STAMP)
	$(BIN)/python tests/fuzzing/seeded.py --seconds $(SECONDS) --seed $(SEED)

benchmarks: $(STAMP)
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/scene.py

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist demo.png
