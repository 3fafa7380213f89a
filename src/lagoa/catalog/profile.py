"""What a table's columns hold: nulls, distinct values, bounds, frequent ones; from the log where that suffices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from lagoa.kit.text import literal, quote
from lagoa.kit.types import is_nested
from lagoa.lake.files import hash_in
from lagoa.lake.table import DataFile, Table

TOP = 3
"""How many frequent values are named."""
EXACT = 10_000
"""Up to so many distinct values are counted exactly; beyond, an estimate must do, whose memory does not grow."""
Ask = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs a query that answers with one row."""
Origin = Literal["log", "query"]


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds. Of a personal one only the nulls are known; values are text as DuckDB writes it."""

    name: str
    nulls: int
    nulls_from: Origin
    distinct: int | None = None
    exact: bool = True
    """`distinct` is a count, not an estimate."""
    low: str | None = None
    high: str | None = None
    bounds_from: Origin | None = None
    top: Sequence[tuple[str, int]] = ()
    """The most frequent values with how often they are there; chosen by estimate, counted exactly."""
    personal: bool = False

    def to_json(self, rows: int) -> dict[str, Any]:
        """Give the column as `show --profile --json` prints it."""
        return {
            "name": self.name,
            "nulls": self.nulls,
            "null_share": round(self.nulls / rows, 6) if rows else None,
            "nulls_from": self.nulls_from,
            "distinct": self.distinct,
            "distinct_exact": self.exact if self.distinct is not None else None,
            "min": self.low,
            "max": self.high,
            "bounds_from": self.bounds_from,
            "top": [{"value": value, "rows": count} for value, count in self.top],
            "personal": self.personal,
        }


@dataclass(frozen=True)
class Profile:
    """The columns of one version of a table, or of a view now; `queries` is how often the engine was asked."""

    rows: int
    columns: Sequence[ColumnProfile]
    queries: int


@dataclass(frozen=True)
class _Known:
    """What the log says of a column; None where it does not suffice."""

    nulls: int | None = None
    bounds: tuple[str | None, str | None] | None = None


@dataclass
class _Asked:
    """A select list that grows, and the answers by the numbers of its items."""

    items: list[str] = field(default_factory=list)
    answer: Sequence[Any] = ()

    def add(self, sql: str) -> int:
        self.items.append(sql)
        return len(self.items) - 1


def profile(table: Table | None, name: str, schema: pa.Schema, hidden: Collection[str], ask: Ask) -> Profile:
    """Look at every column of a relation that `ask` knows by its quoted `name`; `table` is None for a view.

    `hidden` are the personal columns, in lower case: nothing but their nulls is looked at. Two aggregate queries at
    most: one that estimates, and one that counts what the first found to be few.
    """
    known = {f.name: _from_log(table, f) if table is not None else _Known() for f in schema}
    columns = [_Column(f, known[f.name], f.name.lower() in hidden) for f in schema]
    first = _Asked(["count(*)"] if table is None else [])
    for column in columns:
        column.estimate(first)
    queries = _answered(first, name, ask)
    rows = table.rows if table is not None else int(first.answer[0])
    second = _Asked()
    for column in columns:
        column.count(first, second, rows)
    queries += _answered(second, name, ask)
    return Profile(rows, [column.found(second) for column in columns], queries)


def _answered(asked: _Asked, name: str, ask: Ask) -> int:
    if not asked.items:
        return 0
    asked.answer = ask(f"select {', '.join(asked.items)} from {name}")[0]
    return 1


class _Column:
    """One column on its way through the queries."""

    def __init__(self, column: pa.Field, known: _Known, hidden: bool) -> None:
        self._at, self._known, self._hidden = quote(column.name), known, hidden
        self._plain = not hidden and not is_nested(column.type) and not pa.types.is_binary(column.type)
        self._profile = ColumnProfile(column.name, 0, "log", personal=hidden)
        self._places: dict[str, int] = {}
        self._counted: tuple[int | None, list[tuple[str, int]]] = None, []

    def estimate(self, asked: _Asked) -> None:
        """Ask what the log does not say, and for estimates."""
        at = self._at
        if self._known.nulls is None:
            self._places["nulls"] = asked.add(f"count(*) - count({at})")
        if not self._plain:
            return
        if self._known.bounds is None:
            self._places["low"] = asked.add(f"min({at})::varchar")
            self._places["high"] = asked.add(f"max({at})::varchar")
        self._places["distinct"] = asked.add(f"approx_count_distinct({at})")
        self._places["top"] = asked.add(f"approx_top_k({at}::varchar, {TOP})")

    def count(self, first: _Asked, second: _Asked, rows: int) -> None:
        """Read the estimates, and ask for counts of what is few."""

        def told(what: str) -> Any:
            return first.answer[self._places[what]]

        nulls = self._known.nulls if self._known.nulls is not None else int(told("nulls"))
        origin: Origin = "log" if self._known.nulls is not None else "query"
        found = replace(self._profile, nulls=nulls, nulls_from=origin)
        if self._plain:
            asked = self._known.bounds is None
            low, high = (told("low"), told("high")) if asked else self._known.bounds or (None, None)
            distinct = min(int(told("distinct")), rows - nulls)
            found = replace(found, distinct=distinct, low=low, high=high, bounds_from="query" if asked else "log")
            few = second.add(f"count(distinct {self._at})") if distinct <= EXACT else None
            top = [value for value in told("top") or () if value is not None]
            same = f"count(*) filter ({self._at}::varchar = %s)"
            self._counted = few, [(value, second.add(same % literal(value))) for value in top]
        self._profile = found

    def found(self, second: _Asked) -> ColumnProfile:
        """Read the counts."""
        few, top = self._counted
        counts = sorted(((v, int(second.answer[place])) for v, place in top), key=lambda pair: -pair[1])
        often = [(value, count) for value, count in counts if count > 1]
        if few is None:
            return replace(self._profile, exact=self._profile.distinct is None, top=often)
        return replace(self._profile, distinct=int(second.answer[few]), top=often)


# ---------------------------------------------------------------- the log
def _from_log(table: Table, column: pa.Field) -> _Known:
    """Take what the statistics of all files say together; a file that is silent, or not ours, ends it."""
    files = list(table.files.values())
    if not table.plain or not all(hash_in(f.path) for f in files):
        return _Known()
    nulls = [f.nulls.get(column.name) for f in files]
    known = [n for n in nulls if n is not None]
    if len(known) < len(nulls):
        return _Known()
    return _Known(sum(known), _bounds([f for f in files if f.rows != f.nulls.get(column.name)], column.name))


def _bounds(files: Sequence[DataFile], name: str) -> tuple[str | None, str | None] | None:
    lows: list[Any] = [f.low.get(name) for f in files]
    highs: list[Any] = [f.high.get(name) for f in files]
    if any(bound is None for bound in (*lows, *highs)):
        return None
    return (_text(min(lows)), _text(max(highs))) if lows else (None, None)


def _text(value: Any) -> str:
    """Write a value of the log as DuckDB would."""
    if not isinstance(value, datetime):
        return str(value)
    fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
    return f"{value:%Y-%m-%d %H:%M:%S}{fraction}{'+00' if value.tzinfo else ''}"


def personal_or_raw(personal: Mapping[str, str]) -> set[str]:
    """Name the columns that must not be looked at: the raw text of quarantined rows may hold any of them."""
    return {*personal, "_raw"} if personal else set()
