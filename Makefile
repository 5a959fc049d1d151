# make lab      the laboratory: a private environment in .venv, then JupyterLab at the start chapter
# make help     the other commands
#
# TORCH_INDEX=... takes torch from this package index: on Linux without an NVIDIA card, the one that
# PyTorch's install page names for "CPU" saves several GB.
# PORT=8899 picks a port, ARGS="..." is passed on (to JupyterLab, to pytest, or to the chapter build):
#   make lab PORT=8899 ARGS=--no-browser        make test ARGS="-k stem"        make notebooks ARGS="08 --force"

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ROOT   := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
START  := work/00_start_here.ipynb

export TORCH_INDEX

.PHONY: help lab update reset test mutants notebooks bench reproduce gpu colab colab-test versions site student solutions slides handout grade screenshots lint clean
.DEFAULT_GOAL := help

help:
	@echo "make lab          install into .venv (first time) and open JupyterLab at the start chapter"
	@echo "make update CHAPTER=03   go on with the new version of a chapter, with your answers in it"
	@echo "make reset CHAPTER=03    begin a chapter anew; what you wrote is kept in work/earlier"
	@echo "make test         every test, the ones in a real browser included"
	@echo "make mutants      does a test notice wrong code? a sample of 264; ARGS=\"--sample 0\": all, hours"
	@echo "make notebooks    execute the chapters whose source changed: notebooks/src/*.py -> notebooks/*.ipynb"
	@echo "make bench        speed: import, first plotted point, stop, loop against DataLoader, ..."
	@echo "make reproduce    a sample of the committed runs made again, with their seeds and unseen ones: ARGS=--small"
	@echo "make gpu          on a machine with CUDA, ten minutes: every chapter, tests, speed -> data/machines"
	@echo "make colab        dist/inception_edu_colab.zip: upload it beside a chapter in Colab"
	@echo "make colab-test   every chapter and the labs with the versions of Colab (first time: several GB)"
	@echo "make versions     imports and tests of describe with Python 3.10 to 3.13, lowest and newest packages"
	@echo "make site         dist/site: the chapters as a static site (SITE_URL=https://…: a link to a page shows a picture)"
	@echo "make screenshots CHAPTER=08 ARGS='--theme dark --width 600'   pictures of a chapter in JupyterLab"
	@echo "make screenshots ARGS=--see   the labs that show without training, light, dark and narrow (--labs: those that train)"
	@echo "make screenshots ARGS=--readme   docs/dying_lab.png, the picture of README"
	@echo "make student      dist/student: the chapters without any solution (ARGS=\"08 09\": only these)"
	@echo "make solutions    dist/solutions: the chapters with their exercises solved, for teachers"
	@echo "make slides       dist/slides: a slide show for each chapter, one HTML file that needs no network"
	@echo "make handout      dist/handout: a PDF for each chapter, with every figure"
	@echo "make grade FOLDER=submitted ARGS='--csv class.csv'   a class's notebooks and journals as a table"
	@echo "make lint         ruff (names, layout) and mypy (types)"

# Debian's Python without python3-venv fails and leaves half an environment, which must not count.
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv $(VENV) || { rm -f $@; exit 1; }

# Stamp files: nothing is installed again until pyproject.toml changes, so a second `make lab` starts at once, offline too.
$(VENV)/.lab: pyproject.toml | $(BIN)/python
	$(BIN)/python tools/install.py lab
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python tools/install.py lab dev dask site
	-$(BIN)/python -m pip install -q --no-deps "facenet-pytorch>=2.5"  # a witness; it forbids newer torch
	$(BIN)/python tests/environments.py
	@touch $@ $(VENV)/.lab

# The reader works in work/, on copies of the chapters, so that `git pull` meets nobody's answers.
# JupyterLab serves the whole folder: chapters link to pages in docs/.
# Training steps of its notebooks are a tenth to a fifth faster where freed memory stays with them.
lab: export INCEPTION_EDU_KEEP_MEMORY = 1
lab: $(VENV)/.lab
	$(BIN)/python tools/work.py
	$(BIN)/jupyter-lab $(ROOT) --notebook-dir=. $(if $(PORT),--port=$(PORT)) $(ARGS) $(START)

# The browser tests take a Chromium or Chrome that is there; else Playwright fetches one, where it can.
# The device without hardware must be known before torch computes its first gradient: its tests run
# in processes of their own. (5: with ARGS="-k …" none of them may be chosen.)
test: $(VENV)/.test
	@$(BIN)/python tests/browser/harness.py --find || $(BIN)/playwright install chromium || true
	$(BIN)/python -m pytest -n 2 --dist load -m second_device $(ARGS) || [ $$? = 5 ]
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not second_device" $(ARGS)

mutants: $(VENV)/.test
	$(BIN)/python tools/mutants.py $(or $(ARGS),--sample 264)

update: $(VENV)/.lab
	$(BIN)/python tools/work.py --update "$(CHAPTER)"

reset: $(VENV)/.lab
	$(BIN)/python tools/work.py --reset "$(CHAPTER)"

notebooks: $(VENV)/.test
	$(BIN)/python notebooks/build.py $(ARGS)

bench: $(VENV)/.test
	$(BIN)/python tests/bench.py $(ARGS)

reproduce: $(VENV)/.test
	$(BIN)/python -m inception_edu.study reproduce $(ARGS)

# One command for a machine with an NVIDIA card: PHOTOGRAPHS=folder:... names images to train on.
gpu: $(VENV)/.test
	$(BIN)/python tools/gpu.py $(if $(PHOTOGRAPHS),--photographs $(PHOTOGRAPHS)) $(ARGS)

colab: $(VENV)/.test
	$(BIN)/python notebooks/build.py --colab

colab-test: $(VENV)/.test
	$(BIN)/python tools/colab.py $(ARGS)

versions: $(VENV)/.test
	$(BIN)/python tools/versions.py $(ARGS)

site: $(VENV)/.test
	$(BIN)/python tools/website.py $(if $(SITE_URL),--url $(SITE_URL)) $(ARGS)

student: $(VENV)/.test
	$(BIN)/python notebooks/build.py --student $(ARGS)

solutions: $(VENV)/.test
	$(BIN)/python notebooks/build.py --solutions $(ARGS)

slides: $(VENV)/.test
	$(BIN)/python notebooks/build.py --slides $(ARGS)

handout: $(VENV)/.test
	$(BIN)/python notebooks/build.py --handout $(ARGS)

grade: $(VENV)/.lab
	$(BIN)/python -m inception_edu.teach.grade $(FOLDER) $(ARGS)

screenshots: $(VENV)/.test
	$(BIN)/python tests/browser/screenshots.py $(CHAPTER) $(ARGS)

lint: $(VENV)/.test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

clean:
	rm -rf dist build *.egg-info .pytest_cache .ruff_cache
