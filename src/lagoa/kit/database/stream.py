"""How a stream of any database is declared: a table or a query, and how its news are told."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from lagoa.kit.database.choice import landing_name
from lagoa.spec.duration import Duration
from lagoa.spec.stream import Stream


class DatabaseStream(Stream):
    """A table, a view or a query of the server."""

    table: str | None = None
    """The table or view, as schema.name; names are taken as written, parts with a dot in them are quoted."""
    query: str | None = None
    """A query to read instead of a table."""
    lag: int | Duration = 0
    """How far below the last cursor value is read again, for rows that commit late: 15m, 1000."""

    @model_validator(mode="after")
    def _is_readable(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("a stream has either `table:` or `query:`")
        if self.mode == "append" and self.cursor is None:
            raise ValueError("mode: append needs `cursor:`, the column that tells new rows")
        if self.lag and self.cursor is None:
            raise ValueError("`lag:` needs `cursor:`")
        if self.mode == "replace" and self.cursor is not None:
            raise ValueError("mode: replace reads everything and takes no `cursor:`")
        return self

    @model_validator(mode="after")
    def _columns_are_called_as_they_land(self) -> Self:
        """Let columns be named as the server spells them: everybody else sees the name that lands."""
        columns = {landing_name(name): said for name, said in self.columns.items()}
        if len(columns) < len(self.columns):
            raise ValueError("columns: two of them land under one name")
        object.__setattr__(self, "columns", columns)
        for field in ("key", "partition_by"):
            object.__setattr__(self, field, tuple(landing_name(n) for n in getattr(self, field)))
        if self.cursor is not None:
            object.__setattr__(self, "cursor", landing_name(self.cursor))
        if self.deletes is not None and self.deletes.column is not None:
            marks = self.deletes.model_copy(update={"column": landing_name(self.deletes.column)})
            object.__setattr__(self, "deletes", marks)
        return self

    @property
    def compares(self) -> bool:
        """Say whether all keys are asked for, to find what was deleted."""
        return self.deletes is not None and self.deletes.compare


class RangedStream(DatabaseStream):
    """A table, a view or a query of a server that several connections can read side by side."""

    ranges: int = Field(1, ge=1, le=64)
    """Into how many ranges of a whole number (its key, or the cursor) a table is cut, each read by a connection of its
    own, when it is read as a whole; 1 reads it with one. Whether all see one moment is the server's affair."""
