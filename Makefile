# Needs Python 3.11 to 3.13, make and git. Everything else is installed into .venv, from the lock file, with its hashes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SLIPWAY := $(BIN)/slipway
# Servers that the endpoint is compared with, each in an environment of its own below .venv.
RIVALS := bentoml litserve mlserver
# What searches are compared with and asks for another pandas than Slipway's.
AUTOML := autogluon
# Four test processes on two cores, since half of their time they wait for a server to start or for a process to end.
# OpenMP threads that soon sleep, since the test processes and the servers that they start share the cores. The slowest tests are
# listed in every log, so that each slow minute can be explained afterwards.
PYTEST := GOMP_SPINCOUNT=10000 $(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder --durations 40

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-release test-matrix soak fuzz check bench bench-search bench-scale bench-commands bench-serving bench-tables lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

demo: $(VENV)/run.stamp  ## the whole path on real flights; ONCE=1 checks itself and ends
	@$(SLIPWAY) demo $(if $(ONCE),--once)

test: $(VENV)/dev.stamp  ## all tests but those of test-release and test-matrix; a part that this machine lacks is named in one line
	@$(BIN)/python tests/optional_parts.py
	@$(PYTEST) tests -m "not release" $(ARGS)

test-fast: $(VENV)/dev.stamp  ## the tests that take less than a second each
	@$(PYTEST) tests -m "not slow" --ignore tests/end_to_end --ignore tests/browser $(ARGS)

test-release: $(VENV)/dev.stamp  ## the tests that take too long for every day; before a release, beside test-matrix, soak and fuzz
	@$(BIN)/python tests/optional_parts.py
	@$(PYTEST) tests -m release $(ARGS)

test-matrix: $(VENV)/dev.stamp  ## every way past the guarded registry, on SQLite and PostgreSQL, with users and without
	@$(BIN)/python -m pytest tests/server --every-cell $(ARGS)

soak: $(VENV)/dev.stamp  ## promotions under load with kills and broken versions, and eight at once, a hundred rounds each; ten rounds of a database that fails
	@SOAK_ROUNDS=100 GOMP_SPINCOUNT=10000 $(BIN)/python -m pytest tests/serving/supervisor/test_supervisor.py tests/workflows/promotion/test_crowd.py \
		tests/workflows/promotion/test_failing_database.py -k "promotions or one_wins or any_commit" -s --timeout 3600

fuzz: $(VENV)/dev.stamp  ## 20,000 requests that nobody should send, to a whole endpoint; prints its answers and its memory
	@FUZZ_REQUESTS=20000 GOMP_SPINCOUNT=10000 $(BIN)/python -m pytest tests/serving/test_fuzz_endpoint.py -s --timeout 7200

check: $(VENV)/dev.stamp  ## style, types, layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: bench-search bench-scale bench-commands bench-serving  ## all benchmarks but bench-tables, on a machine that does nothing else; see benchmarks/README.md

bench-search: $(VENV)/bench.stamp  ## a search beside a plain MLflow script, Optuna, and the sum of its fits
	@$(BIN)/python benchmarks/search.py $(ARGS)

bench-scale: $(VENV)/bench.stamp  ## commands on an experiment of 10,000 runs, compared with one of 100
	@$(BIN)/python benchmarks/scale.py $(ARGS)

bench-commands: $(VENV)/bench.stamp  ## every command on a home with 2 models, compared with 200; ARGS=--profile says where the time goes
	@$(BIN)/python benchmarks/commands.py $(ARGS)

bench-serving: $(VENV)/bench.stamp $(RIVALS:%=$(VENV)/bench-%.stamp)  ## the endpoint beside five other servers of the same model
	@$(BIN)/python benchmarks/serving.py $(ARGS)

bench-tables: $(VENV)/bench.stamp $(AUTOML:%=$(VENV)/bench-%.stamp)  ## 24 real tables from a file to an endpoint, beside AutoML; takes hours, goes on where it was cut off
	@$(BIN)/python benchmarks/tables.py $(ARGS)

# uv installs in seconds what takes pip minutes, and compiles bytecode on all cores: without bytecode each start of MLflow takes twice as
# long, always where Python may not write it (PYTHONDONTWRITEBYTECODE). The lock file has uv's own version and hash.
$(VENV)/uv.stamp:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit(f"Slipway needs Python 3.11 to 3.13; this is {v[0]}.{v[1]}: make PYTHON=python3.11 ...")'
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p;}' requirements.lock > $(VENV)/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt
	@touch $@

$(VENV)/run.stamp: requirements.lock $(VENV)/uv.stamp
	@echo "installing requirements.lock"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@echo "installing requirements-dev.lock"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/bench.stamp: requirements-bench.lock $(VENV)/run.stamp
	@echo "installing requirements-bench.lock"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements-bench.lock
	@touch $@

$(VENV)/bench-%.stamp: requirements-bench-%.lock $(VENV)/uv.stamp
	@echo "installing $<"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/bench-$*
	@VIRTUAL_ENV=$(VENV)/bench-$* $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r $<
	@touch $@

LOCK := --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-header --no-annotate --quiet
LOCK += --no-emit-index-url --no-emit-find-links

lock: $(VENV)/uv.stamp  ## resolve the dependencies anew and pin them
	@$(BIN)/uv pip compile pyproject.toml --extra experiments --extra build $(LOCK) --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra experiments --extra build --extra dev --constraints requirements.lock $(LOCK) --output-file requirements-dev.lock
	@$(BIN)/uv pip compile pyproject.toml --extra experiments --extra build --extra bench --constraints requirements-dev.lock $(LOCK) --output-file requirements-bench.lock
	@$(BIN)/uv pip compile pyproject.toml --extra experiments --extra build --extra spark --constraints requirements.lock --constraints requirements-dev.lock $(LOCK) --output-file requirements-spark.lock
	@grep -E '^(joblib|numpy|pandas|scikit-learn|scipy|skops)==' requirements.lock | sed 's/ *\\$$//' > $(VENV)/pipeline.txt
	@for name in $(RIVALS); do \
		$(BIN)/uv pip compile --group bench-$$name --constraints $(VENV)/pipeline.txt $(LOCK) --output-file requirements-bench-$$name.lock || exit 1; \
	done
	@grep -v '^pandas==' $(VENV)/pipeline.txt > $(VENV)/automl.txt
	@for name in $(AUTOML); do \
		$(BIN)/uv pip compile --group bench-$$name --constraints $(VENV)/automl.txt $(LOCK) --output-file requirements-bench-$$name.lock || exit 1; \
	done

clean:  ## forget the environment and the embedded server's data
	@rm -rf $(VENV) .slipway
