"""The cursor of an incremental read: its exact text, the window that is read again, and who may be one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.postgres.columns import PgColumn, column
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type

_WHOLE = ("int2", "int4", "int8", "oid")
_FLOATS = ("float4", "float8")
_DAYS = ("date",)
_TIMES = ("timestamp", "timestamptz")
_TEXTS = ("text", "varchar", "uuid")
_ORDERED = (*_WHOLE, "numeric", *_FLOATS, *_DAYS, *_TIMES, *_TEXTS)
_ENDLESS = ("NaN", "Infinity", "-Infinity", "infinity", "-infinity")
_DAY = timedelta(days=1)
_WIDE = Context(prec=150_000)  # more digits than a numeric has: nothing is rounded
_HINT = "choose a column that only grows (an id, a time of change), or use `mode: replace`"
_RESET = "`lagoa run --reset-cursor` reads the stream from its beginning"


@dataclass(frozen=True)
class Cursor:
    """A cursor column and the value last seen, as the server's exact text; None: nothing was seen yet."""

    column: PgColumn
    last: str | None
    lag: timedelta | int

    @property
    def type(self) -> str:
        """The PostgreSQL type, domains resolved."""
        return self.column.found.type

    @property
    def sql(self) -> str:
        """What is compared at the server: text in the order of its bytes, as DuckDB compares it."""
        name = column(self.column.found.name)
        return f'{name} collate "C"' if self.type in ("text", "varchar") else name

    def json(self, value: str) -> dict[str, str]:
        """Write a value as the cursor that a state keeps."""
        return {"column": self.column.name, "type": self.type, "value": value}

    def bound(self) -> str | None:
        """Give the value from which on is read: the last one, less the lag."""
        if self.last is None or not self.lag:
            return self.last
        if self.type in (*_WHOLE, "numeric"):
            return f"{_WIDE.subtract(Decimal(self.last), Decimal(self._number())):f}"
        lag = self._duration()
        if self.type in _DAYS:
            return (date.fromisoformat(self.last) - timedelta(days=-(-lag // _DAY))).isoformat()
        return (datetime.fromisoformat(self.last) - lag).isoformat(" ")

    def where(self, nulls: bool) -> str:
        """Write the server's condition for what is new, with or without the rows whose cursor is null."""
        bound = self.bound()
        if bound is None:
            return "true"
        new = f"{self.sql} >= {literal(bound)}::{self.type}"
        return f"({new} or {column(self.column.found.name)} is null)" if nulls else new

    def overlap(self) -> str | None:
        """Write DuckDB's condition for the rows of the table that may be read again; it may catch a few more."""
        bound = self.bound()
        if bound is None:
            return None
        name = quote(self.column.name)
        if self.type in _TEXTS:
            return f"{name} >= {literal(bound)}"
        kind = sql_type(self.column.wire if self.type != "numeric" else self.column.lands)
        if kind == "VARCHAR":  # kept as text: numbers without bounds, and what the user declared so
            kind = {"date": "date", "timestamp": "timestamp", "timestamptz": "timestamptz"}.get(self.type, "double")
            name = f"try_cast({name} as {kind})"
        return f"{name} >= {literal(bound)}::{kind}"

    def _number(self) -> int:
        if isinstance(self.lag, timedelta):
            raise SourceError(
                "LG-207", f"`lag:` of {self.column.name} ({self.type}) must be a number", hint="lag: 1000"
            )
        return self.lag

    def _duration(self) -> timedelta:
        if not isinstance(self.lag, timedelta) or self.type not in (*_DAYS, *_TIMES):
            raise SourceError(
                "LG-207",
                f"`lag:` does not fit {self.column.name} ({self.type})",
                hint="a lag is a length of time (15m, 2d) for dates and times, and a number for integers",
            )
        return self.lag


def cursor_of(found: PgColumn, since: Any, lag: timedelta | int) -> Cursor:
    """Check that a column can be a cursor and take up the value that the table holds. Raises SourceError LG-207."""
    kind = found.found.type
    if kind not in _ORDERED:
        raise SourceError("LG-207", f"column `{found.name}` is {kind}, which is no cursor", hint=_HINT)
    if since is None:
        fresh = Cursor(found, None, lag)
        replace(fresh, last="2000-01-01" if kind in (*_DAYS, *_TIMES) else "0").bound()  # a wrong lag shows at once
        return fresh
    if since["column"] != found.name or since["type"] != kind:
        raise SourceError(
            "LG-207",
            f"the table was read up to `{since['column']}` ({since['type']}) = {since['value']}, "
            f"and the cursor is now `{found.name}` ({kind})",
            hint=_RESET,
        )
    return Cursor(found, since["value"], lag)


def refuse_endless(found: PgColumn, highest: str | None) -> None:
    """Refuse a highest value beyond which nothing can ever be seen. Raises SourceError LG-207."""
    if highest is None:
        return
    days = found.found.type in (*_DAYS, *_TIMES)
    if highest in _ENDLESS or (days and (len(highest.partition("-")[0]) > 4 or highest.endswith("BC"))):
        raise SourceError("LG-207", f"column `{found.name}` holds {highest}, beyond which nothing is new", hint=_HINT)


def refuse_nulls(found: PgColumn, count: int, stream: str) -> None:
    """Refuse rows that an append would never see again. Raises SourceError LG-207."""
    if count:
        raise SourceError(
            "LG-207",
            f"{count} rows of {stream} have no `{found.name}`, so an append by it would skip them",
            hint="give them a value, or use `mode: merge` (which reads such rows every time) or `mode: replace`",
        )
