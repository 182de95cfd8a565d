# Everything runs in .venv, with the versions of constraints.txt. `make lock` renews those. Deltaflow needs Python 3.12.
PYTHON ?= python3
PYTHON312 ?= python3.12
RUN := .venv/bin/
export DAGSTER_HOME := $(CURDIR)

.PHONY: demo test test-fast test-all ui bench bench-peers explain lint catalog keys migration reference docs lock clean

demo: .venv/installed
	$(RUN)convo-pipelines demo

ui: .venv/installed
	$(RUN)convo-pipelines migrate up
	$(RUN)convo-pipelines data sample --if-empty
	$(RUN)convo-pipelines dagster dev -h 127.0.0.1 -p 3000

TESTS := $(RUN)pytest --numprocesses auto --dist loadgroup

test-fast: .venv/installed
	$(TESTS) convo_pipelines_tests/unit convo_pipelines_tests/database -m "fast and not wide and not second_server"

test: .venv/installed
	$(TESTS)

test-all: .venv/installed
	EXACTNESS_EXAMPLES=100 ODD_EXAMPLES=50 STORM_SECONDS=60 $(TESTS) -m "wide or not wide"
	FOREIGN_KEYS=off $(TESTS) convo_pipelines_tests/database

bench: .venv/installed
	$(RUN)python -m benchmarks

bench-peers: .venv/installed .venv-peers/installed
	$(RUN)python -m benchmarks.peers
	$(RUN)python -m benchmarks.peers.own_tables

explain: .venv/installed
	$(RUN)python -m benchmarks.explain $(STATEMENT)

lint: .venv/installed
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)sqlfluff lint --processes 2 --disable-progress-bar --nocolor sql
	$(RUN)hadolint docs/deploy/Dockerfile
	$(RUN)check-jsonschema --builtin-schema vendor.compose-spec docs/deploy/compose.yaml
	$(RUN)pyright

catalog: .venv/installed
	$(RUN)python -m convo_pipelines_tests.catalogs

keys: .venv/installed
	$(RUN)python -m convo_pipelines_tests.derived

migration: .venv/installed
	$(RUN)python -m convo_pipelines_tests.table_migrations "$(TABLE)"

reference: .venv/installed
	$(RUN)convo-pipelines migrate up
	$(RUN)convo-pipelines generate data-dictionary > docs/reference/data-dictionary.md
	$(RUN)python docs/reference/checks.py
	$(RUN)python docs/reference/settings.py
	$(RUN)python docs/reference/interface.py

docs: reference
	CI=true $(RUN)pytest convo_pipelines_tests/browser -m "wide or not wide" -k "clicks or offline or cells or ones_own"
	cp artifacts/1-asset-graph.png docs/asset-graph.png
	cp artifacts/4-materialization.png docs/asset.png
	cp artifacts/1-asset-graph.txt docs/asset-graph.txt
	cp artifacts/6-activity-report-1280.png docs/activity-report.png
	cp artifacts/cells.png artifacts/lake.png artifacts/own-table.png docs

lock: .venv/installed
	$(RUN)uv pip compile setup.py --extra dev --universal --python-version 3.11 --upgrade --quiet \
		--no-header --no-annotate --output-file constraints.txt

clean:
	rm -rf .venv .venv-peers .local

.venv/installed: setup.py constraints.txt
	$(PYTHON) -m venv .venv
	$(RUN)pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(RUN)uv pip install --quiet --python .venv --constraint constraints.txt --editable '.[dev]'
	touch $@

.venv-peers/installed: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check --requirement $<
	$(PYTHON312) -m venv .venv-peers/deltaflow
	.venv-peers/deltaflow/bin/pip install --quiet --disable-pip-version-check deltaflow-pg==0.1.1
	touch $@
