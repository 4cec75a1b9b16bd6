# `make` lists the commands. They are all in run.py, which needs no make: python run.py <target> NAME=value
# Whatever stands here as NAME=value reaches it through the environment, as make does by itself.

PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: run.py
.SUFFIXES:

# No rule makes the Makefile itself.
Makefile: ;

%: run.py
	@$(PYTHON) run.py $@
