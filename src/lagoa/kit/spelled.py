"""A stream's declared columns, as text spells their values: what they are called when they land, and their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from lagoa.kit.column_names import column_name
from lagoa.kit.shape import Shape
from lagoa.kit.values import Spelling
from lagoa.spec.column import StreamColumn
from lagoa.spec.stream import Stream


def called_as_they_land(stream: Stream, rename: Mapping[str, str]) -> dict[str, str]:
    """Let `columns:`, `key:` and the like use the source's spelling: everybody else sees the name that lands.

    Return the names by how they are spelled. Raises ValueError when a column is declared twice.
    """
    called = {name: column_name(rename.get(name, name)) for name in stream.columns}
    if len(set(called.values())) < len(called):
        twice = next(n for n in called if list(called.values()).count(called[n]) > 1)
        raise ValueError(f"columns: `{twice}` is there twice, as `{called[twice]}`")
    object.__setattr__(stream, "columns", {called[name]: column for name, column in stream.columns.items()})
    for field in ("key", "partition_by"):
        object.__setattr__(stream, field, tuple(column_name(n) for n in getattr(stream, field)))
    return called


def spelling(name: str, column: StreamColumn, options: Any) -> Spelling:
    """Return how a declared column is spelled; what it does not say, the stream says. Raises ValueError."""
    kind = (column.type or "text").strip()
    format = column.format
    if format is None:
        format = {"date": options.date_format, "timestamp": options.timestamp_format}.get(kind.lower())
        if kind.lower().startswith(("timestamptz", "timestamp with")):
            format = options.timestamp_format
    decimal, thousands = column.decimal or options.decimal or ".", column.thousands or options.thousands
    if decimal == thousands:
        raise ValueError(f"columns.{name}: decimal and thousands are both `{decimal}`")
    found = Spelling(kind, format, decimal, thousands, column.null_values)
    try:
        found.kind()
    except ValueError as error:
        raise ValueError(f"columns.{name}.type: {error}") from error
    return found


def shaped(
    arrive: Mapping[str, Any], stream: Stream, options: Any, levels: Sequence[str] = ()
) -> tuple[Shape, list[str]]:
    """Return the shape of what arrives (columns and their Arrow types), and the declared columns that do not."""
    spellings = {n: spelling(n, c, options) for n, c in stream.columns.items() if c.type is not None}
    kinds = {**arrive, **{level: pa.string() for level in levels}}
    fields = [
        pa.field(name, spellings[name].kind() if name in spellings else kind)
        for name, kind in kinds.items()
        if name not in stream.dropped
    ]
    private = frozenset(name for name, column in stream.columns.items() if column.pii)
    shape = Shape(pa.schema(fields), spellings, private, stream.dropped, tuple(levels))
    return shape, [name for name in spellings if name not in kinds]
