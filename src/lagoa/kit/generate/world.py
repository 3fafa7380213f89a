"""The made-up world that all tables share: who is a customer since when, how busy a day is, what goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from lagoa.kit.generate.draw import MASK, chance, mixed

MILLION = 1_000_000
BEFORE = 1825
"""Days before the start in which the first customers came."""
_GROWTH = 5  # new customers a day, for each ten thousand of the first ones
_WEEK = (100, 100, 102, 105, 125, 85, 60)  # how busy a weekday is, Monday first
_BLACK_FRIDAY, _DECEMBER = 180, 135
_MONTH = {5: 125, 6: 120, 7: 110, 10: 115, 15: 105, 20: 108}  # wages and bills
_PAYDAY, _PAID = 5, 60  # the day of the month on which wages come, and to how many of a hundred customers
_WHOLE = 1000 * 100 * 100
_RATES = {"transactions": 500, "visits": 400, "orders": 30}  # a day, for each thousand customers


@dataclass(frozen=True)
class Faults:
    """How many of a million rows go wrong, and from which day on the applications deliver other columns."""

    late: int = 0
    duplicated: int = 0
    corrected: int = 0
    deleted: int = 0
    drift: date | None = None


@dataclass(frozen=True)
class World:
    """Days are counted from `start`, day 0, and customers from 0; those before `people` are there at the start."""

    seed: int
    people: int
    start: date
    faults: Faults = field(default_factory=Faults)

    @property
    def named(self) -> dict[str, Any]:
        """Say which world it is, as JSON: what was read from one cannot be read on from another."""
        faults = {name: value for name, value in asdict(self.faults).items() if name != "drift"}
        return {"seed": self.seed, "size": self.people, "start": self.start.isoformat(), **faults}

    @property
    def epoch(self) -> int:
        """The start in days since 1970."""
        return (self.start - date(1970, 1, 1)).days

    def day(self, at: date) -> int:
        """Count the days from the start to a date."""
        return (at - self.start).days

    def date(self, day: int) -> date:
        """Say which date a day is."""
        return self.start + timedelta(days=day)

    def drifted(self, day: int) -> bool:
        """Say whether the applications have their later columns on a day."""
        return self.faults.drift is not None and day >= self.day(self.faults.drift)

    def customers(self, day: int) -> int:
        """Count the customers at the end of a day, -1 being the eve of the start."""
        return self.people + self.people * (day + 1) * _GROWTH // 10_000

    def volume(self, table: str, day: int) -> tuple[int, int]:
        """Say how many rows happen in a table on a day, and how many of them, the first ones, are wages."""
        at, there = self.date(day), self.customers(day - 1)
        busy = _WEEK[at.weekday()] * _MONTH.get(at.day, 100)
        if at.month == 11 and at.weekday() == 4 and 23 <= at.day <= 29:
            busy = busy * _BLACK_FRIDAY // 100
        if at.month == 12:
            busy = busy * _DECEMBER // 100
        wages = there * _PAID // 100 if table == "transactions" and at.day == _PAYDAY else 0
        part = day * 6_180_339 % _WHOLE  # what a day's parts of rows come to shows on some days, also in a small world
        return (there * _RATES[table] * busy + part) // _WHOLE + wages, wages

    def known(self, rows: str, customer: str) -> str:
        """Add what is fixed of a customer: `joined`, `card_since` and `saves_since` (days; null: never)."""
        people, growth = self.people, self.people * _GROWTH
        joined = (
            f"case when {customer} < {people} then -1 - (fixed % {BEFORE})::bigint "
            f"else (({customer} - {people} + 1)::bigint * 10000 + {growth - 1}) // {growth} - 1 end"
        )
        drawn = mixed(rows, {"fixed": customer}, self.seed, "customers")
        card = f"case when {chance('(fixed >> 7)', 70)} then joined + 3 + ((fixed >> 14) % 28)::bigint end"
        saves = f"case when {chance('(fixed >> 9)', 35)} then joined + 30 + ((fixed >> 12) % 300)::bigint end"
        return (
            f"select *, {card} as card_since, {saves} as saves_since from (select *, {joined} as joined from ({drawn}))"
        )


def versioned(number: str, version: str) -> str:
    """Write a key for draws that differ from version to version of a row."""
    return f"(({number})::ubigint + ({version})::ubigint * 2654435761::ubigint) & {MASK}"


def ranges(rows: int, each: int) -> Sequence[tuple[int, int]]:
    """Cut so many rows into ranges of at most `each`."""
    return [(low, min(low + each, rows)) for low in range(0, rows, each)]
