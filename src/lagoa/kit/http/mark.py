"""How far a list was read: the highest value of its cursor, as the server spells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from lagoa.errors import SourceError
from lagoa.kit.text import literal, quote

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)?)?")
_HINT = "choose a field that only grows, in one spelling (an id, a time of change), or leave `cursor:` out"


@dataclass(frozen=True)
class Mark:
    """A value of a cursor: `text` as the server spells it, `kind` what it is compared as."""

    text: str
    kind: Literal["number", "time", "text"]

    @classmethod
    def of(cls, value: Any, name: str) -> Mark | None:
        """Take a JSON value; None for null. Raises SourceError LG-207 for what has no order."""
        if value is None:
            return None
        if isinstance(value, bool | dict | list):
            raise SourceError("LG-207", f"`{name}` is not a number, a time or a text, so it is no cursor", hint=_HINT)
        if isinstance(value, int | float | Decimal):
            return cls(str(value), "number")
        text = str(value)
        return cls(text, "time" if _TIME.fullmatch(text) and _moment(text) is not None else "text")

    def key(self) -> Any:
        """Return what its order is by. A time without a zone is taken as UTC."""
        if self.kind == "number":
            return Decimal(self.text)
        return (_moment(self.text), self.text) if self.kind == "time" else self.text

    def above(self, other: Mark | None, name: str) -> bool:
        """Say whether it is higher. Raises SourceError LG-207 when the two have no common order."""
        if other is None:
            return True
        if other.kind != self.kind:
            said = f"`{name}` is now a {self.kind} and now a {other.kind}, so it has no order"
            raise SourceError("LG-207", said, hint=_HINT)
        return bool(self.key() > other.key())

    def less(self, lag: int | timedelta) -> Mark:
        """Return the mark a lag before it, spelled alike. Raises SourceError LG-207 when the lag does not fit."""
        if not lag:
            return self
        if isinstance(lag, timedelta) != (self.kind == "time") or self.kind == "text":
            raise SourceError(
                "LG-207", f"`lag:` does not fit {self.text}", hint="15m or 2d for times, a number for numbers"
            )
        if not isinstance(lag, timedelta):
            return Mark(str(Decimal(self.text) - lag), "number")
        if len(self.text) == len("2024-01-01"):
            return Mark(
                (date.fromisoformat(self.text) - timedelta(days=-(-lag // timedelta(days=1)))).isoformat(), "time"
            )
        earlier = (datetime.fromisoformat(self.text.replace(",", ".")) - lag).isoformat(self.text[10])
        return Mark(earlier.replace("+00:00", "Z") if self.text.endswith("Z") else earlier, "time")

    def overlap(self, column: str) -> str:
        """Write DuckDB's condition for the rows of a table at or above it; it may catch a few more."""
        name = quote(column)
        if self.kind == "number":  # rounding keeps the order: nothing is missed
            return f"try_cast({name} as double) >= {literal(self.text)}::double"
        if self.kind == "time":
            moment = _moment(self.text)
            return f"coalesce(try_cast({name}::varchar as timestamptz) >= {literal(str(moment))}::timestamptz, true)"
        return f"{name}::varchar >= {literal(self.text)}"


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
