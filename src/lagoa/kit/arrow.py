"""Work on whole Arrow batches: finding values that a Delta table cannot hold, and saying where rows come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

FIRST_DAY, LAST_DAY = -719162, 2932896
"""0001-01-01 and 9999-12-31 as days since 1970: what every reader of Delta agrees on."""
_DAY = 86_400_000_000
FIRST_MICROSECOND, LAST_MICROSECOND = FIRST_DAY * _DAY, (LAST_DAY + 1) * _DAY - 1


def plain(column: pa.Array) -> pa.Array:
    """Take an extension array apart when its values are text; others stay as they are."""
    if isinstance(column, pa.ExtensionArray) and pa.types.is_string(column.type.storage_type):
        return column.storage
    return column


def odd_days(column: pa.Array) -> pa.Array | None:
    """Say which dates or timestamps lie outside the years 1 to 9999; None: not one."""
    if pa.types.is_date32(column.type):
        return _outside(column.view(pa.int32()), FIRST_DAY, LAST_DAY)
    return _outside(column.view(pa.int64()), FIRST_MICROSECOND, LAST_MICROSECOND)


def odd_numbers(column: pa.Array) -> pa.Array | None:
    """Say which numbers written as text are NaN or infinite; None: not one."""
    found = pc.is_in(column, value_set=pa.array(["NaN", "Infinity", "-Infinity"]))
    return found if pc.any(found).as_py() else None


def _outside(numbers: pa.Array, low: int, high: int) -> pa.Array | None:
    bounds = pc.min_max(numbers).as_py()
    if bounds["min"] is None or (bounds["min"] >= low and bounds["max"] <= high):
        return None
    return pc.fill_null(pc.or_(pc.less(numbers, low), pc.greater(numbers, high)), False)


def any_of(masks: Sequence[pa.Array]) -> pa.Array:
    """Join masks without nulls into one that is true where any of them is."""
    joined = masks[0]
    for mask in masks[1:]:
        joined = pc.or_(joined, mask)
    return joined


def origins(name: str, columns: Sequence[pa.Array], rows: int) -> pa.Array:
    """Say of each row where it comes from: `name@value`, with several values `name@a,b`; the name alone for a null."""
    if not columns:
        return pa.repeat(pa.scalar(name, pa.string()), rows)
    texts: list[Any] = [_text(column) for column in columns]
    joined = pc.binary_join_element_wise(*texts, ",") if len(texts) > 1 else texts[0]
    return pc.fill_null(pc.binary_join_element_wise(f"{name}@", joined, ""), name)


def _text(column: pa.Array) -> pa.Array:
    return plain(column) if pa.types.is_string(plain(column).type) else pc.cast(column, pa.string())
