"""Parquet files keep their values exactly, or say which column cannot be kept."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.adapters.sources.files.conftest import Loaded

from lagoa.errors import SourceError

Load = Callable[..., Loaded]
Put = Callable[[str, bytes], None]
NS, NS_UTC = pa.timestamp("ns"), pa.timestamp("ns", tz="America/Sao_Paulo")
TIMES: list[tuple[pa.DataType, Any, Any, Any]] = [
    (NS, 2_000, 2_001, datetime(1970, 1, 1, microsecond=2)),
    (NS_UTC, 2_000, 2_001, datetime(1970, 1, 1, microsecond=2, tzinfo=UTC)),
    (pa.list_(NS), [None, 2_000], [2_000, 2_001], [None, datetime(1970, 1, 1, microsecond=2)]),
    (pa.struct([("at", NS_UTC)]), {"at": 0}, {"at": 1}, {"at": datetime(1970, 1, 1, tzinfo=UTC)}),
]


def parquet(**columns: Any) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


@pytest.mark.parametrize(("kind", "whole", "finer", "value"), TIMES, ids=[str(kind) for kind, *_ in TIMES])
def test_nanoseconds_are_kept_as_microseconds_where_that_loses_nothing(
    load: Load, put: Put, kind: pa.DataType, whole: Any, finer: Any, value: Any
) -> None:
    put("a.parquet", parquet(t=pa.array([whole, None], kind)))
    assert load({"path": "a.parquet"}).column("t") == [value, None]
    put("b.parquet", parquet(t=pa.array([whole, finer], kind)))
    with pytest.raises(duckdb.Error, match=r"b\.parquet: column t holds nanoseconds; declare it as text"):
        load({"path": "b.parquet"})


def test_decimals_of_more_digits_than_can_be_kept_are_an_error_and_may_be_left_out(load: Load, put: Put) -> None:
    wide = pa.array([Decimal("1" * 50 + ".25")], pa.decimal256(60, 2))
    exact = pa.array([Decimal("9" * 36 + ".25")], pa.decimal128(38, 2))
    put("a.parquet", parquet(id=[1], exact=exact, wide=wide))
    with pytest.raises(SourceError, match="column wide holds decimals of 60 digits, of which 38 can be kept") as caught:
        load({"path": "a.parquet"})
    assert caught.value.code == "LG-204"
    left = load({"path": "a.parquet", "columns": {"wide": {"drop": True}}})
    assert left.rows == [{"id": 1, "exact": Decimal("9" * 36 + ".25"), "_source": "a.parquet:1"}]


def test_a_wide_decimal_inside_lists_of_structs_is_found_in_its_own_column(load: Load, put: Put) -> None:
    kind = pa.list_(pa.struct([("n", pa.int64()), ("w", pa.decimal256(40, 0))]))
    nested = pa.array([[{"n": 1, "w": Decimal(1)}]], kind)
    put("a.parquet", parquet(before=[{"x": [1]}], nested=nested, after=[{"y": 1}]))
    with pytest.raises(SourceError, match="column nested holds decimals of 40 digits"):
        load({"path": "a.parquet"})
    assert load({"path": "a.parquet", "columns": {"nested": {"drop": True}}}).column("after") == [{"y": 1}]
