# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# What a Qt window on X needs; the tests bring a screen of their own.
QT_LIBRARIES := libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 \
  libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
FOR_TESTS := dicom3tools xvfb xdotool chromium $(QT_LIBRARIES)

.PHONY: help demo test test-all fuzz benchmarks lint types contracts unit format docs-images clean

help:
	@echo "make demo       set up, then open the viewer on the built-in phantom (no display: a PNG)"
	@echo "make test       set up, then lint, types, contracts, tests and doctests"
	@echo "make test-all   the same and the slow end-to-end checks"
	@echo "make fuzz       ten minutes of damaged headers (SECONDS=600 SEED=1)"
	@echo "make benchmarks speed and memory against other programs"
	@echo "make docs-images draws the pictures of README and docs from the phantoms"
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

# The window where there is a display, else a picture.
demo: $(STAMP)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" = Darwin ]; then \
	  .ci/system-libraries $(QT_LIBRARIES); $(BIN)/hounsview view; \
	else \
	  $(BIN)/hounsview render -o demo.png \
	  && echo "No display here. The built-in thorax phantom as a picture: $(CURDIR)/demo.png"; \
	fi

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

unit: $(STAMP)
	@.ci/system-libraries $(FOR_TESTS)
	$(BIN)/python -m pytest -q -m "not slow"

test: lint types contracts unit

test-all: lint types contracts
	@.ci/system-libraries $(FOR_TESTS)
	$(BIN)/python -m pytest -q

SECONDS ?= 600
SEED ?= 1
fuzz: $(STAMP)
	$(BIN)/python tests/fuzzing/seeded.py --seconds $(SECONDS) --seed $(SEED)

benchmarks: $(STAMP)
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/panes.py
	$(BIN)/python benchmarks/scene.py
	$(BIN)/python benchmarks/starting.py
	$(BIN)/python benchmarks/notebook.py
	$(BIN)/python benchmarks/tissues.py
	$(BIN)/python benchmarks/surfaces.py
	$(BIN)/python benchmarks/slicerscene.py

docs-images: $(STAMP)
	@.ci/system-libraries $(FOR_TESTS)
	$(BIN)/python docs/images/make.py

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist demo.png
