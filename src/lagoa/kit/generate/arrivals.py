"""When the rows of an event arrive: at once, late, twice, again with other values, or again as deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lagoa.kit.generate.draw import MASK, mixed
from lagoa.kit.generate.world import MILLION, World

LATE, TWICE, MENDED, GONE = 5, 3, 10, 7
"""Days within which a late row comes, a duplicate, a correction after the row, a deletion after it."""
SPAN = LATE + max(TWICE, MENDED, GONE)
"""Days after which a row is what it stays."""
Stretch = tuple[int, int, int]
"""Rows of a day: the day, the first row's number, and one beyond the last's."""


@dataclass(frozen=True)
class Window:
    """The days on which rows arrive: `after` one, `through` the other."""

    after: int
    through: int

    @property
    def days(self) -> range:
        """The days on which such rows may have happened."""
        return range(max(0, self.after + 1 - SPAN), self.through + 1)


def stretches(world: World, table: str, window: Window, each: int) -> Iterator[list[Stretch]]:
    """Cut what may arrive in a window into parts of about `each` rows."""
    part: list[Stretch] = []
    room = each
    for day in window.days:
        rows = world.volume(table, day)[0]
        low = 0
        while low < rows:
            high = min(rows, low + room)
            part.append((day, low, high))
            room -= high - low
            low = high
            if not room:
                yield part
                part, room = [], each
    if part:
        yield part


def arrivals(world: World, table: str, part: Sequence[Stretch], window: Window) -> str:
    """Write the SQL of the rows that arrive: `day`, `k` and `key` (its draws'), `version`, `first`, `came`, `fault`.

    `version` is 0 for a row as it was, 1 as corrected, 2 as deleted; `first` is the day on which it first came.
    """
    once = f"first > {window.after} and first <= {window.through}"
    again = f"again > {window.after} and again <= {window.through}"
    version = "case fault when 'corrected' then 1 when 'deleted' then 2 else 0 end"
    return f"""
select * exclude (again, copy), case copy when 0 then 0 else {version} end as version,
    case copy when 0 then first else again end as came
from ({_happened(world, table, part)}), (values (0), (1)) as copies(copy)
where case copy when 0 then {once} else fault is not null and {again} end"""


def outcome(world: World, table: str, part: Sequence[Stretch], window: Window) -> str:
    """Write the SQL of what is true of the rows that have arrived: each once, as it is known last, deleted ones gone.

    The columns are those of `arrivals`.
    """
    met = f"(fault is not null and again <= {window.through})"
    return f"""
select * exclude again, case when fault = 'corrected' and {met} then 1 else 0 end as version,
    case when fault = 'corrected' and {met} then again else first end as came
from ({_happened(world, table, part)})
where first > {window.after} and first <= {window.through} and not coalesce(fault = 'deleted' and {met}, false)"""


def _happened(world: World, table: str, part: Sequence[Stretch]) -> str:
    """Number the rows that happened and say what goes wrong with each: `first`, `fault`, and when it comes `again`."""
    faults = world.faults
    lines = ", ".join(
        f"({day}, {low}::bigint, {high}::bigint, {world.customers(day - 1)}::ubigint, {world.volume(table, day)[1]})"
        for day, low, high in part
    )
    rows = f"""
select day, people, wages, unnest(range(low, high)) as k
from (values {lines}) as part(day, low, high, people, wages)"""
    numbered = mixed(rows, {"number": f"k & {MASK}"}, world.seed, table)
    keyed = f"select *, (number + day::ubigint * 2654435761) & {MASK} as key from ({numbered})"
    drawn = mixed(keyed, {"wait": "key", "wrong": "key", "gap": "key"}, world.seed, table)
    late = f"case when wait % {MILLION} < {faults.late} then 1 + (wait // {MILLION} % {LATE})::bigint else 0 end"
    edges = faults.duplicated, faults.duplicated + faults.corrected
    bands = (*edges, edges[1] + faults.deleted)
    words = zip(bands, ("duplicated", "corrected", "deleted"), strict=True)
    fault = " ".join(f"when wrong % {MILLION} < {edge} then '{word}'" for edge, word in words)
    return f"""
select * exclude (wait, wrong, gap, number), first + case fault when 'duplicated' then (gap % {TWICE})::bigint
    when 'corrected' then 1 + (gap % {MENDED})::bigint when 'deleted' then 1 + (gap % {GONE})::bigint end as again
from (select *, day + {late} as first, case {fault} end as fault from ({drawn}))"""
