"""Whole batches: which values no Delta table holds, and where rows come from."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lagoa.kit.arrow import FIRST_DAY, FIRST_MICROSECOND, LAST_DAY, LAST_MICROSECOND, odd_days, odd_numbers, origins


def test_the_bounds_are_the_years_1_to_9999() -> None:
    assert pa.scalar(FIRST_DAY, pa.date32()).as_py() == datetime.date.min
    assert pa.scalar(LAST_DAY, pa.date32()).as_py() == datetime.date.max
    assert pa.scalar(FIRST_MICROSECOND, pa.timestamp("us")).as_py() == datetime.datetime.min
    assert pa.scalar(LAST_MICROSECOND, pa.timestamp("us")).as_py() == datetime.datetime.max


@pytest.mark.parametrize(
    ("kind", "storage", "low", "high"),
    [
        (pa.date32(), pa.int32(), FIRST_DAY, LAST_DAY),
        (pa.timestamp("us"), pa.int64(), FIRST_MICROSECOND, LAST_MICROSECOND),
        (pa.timestamp("us", "UTC"), pa.int64(), FIRST_MICROSECOND, LAST_MICROSECOND),
    ],
)
def test_days_outside_are_found_and_nulls_are_not(kind: Any, storage: Any, low: int, high: int) -> None:
    assert odd_days(pa.array([low, None, high], storage).view(kind)) is None
    assert odd_days(pa.array([None, None], storage).view(kind)) is None
    found = odd_days(pa.array([low - 1, None, 0, high + 1], storage).view(kind))
    assert found is not None
    assert found.to_pylist() == [True, False, False, True]


def test_texts_that_are_no_numbers_are_found() -> None:
    assert odd_numbers(pa.array(["1.5", None])) is None
    found = odd_numbers(pa.array(["NaN", None, "-Infinity", "0"]))
    assert found is not None
    assert found.to_pylist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([], ["t", "t"]),
        ([pa.array([1, None])], ["t@1", "t"]),
        ([pa.array(["a", "b"]), pa.array([Decimal("1.50"), None])], ["t@a,1.50", "t"]),
        ([pa.array([True, False]), pa.array([0, 1], pa.date32())], ["t@true,1970-01-01", "t@false,1970-01-02"]),
    ],
)
def test_origins_name_the_values_or_the_stream_alone(columns: list[Any], said: list[str]) -> None:
    assert origins("t", columns, 2).to_pylist() == said
