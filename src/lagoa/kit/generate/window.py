"""Cuts a reading into batches of days, each published by itself, so that a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator

from lagoa.kit.generate.arrivals import Window
from lagoa.kit.generate.table import Table
from lagoa.kit.generate.world import BEFORE, World

BATCH = 20_000_000
"""Rows after which a batch ends with the day."""
_EVER = -BEFORE - 1
"""Before all days: the customers of the start came after it."""


def windows(world: World, table: Table, after: int | None, last: int, in_parts: bool) -> Iterator[Window]:
    """Give the windows of a reading: from the day after `after` (None: from the beginning) through the last day."""
    low, rows = _EVER if after is None else after, 0
    if table.kind == "event" and in_parts:
        for day in range(max(0, low + 1), last):
            rows += world.volume(table.happens, day)[0]
            if rows >= BATCH:
                yield Window(low, day)
                low, rows = day, 0
    if low < last:
        yield Window(low, last)
