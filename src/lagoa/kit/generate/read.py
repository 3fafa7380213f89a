"""Writes the SQL of what an application tells in a window of days, and of what is true of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lagoa.kit.generate.arrivals import Stretch, Window, arrivals, outcome, stretches
from lagoa.kit.generate.events import ITEMS, ORDERS, TRANSACTIONS, VISITS
from lagoa.kit.generate.people import ACCOUNTS, CARDS, CUSTOMERS, PRODUCTS
from lagoa.kit.generate.table import Table
from lagoa.kit.generate.world import World, ranges
from lagoa.kit.text import literal, quote
from lagoa.ports import SOURCE

TABLES = {t.name: t for t in (CUSTOMERS, ACCOUNTS, CARDS, TRANSACTIONS, VISITS, PRODUCTS, ORDERS, ITEMS)}
"""Every table that there is, by name."""
PORTION = 1_000_000
"""Rows that are made in one go."""


def told(
    world: World, table: Table, window: Window, shape: Mapping[str, str], stream: str
) -> Iterator[tuple[str, str]]:
    """Give the queries of what is new in a window, each with a label, their columns being `shape` and `_source`."""
    origin = f"{literal(stream + '@')} || (date '{world.start}' + came::integer)::varchar as {SOURCE}"
    select = f"select {_cast(shape)}, {origin} from"
    if table.kind == "state":
        for low, high in ranges(table.count(world, window.through), PORTION):
            rows = table.rows(world, _numbers(low, high), window.through)
            yield f"{select} ({rows}) where came > {window.after}", f"{stream} ({low}-{high - 1})"
        return
    for part in stretches(world, table.happens, window, PORTION):
        given = arrivals(world, table.happens, part, window)
        yield f"{select} ({table.rows(world, given, window.through)})", f"{stream} {_label(world, part)}"


def truth(world: World, table: Table, day: int) -> str:
    """Write the query of what is true at the end of a day: each row once, right, with its `fault` (text or null).

    A row is there once it has arrived, and as it should be once its correction has.
    """
    shape = table.shape(world.drifted(day))
    select = f"select {_cast(shape, table.right)}, fault from"
    window = Window(-1, day)
    if table.kind == "state":
        return f"{select} ({table.rows(world, _numbers(0, table.count(world, day)), day)})"
    part = [(d, 0, world.volume(table.happens, d)[0]) for d in window.days]
    return f"{select} ({table.rows(world, outcome(world, table.happens, part, window), day)})"


def _numbers(low: int, high: int) -> str:
    return f"select range::bigint as i from range({low}, {high})"


def _cast(shape: Mapping[str, str], instead: Mapping[str, str] | None = None) -> str:
    found = instead or {}
    return ", ".join(f"{quote(found.get(name, name))}::{kind} as {quote(name)}" for name, kind in shape.items())


def _label(world: World, part: list[Stretch]) -> str:
    first, last = world.date(part[0][0]), world.date(part[-1][0])
    return str(first) if first == last else f"{first} to {last}"
