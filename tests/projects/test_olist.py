"""Olist: real orders, with line breaks inside quotes, in the numbers that its files hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]
ROWS = {
    "orders": 20_000,
    "order_items": 22_618,
    "order_payments": 20_873,
    "order_reviews": 19_986,
    "customers": 20_000,
}


def test_olist_loads_to_the_row_and_knows_each_person_once(shared_data: Path, lagoa: Lagoa, ask: Ask) -> None:
    data = str(shared_data / "olist_sample")
    assert lagoa("init", "olist", "--example", "olist").code == 0
    said = lagoa("run", folder="olist", OLIST_DATA=data)
    assert said.code == 0, said.err
    for stream, rows in ROWS.items():
        for table, expected in ((f"bronze.olist_{stream}", rows), (f"quarantine.bronze_olist_{stream}", 0)):
            assert ask("olist", f"select count(*) as n from {table}", OLIST_DATA=data) == [{"n": expected}], table
    persons = """
        select count(*) as n, count(distinct customer_unique_id) as persons,
            (select count(distinct customer_unique_id) from bronze.olist_customers) as expected
        from gold.customer_360
        """
    found = ask("olist", persons, OLIST_DATA=data)[0]
    assert found["n"] == found["persons"] == found["expected"]
    spent = ask("olist", "select sum(spent) as total from gold.customer_360", OLIST_DATA=data)
    paid = ask("olist", "select sum(payment_value) as total from bronze.olist_order_payments", OLIST_DATA=data)
    assert spent == paid
    assert lagoa("run", folder="olist", OLIST_DATA=data).out.startswith("Nothing to write.")


def test_without_olist_data_the_error_says_what_to_set(lagoa: Lagoa) -> None:
    assert lagoa("init", "olist", "--example", "olist").code == 0
    said = lagoa("run", folder="olist")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error[LG-113]: ${env:OLIST_DATA} is not set")
    assert "sources/olist.yml:" in said.err
    assert "set OLIST_DATA" in said.err


def test_a_folder_that_holds_something_else_is_named(home: Path, lagoa: Lagoa) -> None:
    assert lagoa("init", "olist", "--example", "olist").code == 0
    said = lagoa("run", "-s", "bronze.olist_orders", folder="olist", OLIST_DATA=str(home))
    assert said.code == 1
    assert "error[LG-203]" in said.err
    assert "olist_orders_dataset.csv" in said.err
