"""Tables and columns as templates see them, and what they may ask of a table that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Unrenderable(Exception):
    """What a template asks for cannot be given here, and why."""


class ColumnsNeeded(Unrenderable):
    """A template asks for the columns of a table, and they are not known, or not yet."""

    def __init__(self, table: str) -> None:
        super().__init__(f"it needs the columns of `{table}`, which are not known without the database")
        self.table = table


class Relation:
    """A table as templates see it; as text it is `layer.name`."""

    def __init__(self, table: str) -> None:
        self.schema, _, self.identifier = table.partition(".")
        self.name = self.table = self.alias = self.identifier
        self.database = ""

    def __str__(self) -> str:
        return f"{self.schema}.{self.identifier}"

    def include(self, **_: Any) -> Relation:
        """Return itself: a table has one name."""
        return self

    render = quote = without_identifier = include


_TEXTS = ("VARCHAR", "TEXT", "CHAR", "STRING")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


class Column:
    """A column as templates see it."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = self.column = name
        self.dtype = self.data_type = kind
        self.quoted = '"' + name.replace('"', '""') + '"'

    def is_string(self) -> bool:
        """Say whether it holds text."""
        return self.dtype.upper().startswith(_TEXTS)

    def is_integer(self) -> bool:
        """Say whether it holds whole numbers."""
        return self.dtype.upper() in _INTEGERS

    def is_float(self) -> bool:
        """Say whether it holds floating numbers."""
        return self.dtype.upper() in ("FLOAT", "REAL", "DOUBLE")

    def is_numeric(self) -> bool:
        """Say whether it holds decimal numbers."""
        return self.dtype.upper().startswith(("DECIMAL", "NUMERIC"))

    def is_number(self) -> bool:
        """Say whether it holds numbers of any kind."""
        return self.is_integer() or self.is_float() or self.is_numeric()

    def string_size(self) -> int:
        """Return how many letters it can hold, which no table here limits."""
        return 256


Known = Mapping[str, Sequence[Sequence[str]]]
"""Name and type of each column, by table."""


def columns_of(known: Known, relation: Any) -> list[Column]:
    """Return the columns of a table. Raises ColumnsNeeded when they are not known."""
    found = known.get(str(relation))
    if found is None:
        raise ColumnsNeeded(str(relation))
    return [Column(name, kind) for name, kind in found]
