# What each check consists of stands in launcher/testing.py, once.
PYTHON := .venv/bin/python

.PHONY: help check test fast live kubernetes e2e bench shots messages format up down

help: ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

up: ## Start Berth.
	./berth up

down: ## End it.
	./berth down

check: ## Lint, formatting, types, import rules, templates, migrations.
	./berth test checks

test: ## All checks and tests, with everything they need.
	./berth test

fast: ## The tests that need no engine and no browser.
	./berth test fast

live: ## The tests against a real Swarm.
	./berth test live

kubernetes: ## The tests against a real Kubernetes.
	./berth test kubernetes

e2e: ## The tests in a real browser.
	./berth test e2e e2e-kubernetes

bench: ## Measure, and write docs/benchmarks.md.
	$(PYTHON) -m benchmarks

shots: ## Make the README's screenshots.
	$(PYTHON) -m scripts.screenshots

messages: ## Gather the strings to translate, then compile the translations.
	./berth manage makemessages --locale zh_Hans --no-obsolete --no-wrap --add-location file --ignore node_modules --ignore .venv --ignore var --ignore tests --ignore benchmarks
	./berth manage compilemessages --ignore .venv --ignore node_modules --ignore var

format: ## Put code into its standard form.
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .
