# Commerce Coordinator. `make` alone lists what there is; every target makes the virtual environment it needs.

PORT = $(or $(CC_PORT),8140)
DATA = $(or $(CC_DATA),./data)
URL =
PROVIDER =
REFUND =
ARGS =
SEED =
EVENTS = 1000
MINUTES = 5
QUICK =
OLD_ROWS =
PYTHON ?=

VENV := .venv
PY := $(VENV)/bin/python
PRODUCTION_SETTINGS := commerce_coordinator.settings.production
LAYERS := base production opentelemetry test dev docs

# Where migrate, static and shell work: the folder that `make run` uses.
LOCAL_ENV = CC_DATA='$(or $(DATA),./data)' CC_PORT='$(or $(PORT),8140)'

# What the production settings ask of the environment, with values that live as long as one check. The recipe makes the
# folder $$scratch; SQLite stands in there, so that mysqlclient is not needed.
RANDOM_SECRET = $$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')
RANDOM_JWK_SET = $$($(PY) -c 'import pathlib, sys; from commerce_coordinator.settings import local_keys as keys; \
	print(keys.public_set(keys.signing_key(pathlib.Path(sys.argv[1]))))' "$$scratch")
PRODUCTION_ENV = \
	DJANGO_SETTINGS_MODULE=$(PRODUCTION_SETTINGS) \
	COMMERCE_COORDINATOR_CFG= \
	SECRET_KEY="$(RANDOM_SECRET)" \
	ALLOWED_HOSTS=coordinator.example.com \
	DATABASE_URL="sqlite:///$$scratch/check.sqlite3" \
	CELERY_BROKER_URL=redis://127.0.0.1:6379/0 \
	STATIC_ROOT="$$scratch/static" \
	CC_STRIPE_SECRETS="{\"\": [\"whsec_$(RANDOM_SECRET)\"]}" \
	CC_STRIPE_API_KEYS='{"": "rk_live_nobodys"}' \
	CC_LMS_URL_ROOT=https://lms.example.com \
	CC_PUBLIC_URL=https://coordinator.example.com \
	CC_OPERATOR_EMAILS=operator@example.com \
	CC_STOREFRONT_URL=https://shop.example.com/basket/ \
	CC_ORDER_DETAILS_URL=https://shop.example.com/orders/{order_number}/ \
	CC_LMS_CLIENT_ID=coordinator \
	CC_LMS_CLIENT_SECRET="$(RANDOM_SECRET)" \
	CC_LMS_JWT_ISSUER=https://lms.example.com/oauth2 \
	CC_LMS_JWT_AUDIENCE=openedx \
	CC_LMS_JWT_JWK_SET="$(RANDOM_JWK_SET)"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help run demo test test-slow screenshots chaos bench quality validate requirements upgrade migrate static shell docs clean mysqlclient FORCE

help: ## list the targets
	@echo "Usage: make TARGET [NAME=value ...]"
	@echo
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r target text; do printf '  %-14s%s\n' "$$target" "$$text"; done
	@echo
	@echo "Start with 'make run', then 'make demo' in a second terminal. PYTHON=python3.12 names the interpreter for any target."

run: $(VENV)/.base ## start web, worker and relay in this terminal: PORT=8140 DATA=./data
	@exec env $(LOCAL_ENV) $(PY) manage.py run --port '$(or $(PORT),8140)' --data '$(or $(DATA),./data)'

demo: $(VENV)/.base ## send one purchase through the service and show its way: URL=http://localhost:8140 PROVIDER=paypal REFUND=1
	@exec $(PY) manage.py demo $(if $(URL),--url '$(URL)') $(if $(PROVIDER),--provider '$(PROVIDER)') $(if $(filter-out 0,$(REFUND)),--refund)

test: $(VENV)/.test mysqlclient ## run the tests, without the slow ones: ARGS="-k inbox"
	@exec $(PY) -m pytest -m "not slow" $(ARGS)

test-slow: $(VENV)/.test mysqlclient ## run the slow tests: real processes, crashes, outages
	@$(PY) -m pytest -m slow $(ARGS) || { code=$$?; test $$code -eq 5 && echo "No slow test was selected." || exit $$code; }

screenshots: $(VENV)/.test ## bring about the ten incidents and take the pictures of docs/runbooks
	@CC_SCREENSHOTS='$(CURDIR)/docs/images/runbooks' exec $(PY) -m pytest -m slow commerce_coordinator/tests/incidents $(ARGS)

chaos: $(VENV)/.test mysqlclient ## break the whole service for five minutes and count: SEED=7 EVENTS=1000 MINUTES=5
	@exec $(PY) -m commerce_coordinator.tests.chaos --seed '$(SEED)' --events '$(EVENTS)' --minutes '$(MINUTES)'

bench: $(VENV)/.test mysqlclient ## measure the price beside the floor, into docs/: QUICK=1 OLD_ROWS=0
	@exec $(PY) -m benchmarks $(if $(QUICK),--quick) $(if $(OLD_ROWS),--old-rows $(OLD_ROWS)) $(ARGS)

# All steps run, whichever fails, so that one start shows all there is to mend.
quality: $(VENV)/.dev ## lint, format, types, imports, missing migrations, production settings
	@failed=; scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT; \
	step() { name=$$1; shift; echo "=> $$name"; "$$@" || failed="$$failed $$name."; }; \
	step "ruff check" $(PY) -m ruff check --output-format concise .; \
	step "ruff format --check" $(PY) -m ruff format --check --output-format concise .; \
	step "mypy" $(PY) -m mypy --config-file tox.ini; \
	step "import-linter" $(VENV)/bin/lint-imports --no-logo --config tox.ini; \
	step "missing migrations" $(PY) manage.py makemigrations --check --dry-run; \
	step "check --deploy, production settings" \
		env $(PRODUCTION_ENV) $(PY) manage.py check --deploy --fail-level WARNING; \
	test -z "$$failed" || { echo "Failed:$$failed" >&2; exit 1; }

validate: test quality ## all that must pass before a change lands: test and quality

requirements: $(VENV)/.dev mysqlclient ## install what running, testing and developing need

upgrade: $(VENV)/.dev ## compile requirements/*.txt afresh from the .in files, with the newest versions they allow
	@$(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
		echo "Compile on Python 3.11, the oldest we support, or the pins may not install there: make upgrade PYTHON=python3.11" >&2; \
		exit 1; }
	@for layer in $(LAYERS); do \
		echo "requirements/$$layer.txt"; \
		$(PY) -m piptools compile --quiet --upgrade --allow-unsafe --strip-extras --resolver=backtracking \
			--annotation-style=line --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
			--output-file requirements/$$layer.txt requirements/$$layer.in || exit 1; \
	done

migrate: $(VENV)/.base ## bring the database up to date
	@exec env $(LOCAL_ENV) $(PY) manage.py migrate

static: $(VENV)/.base ## collect the static files
	@exec env $(LOCAL_ENV) $(PY) manage.py collectstatic --noinput

shell: $(VENV)/.base ## open a Python shell with the models at hand
	@exec env $(LOCAL_ENV) $(PY) manage.py shell

docs: $(VENV)/.base $(VENV)/.docs ## build the documentation into docs/_build
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build
	@echo "Open docs/_build/index.html"

clean: ## remove .venv, caches and build output; the data folder stays
	rm -rf $(VENV) .tox build dist *.egg-info docs/_build
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find commerce_coordinator docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# ---- The virtual environment --------------------------------------------------------------------------------
# One stamp per layer, newer than the pins it was made from. `.installing` lies there while pip works: where it is
# left over, an installation was interrupted, and the environment is made anew.

# $(call install,LAYER,STAMPS): a layer includes the ones below it, so their stamps are set too.
define install
	@echo "Installing requirements/$(1).txt, about a minute the first time ..."
	@touch $(VENV)/.installing
	@$(PY) -m pip install -qq --no-input --disable-pip-version-check -r requirements/$(1).txt; \
		code=$$?; rm -f $(VENV)/.installing; exit $$code
	@touch $(2)
endef

$(VENV)/.base: requirements/base.txt $(VENV)/.made
	$(call install,base,$@)

$(VENV)/.test: requirements/test.txt $(VENV)/.made
	$(call install,test,$@ $(VENV)/.base)

$(VENV)/.dev: requirements/dev.txt $(VENV)/.made
	$(call install,dev,$@ $(VENV)/.test $(VENV)/.base)

$(VENV)/.docs: requirements/docs.txt $(VENV)/.made
	$(call install,docs,$@)

# mysqlclient has no wheel for Linux: it is built where a compiler and the headers are, and left out elsewhere.
# The tests that need it say so when they are skipped.
mysqlclient: $(VENV)/.made
	@headers=; pin=$$(sed -n 's/^\(mysqlclient==[^ ]*\).*/\1/p' requirements/production.txt); \
	if test "$$(cat $(VENV)/.mysqlclient 2>/dev/null)" = "$$pin"; then exit 0; fi; \
	for library in mysqlclient libmariadb mariadb; do pkg-config --exists $$library 2>/dev/null && headers=yes; done; \
	command -v mysql_config >/dev/null 2>&1 && headers=yes; \
	test -n "$$headers" || exit 0; \
	command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || exit 0; \
	echo "Building $$pin ..."; \
	if $(PY) -m pip install -qq --no-input --disable-pip-version-check "$$pin" >$(VENV)/mysqlclient.log 2>&1; \
	then echo "$$pin" >$(VENV)/.mysqlclient; \
	else echo "It could not be built (see $(VENV)/mysqlclient.log): going on without it."; fi

# Looked at once per start, in a few milliseconds: is the environment whole, of this folder, and of the interpreter
# that PYTHON names?
ENVIRONMENT_IS_WHOLE = \
	test -e $(VENV)/.made && test ! -e $(VENV)/.installing && \
	test "$$(cat $(VENV)/.made)" = "$(CURDIR)" && \
	$(PY) -c 'import importlib.util as u, sys; sys.exit(u.find_spec("pip") is None)' && \
	{ test -z "$(PYTHON)" || test "$$($(PYTHON) -c 'import sys; print(sys.version)')" = "$$($(PY) -c 'import sys; print(sys.version)')"; }

ifneq ($(shell if test -e $(VENV) && ! { $(ENVIRONMENT_IS_WHOLE); }; then echo remake; fi 2>/dev/null),)
$(VENV)/.made: FORCE
endif

# Answers `ok INTERPRETER`, or one sentence that says what to do.
FIND_PYTHON = $(shell found=; \
	for name in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
		if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$name; break; fi; \
	done; \
	if test -z "$$found"; then \
		if test -n "$(PYTHON)"; then \
			version=$$($(PYTHON) --version 2>/dev/null); \
			echo "PYTHON=$(PYTHON) is $${version:-not to be found}, and Python 3.11 or newer is needed: name another one, such as PYTHON=python3.12"; \
		else \
			version=$$(python3 --version 2>/dev/null); \
			echo "Python 3.11 or newer is needed, and python3 here is $${version:-not to be found}: install it, or name yours, such as make run PYTHON=python3.12"; \
		fi; \
	elif ! $$found -c 'import venv, ensurepip' >/dev/null 2>&1; then \
		echo "$$found comes without the venv module: install it (Debian and Ubuntu: apt install python3-venv) and run make again"; \
	else echo "ok $$found"; fi)

# A folder without our stamp may be one that somebody made by hand: it is kept where it is whole and of that version.
$(VENV)/.made:
	$(eval ANSWER := $(FIND_PYTHON))
	$(if $(filter ok,$(firstword $(ANSWER))),,$(error $(ANSWER)))
	@python='$(word 2,$(ANSWER))'; clear=--clear; \
		if test ! -e $@ && test ! -e $(VENV)/.installing && $(PY) -m pip --version >/dev/null 2>&1 && \
			test "$$($(PY) --version)" = "$$($$python --version)"; then clear=; fi; \
		$$python -m venv $$clear $(VENV)
	@echo "$(CURDIR)" >$@
