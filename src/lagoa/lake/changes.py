"""What has changed in a table since a reader last consumed it: exact rows where the states still tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from lagoa.lake.merge import SIDE
from lagoa.lake.state import CHANGES, Placed, chain
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.ports import FileSet


@dataclass(frozen=True)
class Changed:
    """`added` is set for "appended", and for "changed" when rows were appended, too; `sides` is set for "changed".

    `sides` has the column `_side` ('old' or 'new') before the table's own. A row that changed twice is there twice on
    either side.
    """

    kind: Literal["nothing", "appended", "changed", "everything"]
    added: FileSet | None = None
    sides: FileSet | None = None


def changed(lake: Lake, table: Table, since: int | None) -> Changed:
    """Compare a pinned table with its data state `since`.

    "everything" after a replace, a restore or an accepted foreign change, or when the states or files that
    would tell are gone.
    """
    added: list[Placed] = []
    sides: list[str] = []
    if table.state is None or since is None:
        return Changed("everything")
    if table.state.data == since:
        return Changed("nothing")
    for state in chain(table.path, table.state):
        if state.id == since:
            return _read(lake, table, added, sides)
        if not state.news:
            continue
        if state.changes is None:
            return Changed("everything")
        added += state.added
        sides += state.changes
        if not (state.added or state.changes):
            return Changed("everything")
    return Changed("everything")


def _read(lake: Lake, table: Table, added: Sequence[Placed], sides: Sequence[str]) -> Changed:
    home = lake.path(table.name)
    paths = [home / p.path for p in added] + [home / CHANGES / name for name in sides]
    if not all(path.exists() for path in paths):
        return Changed("everything")
    partitions = {f"{home}/{p.path}": p.partition for p in added if p.partition}
    rows = FileSet(table.schema, [f"{home}/{p.path}" for p in added], partitions)
    if not sides:
        return Changed("appended", added=rows)
    shape = pa.schema([pa.field(SIDE, pa.string()), *table.schema])
    changes = FileSet(shape, [f"{home}/{CHANGES}/{name}" for name in sides])
    return Changed("changed", rows if added else None, changes)
