# The two commands: `make demo` and `make test`. Everything is set up in .venv from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
DONE := .venv/.installed

.PHONY: setup demo test check bench docs lock clean

setup: $(DONE)

$(DONE): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "custid needs CPython 3.11 or newer; name it with PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup  ## simulate customers over three channels and do the whole job on them
	$(BIN)/custid demo

test: setup
	$(BIN)/python -m pytest

check: setup  ## style, types, layers, packaging
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m build --wheel --no-isolation --outdir build/dist . > build.log 2>&1 || (cat build.log; exit 1)
	rm -rf build build.log custid.egg-info

bench: demo  ## each benchmark is a command of its own; this runs all of them, on the demo where they need a workspace
	for file in benchmarks/*.py benchmarks/peers; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

docs: setup  ## write the generated pages of docs/ again
	$(BIN)/python -m custid.docs docs

lock:  ## pin what pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url -o requirements.lock

clean:
	rm -rf .venv build custid.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
