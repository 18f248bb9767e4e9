# Everything here needs git, make and a Python >= 3.11; the rest goes into .venv.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# An environment that is active already is used as it is.
VENV := $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),.venv)
PYTHON := $(VENV)/bin/python
CAMPAIGN = $(PYTHON) -m tests.campaign $(if $(DATABASE),--database $(DATABASE)) $(if $(ROWS),--rows "$(ROWS)") \
	$(if $(FRESH),--fresh) $(if $(JOBS),--jobs $(JOBS)) $(if $(TEST_SEED),--seed $(TEST_SEED))
STAMP := $(VENV)/.django-orm-jobs-installed

.PHONY: help demo serve test faults faults-selftest matrix lint docs dist clean bench bench-check bench-peers bench-claim bench-latency bench-idle bench-stats bench-stopping

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(STAMP) ## run the example project's jobs on SQLite, or on DATABASE=postgresql or mariadb
	@AIRPORT_GUIDE_DATABASE="$(or $(DATABASE),$(AIRPORT_GUIDE_DATABASE))" $(PYTHON) manage.py demo

serve: $(STAMP) ## open the example project: admin, worker and a trickle of jobs; PORT=8001 for another port
	@AIRPORT_GUIDE_DATABASE="$(or $(DATABASE),$(AIRPORT_GUIDE_DATABASE))" $(PYTHON) manage.py serve $(if $(PORT),--port $(PORT))

test: $(STAMP) ## run all tests on SQLite, and where vendors differ on every database that is found
	@$(PYTHON) -m tests --by-vendor $(if $(WITHOUT),-m "not $(WITHOUT)")

faults: $(STAMP) ## put every fault to the test for hours, and write the report; or TIER=1 for minutes
	@$(if $(filter 0 1,$(TIER)),TEST_TIER=$(TIER) $(PYTHON) -m tests -m faults,$(CAMPAIGN))

faults-selftest: $(STAMP) ## plant known bugs, one at a time: is each found by its test? DATABASE=postgresql for another database
	@$(PYTHON) -m tests.faults.selftest $(if $(DATABASE),--database $(DATABASE))

matrix: $(STAMP) ## run the tests on the other pairs of Python and Django
	@$(VENV)/bin/nox

lint: $(STAMP) ## check style, types and the direction of imports
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	@# Its cache outlives a module that is moved: it would report what was.
	$(VENV)/bin/lint-imports --no-cache

docs: $(STAMP) ## build the documentation into docs/_build/html
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs docs/_build/html

dist: $(STAMP) ## build wheel and sdist into dist/
	rm -rf dist
	$(PYTHON) -m build --outdir dist .

bench: $(STAMP) ## every measure on every database, in rounds; ROUNDS=1 for fewer than 3, ONLY=drain for some, KEEP=1 for the docs
	@$(PYTHON) -m benchmarks $(DATABASE) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) $(if $(WITHOUT),--without $(WITHOUT))
	@$(if $(KEEP),$(PYTHON) -m benchmarks.pages --keep ours)

bench-check: $(STAMP) ## within a minute: has something become much slower than what it is compared with?
	@$(PYTHON) -m benchmarks.check $(DATABASE)

bench-peers: $(STAMP) ## other task queues from PyPI beside ours, in rounds; DATABASE=sqlite for one database, ONLY=huey,oban for some, KEEP=1 for the docs
	@$(PYTHON) -m benchmarks.peers $(if $(DATABASE),--database $(DATABASE)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(JOBS),--jobs $(JOBS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only $(ONLY))
	@$(if $(KEEP),$(PYTHON) -m benchmarks.pages --keep peers)

bench-claim: $(STAMP) ## what a claim costs beside four million jobs, on every database or on DATABASE=postgresql
	@$(PYTHON) -m benchmarks.claim $(DATABASE)

bench-latency: $(STAMP) ## how long a job waits for an idle worker; DATABASE=postgresql for another database
	@$(PYTHON) -m benchmarks.latency $(DATABASE)

bench-idle: $(STAMP) ## what an idle worker costs; DATABASE=postgresql for another database
	@$(PYTHON) -m benchmarks.idle $(DATABASE)

bench-stats: $(STAMP) ## how long counting 1,000,000 jobs takes; DATABASE=postgresql for another database
	@$(PYTHON) -m benchmarks.stats $(DATABASE)

bench-stopping: $(STAMP) ## how fast hung jobs are gone; RUNS=100 for more than 20 of each kind
	@$(PYTHON) -m benchmarks.stopping $(DATABASE) $(if $(RUNS),--runs $(RUNS))

clean: ## remove what was built, the environment and the demo's data
	rm -rf .venv .nox .faults build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf example_project/mail example_project/media example_project/*.sqlite3* example_project/*.log
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@python=$$(.ci/find-python) || exit 1; \
	echo "Making $(VENV) with $$python"; \
	"$$python" -m venv "$(VENV)"

$(STAMP): pyproject.toml | $(VENV)/bin/python
	@echo "Installing into $(VENV)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@
