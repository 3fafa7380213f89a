"""Columns of cells as a sheet gives them, each in the one type that holds all of its values, else as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

NULL, TEXT, INTEGER, DOUBLE = pa.null(), pa.string(), pa.int64(), pa.float64()
BOOLEAN, DATE, TIMESTAMP = pa.bool_(), pa.date32(), pa.timestamp("us")
_EXACT = 2.0**53
_PLAIN: dict[frozenset[type], Any] = {
    frozenset({bool}): BOOLEAN,
    frozenset({str}): TEXT,
    frozenset({dt.date}): DATE,
    frozenset({dt.datetime}): TIMESTAMP,
    frozenset({dt.date, dt.datetime}): TIMESTAMP,
}
_NUMBERS = frozenset({int, float})


def array(cells: Sequence[Any]) -> pa.Array:
    """Make an array of some cells ('' and None are empty), in the type that holds them all exactly."""
    values = [None if cell == "" else cell for cell in cells] if "" in cells else cells
    kinds = frozenset(map(type, values)) - {type(None)}
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= _NUMBERS:
        return _numbers(pa.array(values, DOUBLE))
    kind = _PLAIN.get(kinds)
    if kind == TIMESTAMP and len(kinds) > 1:
        # a moment at midnight comes as a day
        midnight = dt.time()
        values = [dt.datetime.combine(v, midnight) if type(v) is dt.date else v for v in values]
    if kind is not None:
        return pa.array(values, kind)
    return pa.array([None if value is None else shown(value) for value in values], TEXT)


def _numbers(values: pa.Array) -> pa.Array:
    """Excel has doubles alone: what holds no fraction anywhere is a column of integers."""
    whole = pc.and_(pc.equal(pc.trunc(values), values), pc.less_equal(pc.abs(values), _EXACT))
    return values.cast(INTEGER) if pc.all(whole).as_py() is not False else values


def common(one: Any, two: Any) -> Any:
    """Return the type that holds the values of both types."""
    if one == two or two == NULL:
        return one
    if one == NULL:
        return two
    for pair, kind in (({INTEGER, DOUBLE}, DOUBLE), ({DATE, TIMESTAMP}, TIMESTAMP)):
        if {one, two} == pair:
            return kind
    return TEXT


def together(parts: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Join the parts of a column in their common type; text when no part holds a value."""
    kind = NULL
    for part in parts:
        kind = common(kind, part.type)
    kind = TEXT if kind == NULL else kind
    return pa.chunked_array([_cast(part, kind) for part in parts], kind)


def _cast(part: pa.Array, kind: Any) -> pa.Array:
    if kind == TEXT and part.type not in (TEXT, NULL):
        return pa.array([None if value is None else shown(value) for value in part.to_pylist()], TEXT)
    return part.cast(kind)


def shown(value: Any) -> str:
    """Write a cell as text, numbers with the 15 digits that Excel shows."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) and abs(value) <= _EXACT else f"{value:.15g}"
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(value.total_seconds(), 60)
        return f"{int(minutes // 60):02d}:{int(minutes % 60):02d}:{seconds:02.0f}"
    return str(value)


def text_sql(column: str, kind: Any) -> str:
    """Return SQL that writes a column's values as `shown` does."""
    if kind != DOUBLE:
        return f"{column}::varchar"
    whole = f"{column} = trunc({column}) and abs({column}) <= {_EXACT:.0f}"
    return f"case when {whole} then {column}::bigint::varchar else printf('%.15g', {column}) end"
