# make run: install and train; make test: install and test; make help: the rest.
# Needs Python >= 3.10 with venv, and make. Another Python: make run PYTHON=python3.12

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
export PATH := $(abspath $(BIN)):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What `make lock` holds fast; it finds versions of everything else that go with these.
PINS = nbdev==2.4.14 fastcore==1.14.5 execnb==0.1.18 ghapi==1.1.1 fastai==2.8.7 fastprogress==1.0.5 \
       fasttransform==0.0.2 torch==2.13.0 torchvision==0.28.0

.DEFAULT_GOAL := help
.PHONY: help install run test lab notebooks readme docs lock clean

help: ## these lines
	@echo "make TARGET, where TARGET is"; grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /:/' | awk -F: '{printf "  make %-10s %s\n", $$1, substr($$0, length($$1)+2)}'

$(STAMP): constraints.txt settings.ini pyproject.toml setup.py
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.version_info >= (3,10) or sys.exit("NSTM needs Python 3.10 or newer, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'Installing into $(VENV): a few minutes the first time'
	@$(BIN)/python -m pip install -qq -c constraints.txt -e '.[dev]'
	@touch README.md $@

install: $(STAMP) ## make .venv with everything that constraints.txt locks

run: $(STAMP) ## train on digits and the copy task, print the table (ARGS="--epochs 3")
	@MPLBACKEND=agg $(BIN)/nstm_quickstart $(ARGS)

test: $(STAMP) ## notebooks, notebooks against package, README, pytest; one closing line
	@$(BIN)/python .ci/test.py $(ARGS)

lab: $(STAMP) ## JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=nbs $(ARGS)

notebooks: $(STAMP) ## run every notebook again and keep its outputs (ARGS="nbs/01_gates.ipynb": only that one)
	@$(BIN)/python .ci/notebooks.py $(ARGS)

readme: $(STAMP) ## README.md from nbs/index.ipynb
	@$(BIN)/python .ci/docs.py readme

docs: $(STAMP) readme ## the site in _docs/, by Quarto where there is one, else by smalldocs
	@$(BIN)/python .ci/docs.py site $(ARGS)

lock: $(STAMP) ## find the versions in constraints.txt again; UPGRADE=--upgrade takes newer ones
	@$(BIN)/python -m pip install -qq uv
	@printf '%s\n' $(PINS) > $(VENV)/pins.txt
	@grep -v '^#' constraints.txt > $(VENV)/lock.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	    $(UPGRADE) --extra dev --constraints $(VENV)/pins.txt --output-file $(VENV)/lock.txt pyproject.toml
	@{ echo '# Every package that development and tests use, for Python 3.10 to 3.13 on any system.'; \
	   echo '# Made by `make lock`; what it holds fast stands in the Makefile.'; cat $(VENV)/lock.txt; } > constraints.txt
	@echo "constraints.txt: $$(grep -c '==' constraints.txt) lines"

clean: ## take away what was built; .venv, results and checkpoints stay
	@rm -rf _docs _proc build dist *.egg-info .pytest_cache nbs/nbdev.yml nbs/sidebar.yml
	@find nbs nstm tests .ci -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
