"""Partitions of time: which ones a table has, which ones are touched, and the rows between two moments, as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa

from lagoa.kit.text import literal, quote
from lagoa.lake.table import DataFile
from lagoa.spec.model import Grain, ModelHeader

BUCKET = "__partition"
"""The column that names a row's partition: when it begins."""
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""The first and the last moment of the calendar; what lies beyond, also infinity, belongs to their partitions."""
_COARSE = timedelta(milliseconds=1)
"""Other writers cut times to milliseconds, so that the greatest one lies beyond what they say."""
_FEW = 16
"""So many stretches are looked for at most; partitions between the nearest of them are rebuilt with them."""


@dataclass(frozen=True)
class Stretch:
    """Partitions from one that begins at `low` up to, but not with, one that begins at `high`; None: without end."""

    low: datetime | None
    high: datetime | None

    def __str__(self) -> str:
        return f"{_day(self.low) if self.low else '…'} to {_day(self.high) if self.high else '…'}"


@dataclass(frozen=True)
class Stretches:
    """Some stretches, in order, and, where `timeless`, the rows whose time is null."""

    of: Sequence[Stretch] = ()
    timeless: bool = False

    def __bool__(self) -> bool:
        return bool(self.of) or self.timeless

    def apart(self) -> list[Stretches]:
        """Give each by itself."""
        return [*(Stretches([s]) for s in self.of), *([Stretches(timeless=True)] if self.timeless else [])]

    def until(self, days: int) -> Stretches:
        """Let each end so many days later."""
        later = timedelta(days=days)
        return replace(self, of=[replace(s, high=s.high and _plus(s.high, later)) for s in self.of])

    def where(self, column: str, kind: pa.DataType) -> str:
        """Write the condition that a time column's value lies in one of them."""
        found = [" and ".join(_sides(column, kind, s)) or f"{quote(column)} is not null" for s in self.of]
        found += [f"{quote(column)} is null"] if self.timeless else []
        return " or ".join(f"({part})" for part in found) or "false"

    def meets(self, moment: datetime) -> bool:
        """Say whether a moment lies in one of them."""
        return any(_meets(s, moment, moment) for s in self.of)

    def among(self, files: Mapping[str, DataFile], column: str) -> list[str]:
        """List the files that may hold a row of them, as far as their bounds of a column tell."""
        return [path for path, file in files.items() if self._near(file, column)]

    def _near(self, file: DataFile, column: str) -> bool:
        low, high = file.low.get(column), file.high.get(column)
        if low is None or high is None or (self.timeless and file.nulls.get(column) != 0):
            return True
        last = _plus(_moment(high), _COARSE) or _LAST
        return any(_meets(s, _moment(low), last) for s in self.of)

    def __str__(self) -> str:
        return ", ".join(map(str, self.of))


def _meets(stretch: Stretch, first: datetime, last: datetime) -> bool:
    return (stretch.high is None or first < stretch.high) and (stretch.low is None or last >= stretch.low)


def _sides(column: str, kind: pa.DataType, stretch: Stretch) -> Iterator[str]:
    word = "date" if pa.types.is_date(kind) else "timestamptz" if kind.tz else "timestamp"
    for sign, moment in ((">=", stretch.low), ("<", stretch.high)):
        if moment is not None:
            text = _day(moment) if word == "date" else moment.replace(tzinfo=None).isoformat(sep=" ")
            yield f"{quote(column)} {sign} {word} {literal(text + ('+00' if word == 'timestamptz' else ''))}"


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


# ---------------------------------------------------------------- the calendar
def grain_of(header: ModelHeader) -> Grain:
    """Return how long a partition of a model is."""
    return header.grain or "day"


def begins(moment: datetime, grain: Grain) -> datetime:
    """Return when the partition of a moment begins."""
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return start if grain == "day" else start.replace(day=1, month=1 if grain == "year" else start.month)


def after(start: datetime, grain: Grain) -> datetime | None:
    """Return when the partition after one that begins at `start` begins; None where the calendar ends."""
    following = _plus(start, timedelta(days={"day": 1, "month": 32, "year": 367}[grain]))
    return following and begins(following, grain)


def _plus(moment: datetime, time: timedelta) -> datetime | None:
    """Add a time; None where the calendar ends."""
    return moment + time if time <= _LAST - moment else None


def in_calendar(column: str) -> str:
    """Write the value of a time column, one that lies beyond the calendar as the end that is nearer."""
    last, first = literal(_day(_LAST)), literal(_day(_FIRST))
    return f"case when {column} > {last} then {last} when {column} < {first} then {first} else {column} end"


def partitions(low: datetime, high: datetime, grain: Grain) -> list[datetime]:
    """List the beginnings of the partitions that lie, also in part, between two moments."""
    at: datetime | None = begins(low, grain)
    found = list[datetime]()
    while at is not None and at < high:
        found.append(at)
        at = after(at, grain)
    return found


def joined(starts: Iterable[datetime | None], grain: Grain, few: int = _FEW) -> Stretches:
    """Join touched partitions to few stretches; None stands for the rows without time."""
    known = set(starts)
    found: list[Stretch] = []
    for start in sorted(s for s in known if s is not None):
        if found and found[-1].high == start:
            found[-1] = replace(found[-1], high=after(start, grain))
        else:
            found.append(Stretch(None if start == _FIRST else start, after(start, grain)))
    while len(found) > few:
        gaps = [(_gap(a, b), i) for i, (a, b) in enumerate(pairwise(found))]
        _, nearest = min(gaps)
        found[nearest : nearest + 2] = [Stretch(found[nearest].low, found[nearest + 1].high)]
    return Stretches(found, None in known)


def _gap(a: Stretch, b: Stretch) -> timedelta:
    return b.low - a.high if a.high is not None and b.low is not None else timedelta(0)


# ---------------------------------------------------------------- what is built
@dataclass(frozen=True)
class Built:
    """What a table's state knows of its partitions.

    `covered` are the stretches that are built by its definition; None: all are. `asked` is the stretch that a backfill
    was asked for and has rebuilt up to `done`.
    """

    covered: Sequence[Stretch] | None = None
    asked: Stretch | None = None
    done: datetime | None = None

    @classmethod
    def read(cls, cursor: Any) -> Built:
        """Read it from a state's cursor."""
        said = cursor if isinstance(cursor, Mapping) else {}
        covered = said.get("covered")
        return cls(
            None if covered is None else [_stretch(pair) for pair in covered],
            _stretch(said["asked"]) if said.get("asked") else None,
            _parsed(said["done"]) if said.get("done") else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Write it as a state's cursor; nothing when all is built."""
        said: dict[str, Any] = {}
        if self.covered is not None:
            said["covered"] = [_pair(s) for s in self.covered]
        if self.asked is not None and self.done is not None:
            said |= {"asked": _pair(self.asked), "done": self.done.isoformat()}
        return said

    def missing(self) -> Stretches:
        """Return what is not built by the table's definition."""
        if self.covered is None:
            return Stretches()
        found, at = [], None
        for stretch in sorted(self.covered, key=_low):
            found += [Stretch(at, stretch.low)] if at is None or at < _low(stretch) else []
            at = max(at, stretch.high) if at is not None and stretch.high is not None else stretch.high
        return Stretches([*found, Stretch(at, None)], timeless=True)

    def with_(self, stretch: Stretch) -> Built:
        """Add a stretch that is built now."""
        if self.covered is None:
            return self
        found: list[Stretch] = []
        for one in sorted([*self.covered, stretch], key=_low):
            last = found[-1].high if found else None
            if last is not None and one.low is not None and one.low <= last:
                found[-1] = Stretch(found[-1].low, max(last, one.high) if one.high is not None else None)
            else:
                found.append(one)
        return replace(self, covered=found)


def stretch(low: str | None, high: str | None) -> Stretch:
    """Read a stretch from the ISO texts of its sides."""
    return _stretch([low, high])


def _low(stretch: Stretch) -> datetime:
    return stretch.low or _FIRST


def _pair(stretch: Stretch) -> list[str | None]:
    return [moment.isoformat() if moment else None for moment in (stretch.low, stretch.high)]


def _stretch(pair: Sequence[str | None]) -> Stretch:
    low, high = (_parsed(text) if text else None for text in pair)
    return Stretch(low, high)


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def bucket(column: str, grain: Grain) -> str:
    """Write the beginning of a row's partition."""
    return f"date_trunc({literal(grain)}, {quote(column)})"


def by_partition(query: str, column: str, grain: Grain) -> str:
    """Add to a query the beginning of each row's partition, as `BUCKET`."""
    return f"select *, {bucket(column, grain)} as {quote(BUCKET)} from ({query}\n) as q"
