"""How a table's columns will change, and who feels it: what a plan says of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from lagoa.kit.types import sql_type
from lagoa.lake.schema import same_type
from lagoa.plan.format import ColumnForm, ColumnsForm, RetypedForm


@dataclass(frozen=True)
class Columns:
    """The columns that appear and vanish, with their types, and those that change it: (name, before, after)."""

    added: Sequence[tuple[str, str]] = ()
    removed: Sequence[tuple[str, str]] = ()
    retyped: Sequence[tuple[str, str, str]] = ()

    @property
    def lost(self) -> list[str]:
        """Name the columns that go or change their type: what a reader may feel."""
        return [*(name for name, _ in self.removed), *(name for name, _, _ in self.retyped)]

    def form(self) -> ColumnsForm:
        """Give them in the documented form."""
        return ColumnsForm(
            added=[ColumnForm(name=name, type=kind) for name, kind in self.added],
            removed=[ColumnForm(name=name, type=kind) for name, kind in self.removed],
            retyped=[RetypedForm(name=name, was=was, type=kind) for name, was, kind in self.retyped],
        )


@dataclass(frozen=True)
class Felt:
    """Somebody downstream who reads a column that goes or changes its type."""

    by: str
    """A table, or `check` and its name."""
    column: str
    """Of a table upstream: silver.orders.total."""
    fails: bool = False
    """It cannot be built, or asked, any more."""
    sure: bool = True
    """False of a Python model: it reads the table, and which of its columns is not known."""


def compared(then: pa.Schema, now: pa.Schema) -> Columns | None:
    """Compare a table's columns as they are with those that it will have; None when they stay."""
    added = [(f.name, sql_type(f.type)) for f in now if f.name not in then.names]
    gone = [(f.name, sql_type(f.type)) for f in then if f.name not in now.names]
    both = [(then.field(f.name), f) for f in now if f.name in then.names]
    retyped = [(a.name, sql_type(a.type), sql_type(b.type)) for a, b in both if not same_type(a.type, b.type)]
    if not (added or gone or retyped):
        return None
    return Columns(added, gone, retyped)
