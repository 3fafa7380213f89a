"""Finds what changed in an input that was rebuilt, by comparing the version that was consumed with the one now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lagoa.errors import LakeError
from lagoa.kit.text import columns, quote
from lagoa.kit.types import sql_type
from lagoa.lake.merge import sides
from lagoa.lake.state import chain
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.sql.incremental.analysis import NEW, OLD, Refused, exact

_FEW = 100_000
"""So many rows are compared in a moment."""
_TIMES = 4
"""A row that is compared costs about as much as so many that a rebuild reads."""


def consumed_version(lake: Lake, now: Table, since: int | None) -> Table:
    """Open the version of an input that was consumed. Raises Refused when it is gone."""
    version = next((s.version for s in chain(now.path, now.state) if s.id == since), None)
    try:
        old = lake.at(now.name, version if version is not None else -1)
        if all((old.path / path).exists() for path in old.files):
            return old
    except LakeError as error:
        raise Refused(f"the version of {now.name} that was consumed is gone") from error
    raise Refused(f"the version of {now.name} that was consumed is gone")


def worth_comparing(table: Table, then: int, inputs: Iterable[Table]) -> None:
    """Refuse to compare versions of `then` rows and of the table's now, when a rebuild over the inputs costs less."""
    rows = then + table.rows
    if rows > _FEW and rows * _TIMES > sum(t.rows for t in inputs):
        raise Refused(f"{table.name} was rebuilt, and to compare its versions would cost more")


def differences(bare: str, table: Table, read: Collection[str]) -> tuple[list[str], str]:
    """Give the columns that are compared, those that are read, and SQL for the rows in which the versions differ.

    A row has its `_side` before the columns. Raises Refused when equal values of a column may differ.
    """
    names = [f.name for f in table.schema if f.name.lower() in read]
    names = names or [f.name for f in table.schema if exact(sql_type(f.type))][:1]
    for name in names:
        kind = sql_type(table.schema.field(name).type)
        if not exact(kind):
            raise Refused(f"{table.name} was rebuilt, and {name} is of type {kind}, whose equal values may differ")
    if not names:
        raise Refused(f"{table.name} was rebuilt, and none of its columns can be compared")
    old, new = (f"select {columns(names)} from {quote(bare + version)}" for version in (OLD, NEW))
    return names, sides(old, new, names)
