"""freshness: the newest row is not too old."""

from __future__ import annotations

from typing import ClassVar, Literal

from lagoa.kit.text import quote
from lagoa.ports import Asked, Check
from lagoa.spec.declared import Declared
from lagoa.spec.duration import Duration


class Age(Declared):
    """Which column tells the time, and how old its newest value may be."""

    column: str
    """A column of dates or times (without a zone they are UTC)."""
    max_age: Duration
    """How old, as 15m, 2h or 1d."""


class Freshness(Check):
    """The newest row is not too old; a table without rows is."""

    reads: ClassVar[Literal["row", "table"]] = "table"
    place: ClassVar[Literal["column", "table", "both"]] = "table"
    value: Age
    """`{freshness: {column: updated_at, max_age: 1d}}`."""

    def violations(self, asked: Asked) -> str:
        """Return one row, the newest time, when it is too old."""
        newest = f"max({quote(self.value.column)})::timestamptz"
        age = f"to_seconds({int(self.value.max_age.total_seconds())})"
        return f"select {newest} as newest from {asked.table} having {newest} is null or {newest} < {asked.at} - {age}"


Adapter = Freshness
