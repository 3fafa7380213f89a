"""The example customer-360: days of a bank whose applications err, and gold tables that tell the truth.

SOAK=1 makes it a larger bank of another seed, which SEED=… gives again, and lives through more days.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from lagoa import registry
from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]
SOAK = bool(os.environ.get("SOAK"))
SEED = int(os.environ.get("SEED") or (random.randrange(1 << 30) if SOAK else 360))
SIZE, HOW_MANY = (3_000, 7) if SOAK else (300, 3)
DAYS = [str(date(2025, 6, 30) + timedelta(days=n)) for n in range(HOW_MANY)]
GOLD = ("balances", "spend_by_month", "customer_360")


@pytest.fixture
def make(lagoa: Lagoa, home: Path) -> Callable[[str], Path]:
    """Make the example's project, smaller than it is shipped and with more faults."""

    def made(name: str) -> Path:
        assert lagoa("init", name, "--example", "customer-360").code == 0
        source = home / name / "sources/bank.yml"
        text = source.read_text("utf-8").replace("size: 2000", f"size: {SIZE}").replace("seed: 360", f"seed: {SEED}")
        faults = "{late: 5%, duplicated: 3%, corrected: 5%, deleted: 3%, drift: 2025-07-02}"
        source.write_text(re.sub(r"faults: \{.*\}", f"faults: {faults}", text), "utf-8")
        return home / name

    return made


def truth(project: Path, until: str) -> duckdb.DuckDBPyConnection:
    """Give every table as it is at the end of a day, by the source itself."""
    keys = yaml.safe_load((project / "sources/bank.yml").read_text("utf-8"))
    bank: Any = registry.adapter("sources", "generate")(**{**keys, "until": until})
    found = duckdb.connect()
    for name in bank.streams:
        found.execute(f"create table {name} as {bank.truth(name)}")
    return found


def rows(ask: Ask, project: Path, sql: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(str, row.values())) for row in ask(project.name, sql)), key=repr)


def true_rows(true: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(str, row)) for row in true.execute(sql).fetchall()), key=repr)


TRUE = {
    "select account_id, balance::varchar as b, transactions from gold.balances": """
        select a.account_id, (opening_balance + coalesce(sum(amount), 0))::decimal(14, 2), count(t.account_id)
        from accounts a left join transactions t using (account_id) group by a.account_id, opening_balance""",
    "select customer_id, month::varchar as m, spent::varchar as s, payments from gold.spend_by_month": """
        select customer_id, date_trunc('month', happened_at)::date, sum(-amount)::decimal(14, 2), count(*)
        from transactions join accounts using (account_id) where amount < 0 group by 1, 2""",
    "select order_id, total::varchar as t from silver.orders": """
        select order_id, total from orders where status = 'paid'""",
    "select visit_id, customer_id from silver.visits": """
        select visit_id, customer_id from visits where customer_id is not null""",
    "select customer_id, cpf from silver.customers": """
        select customer_id, regexp_replace(cpf, '\\D', '', 'g') from customers where fault is null""",
    "select customer_id, city, postal_code from silver.addresses where is_current": """
        select customer_id, city, postal_code from customers""",
    "select customer_id, orders, visits, last_visit_at::varchar as l from gold.customer_360": """
        select c.customer_id, (select count(*) from orders o where o.customer_id = c.customer_id and status = 'paid'),
            count(v.visit_id), coalesce(max(visited_at)::varchar, 'None')
        from customers c left join visits v using (customer_id) where c.fault is null group by 1""",
}


@pytest.mark.slow
def test_days_of_faults_end_in_what_is_true_and_in_what_one_reading_gives(
    make: Callable[[str], Path], lagoa: Lagoa, ask: Ask
) -> None:
    daily = make("daily")
    for day in DAYS:
        said = lagoa("run", "-q", folder="daily", BANK_TODAY=day)
        assert said.code == 0, said.err
        true = truth(daily, day)
        for told, is_so in TRUE.items():
            expected = true_rows(true, is_so)
            assert expected
            assert rows(ask, daily, told) == expected, f"seed {SEED}, {day}: {told}"
    assert lagoa("run", folder="daily", BANK_TODAY=DAYS[-1]).out.startswith("Nothing to write.")
    at_once = make("at_once")
    assert lagoa("run", "-q", folder="at_once", BANK_TODAY=DAYS[-1]).code == 0
    for table in GOLD:
        whole = rows(ask, at_once, f"from gold.{table}")
        assert whole
        assert rows(ask, daily, f"from gold.{table}") == whole, table
    refused = ask("daily", "select distinct _reason from quarantine.silver_customers")
    assert [row["_reason"] for row in refused] == ["cpf_is_right in"]
    assert "device" in ask("daily", "from bronze.bank_transactions limit 1")[0]


def test_the_bank_s_own_test_passes_and_its_cards_numbers_never_land(
    make: Callable[[str], Path], lagoa: Lagoa, ask: Ask
) -> None:
    bank = make("bank")
    assert lagoa("test", folder="bank").code == 0
    assert lagoa("run", "-q", "-s", "bronze.bank_cards", folder="bank").code == 0
    assert "number" not in ask("bank", "from bronze.bank_cards limit 1")[0]
    assert not [p for p in (bank / "lake").rglob("*") if p.is_file() and b"**** ****" in p.read_bytes()]
