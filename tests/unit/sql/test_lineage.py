"""Every column of a query is followed to the columns that give its value and to those that decide its rows."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from lagoa.sql.lineage import ColumnLineage, Flow, Origin, QueryLineage, lineage

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "lineage"
SCHEMA = {
    "bronze.customers": ["id", "name", "cpf", "state", "address"],
    "bronze.orders": ["id", "customer_id", "amount", "status", "day", "tags"],
    "bronze.items": ["order_id", "product", "quantity", "price"],
    "bronze.visits": ["customer_id", "score", "seen"],
    "bronze.scores": ["score", "word"],
    "bronze.nodes": ["id", "parent"],
}
"""What the golden queries read; bronze.events and bronze.logs are tables whose columns are not known."""
CASES = sorted(path.stem for path in GOLDEN.glob("*.sql"))


def written(found: QueryLineage) -> str:
    """Write a lineage for a person to check."""
    lines = [_column(column, found) for column in found.columns]
    if found.others:
        values = _flows(found.others.values)
        tables = [f"those of {', '.join(found.others.tables)}"] if found.others.tables else []
        lines.append(f"others: {'; '.join([*tables, *values])}{_doubt(found.others.reason)}")
    lines.append(f"rows: {_list(found.rows) or 'all'}{_doubt(found.rows_unknown)}")
    return "\n".join(lines) + "\n"


def _column(column: ColumnLineage, whole: QueryLineage) -> str:
    parts = _flows(column.values)
    parts += [f"rows of {', '.join(column.rows_of)}"] if column.rows_of else []
    if not parts and not column.unknown:
        parts = ["constant"]
    own = [origin for origin in column.rows if origin not in whole.rows]
    parts += [f"of the rows by {_list(own)}"] if own else []
    return f"{column.name}: {'; '.join(parts)}{_doubt(column.unknown)}".replace(":  [", ": [")


def _flows(values: Mapping[Origin, Flow]) -> list[str]:
    parts = []
    for flow, words in (("copied", "copies"), ("derived", "derives from"), ("counted", "counts")):
        origins = [origin for origin, how in values.items() if how == flow]
        parts += [f"{words} {_list(origins)}"] if origins else []
    return parts


def _list(origins: list[Origin] | tuple[Origin, ...]) -> str:
    return ", ".join(map(str, origins))


def _doubt(reason: str | None) -> str:
    return f" [unknown: {reason}]" if reason else ""


@pytest.mark.parametrize("name", CASES)
def test_a_query_s_lineage_is_the_golden_one(name: str) -> None:
    shown = written(lineage((GOLDEN / f"{name}.sql").read_text("utf-8"), SCHEMA))
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text("utf-8")


def test_every_golden_file_has_its_query() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)
    assert len(CASES) >= 40


def test_a_name_is_found_through_an_unknown_star_and_not_when_it_is_excluded() -> None:
    found = lineage("select * exclude (secret), upper(kind) as kind from bronze.events", SCHEMA)
    column = found.find("User_ID")
    assert column is not None
    assert (dict(column.values), column.unknown) == ({Origin("bronze.events", "User_ID"): "copied"}, None)
    assert found.find("secret") is None
    kind = found.find("kind")
    assert kind is not None
    assert list(kind.values.values()) == ["derived"]


def test_a_column_that_comes_in_two_ways_keeps_the_stronger_one() -> None:
    found = lineage("select concat(name, count(name) over ()) as n, cpf is null as c from bronze.customers", SCHEMA)
    assert [list(column.values.values()) for column in found.columns] == [["derived"], ["counted"]]


def test_what_cannot_be_read_says_so() -> None:
    found = lineage("select from where", SCHEMA)
    assert found.others is not None
    assert found.others.reason == found.rows_unknown == "the query cannot be read"
    deep = lineage("select " + "(" * 3000 + "1" + ")" * 3000, SCHEMA)
    assert deep.others is not None


def test_a_hundred_models_take_less_than_a_second_of_cpu() -> None:
    body = """
    with paid as (select o.*, c.state, c.name from bronze.orders as o join bronze.customers as c on c.id = o.customer_id
      where o.status = 'paid'),
    daily as (select day, state, sum(amount) as total, count(*) as n from paid group by all)
    select d.*, sum(total) over (partition by state order by day) as running, coalesce(v.score, 0) as score
    from daily as d left join bronze.visits as v on v.seen = d.day where d.n > {n}
    """
    lineage(body.format(n=0), SCHEMA)
    began = time.process_time()
    for n in range(100):
        assert len(lineage(body.format(n=n), SCHEMA).columns) == 6
    assert time.process_time() - began < 1
