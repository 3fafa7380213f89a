"""A staged file's statistics as the Delta log keeps them: exact digits, nothing that could mislead, nothing
personal."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Collection

import pyarrow as pa

from lagoa.ports import ColumnStats, StagedFile

_LONGEST = 32
"""Longer texts keep no bounds: engines cut them, and a cut upper bound hides rows."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)")


def delta_stats(file: StagedFile, schema: pa.Schema, without: Collection[str] = ()) -> str:
    """Return the JSON of an add action's statistics. `without` names columns of which nothing may be known.

    Nested columns are left out altogether: one wrong null count makes delta-rs forget every statistic of the
    file.
    """
    low, high, nulls = [], [], []
    hidden = {*without, *file.partition}
    for column in schema:
        found = file.stats.get(column.name)
        if found is None or column.name in hidden or pa.types.is_nested(column.type):
            continue
        key = json.dumps(column.name)
        if found.nulls is not None:
            nulls.append(f"{key}:{found.nulls}")
        bounds = _bounds(column.type, found)
        if bounds is not None:
            low.append(f"{key}:{bounds[0]}")
            high.append(f"{key}:{bounds[1]}")
    parts = [f'"numRecords":{file.rows}']
    parts += [
        f'"{name}":{{{",".join(v)}}}' for name, v in (("minValues", low), ("maxValues", high), ("nullCount", nulls))
    ]
    return "{" + ",".join(parts) + "}"


def rows_only(rows: int) -> str:
    """Return the JSON of statistics that say how many rows there are and nothing else."""
    return f'{{"numRecords":{rows},"minValues":{{}},"maxValues":{{}},"nullCount":{{}}}}'


def _bounds(kind: pa.DataType, found: ColumnStats) -> tuple[str, str] | None:
    """Both bounds or none: an engine that meets only one of them may take the other for null."""
    if found.low is None or found.high is None:
        return None
    low, high = _bound(kind, found.low), _bound(kind, found.high)
    return None if low is None or high is None else (low, high)


def _bound(kind: pa.DataType, text: str) -> str | None:
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return text if _NUMBER.fullmatch(text) else None
    if pa.types.is_floating(kind):
        return _float(kind, text)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return json.dumps(text) if len(text) <= _LONGEST else None
    if pa.types.is_date(kind):
        return json.dumps(text) if _DATE.fullmatch(text) else None
    if pa.types.is_timestamp(kind):
        return _time(kind, text)
    return None


def _float(kind: pa.DataType, text: str) -> str | None:
    try:
        value = float(text)
        if kind == pa.float32():
            value = struct.unpack("f", struct.pack("f", value))[0]  # 0.1 is not the float32 that lies in the file
    except (ValueError, OverflowError):
        return None
    return repr(value) if math.isfinite(value) else None


def _time(kind: pa.DataType, text: str) -> str | None:
    if kind.tz:
        if not text.endswith(("+00", "+00:00", "Z")):
            return None
        text = re.sub(r"(\+00(:00)?|Z)$", "", text)
    found = _TIME.fullmatch(text)
    return json.dumps(f"{found[1]}T{found[2]}{'Z' if kind.tz else ''}") if found else None
