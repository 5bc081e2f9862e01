PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
# A process a core; tests of one file stay together, as they share what is dear to make.
WORKERS := --numprocesses auto --dist loadfile

.PHONY: help setup lint types test test-all docs demo bench bench-peers constraints clean

help:
	@echo "make setup        build $(VENV) and install headstart with its development tools"
	@echo "make test         lint, types and the fast tests"
	@echo "make test-all     lint, types and every test, the slow ones too"
	@echo "make docs         API pages into site/"
	@echo "make demo         two small models from start to report, in demo/"
	@echo "make bench        all benchmarks, written into docs/benchmarks.md (ARGS=... is passed on)"
	@echo "make bench-peers  $(PEERS), with the peers that make bench races against"
	@echo "make constraints  write constraints.txt anew from what $(VENV) holds"
	@echo "make clean        remove what the other targets made, except $(VENV)"

setup: $(STAMP)
	@:

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "headstart needs Python 3.11 or newer, and '$(PYTHON)' is not: name one, as in make setup PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

test: lint types
	@$(BIN)/pytest $(WORKERS)

test-all: lint types
	@$(BIN)/pytest $(WORKERS) -m "slow or not slow"

docs: setup
	@$(BIN)/python tools/docs.py site

demo: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

bench: setup
	@$(BIN)/python -m benchmarks all --write $(ARGS)

# Sees what .venv holds through a .pth file, so that torch is not installed twice.
bench-peers: setup
	@test -x $(PEERS)/bin/python || $(BIN)/python -m venv $(PEERS)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$($(PEERS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/headstart-venv.pth"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt \
		-c constraints.txt

# Through a second file, so that a failure leaves the old one as it was.
constraints: setup
	@$(BIN)/python tools/constraints.py > constraints.txt.new
	@mv constraints.txt.new constraints.txt
	@touch $(STAMP)

clean:
	rm -rf build dist site demo $(PEERS) src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
