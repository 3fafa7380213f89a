"""Names of tables."""

from __future__ import annotations

import pytest

from lagoa.spec.names import TableName, bronze, is_name, name_for


def test_a_name_reads_back() -> None:
    assert TableName.parse("silver.orders") == TableName("silver", "orders")
    assert str(TableName("silver", "orders")) == "silver.orders"
    assert str(bronze("erp", "orders")) == "bronze.erp_orders"


@pytest.mark.parametrize(
    "text", ["orders", "silver.", ".orders", "a.b.c", "silver.Orders", "silver.1st", "silver.é", ""]
)
def test_what_is_not_layer_and_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write layer\.name"):
        TableName.parse(text)


def test_a_quarantine_table_knows_what_it_guards() -> None:
    name = TableName("bronze", "erp_orders")
    assert str(name.quarantine) == "quarantine.bronze_erp_orders"
    assert name.quarantine.guarded == name
    assert name.guarded == name


def test_names_have_a_length() -> None:
    assert is_name("a" * 120)
    assert not is_name("a" * 121)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ç", "c"),
        ("Região - 2024", "regiao_2024"),
        ("2024", "t_2024"),
        ("_x", "_x"),
        ("表", "t_"),
        ("É" * 200, "e" * 120),
    ],
)
def test_the_nearest_name_keeps_the_letters_below_the_accents(text: str, name: str) -> None:
    assert name_for(text) == name
    assert is_name(name)
