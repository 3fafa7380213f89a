"""A table of a made-up application: its columns, and the SQL that makes its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from lagoa.kit.generate.world import World

_TYPES = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "decimal(12,2)": pa.decimal128(12, 2),
}


@dataclass(frozen=True)
class Table:
    """`rows` writes SQL over given rows: columns by name, and beside them `came` (a day) and `fault` (text or null).

    Of a *state* each number of `range(count(day))` is given, as `i`, and `came` is the day of its last change; of an
    *event* what `arrivals` gives. `later` are the columns after the drift, None for one that then goes.
    """

    name: str
    application: str
    key: str
    description: str
    kind: Literal["state", "event"]
    columns: Mapping[str, str]
    rows: Callable[[World, str, int], str]
    later: Mapping[str, str | None] = field(default_factory=dict)
    right: Mapping[str, str] = field(default_factory=dict)
    """Columns that may be told wrong, each with the one of `rows` that is right."""
    count: Callable[[World, int], int] = lambda _world, _day: 0
    happens: str = ""
    """Of an event: the table whose days and faults it shares; its own name, or its parent's."""

    def shape(self, drifted: bool) -> dict[str, str]:
        """Name the columns with their types, before or after the drift."""
        found = {**self.columns, **self.later} if drifted else self.columns
        return {name: kind for name, kind in found.items() if kind is not None}


def schema(shape: Mapping[str, str]) -> pa.Schema:
    """Return columns as an Arrow schema."""
    return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in shape.items()])
