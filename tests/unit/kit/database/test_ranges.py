"""Ranges of a whole number: whatever the values are, each is in exactly one of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lagoa.kit.database.judged import Found, Judged
from lagoa.kit.database.ranges import edges, ranges

NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3), st.none())


def column(required: bool) -> Judged:
    return Judged("v", Found("v", "bigint", required=required), "t.v", pa.int64(), pa.int64())


@settings(max_examples=60, deadline=None)
@given(values=st.lists(NUMBERS, max_size=12), later=st.lists(NUMBERS, max_size=4), count=st.integers(2, 9))
def test_every_value_is_in_exactly_one_range_also_of_rows_that_come_later(
    values: list[int | None], later: list[int | None], count: int
) -> None:
    known = [value for value in values if value is not None]
    bounds = {"low": min(known, default=None), "high": max(known, default=None)}
    found = ranges("t.v", column(required=False), bounds, count)
    assert len(found) in (0, *range(2, count + 1))
    with duckdb.connect() as db:
        db.execute("create table t (v bigint)")
        db.executemany("insert into t values (?)", [(value,) for value in [*values, *later]] or [(None,)])
        rows = [row for part in found for row in db.execute(f"select v from t where {part.where}").fetchall()]
        everything = db.execute("select v from t").fetchall()
    assert not found or sorted(rows, key=repr) == sorted(everything, key=repr)


@pytest.mark.parametrize(
    ("low", "high", "count", "meant"),
    [(1, 100, 4, [1, 26, 51, 76]), (5, 6, 9, [5, 6]), (0, 0, 3, [0]), (-2, 1, 2, [-2, 0])],
)
def test_edges_are_even(low: int, high: int, count: int, meant: list[int]) -> None:
    assert edges(low, high, count) == meant


@pytest.mark.parametrize("bound", [Decimal("2.5"), 2.5])
def test_numbers_with_a_fraction_are_cut_at_whole_ones(bound: Any) -> None:
    found = ranges("t.v", column(required=True), {"low": bound, "high": Decimal("9.75")}, 2)
    assert [part.where for part in found] == ["t.v < 6", "t.v >= 6"]
