"""What differs between two versions of a table, as commands show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.spec.names import TableName

Values = Mapping[str, str | None]
"""A row as text, by column; personal values are masked."""
What = Literal["changed", "added", "removed"]


@dataclass(frozen=True)
class Side:
    """One of the two: a pinned version of the table, on a target, and the lake in which that target reads it."""

    target: str
    lake: Lake
    table: Table
    read_in: str
    """The target whose lake holds it: another one when the target falls through."""

    def __str__(self) -> str:
        through = f", read in {self.read_in}" if self.read_in != self.target else ""
        return f"{self.target} version {self.table.version}{through}"

    def to_json(self) -> dict[str, Any]:
        """Give the side as `diff --json` prints it."""
        held = self.table
        return {"target": self.target, "read_in": self.read_in, "version": held.version, "rows": held.rows}


@dataclass(frozen=True)
class Columns:
    """How the columns differ, with their types in DuckDB's words; `retyped` gives the type before and after."""

    added: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    retyped: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)


@dataclass(frozen=True)
class Counts:
    """How many rows differ, in the columns that both sides have. Without a key no row can be `changed`.

    `columns` counts, for each column, the changed rows in which it differs.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class Differing:
    """A row of the sample: as it was, as it is, or both."""

    what: What
    before: Values | None
    after: Values | None

    def to_json(self) -> dict[str, Any]:
        """Give the row as `diff --json` prints it."""
        return {"what": self.what, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class Diff:
    """All that differs. `key` says which rows are the same one; empty when whole rows are compared, and `note` why."""

    name: TableName
    before: Side
    after: Side
    columns: Columns
    counts: Counts
    key: Sequence[str]
    note: str | None
    sample: Sequence[Differing]
    personal: frozenset[str] = frozenset()
    """The columns of the sample whose values are masked."""
    unread: int = 0
    """How many of the same rows are in files that both sides have, which were not read."""

    @property
    def same(self) -> bool:
        """Say whether nothing differs."""
        return not self.columns and not self.counts

    def to_json(self) -> dict[str, Any]:
        """Give the difference as `diff --json` prints it."""
        retyped = {name: {"before": then, "after": now} for name, (then, now) in self.columns.retyped.items()}
        counts = self.counts
        return {
            "table": str(self.name),
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "same": self.same,
            "columns": {"added": self.columns.added, "removed": self.columns.removed, "retyped": retyped},
            "key": list(self.key),
            "note": self.note,
            "rows": {
                "added": counts.added,
                "removed": counts.removed,
                "changed": counts.changed if self.key else None,
                "same": counts.same,
            },
            "differing": dict(counts.columns),
            "sample": [row.to_json() for row in self.sample],
        }
