# Every target is one line of `python -m …` inside the virtual environment; `make setup` makes that environment.
# Without make (Windows): the same lines stand in README.md and book/setup.md.

# The first Python on the path that is 3.11 or newer; or name one: make PYTHON=/path/to/python3.12
PYTHON ?= $(shell for p in python3 python python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c "import sys; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1 && echo "$$p" && break; done)
VENV   ?= .venv
# An extra index for torch, e.g. TORCH_INDEX=https://download.pytorch.org/whl/cpu for the small CPU-only build.
TORCH_INDEX ?=

ifeq ($(OS),Windows_NT)
  PY := $(VENV)/Scripts/python.exe
else
  PY := $(VENV)/bin/python
endif
READY := $(VENV)/.installed
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup book pdf test lab serve execute exercises grade bench dist clean ci-deps

help:  ## this list
	@echo "make book and make test each work on a fresh clone: they make $(VENV) first."
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(READY)  ## the virtual environment with everything pinned in constraints.txt

$(READY): pyproject.toml constraints.txt
	@test -x "$(PY)" || test -n "$(PYTHON)" || { echo "This course needs Python 3.11 or newer and found none. Try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	test -x "$(PY)" || "$(PYTHON)" -m venv "$(VENV)"
	"$(PY)" -m pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)") -c constraints.txt -e ".[dev]"
	"$(PY)" -m pip check
	@touch "$(READY)"

book: $(READY)  ## build the website into _build/html (seconds when nothing changed)
	"$(PY)" -m book._ext.build

pdf: book  ## print the whole book as a PDF into _build/pdf (needs Chromium or Chrome)
	"$(PY)" -m book._ext.pdf

test: $(READY)  ## run everything: package, notebooks, exercises, site; a table of minutes at the end
	"$(PY)" -m tests.run

lab: $(READY)  ## open the chapters in JupyterLab
	"$(PY)" -m jupyterlab --notebook-dir=.

serve: book  ## build the website and serve it on this machine (prints the address)
	"$(PY)" -m book._ext.serve

execute: $(READY)  ## execute the chapters and solutions in place
	"$(PY)" -m rnncourse execute

exercises: $(READY)  ## regenerate exercises/ from solutions/
	"$(PY)" -m rnncourse exercises

grade: $(READY)  ## grade the notebooks in exercises/
	"$(PY)" -m rnncourse grade

bench: $(READY)  ## time the package against torch on this machine
	"$(PY)" -m rnncourse bench

dist: $(READY)  ## build the wheel and the source archive into dist/
	"$(PY)" -m build

clean:  ## remove everything that was built (the virtual environment stays)
	rm -rf _build dist .pytest_cache .hypothesis .ruff_cache
	find book rnncourse tests -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f book/api/rnncourse*.md

ci-deps:  ## on a continuous-integration machine (CI=true) only: install Chromium with apt
	@if [ "$(CI)" != "true" ]; then echo "ci-deps: CI is not true, nothing to do"; \
	elif command -v chromium chromium-browser google-chrome >/dev/null; then echo "ci-deps: a browser is here"; \
	else sudo=$$(command -v sudo || true); $$sudo apt-get update -qq && $$sudo apt-get install -qq -y --no-install-recommends chromium; fi
