"""Which input columns a query's columns are made of, and which decide its rows; the parser is loaded when asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

Flow = Literal["copied", "derived", "counted"]
"""How an input column gets into a value: as it is (also renamed or cast), through an expression, or only as
"how many" and "whether any" (`count(x)`, `x is null`), which tell none of its values."""
Schema = Mapping[str, Sequence[str]]
"""The columns of the tables, in order, by table name in lower case; a table that is missing is an unknown one."""


@dataclass(frozen=True, order=True)
class Origin:
    """A column of a table that a query reads."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class ColumnLineage:
    """What one output column comes from. Without values, counted rows and doubt it is a constant."""

    name: str
    values: Mapping[Origin, Flow] = field(default_factory=dict)
    """The input columns of which its values are made; with an `unknown`, those of which they may be made."""
    rows_of: tuple[str, ...] = ()
    """The tables of which it counts or numbers rows: `count(*)`, `row_number()`."""
    rows: tuple[Origin, ...] = ()
    """The input columns that decide which rows go into it: those of the whole query and its own."""
    unknown: str | None = None
    """Why it cannot be known of what its values are made."""
    rows_unknown: str | None = None
    """Why it cannot be known for certain which columns decide its rows."""


@dataclass(frozen=True)
class OtherColumns:
    """Columns that a query gives under names that are not known: of a star over an unknown table, of a pivot."""

    reason: str
    tables: tuple[str, ...] = ()
    """The tables whose unknown columns they are; a name that is asked for is one of theirs."""
    values: Mapping[Origin, Flow] = field(default_factory=dict)
    """The input columns of which they may be made, when they are no table's own."""
    hidden: frozenset[str] = frozenset()
    """Names that are not among them, in lower case."""

    def find(self, name: str) -> Mapping[Origin, Flow] | None:
        """Say of what a column of that name would, or may, be made; None when it cannot be among them."""
        if name.lower() in self.hidden:
            return None
        copies: dict[Origin, Flow] = {Origin(table, name): "copied" for table in self.tables}
        return {**copies, **self.values}

    @property
    def certain(self) -> bool:
        """Say whether what `find` answers is surely so: they are the columns of exactly one table."""
        return len(self.tables) == 1 and not self.values


@dataclass(frozen=True)
class QueryLineage:
    """What a query's columns come from, in their order."""

    columns: tuple[ColumnLineage, ...] = ()
    rows: tuple[Origin, ...] = ()
    """The input columns that decide which rows there are."""
    others: OtherColumns | None = None
    """Columns beyond those listed, whose names and number are not known; None when there are none."""
    rows_unknown: str | None = None

    @property
    def names(self) -> list[str]:
        """The names of the columns that are known, in order."""
        return [column.name for column in self.columns]

    def find(self, name: str) -> ColumnLineage | None:
        """Find a column by its name, in any case; also one that may be among the `others`."""
        wanted = name.lower()
        known = next((column for column in self.columns if column.name.lower() == wanted), None)
        if known is not None or self.others is None:
            return known
        values = self.others.find(name)
        if values is None:
            return None
        reason = None if self.others.certain else self.others.reason
        return ColumnLineage(name, values, (), self.rows, reason, self.rows_unknown)


def lineage(text: str, schema: Schema) -> QueryLineage:
    """Follow every column of one query back to the tables that it reads; what cannot be known says why."""
    trace: Any = import_module("lagoa.sql.trace")  # by name: it loads sqlglot
    found: QueryLineage = trace.trace(text, schema)
    return found


def equal(text: str) -> list[tuple[Origin, Origin]]:
    """List the pairs of columns of two tables that one query holds equal: by what it joins."""
    found: list[tuple[Origin, Origin]] = import_module("lagoa.sql.equal").equal(text)
    return found
