# Two commands are complete on a fresh machine with Python 3.11 or newer: make run, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MINUTES := 60
FUZZED := tests/dataplane/test_strict_fuzz.py tests/config/test_fuzz.py tests/core/test_rules.py \
	tests/store/test_zips.py tests/controlplane/cloud/test_cloud_fuzz.py tests/traffic/test_import_fuzz.py \
	tests/config/test_merge_properties.py tests/config/test_export_properties.py \
	tests/core/test_breaker.py tests/dataplane/test_circuit.py

.PHONY: run test check format load bench fuzz soak clean

run: $(STAMP)            ## serve the example on http://127.0.0.1:8080
	$(BIN)/gateway serve

test: $(STAMP) check     ## every check and every test
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --include='gateway/core/*,gateway/verdict/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

check: $(STAMP)          ## style, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP)         ## rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

load: $(STAMP)           ## drive real traffic at the example and judge its splits
	$(BIN)/python -m loadtests.run

bench: $(STAMP)          ## the benchmarks, as ratios to a bare ASGI application
	$(BIN)/python -m benchmarks

fuzz: $(STAMP)           ## every parser against inputs at random, for many minutes
	$(BIN)/python -m pytest -vv --durations=10 --hypothesis-profile=long --timeout=0 $(FUZZED)

soak: $(STAMP)           ## an hour of slow callers, restarts and kills under load, MINUTES=60
	$(BIN)/python -m benchmarks.slow
	$(BIN)/python -m benchmarks.soaking --minutes $(MINUTES)

$(STAMP): pyproject.toml gateway/__init__.py
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[intercept,loadtest,otel,postgres]" --group dev
	@touch $(STAMP)

clean:                   ## remove everything that was made
	rm -rf $(VENV) .gateway .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
