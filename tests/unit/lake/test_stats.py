"""Statistics as the Delta log keeps them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagoa.lake.stats import delta_stats
from lagoa.ports import ColumnStats, StagedFile


def told(kind: pa.DataType, low: str | None, high: str | None, **more: Any) -> dict[str, Any]:
    file = StagedFile(Path("f"), 3, 1, {"c": ColumnStats(1, low, high)})
    parsed: dict[str, Any] = json.loads(delta_stats(file, pa.schema([("c", kind)]), **more), parse_float=Decimal)
    return parsed


@pytest.mark.parametrize(
    ("kind", "low", "high", "expected"),
    [
        (pa.int64(), "-5", "9", (-5, 9)),
        (pa.decimal128(38, 2), "-1.10", "99999999999999999.99", (Decimal("-1.10"), Decimal("99999999999999999.99"))),
        (pa.string(), "a", 'é"', ("a", 'é"')),
        (pa.date32(), "2024-01-01", "2024-02-29", ("2024-01-01", "2024-02-29")),
        (
            pa.timestamp("us"),
            "2024-01-01 00:00:00",
            "2024-01-01 00:00:00.5",
            ("2024-01-01T00:00:00", "2024-01-01T00:00:00.5"),
        ),
        (
            pa.timestamp("us", "UTC"),
            "2024-01-01 00:00:00+00",
            "2024-01-02 00:00:00+00",
            ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"),
        ),
        (pa.float64(), "0.1", "1e300", (Decimal("0.1"), Decimal("1e300"))),
        (pa.float32(), "0.1", "0.2", (Decimal("0.10000000149011612"), Decimal("0.20000000298023224"))),
    ],
)
def test_bounds_are_exact(kind: pa.DataType, low: str, high: str, expected: tuple[Any, Any]) -> None:
    stats = told(kind, low, high)
    assert (stats["minValues"]["c"], stats["maxValues"]["c"]) == expected
    assert (stats["numRecords"], stats["nullCount"]) == (3, {"c": 1})


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (pa.string(), "a", "b" * 33),
        (pa.float64(), "nan", "nan"),
        (pa.float64(), "-inf", "1"),
        (pa.float64(), None, "1"),
        (pa.date32(), "-290307-01-01", "2024-01-01"),
        (pa.date32(), "infinity", "infinity"),
        (pa.timestamp("us", "UTC"), "2024-01-01 00:00:00-03", "2024-01-02 00:00:00-03"),
        (pa.timestamp("us"), "2024-01-01 00:00:00 (BC)", "2024-01-01 00:00:00"),
        (pa.bool_(), "false", "true"),
        (pa.binary(), "a", "b"),
    ],
)
def test_what_could_mislead_has_no_bounds(kind: pa.DataType, low: str | None, high: str | None) -> None:
    stats = told(kind, low, high)
    assert stats["minValues"] == stats["maxValues"] == {}
    assert stats["nullCount"] == {"c": 1}


def test_nested_columns_are_left_out_altogether() -> None:
    for kind in (pa.struct([("x", pa.int64())]), pa.list_(pa.int64()), pa.map_(pa.string(), pa.int64())):
        assert told(kind, "1", "2") == {"numRecords": 3, "minValues": {}, "maxValues": {}, "nullCount": {}}


def test_nothing_at_all_is_known_of_a_personal_column() -> None:
    assert told(pa.string(), "a", "b", without={"c"})["nullCount"] == {}


def test_partition_columns_have_no_statistics() -> None:
    file = StagedFile(Path("f"), 3, 1, {"c": ColumnStats(0, "1", "2")}, {"c": "1"})
    assert json.loads(delta_stats(file, pa.schema([("c", pa.int64())])))["nullCount"] == {}
