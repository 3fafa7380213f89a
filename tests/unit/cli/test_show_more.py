"""`lagoa show` finds tables, profiles them, shows their SQL, and lists what a selector chooses."""

from __future__ import annotations

import json

import pytest

from lagoa.testing.cove import Cove
from lagoa.testing.mouth import Lagoa


def test_search_names_the_tables_and_where_the_words_stand(lagoa: Lagoa, cove: Cove) -> None:
    said = lagoa("-C", cove.root, "show", "--search", "number", "customer")
    assert said.out == (
        "silver.customers  table\n"
        "  id: The number of the customer.\n"
        "  description: One row per customer.\n"
        "  file: models/silver/customers.sql\n"
    )
    assert "lagoa show silver.customers" in said.err
    (told,) = json.loads(lagoa("-C", cove.root, "show", "--search", "number", "--json").out)
    assert told["matches"][0]["spans"] == [[4, 10]]
    assert lagoa("-C", cove.root, "show", "--search", "custmer").out == "No table has it; did you mean `customer`?\n"
    assert json.loads(lagoa("-C", cove.root, "show", "--search", "custmer", "--json").out) == []


def test_a_profile_says_from_where_it_knows_and_nothing_of_persons(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    said = lagoa("-C", cove.root, "show", "customers", "--profile")
    assert said.out.splitlines()[:7] == [
        "silver.customers  4 rows, version 0.",
        "",
        "column  null  distinct  min       max    most frequent",
        "──────  ────  ────────  ────────  ─────  ─────────────",
        "id       0 %         4  0         3",
        "cpf      0 %            personal",
        "state   50 %         1  RS        RS     RS 50 %",
    ]
    assert "111.222" not in said.out
    told = json.loads(lagoa("-C", cove.root, "show", "customers", "--profile", "--json").out)
    assert (told["version"], told["rows"], told["queries"]) == (0, 4, 2)
    assert told["columns"][1]["personal"] is True
    assert told["columns"][1]["min"] is None
    view = lagoa("-C", cove.root, "show", "silver.southern", "--profile")
    assert view.out.startswith("silver.southern  2 rows.\n")
    assert "min and max of 0" in view.out
    assert lagoa("-C", cove.root, "show", "gold.revenue", "--profile").code == 1


def test_a_quarantine_s_profile_keeps_raw_rows_to_itself(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill(bad=3)
    told = json.loads(lagoa("-C", cove.root, "show", "quarantine.silver_customers", "--profile", "--json").out)
    raw = next(c for c in told["columns"] if c["name"] == "_raw")
    assert (raw["personal"], raw["min"], raw["top"]) == (True, None, [])


def test_sql_is_what_the_engine_gets(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    said = lagoa("-C", cove.root, "show", "--sql", "gold.revenue")
    assert said.out == (
        "-- all rows; reads silver.customers at version 0\n"
        'select "state" as "state", "revenue" as "revenue" from (\n'
        "select state, sum(spent) as revenue from silver.customers group by all\n"
        ");\n"
    )
    told = json.loads(lagoa("-C", cove.root, "show", "--sql", "gold.revenue", "--json").out)
    assert [statement["what"] for statement in told["statements"]] == ["all rows; reads silver.customers at version 0"]


def test_a_selector_chooses_what_is_listed(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    told = json.loads(lagoa("-C", cove.root, "show", "-s", "layer:silver state:new", "--json").out)
    assert [t["table"] for t in told["tables"]] == ["silver.customers", "silver.southern", "gold.revenue"]


@pytest.mark.parametrize(
    "words",
    [
        ["--search"],
        ["silver.customers", "gold.revenue"],
        ["--sql"],
        ["--profile", "runs"],
        ["--profile", "--sql", "gold.revenue"],
        ["gold.revenue", "-s", "layer:gold"],
        ["gold.revenue", "--column", "state"],
    ],
)
def test_what_cannot_be_asked_together_is_refused(lagoa: Lagoa, cove: Cove, words: list[str]) -> None:
    said = lagoa("-C", cove.root, "show", *words)
    assert said.code == 2
    assert "LG-601" in said.err
    assert "hint:" in said.err
