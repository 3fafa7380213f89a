"""The golden lineages are true of the engine: what a column does not name can change, and the column stays as it is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lagoa.sql.lineage import Origin, QueryLineage, lineage

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "lineage"
TYPES = {
    "bronze.customers": {
        "id": "key",
        "name": "text",
        "cpf": "text",
        "state": "text",
        "address": "struct(city varchar, zip varchar, geo struct(k varchar))",
    },
    "bronze.orders": {
        "id": "key",
        "customer_id": "number",
        "amount": "number",
        "status": "text",
        "day": "date",
        "tags": "varchar[]",
    },
    "bronze.items": {"order_id": "key", "product": "text", "quantity": "number", "price": "number"},
    "bronze.visits": {"customer_id": "number", "score": "number", "seen": "date"},
    "bronze.scores": {"score": "number", "word": "text"},
    "bronze.nodes": {"id": "key", "parent": "number"},
    "bronze.events": {"id": "key", "user_id": "number", "day": "date", "kind": "text", "secret": "text"},
    "bronze.logs": {"text": "text"},
}
UNKNOWN = ("bronze.events", "bronze.logs")
SCHEMA = {table: list(columns) for table, columns in TYPES.items() if table not in UNKNOWN}
SQL = {"key": "bigint", "number": "bigint", "text": "varchar"}
WORDS = ["RS", "SP", "paid", "void", "apple", "click", "a", "", None]
NOT_RUN = {"column_that_is_not_there"}
CASES = sorted(path.stem for path in GOLDEN.glob("*.sql") if path.stem not in NOT_RUN)
ROWS = 9

Data = dict[str, dict[str, list[Any]]]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set threads = 1; create schema bronze")
        for table, columns in TYPES.items():
            shown = ", ".join(f"{name} {SQL.get(kind, kind)}" for name, kind in columns.items())
            connection.execute(f"create table {table} ({shown})")
        yield connection


def _column(kind: str, chance: random.Random) -> list[Any]:
    if kind == "key":
        return chance.sample(range(1, ROWS + 3), ROWS)
    if kind == "number":
        return [chance.choice([None, 1, 2, 3, 4, 5, 6]) for _ in range(ROWS)]
    if kind == "date":
        return [f"2026-01-{chance.randint(1, 20):02}" for _ in range(ROWS)]
    words = [[chance.choice(WORDS) for _ in range(3)] for _ in range(ROWS)]
    if kind == "varchar[]":
        return [row[: chance.randint(0, 3)] for row in words]
    if kind == "text":
        return [row[0] for row in words]
    return [{"city": row[0], "zip": row[1], "geo": {"k": row[2]}} for row in words]


def _filled(engine: duckdb.DuckDBPyConnection, data: Data, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    for table, columns in data.items():
        engine.execute(f"truncate {table}")
        marks = ", ".join("?" for _ in columns)
        engine.executemany(f"insert into {table} values ({marks})", list(zip(*columns.values(), strict=True)))
    found = engine.execute(sql)
    return [column[0] for column in found.description or ()], found.fetchall()


def _needs(found: QueryLineage, place: int, name: str) -> set[Origin] | None:
    """Name what a column may depend on; None when that is not known."""
    column = found.columns[place] if found.others is None else found.find(name)
    assert column is not None, name
    if column.unknown or column.rows_unknown:
        return None
    return {*column.values, *column.rows}


PIVOTED = {
    "pivot_statement": ("bronze.items", "product", "apple"),
    "pivot_of_an_unknown_table": ("bronze.events", "kind", "click"),
}


def _make_sure(name: str, data: Data) -> None:
    """Let the value be there of which a pivot makes the column that the query names."""
    if name in PIVOTED:
        table, column, value = PIVOTED[name]
        data[table][column][0] = value


def _stirred(data: Data, kept: set[Origin], chance: random.Random) -> Data:
    """Make all columns anew that are not to be kept."""
    return {
        table: {
            name: held if Origin(table, name) in kept else _column(TYPES[table][name], chance)
            for name, held in columns.items()
        }
        for table, columns in data.items()
    }


def _values(rows: list[tuple[Any, ...]], place: int) -> Mapping[str, int]:
    return Counter(repr(row[place]) for row in rows)


@pytest.mark.parametrize("name", CASES)
def test_a_column_depends_on_nothing_that_its_lineage_does_not_name(
    name: str, engine: duckdb.DuckDBPyConnection
) -> None:
    sql = (GOLDEN / f"{name}.sql").read_text("utf-8")
    found, chance = lineage(sql, SCHEMA), random.Random(name)  # nothing secret is drawn
    for _ in range(3):
        data = {t: {c: _column(k, chance) for c, k in columns.items()} for t, columns in TYPES.items() if t in sql}
        _make_sure(name, data)
        names, before = _filled(engine, data, sql)
        if found.others is None:
            assert found.names == names
        for place, column in enumerate(names):
            needs = _needs(found, place, column)
            if needs is not None:
                stirred = _stirred(data, needs, chance)
                _make_sure(name, stirred)
                _, after = _filled(engine, stirred, sql)
                assert _values(after, place) == _values(before, place), column


def test_a_lineage_that_forgets_a_column_would_be_noticed(engine: duckdb.DuckDBPyConnection) -> None:
    sql, chance = (
        "select sum(amount) as total from bronze.orders where status = 'paid'",
        random.Random(1),
    )  # nothing secret
    data = {"bronze.orders": {c: _column(k, chance) for c, k in TYPES["bronze.orders"].items()}}
    _, before = _filled(engine, data, sql)
    without = {Origin("bronze.orders", "amount")}
    seen = [_filled(engine, _stirred(data, without, chance), sql)[1] for _ in range(9)]
    assert any(_values(after, 0) != _values(before, 0) for after in seen)
