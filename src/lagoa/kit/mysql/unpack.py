"""Takes apart what the server packed: many values in one text become Arrow columns, exactly, or are said to be odd."""

from __future__ import annotations

import json
import re
from binascii import unhexlify
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lagoa.kit.arrow import odd_days
from lagoa.kit.mysql.columns import MyColumn
from lagoa.ports import RAW, REASON, SOURCE

SEPARATOR = "\x1f"
"""Stands between values; a text that holds it makes the count of values wrong, which is noticed."""


def split(packed: pa.Array, width: int) -> list[pa.Array] | None:
    """Part packed rows, or texts of many rows, into `width` columns of text; None when they do not come out even."""
    values = pc.list_flatten(pc.split_pattern(packed.cast(pa.large_string()), SEPARATOR))
    count, rest = divmod(len(values), width)
    if rest:
        return None
    starts = pa.array(range(0, count * width, width), pa.int64())
    return [values.take(pc.add(starts, i)) for i in range(width)]


def opened(column: MyColumn, packed: pa.Array) -> pa.Array:
    """Give the texts that `MyColumn.packed` wrote, null for null."""
    required = column.found.required
    empty = None if required else pc.equal(packed, "")
    if not required and column.shape in ("text", "bytes"):
        packed = pc.binary_replace_slice(packed, 0, 1, "")
    if column.shape == "bytes":
        packed = _unhexed(packed)
    return packed if empty is None else pc.if_else(empty, pa.scalar(None, packed.type), packed)


def _unhexed(texts: pa.Array) -> pa.Array:
    """Turn hexadecimal texts into bytes, all at once."""
    _, offsets, digits = texts.buffers()
    ends = pa.Array.from_buffers(pa.int64(), len(texts) + 1, [None, offsets], offset=texts.offset)
    first, last = ends[0].as_py(), ends[-1].as_py()
    found = unhexlify(memoryview(digits)[first:last]) if last > first else b""
    places = pc.divide(pc.subtract(ends, first), 2)
    return pa.Array.from_buffers(pa.large_binary(), len(texts), [None, places.buffers()[1], pa.py_buffer(found)])


def valued(column: MyColumn, texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Turn texts into the column's values, and say which of them no Delta table can hold (then null)."""
    if column.shape == "bytes":
        return texts, None
    if column.shape in ("day", "time"):
        return _days(column, texts)
    if pa.types.is_float32(column.wire):
        return texts.cast(pa.float64()).cast(pa.float32()), None
    if pa.types.is_boolean(column.wire):
        return pc.equal(texts, "1"), None
    return texts.cast(column.wire), None


def _days(column: MyColumn, texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    try:
        found = _parsed(column, texts)
        if odd_days(found) is None:
            return found, None
    except pa.ArrowInvalid:  # a day without date, or a 31st of February, which ALLOW_INVALID_DATES lets in
        pass
    bad = {v for v in pc.unique(texts).to_pylist() if v is not None and not _exists(v)}
    odd = pc.is_in(texts, pa.array(sorted(bad), texts.type))
    return _parsed(column, pc.if_else(odd, pa.scalar(None, texts.type), texts)), odd


def _parsed(column: MyColumn, texts: pa.Array) -> pa.Array:
    if column.shape == "day":
        return texts.cast(pa.date32())
    plain = texts.cast(pa.timestamp("us"))
    return plain.cast(pa.int64()).cast(column.wire) if column.wire.tz else plain


def _exists(text: str) -> bool:
    try:
        day = re.split("[ T]", text)[0]
        date.fromisoformat(day)
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def batch(
    columns: Sequence[MyColumn], texts: Sequence[pa.Array], origins: pa.Array, hidden: frozenset[str]
) -> pa.RecordBatch:
    """Make a portion's batch: the values, where each row comes from, why it is refused, and how it reads then.

    `hidden` names columns whose values must not be repeated outside the table.
    """
    values: list[pa.Array] = []
    reasons: list[pa.Array] = []
    for column, text in zip(columns, texts, strict=True):
        value, odd = valued(column, text)
        values.append(value)
        if odd is not None:
            shown = pa.scalar("not shown") if column.name in hidden else text.cast(pa.string())
            why = pc.binary_join_element_wise(f"{column.name} is ", shown, ", which is no date", "")
            reasons.append(pc.if_else(odd, why.cast(pa.string()), pa.scalar(None, pa.string())))
    reason, raw = _told(columns, texts, reasons, len(origins))
    fields = [pa.field(c.name, v.type) for c, v in zip(columns, values, strict=True)]
    own = [pa.field(name, pa.string()) for name in (SOURCE, REASON, RAW)]
    return pa.RecordBatch.from_arrays([*values, origins, reason, raw], schema=pa.schema([*fields, *own]))


def _told(
    columns: Sequence[MyColumn], texts: Sequence[pa.Array], reasons: Sequence[pa.Array], rows: int
) -> tuple[pa.Array, pa.Array]:
    """Give the reason of each refused row, and the row as JSON."""
    nothing: Any = pa.nulls(rows, pa.string())
    if not reasons:
        return nothing, nothing
    reason = reasons[0]
    for other in reasons[1:]:  # pyarrow's own way to skip nulls loses rows when there is one column alone
        both = pc.binary_join_element_wise(reason, other, "; ")
        reason = pc.coalesce(both, reason, other)
    refused = pc.indices_nonzero(pc.is_valid(reason))
    names = [c.name for c in columns]
    told = [t.take(refused).to_pylist() for t in texts]
    raws = [
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=repr)
        for row in zip(*told, strict=True)
    ]
    return reason, pc.replace_with_mask(nothing, pc.is_valid(reason), pa.array(raws, pa.string()))
