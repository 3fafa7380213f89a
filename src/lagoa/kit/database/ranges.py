"""Cuts a table into ranges of a whole number, which several connections read side by side."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lagoa.kit.database.judged import Judged
from lagoa.kit.database.stream import RangedStream


@dataclass(frozen=True)
class Range:
    """Rows that fulfil `where`; `label` says which they are."""

    where: str
    label: str


def edges(low: int, high: int, count: int) -> list[int]:
    """Return where each of at most so many ranges begins, the first at `low`."""
    count = min(count, high - low + 1)
    return [low + (high - low + 1) * n // count for n in range(count)]


def cut_by(
    columns: Iterable[Judged], stream: RangedStream, primary: Sequence[str], whole: Collection[str]
) -> Judged | None:
    """Choose the column by which a table is cut: its primary key, the stream's key, or its cursor.

    `whole` are the types of numbers. None: there is no such column, or the user drops it, or wants no ranges.
    """
    if stream.ranges < 2 or stream.table is None:
        return None
    known = list(columns)
    wanted = [c for c in known if [c.found.name] == list(primary)]
    wanted += [c for c in known if (c.name,) == stream.key] + [c for c in known if c.name == stream.cursor]
    return next((c for c in wanted if c.found.type in whole), None)


def ranges(shown: str, by: Judged, bounds: dict[str, Any], count: int) -> list[Range]:
    """Write the ranges of a column between its lowest and highest value; every row is in one of them.

    `shown` is the column in SQL; `bounds` holds `low` and `high`, null where there is no row. Ranges are open at both
    ends: rows that come meanwhile have their place, and so have numbers with a fraction.
    """
    if bounds["low"] is None:
        return []
    starts = edges(math.floor(bounds["low"]), math.floor(bounds["high"]), count)
    found = []
    for number, start in enumerate(starts):
        low = [f"{shown} >= {start}"] if number else []
        high = [f"{shown} < {starts[number + 1]}"] if number + 1 < len(starts) else []
        where = " and ".join([*low, *high])
        if not number and not by.found.required:
            where = f"({where} or {shown} is null)"
        found.append(Range(where, f"range {number + 1} of {len(starts)}"))  # no value, which may be personal
    return found if len(found) > 1 else []
