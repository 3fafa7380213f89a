"""What `append` and `scd2` models must hold, kept the plain way beside the lake: no query over what is now can tell."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

Version = tuple[Hashable, Any, datetime, datetime | None, bool]
"""Key, values, beginning, end, and whether it lasts."""


@dataclass
class Versions:
    """Keeps a history the plain way: a list of events for each key, put in order again at each run."""

    held: dict[Hashable, list[tuple[datetime, datetime | None, Any]]] = field(default_factory=dict)

    def run(self, given: Iterable[tuple[Hashable, datetime, Any]], at: datetime, dated: bool) -> None:
        """Let a run see rows: key, time and values."""
        seen: dict[Hashable, dict[datetime, Any]] = {}
        for key, moment, value in given:
            seen.setdefault(key, {})[moment] = value
        for key in seen.keys() | self.held.keys():
            self.held[key] = _versions(self._events(key, seen.get(key, {}), at, dated))

    def _events(
        self, key: Hashable, rows: Mapping[datetime, Any], at: datetime, dated: bool
    ) -> dict[datetime, tuple[bool, Any]]:
        held = self.held.get(key, [])
        events: dict[datetime, tuple[bool, Any]] = {}
        for (_, end, _), after in zip(held, [*held[1:], None], strict=False):
            if end is not None and (after is None or after[0] != end):
                events[end] = (True, None)
        events |= {begin: (False, value) for begin, _, value in held}
        if dated:
            events |= {t: (False, v) for t, v in rows.items()}
        elif rows:
            events[at] = (False, next(iter(rows.values())))
        last = max(events)
        now = max(at, last + timedelta(microseconds=1))
        if not rows and not events[last][0]:
            events[now] = (True, None)
        if rows and events[last][0]:
            events[now] = (False, rows[max(rows)])
        return events

    def rows(self) -> list[Version]:
        """Give the versions."""
        return [(k, v, b, e, e is None) for k, held in self.held.items() for b, e, v in held]


def _versions(events: Mapping[datetime, tuple[bool, Any]]) -> list[tuple[datetime, datetime | None, Any]]:
    kept: list[tuple[datetime, bool, Any]] = []
    for moment, (gone, value) in sorted(events.items()):
        before = kept[-1] if kept else (moment, True, None)
        if (gone, value) != before[1:]:
            kept.append((moment, gone, value))
    ends = [moment for moment, _, _ in kept[1:]] + [None]
    return [(b, e, v) for (b, gone, v), e in zip(kept, ends, strict=True) if not gone]


@dataclass
class Log:
    """What an `append` model holds, and what its first input held when it was read last."""

    rows: pa.Table | None = None
    seen: pa.Table | None = None


class Truths:
    """The logs and histories of a project as they must be now and as they were at each version of the lake's tables.

    Times of a run are those at which the test began the step. `moments` are such beginnings, with the steps' ends.
    """

    def __init__(self) -> None:
        self.now: dict[str, Log | Versions] = {}
        self.then: dict[str, list[tuple[int, Log | Versions]]] = {}
        self.moments: list[tuple[datetime, datetime]] = []

    def settle(self, name: str, version: int) -> None:
        """Remember what a table's version holds."""
        self.then.setdefault(name, []).append((version, copy.deepcopy(self.now[name])))

    def restore(self, name: str, version: int) -> None:
        """Go back to a version; one in between, as compaction makes it, holds what the one before does."""
        if name in self.now:
            self.now[name] = copy.deepcopy(next(t for v, t in reversed(self.then[name]) if v <= version))

    def moment(self, value: Any) -> Any:
        """Take a run's time for the beginning of its step."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return next((began for began, ended in self.moments if began <= value <= ended), value)
        return value

    # ------------------------------------------------------------ append
    def log(self, con: duckdb.DuckDBPyConnection, name: str, first: str, query: str, anew: bool) -> str | None:
        """Make the table of an `append` model that read what its first input gained; say if that lost rows instead."""
        past = self.now.get(name)
        wrong = None
        if anew or not isinstance(past, Log):
            con.execute(f"create table {name} as {query}")
        else:
            wrong = self._gained(con, first, past.seen)
            con.execute(f"create or replace temp table whole as from {first}")
            con.execute(f"delete from {first}")
            con.execute(f"insert into {first} from gained")
            con.register("past", past.rows)
            con.execute(f"create table {name} as {query}")
            if not con.execute("from gained limit 1").fetchall():
                con.execute(f"delete from {name}")
            con.execute(f"insert into {name} by name from past")
            con.execute(f"delete from {first}")
            con.execute(f"insert into {first} from whole")
        self.now[name] = Log(_all(con, name), _all(con, first))
        return wrong

    def _gained(self, con: duckdb.DuckDBPyConnection, first: str, seen: pa.Table | None) -> str | None:
        con.register("seen_then", seen)
        con.execute(f"create or replace temp table seen as from {first} limit 0")
        con.execute("insert into seen by name from seen_then")
        con.execute(f"create or replace temp table gained as (from {first} except all from seen)")
        lost = con.execute(f"from seen except all from {first} limit 1").fetchall()
        return f"{first} lost {lost}, and what appends its rows did not say so" if lost else None

    # ------------------------------------------------------------ scd2
    def history(
        self, con: duckdb.DuckDBPyConnection, name: str, query: str, key: str, time: str | None
    ) -> list[tuple[Any, ...]]:
        """Let a history see what its query gives now; return its rows, in the order of the query's columns."""
        found = con.sql(query).to_arrow_table()
        given = found.to_pylist()
        names = [n for n in found.schema.names if n not in (key, time)]
        versions = self.now.setdefault(name, Versions())
        assert isinstance(versions, Versions)
        at = self.moments[-1][0]
        rows = [(r[key], self.moment(instant(r[time])) if time else at, tuple(r[n] for n in names)) for r in given]
        assert len({row[:2] for row in rows}) == len(rows), f"{name}: several rows at one time"
        versions.run(rows, at, time is not None)
        return [(k, *v, b, e, c) for k, v, b, e, c in versions.rows()]

    def told(self, rows: pa.Table, key: str, time: str | None) -> list[tuple[Any, ...]]:
        """Give the versions that a table holds in the same way; `time` is told by when they begin."""
        own = ("valid_from", "valid_to", "is_current")
        names = [n for n in rows.schema.names if n not in (key, time, *own)]
        return [(r[key], *(r[n] for n in names), *(self.moment(r[n]) for n in own)) for r in rows.to_pylist()]


def instant(value: date) -> datetime:
    """Say when a day or a time begins, which is UTC where it has no zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def steady(rows: Sequence[Mapping[str, Any]], since: datetime) -> list[str]:
    """Give rows without the times of runs that came later, sorted."""

    def plain(value: Any) -> Any:
        return "then" if isinstance(value, datetime) and value.tzinfo is not None and value >= since else value

    return sorted(str({n: plain(v) for n, v in row.items()}) for row in rows)


def _all(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    return con.sql(f"from {name}").to_arrow_table()
