# Two commands: `make demo [SONG=path]` dances a song into out/; `make test` checks everything. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHOREIA := $(BIN)/choreia
OUT ?= out
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test clean

demo: $(VENV)/.installed
ifdef SONG
	@echo "Dancing $(SONG) into $(OUT)/ ..."
	$(CHOREIA) dance "$(SONG)" -o "$(OUT)" --force
else
	@echo "Composing a song, then dancing it into $(OUT)/ (give your own with SONG=path) ..."
	$(CHOREIA) dance --compose funk --seconds 30 --seed 7 -o "$(OUT)" --force
endif
	@echo "Done. Watch $(OUT)/dance.mp4; open $(OUT)/dance.bvh or $(OUT)/dance.glb in Blender."

test: $(VENV)/.installed-dev
	@echo "Checking style, types and laws ..."
	$(BIN)/ruff check src tests
	$(BIN)/mypy -p choreia
	$(BIN)/python -m pytest -n 2 --durations=10

$(VENV)/.installed: pyproject.toml constraints.txt Makefile
	@echo "Setting up $(VENV) (torch first, pinned; this is the slow part) ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Adding what the tests need ..."
	$(PIP) -c constraints.txt -e ".[dev,train,evaluate]"
	touch $@

clean:
	rm -rf $(VENV) $(OUT) .pytest_cache .mypy_cache .ruff_cache
