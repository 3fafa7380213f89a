"""Partition values: as Delta writes them, or refused before the commit."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lagoa.errors import LakeError
from lagoa.lake.partition import normal


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        (pa.string(), " a/b ", " a/b "),
        (pa.string(), None, None),
        (pa.int32(), "-7", "-7"),
        (pa.decimal128(9, 2), "1.50", "1.50"),
        (pa.float64(), "0.5", "0.5"),
        (pa.bool_(), "True", "true"),
        (pa.date32(), "2026-01-02", "2026-01-02"),
        (pa.timestamp("us"), "2026-01-02 03:04:05.5", "2026-01-02 03:04:05.5"),
        (pa.timestamp("us", "UTC"), "2026-01-02 03:04:05+00", "2026-01-02T03:04:05Z"),
    ],
)
def test_values_are_written_as_delta_reads_them(kind: pa.DataType, text: str | None, written: str | None) -> None:
    assert normal("t", {"c": text}, pa.schema([("c", kind)])) == {"c": written}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pa.string(), ""),
        (pa.float64(), "nan"),
        (pa.float64(), "inf"),
        (pa.date32(), "12026-01-02"),
        (pa.timestamp("us"), "2026-01-02 03:04:05+00"),
        (pa.timestamp("us", "UTC"), "2026-01-02 03:04:05-03"),
        (pa.timestamp("us", "UTC"), "infinity"),
        (pa.binary(), "x"),
        (pa.int64(), "1e3"),
    ],
)
def test_what_would_close_the_table_is_refused_before_the_commit(kind: pa.DataType, text: str) -> None:
    with pytest.raises(LakeError) as raised:
        normal("t", {"c": text}, pa.schema([("c", kind)]))
    assert raised.value.code == "LG-308"
