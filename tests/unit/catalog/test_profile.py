"""A profile says what columns hold, takes from the log what it can, and nothing of what is personal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lagoa.catalog.profile import ColumnProfile, Profile, personal_or_raw, profile
from lagoa.lake.table import bind
from lagoa.testing.shore import ORDERS, Shore

ROWS = """
select i::bigint as id,
  case when i % 4 = 0 then null when i % 4 = 1 then 'a' else 'b' end as word,
  ('cpf ' || i)::varchar as cpf,
  (i / 4)::decimal(9, 2) as amount,
  i::double as number,
  date '2026-01-01' + i::integer as day,
  timestamptz '2026-01-01 10:00:00.5+00' + to_days(i::integer) as at,
  repeat('x', 40) || i as long,
  [i] as list, i % 2 = 0 as even, null::integer as nothing
from range({first}, {last}) t(i)
"""


@pytest.fixture
def shore(tmp_path: Any, session: Any) -> Shore:
    shore = Shore(tmp_path, session)
    shore.publish(ROWS.format(first=0, last=60), personal=["cpf"])
    shore.publish(ROWS.format(first=60, last=100), personal=["cpf"])
    return shore


def _profiled(shore: Shore, asked: list[str] | None = None) -> Profile:
    table = shore.lake.open(ORDERS)
    bind(shore.session, "shown", table)

    def ask(sql: str) -> list[tuple[Any, ...]]:
        if asked is not None:
            asked.append(sql)
        return shore.session.rows(sql)

    return profile(table, "shown", table.schema, personal_or_raw({"cpf": "cpf"}), ask)


def _columns(found: Profile) -> dict[str, ColumnProfile]:
    return {column.name: column for column in found.columns}


def test_the_log_and_the_engine_tell_the_same(shore: Shore) -> None:
    mixed = _profiled(shore)
    table = shore.lake.open(ORDERS)
    bind(shore.session, "shown", table)
    asked = profile(None, "shown", table.schema, personal_or_raw({"cpf": "cpf"}), shore.session.rows)
    assert mixed.rows == asked.rows == 100
    for one, other in zip(mixed.columns, asked.columns, strict=True):
        assert other.nulls_from == "query"
        assert (one.name, one.nulls, one.distinct, one.low, one.high, one.top) == (
            other.name, other.nulls, other.distinct, other.low, other.high, other.top,
        )  # fmt: skip
    logged = {name for name, column in _columns(mixed).items() if column.bounds_from == "log"}
    assert logged == {"id", "word", "amount", "number", "day", "at", "nothing"}


def test_it_says_how_many_are_null_distinct_least_greatest_and_frequent(shore: Shore) -> None:
    word = _columns(_profiled(shore))["word"]
    assert (word.nulls, word.distinct, word.exact, word.low, word.high) == (25, 2, True, "a", "b")
    assert word.top == [("b", 50), ("a", 25)]
    assert word.to_json(100)["null_share"] == 0.25
    empty = _columns(_profiled(shore))["nothing"]
    assert (empty.nulls, empty.distinct, empty.low, empty.high, empty.top) == (100, 0, None, None, [])
    assert _columns(_profiled(shore))["id"].top == []  # once each: none is frequent


def test_of_a_personal_column_only_the_nulls_are_asked(shore: Shore) -> None:
    asked: list[str] = []
    found = _profiled(shore, asked)
    cpf = _columns(found)["cpf"]
    assert (cpf.personal, cpf.nulls, cpf.nulls_from) == (True, 0, "query")
    assert (cpf.distinct, cpf.low, cpf.high, cpf.top, cpf.bounds_from) == (None, None, None, [], None)
    assert [sql.count('"cpf"') for sql in asked] == [1, 0]
    assert "cpf 1" not in json.dumps([column.to_json(found.rows) for column in found.columns])
    assert personal_or_raw({"cpf": "cpf"}) == {"cpf", "_raw"}


def test_two_queries_are_enough_and_many_distinct_values_are_estimated(shore: Shore) -> None:
    rows = "select i as id, i % 3 as few from range(30_000) t(i)"
    shore.publish(rows, "replace")
    asked: list[str] = []
    columns = _columns(_profiled(shore, asked))
    assert len(asked) == 2
    assert (columns["few"].distinct, columns["few"].exact) == (3, True)
    assert not columns["id"].exact
    assert 25_000 < (columns["id"].distinct or 0) <= 30_000


def test_files_of_another_writer_are_not_trusted_for_their_statistics(shore: Shore) -> None:
    table = shore.lake.open(ORDERS)
    table.live.optimize.compact()
    trusted = _columns(profile(shore.lake.open(ORDERS), "shown", table.schema, (), _asker(shore)))
    assert {column.nulls_from for column in trusted.values()} == {"query"}


def _asker(shore: Shore) -> Any:
    bind(shore.session, "shown", shore.lake.open(ORDERS))
    return shore.session.rows
