"""Northwind: three tenants, the same eight files, one table per kind."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]
TENANTS = ("c&a", "netshoes", "renner")
KINDS = ("categories", "customers", "employees", "orderdetails", "orders", "products", "shippers", "suppliers")


def test_every_row_of_every_tenant_lands_in_one_table_per_kind(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    assert lagoa("init", "wind", "--example", "northwind").code == 0
    said = lagoa("run", folder="wind")
    assert said.code == 0, said.err
    for kind in KINDS:
        expected = {}
        for tenant in TENANTS:
            with (home / f"wind/data/{tenant}/{kind}.csv").open(encoding="utf-8", newline="") as file:
                expected[tenant] = sum(1 for _ in csv.reader(file, delimiter=";")) - 1
        sql = f"select tenant, count(*) as n from bronze.northwind_{kind} group by all"
        assert {row["tenant"]: row["n"] for row in ask("wind", sql)} == expected, kind

    twice = ask("wind", "select _reason, _raw from quarantine.silver_employees")
    assert {row["_reason"] for row in twice} == {"one number per person"}
    assert all("Dodsworth" in row["_raw"] and "c&a" in row["_raw"] for row in twice)

    waiting = ask("wind", "select count(*) as n from silver.orders where shipped_on is null")
    assert waiting == [{"n": 63}]
    typed = "select typeof(ordered_on) as a, typeof(freight) as b from silver.orders limit 1"
    assert ask("wind", typed) == [{"a": "DATE", "b": "DECIMAL(12,2)"}]

    revenue = ask("wind", "select tenant, revenue from gold.revenue_by_tenant order by tenant")
    assert revenue == [{"tenant": tenant, "revenue": 1354458.59} for tenant in TENANTS]
    columns = ask("wind", "select * from bronze.northwind_employees limit 1")[0]
    assert not {"notes", "photopath"} & set(columns)
    assert lagoa("run", folder="wind").out.startswith("Nothing to write.")


def test_a_fourth_tenant_needs_no_new_line(home: Path, lagoa: Lagoa, ask: Ask) -> None:
    import shutil

    assert lagoa("init", "wind", "--example", "northwind").code == 0
    assert lagoa("run", "-q", folder="wind").code == 0
    shutil.copytree(home / "wind/data/renner", home / "wind/data/riachuelo")
    assert lagoa("run", "-q", folder="wind").code == 0
    assert len(ask("wind", "from gold.revenue_by_tenant")) == 4
