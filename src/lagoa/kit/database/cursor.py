"""The cursor of an incremental read: its exact text, the window that is read again, and who may be one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Literal, Protocol

from lagoa.errors import SourceError
from lagoa.kit.database.column import Column
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type

Family = Literal["whole", "number", "float", "day", "time", "instant", "text"]
"""What a cursor's values are: integers, decimals, floats, dates, times of no zone, points in time, texts by byte."""
EVERYTHING = "1 = 1"
"""The condition that every row fulfils, in the words of every database."""
_TIMES = ("day", "time", "instant")
_KINDS = {"day": "date", "time": "timestamp", "instant": "timestamptz"}
_ENDLESS = ("NaN", "Infinity", "-Infinity", "infinity", "-infinity")
_DAY = timedelta(days=1)
_WIDE = Context(prec=150_000)  # more digits than any server's number has: nothing is rounded
_HINT = "choose a column that only grows (an id, a time of change), or use `mode: replace`"
_RESET = "`lagoa run --reset-cursor` reads the stream from its beginning"


class Speech(Protocol):
    """How a database compares: one for each dialect."""

    def family(self, type: str) -> Family | None:
        """Say what the values of a type are; None: no cursor can be of this type."""

    def compared(self, found: Column) -> str:
        """Write what is compared at the server: text in the order of its bytes, as DuckDB compares it."""

    def raw(self, found: Column) -> str:
        """Write the column as it stands."""

    def value(self, text: str, type: str) -> str:
        """Write a value, given as its exact text, as SQL."""

    def text(self, found: Column) -> str:
        """Write the exact text of the column's value, as `value` takes it."""

    def first(self, shown: str, rest: str) -> str:
        """Write the query that gives `shown` of the first row of `rest`, which begins with its `from`."""


@dataclass(frozen=True)
class Cursor:
    """A cursor column and the value last seen, as the server's exact text; None: nothing was seen yet."""

    column: Column
    last: str | None
    lag: timedelta | int
    speech: Speech
    family: Family

    @property
    def type(self) -> str:
        """The database's own word for the type."""
        return self.column.found.type

    @property
    def sql(self) -> str:
        """What is compared at the server."""
        return self.speech.compared(self.column)

    def json(self, value: str) -> dict[str, str]:
        """Write a value as the cursor that a state keeps."""
        return {"column": self.column.name, "type": self.type, "value": value}

    def bound(self) -> str | None:
        """Give the value from which on is read: the last one, less the lag."""
        if self.last is None or not self.lag:
            return self.last
        if self.family in ("whole", "number"):
            return f"{_WIDE.subtract(Decimal(self.last), Decimal(self._number())):f}"
        lag = self._duration()
        if self.family == "day":
            return (date.fromisoformat(self.last) - timedelta(days=-(-lag // _DAY))).isoformat()
        return (datetime.fromisoformat(self.last) - lag).isoformat(" ")

    def where(self, nulls: bool) -> str:
        """Write the server's condition for what is new, with or without the rows whose cursor is null."""
        bound = self.bound()
        if bound is None:
            return EVERYTHING
        new = f"{self.sql} >= {self.speech.value(bound, self.type)}"
        return f"({new} or {self.speech.raw(self.column)} is null)" if nulls else new

    def overlap(self) -> str | None:
        """Write DuckDB's condition for the rows of the table that may be read again; it may catch a few more."""
        bound = self.bound()
        if bound is None:
            return None
        name = quote(self.column.name)
        if self.family == "text":
            return f"{name} >= {literal(bound)}"
        kind = sql_type(self.column.lands if self.family == "number" else self.column.wire)
        if kind == "VARCHAR":  # kept as text: numbers without bounds, and what the user declared so
            kind = _KINDS.get(self.family, "double")
            name = f"try_cast({name} as {kind})"
        return f"{name} >= {literal(bound)}::{kind}"

    def _number(self) -> int:
        if isinstance(self.lag, timedelta):
            raise SourceError(
                "LG-207", f"`lag:` of {self.column.name} ({self.type}) must be a number", hint="lag: 1000"
            )
        return self.lag

    def _duration(self) -> timedelta:
        if not isinstance(self.lag, timedelta) or self.family not in _TIMES:
            raise SourceError(
                "LG-207",
                f"`lag:` does not fit {self.column.name} ({self.type})",
                hint="a lag is a length of time (15m, 2d) for dates and times, and a number for integers",
            )
        return self.lag


def cursor_of(found: Column, since: Any, lag: timedelta | int, speech: Speech) -> Cursor:
    """Check that a column can be a cursor and take up the value that the table holds. Raises SourceError LG-207."""
    kind = found.found.type
    family = speech.family(kind)
    if family is None:
        raise SourceError("LG-207", f"column `{found.name}` is {kind}, which is no cursor", hint=_HINT)
    if since is None:
        fresh = Cursor(found, None, lag, speech, family)
        replace(fresh, last="2000-01-01" if family in _TIMES else "0").bound()  # a wrong lag shows at once
        return fresh
    if since["column"] != found.name or since["type"] != kind:
        raise SourceError(
            "LG-207",
            f"the table was read up to `{since['column']}` ({since['type']}) = {since['value']}, "
            f"and the cursor is now `{found.name}` ({kind})",
            hint=_RESET,
        )
    return Cursor(found, since["value"], lag, speech, family)


def refuse_endless(cursor: Cursor, highest: str | None) -> None:
    """Refuse a highest value beyond which nothing can ever be seen. Raises SourceError LG-207."""
    if highest is None:
        return
    beyond = len(highest.partition("-")[0]) > len("9999") or highest.endswith("BC")
    if highest in _ENDLESS or (cursor.family in _TIMES and beyond):
        name = cursor.column.name
        raise SourceError("LG-207", f"column `{name}` holds {highest}, beyond which nothing is new", hint=_HINT)


def refuse_nulls(found: Column, count: int, stream: str) -> None:
    """Refuse rows that an append would never see again. Raises SourceError LG-207."""
    if count:
        raise SourceError(
            "LG-207",
            f"{count} rows of {stream} have no `{found.name}`, so an append by it would skip them",
            hint="give them a value, or use `mode: merge` (which reads such rows every time) or `mode: replace`",
        )
