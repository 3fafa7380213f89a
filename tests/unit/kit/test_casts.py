"""Which casts may lose something, told from the types alone."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from lagoa.kit.casts import Risk, risk

INT, BIG, TEXT = pa.int32(), pa.int64(), pa.string()


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        (INT, BIG, Risk.NONE),
        (BIG, INT, Risk.RANGE),
        (INT, pa.decimal128(10, 0), Risk.NONE),
        (INT, pa.decimal128(11, 2), Risk.RANGE),
        (pa.decimal128(18, 0), BIG, Risk.NONE),
        (pa.decimal128(19, 0), BIG, Risk.RANGE),
        (pa.decimal128(10, 2), BIG, Risk.EXACT),
        (pa.decimal128(10, 2), pa.decimal128(12, 4), Risk.NONE),
        (pa.decimal128(10, 2), pa.decimal128(10, 4), Risk.RANGE),
        (pa.decimal128(10, 4), pa.decimal128(12, 2), Risk.EXACT),
        (INT, pa.float64(), Risk.NONE),
        (BIG, pa.float64(), Risk.EXACT),
        (INT, pa.float32(), Risk.EXACT),
        (pa.float32(), pa.float64(), Risk.NONE),
        (pa.float64(), pa.decimal128(10, 2), Risk.EXACT),
        (TEXT, BIG, Risk.TEXT),
        (TEXT, pa.date32(), Risk.EXACT),
        (BIG, TEXT, Risk.NONE),
        (pa.list_(INT), TEXT, Risk.NEVER),
        (pa.list_(INT), pa.list_(BIG), Risk.NONE),
        (pa.list_(BIG), pa.list_(INT), Risk.EXACT),
        (pa.struct([("a", INT)]), pa.struct([("A", BIG), ("b", TEXT)]), Risk.NONE),
        (pa.struct([("a", INT), ("b", INT)]), pa.struct([("a", INT)]), Risk.NEVER),
        (pa.date32(), pa.timestamp("us"), Risk.NONE),
        (pa.timestamp("us"), pa.date32(), Risk.EXACT),
        (pa.date32(), INT, Risk.NEVER),
        (pa.large_string(), pa.string_view(), Risk.NONE),
    ],
)
def test_the_risk_of_a_cast_follows_from_its_types(have: Any, want: Any, expected: Risk) -> None:
    assert risk(have, want) is expected
