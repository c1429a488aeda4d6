# Everything a fresh machine needs: Python 3.11 or newer, make and the package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-dev
# Each holds the models once more.
TEST_PROCESSES ?= 2

# Models come inside packages; nothing is fetched at run time.
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := false

# Shows a command as a user types it, then runs it.
run = @echo '$$ secondsight $(1)'; $(BIN)/secondsight $(1)

.PHONY: demo serve test lint format bench clean

demo: $(STAMP)  ## ingest the sample media, search, ask
	$(call run,ingest -L demo-archive tests/media/halden_talk.mp4 tests/media/halden_manual.pdf)
	@echo; echo "# said in the talk:"
	$(call run,search -L demo-archive -n 2 "salt water in the fish market")
	@echo; echo "# only shown on a slide:"
	$(call run,search -L demo-archive -n 2 "extension of the duty phone")
	@echo; echo "# written in the manual:"
	$(call run,search -L demo-archive -n 2 "what does error code E-07 mean")
	@echo; echo "# a question:"
	$(call run,ask -L demo-archive "How many people must be there while the well hatch is open?")
	$(call run,ask -L demo-archive "How long did the ferry stay in port?")
	@echo
	@echo "Go on with your own files:  . $(BIN)/activate"
	@echo "                            secondsight ingest -L my-archive FOLDER_OR_FILES"
	@echo "                            secondsight ask -L my-archive \"your question\""
	@echo "or serve this archive:      make serve   (then http://127.0.0.1:8000/v1/search?q=storm)"

serve: $(STAMP)  ## the HTTP API over the library that `make demo` made
	$(BIN)/secondsight serve -L demo-archive

test: $(TEST_STAMP)  ## all tests
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

lint: $(TEST_STAMP)  ## ruff and mypy over everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(TEST_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## ingest speed per stage, memory, search latency on the sample media
	$(BIN)/python -m benchmarks.path

clean:
	rm -rf $(VENV) demo-archive .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Secondsight needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(TEST_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@
