.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install dev demo up down test test-postgresql check lint format typecheck docs bench conformance truth faults lock clean

PYTHON  ?= python3
WORKERS ?= 3
ARGS    ?=

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
UV_PIN := uv==0.13.9

# What is installed is remembered by the hash of what asked for it: a checkout that only touches files installs nothing again.
hash_of        = $(firstword $(shell cat $(1) | cksum))
STAMP_SANDBOX := $(VENV)/.sandbox-$(call hash_of,requirements/sandbox.txt)
STAMP_DEV     := $(VENV)/.dev-$(call hash_of,requirements/dev.txt)
STAMP_PACKAGE := $(VENV)/.package-$(call hash_of,pyproject.toml)

PACKAGES := bot cogs mcp_server operations policy storage migrations sandbox benchmarks tests

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo "  ARGS='...' goes on to demo, dev, test, bench, conformance, truth and faults; PYTHON=... names the Python to set up with."

install: $(STAMP_DEV) $(STAMP_PACKAGE) ## set up .venv with everything that work on Guildhall needs

demo: $(STAMP_SANDBOX) $(STAMP_PACKAGE) ## run everything against a simulated Discord; no token, no database server
	@exec $(BIN)/guildhall demo $(ARGS)

dev: install ## run from this tree and restart when a file changes
	@exec $(BIN)/guildhall run --reload $(ARGS)

up: ## build the image and start it in the background
	docker compose up --build --detach

down: ## stop what `make up` started; the data stays
	docker compose down

test: install ## run the tests, WORKERS at a time
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-postgresql: install ## run what drives the whole product again, on PostgreSQL
	TEST_DATABASE=postgresql $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/stories tests/contracts tests/security $(ARGS)

check: lint typecheck ## format, lint, types, floors, generated pages
	$(BIN)/guildhall reference --check

lint: install ## check format, lint and the floors of the architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import_linter

format: install ## format the code and make the fixes that ruff is sure of
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: install ## check the types, strictly
	$(BIN)/pyright

docs: install ## write docs/operations.md from the catalogue
	$(BIN)/guildhall reference

bench: install ## measure what Guildhall costs
	$(BIN)/python -m benchmarks $(ARGS)

conformance: install ## run the MCP conformance suite
	$(BIN)/python -m tests.conformance.run $(ARGS)

faults: install ## kill processes, lose answers, take servers away: all that takes minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "storm or not storm" tests/faults tests/security/test_doubles_by_route.py tests/storage/test_claims_by_processes.py $(ARGS)

# Each list takes the pins of the smaller one as given, so that all three agree. UPGRADE=1 moves to the newest that fit.
LOCK = .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-build-options \
	$(if $(UPGRADE),--upgrade) pyproject.toml requirements/build.in

truth: install ## hold previews against the simulated Discord, over ten thousand states; figures go to docs/truth.md
	$(BIN)/python -m tests.truth --states 10000 --writes 10000 $(ARGS)

lock: ## pin the requirements anew, for every supported Python and platform
	@test -x .cache/lock/bin/uv || $(PYTHON) -m venv .cache/lock
	@.cache/lock/bin/python -m pip --disable-pip-version-check -qq install $(UV_PIN)
	$(LOCK) --output-file requirements/runtime.txt
	$(LOCK) --extra sandbox --constraint requirements/runtime.txt --output-file requirements/sandbox.txt
	$(LOCK) --extra dev --constraint requirements/sandbox.txt --output-file requirements/dev.txt

clean: ## remove what was installed, cached or built; data stays
	rm -rf $(VENV) .cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null \
		|| { echo "Guildhall needs Python 3.11 or newer, and there is no '$(PYTHON)' here. Install one, or name it: make PYTHON=/path/to/python ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Guildhall needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name a newer one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "'$(PYTHON)' can't make a virtual environment. Install its venv package (on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(STAMP_SANDBOX): | $(BIN)/python
	$(PIP) install --no-compile --require-hashes --only-binary :all: --requirement requirements/sandbox.txt
	@rm -f $(VENV)/.sandbox-* && touch $@

$(STAMP_DEV): | $(BIN)/python
	$(PIP) install --no-compile --require-hashes --only-binary :all: --requirement requirements/dev.txt
	@rm -f $(VENV)/.dev-* $(VENV)/.sandbox-* && touch $@ $(STAMP_SANDBOX)

# Needs setuptools, which every list of requirements holds, and nothing from the network.
$(STAMP_PACKAGE): | $(BIN)/python
	@test -f $(STAMP_SANDBOX) || $(MAKE) --no-print-directory $(STAMP_SANDBOX)
	$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.package-* && touch $@
