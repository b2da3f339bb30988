# Needs Python 3.11+ and make; the rest is installed into .venv.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test fuzz check format docs bench scale drill lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCK_VENV := .venv-lock
DRILL_VENV := .venv-drill
SWIFT := $(DRILL_VENV)/bin/swift-proxy-server
PACKAGES := data_contracts pipeline_lib tasks flows deployments
PIP_INSTALL := -m pip install -qq --disable-pip-version-check

export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Create .venv, or bring it up to date with pyproject.toml and constraints.txt

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "spanferry needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo "setup: creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@echo "setup: installing spanferry and its tested dependencies (minutes the first time)"
	@$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[dev]'
	@touch $@
	@echo "setup: done"

demo: setup ## Train, project and score on the bundled corpus, into demo-out/
	$(BIN)/spanferry demo --out demo-out

# A file's tests stay in one process, which share its runs; the end-to-end files begin, so that no long one is left for the end.
test: setup ## Run the tests in two processes; make test ARGS="-k sinkhorn" picks some
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: setup ## Read 100,000 hostile examples and 20,000 damaged files; make test runs a small share
	$(BIN)/pytest -q tests/fuzz --examples 100000 --mutants 20000 $(ARGS)

check: setup ## Format, lint, types, floors, generated files, house rules: what the hook and CI run
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(PACKAGES)
	$(BIN)/lint-imports
	$(BIN)/python -m data_contracts.docs --check SCHEMAS.md
	$(BIN)/python -m deployments.jobs --check
	$(BIN)/pytest -q tests/test_house.py

format: setup ## Format the code and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## Write SCHEMAS.md from the contracts, and the job templates from the workers' own
	$(BIN)/python -m data_contracts.docs > SCHEMAS.md.new
	@mv SCHEMAS.md.new SCHEMAS.md
	$(BIN)/python -m deployments.jobs

bench: setup ## Run the benchmarks against the peers that install here; make bench ARGS="--parallel FILE.tsv"
	@for peers in bench bench-c; do \
		$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e ".[$$peers]" \
			|| echo "bench: the peers of the extra $$peers do not install here; they will be reported as absent"; \
	done
	$(BIN)/python -m benchmarks.run $(ARGS)

scale: setup ## Project backgrounds of several sizes, into scale-out/; make scale ARGS="--store S --model RUN --documents 1000,3000,10000 --reruns"
	$(BIN)/python -m benchmarks.scale $(ARGS)

drill: setup $(SWIFT) ## Disturb runs on a real S3 server, about an hour, into drill-out/; make drill ARGS="--only kill --kills 5"
	$(BIN)/python -m drill.run $(ARGS)

# OpenStack Swift, a server and no dependency, in an environment of its own: its eventlet shall not live beside Prefect.
$(SWIFT):
	@command -v memcached >/dev/null || { echo "drill: memcached is not on the PATH: apt-get install memcached" >&2; exit 1; }
	@echo "drill: installing Swift into $(DRILL_VENV)"
	@$(PYTHON) -m venv $(DRILL_VENV)
	@$(DRILL_VENV)/bin/python $(PIP_INSTALL) 'swift>=2.38,<3'

lock: ## Resolve pyproject.toml afresh and write constraints.txt; run `make test` after it
	@echo "lock: resolving in $(LOCK_VENV) (minutes)"
	@$(PYTHON) -m venv --clear $(LOCK_VENV)
	@$(LOCK_VENV)/bin/python $(PIP_INSTALL) -e '.[dev,bench,bench-c]'
	@$(LOCK_VENV)/bin/python -m pip check
	@echo '# The exact set that the tests run with, transitive. To refresh: `make lock`, then `make test`.' > constraints.txt.new
	@$(LOCK_VENV)/bin/python -m pip --disable-pip-version-check freeze --exclude-editable > $(LOCK_VENV)/frozen
	@sed 's/+[A-Za-z0-9.]*$$//' $(LOCK_VENV)/frozen >> constraints.txt.new
	@mv constraints.txt.new constraints.txt
	@rm -rf $(LOCK_VENV)
	@echo "lock: constraints.txt is written"

clean: ## Remove the environment, the caches and the outputs of these targets
	rm -rf $(VENV) $(LOCK_VENV) $(DRILL_VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist demo-out drill-out scale-out *.new
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +
