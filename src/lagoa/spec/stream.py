"""A stream as declared: what every source's streams have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from lagoa.spec.check import CheckEntry
from lagoa.spec.column import StreamColumn
from lagoa.spec.declared import Declared


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One name or a list of names."""


class Deletes(Declared):
    """How a `merge` learns which rows its source has deleted."""

    column: str | None = None
    """The column that marks a deleted row: true, a number but 0, or anything but null."""
    values: Names = ()
    """The values of the column that mark a deleted row, when null does not tell: [D]."""
    compare: bool = False
    """Ask the source for all its keys each time; a row whose key is not among them is removed."""

    @model_validator(mode="after")
    def _says_one_way(self) -> Self:
        if (self.column is None) != self.compare:
            raise ValueError("say either `deletes: {column: …}` or `deletes: compare`")
        if self.values and self.column is None:
            raise ValueError("`values:` are those of `column:`")
        return self


def _compared(value: object) -> object:
    return {"compare": True} if value == "compare" else value


class Stream(Declared):
    """The keys that every stream takes; a source adds its own."""

    mode: Literal["append", "merge", "replace"] = "replace"
    """`replace` reads everything each time, `append` adds what is new, `merge` updates by key."""
    key: Names = ()
    """The columns that tell one row from another."""
    cursor: str | None = None
    """The column that grows with news; what lies above the last value seen is read."""
    deletes: Annotated[Deletes, BeforeValidator(_compared)] | None = None
    """How a `merge` learns of deleted rows: {column: removed_at}, or `compare`, where the source can list its keys."""
    schema_: Literal["evolve", "freeze", "quarantine"] = Field("evolve", alias="schema")
    """What happens when the source's columns change."""
    columns: Mapping[str, StreamColumn] = Field(default_factory=dict)
    """What is known of its columns."""
    checks: tuple[CheckEntry, ...] = ()
    """Checks of the table as a whole."""
    partition_by: Names = ()
    """Columns that become folders of the table."""
    description: str | None = None
    """What a row is, in a sentence."""
    owner: str | None = None
    """Who answers for it."""
    tags: tuple[str, ...] = ()
    """Words to select and search by."""
    allow_empty: bool = False
    """Let a `replace` that brings no row empty the table; otherwise it is an error."""

    @model_validator(mode="after")
    def _modes_have_what_they_need(self) -> Self:
        if self.mode == "merge" and not self.key:
            raise ValueError("mode: merge needs `key:`")
        if self.mode != "merge" and self.deletes is not None:
            raise ValueError("`deletes:` goes with mode: merge")
        return self

    @property
    def renamed(self) -> Mapping[str, str]:
        """Other names for some columns, in sources whose streams take `rename:`."""
        return getattr(self, "rename", None) or {}

    @property
    def dropped(self) -> frozenset[str]:
        """The columns that never land."""
        return frozenset(name for name, column in self.columns.items() if column.drop)
