# The whole developer interface. Each target makes its own .venv when there is none.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# one more than there are cores, for some tests wait; each may start servers of its own
WORKERS := $(shell $(PYTHON) -c 'import os; print(min(8, 1 + (os.cpu_count() or 1)))')

.PHONY: demo test check bench golden docs soak clean

demo: $(READY) ## Run the northwind example through bronze, silver and gold
	@rm -rf demo
	@$(BIN)/lagoa init demo --example northwind
	@cd demo && ../$(BIN)/lagoa run
	@cd demo && ../$(BIN)/lagoa show
	@cd demo && ../$(BIN)/lagoa query "select * from gold.revenue_by_tenant order by tenant"
	@printf '\nThe project stands in demo/. Next:\n  cd demo\n  ../$(BIN)/lagoa plan\n  ../$(BIN)/lagoa query "select * from quarantine.silver_employees"\n'

test: $(READY) ## Run every test; a missing server is skipped with its install command, in CI that is a failure
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup --durations=20

check: $(READY) ## Lint, types, import contracts, house rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/house

bench: $(READY) ## Time Lagoa and the alternative in turn; print the ratios
	@for script in bench/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

golden: $(READY) ## Write the golden files again; read the diff before you commit it
	@GOLDEN=write $(BIN)/python -m pytest -q tests -k golden

docs: $(READY) ## Write the generated pages of docs/reference again
	@$(BIN)/python docs/generate.py

SOAKED := tests/faults tests/projects/test_histories.py tests/projects/test_incremental.py tests/projects/test_scd2.py tests/projects/test_time.py tests/projects/test_customer360_example.py tests/unit/sql/incremental

soak: $(READY) ## Kills, races and random histories for longer; SEED=… lives through the same histories again
	@SOAK=1 $(BIN)/python -m pytest -q --log-cli-level=WARNING $(SOAKED)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lagoa needs Python 3.11 or newer; say make PYTHON=python3.12")'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable '.[dbt,excel,mysql,oracle,postgres,sqlserver]' --group dev
	@touch $@

clean: ## Remove what the targets made
	rm -rf $(VENV) demo bench/work .pytest_cache .mypy_cache .ruff_cache
