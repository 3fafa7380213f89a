"""`lagoa show TABLE --lineage` draws where columns come from and where they go."""

from __future__ import annotations

import json

from lagoa.testing.cove import Cove
from lagoa.testing.mouth import Lagoa


def test_a_table_s_columns_are_drawn_back_to_the_streams(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    said = lagoa("-C", cove.root, "show", "gold.revenue", "--lineage")
    assert said.code == 0
    assert said.out == (
        "gold.revenue  reads silver.customers\n"
        "\n"
        "comes from\n"
        "state\n"
        "└─ silver.customers.state\n"
        "   └─ bronze.erp_customers.state  stream customers of erp\n"
        "revenue\n"
        "└─ silver.customers.spent  derived\n"
        "   └─ bronze.erp_customers.spent  stream customers of erp\n"
        "its rows by silver.customers.state\n"
        "\n"
        "goes to\n"
        "nothing in the project reads it\n"
    )
    assert "lagoa show gold.revenue --lineage --column state" in said.err


def test_one_column_is_drawn_in_one_direction(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    said = lagoa("-C", cove.root, "show", "bronze.erp_customers", "--lineage", "--column", "CPF", "--downstream")
    assert said.out == (
        "bronze.erp_customers  stream customers of erp\n"
        "\n"
        "goes to\n"
        "cpf\n"
        "└─ silver.customers.cpf\n"
        "   └─ silver.southern.cpf\n"
    )


def test_lineage_is_json_too(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    said = lagoa("-C", cove.root, "show", "silver.southern", "--lineage", "--column", "id", "--upstream", "--json")
    told = json.loads(said.out)
    assert told["table"] == "silver.southern"
    assert told["rows"] == [{"table": "silver.customers", "column": "state"}]
    (column,) = told["columns"]
    assert column["column"] == "id"
    (step,) = column["upstream"]
    assert (step["table"], step["column"], step["how"]) == ("silver.customers", "id", "copied")
    assert "downstream" not in column


def test_a_column_that_is_not_there_names_the_closest(lagoa: Lagoa, cove: Cove) -> None:
    said = lagoa("-C", cove.root, "show", "silver.customers", "--lineage", "--column", "stat")
    assert said.code == 2
    assert "did you mean `state`?" in said.err


def test_options_that_need_a_table_or_lineage_say_so(lagoa: Lagoa, cove: Cove) -> None:
    assert "--lineage is of one table" in lagoa("-C", cove.root, "show", "--lineage").err
    assert "go with --lineage" in lagoa("-C", cove.root, "show", "silver.customers", "--upstream").err


def test_what_is_inherited_is_marked(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    (cove.root / "models/silver/southern.sql").write_text(
        "/*\nkind: view\n*/\nselect id, cpf as document from silver.customers\n", encoding="utf-8"
    )
    said = lagoa("-C", cove.root, "show", "silver.southern")
    assert "111.222" not in said.out
    assert "cpf (inherited)" in said.out
    assert "The number of the customer. (inherited)" in said.out
    assert "owner erp@example.com (inherited)" in said.out
    told = json.loads(lagoa("-C", cove.root, "show", "silver.southern", "--json").out)
    assert told["columns"][1]["pii_from"] == ["bronze.erp_customers.cpf"]
    assert told["owner_inherited"]
    assert told["sample"][0]["document"] == "***"
