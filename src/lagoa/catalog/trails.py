"""The whole way of a column, back to the streams or on to gold, as a tree that can be printed or given as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lagoa.catalog.lineage import ProjectLineage, Step
from lagoa.project.model import Project
from lagoa.spec.names import TableName
from lagoa.sql.lineage import ColumnLineage, Origin

Direction = Literal["upstream", "downstream"]
SEEN = "as above"
"""Stands where a way goes on that was shown already."""


@dataclass(frozen=True)
class Branch:
    """A column, or a whole table, on the way, and where the way goes on; `how` it gets to the one before."""

    table: TableName
    column: str | None
    how: str | None = None
    note: str | None = None
    branches: Sequence[Branch] = ()

    @property
    def name(self) -> str:
        """Its full name: silver.orders.total, or silver.orders for all of it."""
        return f"{self.table}.{self.column}" if self.column else str(self.table)

    def to_json(self) -> dict[str, Any]:
        """Give the branch as `show --lineage --json` prints it."""
        return {
            "table": str(self.table),
            "column": self.column,
            "how": self.how,
            "note": self.note,
            "branches": [branch.to_json() for branch in self.branches],
        }


@dataclass(frozen=True)
class Trail:
    """One column of the table that is asked about, with both of its ways."""

    column: str
    lineage: ColumnLineage | None
    """None when it is not made in the project."""
    upstream: Sequence[Branch] = ()
    downstream: Sequence[Branch] = ()


@dataclass(frozen=True)
class Trails:
    """The ways of a table's columns; `rows` decide which rows it has. `unknown`: why it has columns not listed."""

    table: TableName
    directions: Sequence[Direction]
    columns: Sequence[Trail] = ()
    rows: Sequence[Origin] = ()
    unknown: str | None = None
    rows_unknown: str | None = None
    tables: Sequence[TableName] = ()
    """The tables that it reads."""
    origin: str | None = None
    """Of a stream: which one it is, and of which source."""

    def to_json(self) -> dict[str, Any]:
        """Give the trails as `show --lineage --json` prints them."""
        return {
            "table": str(self.table),
            "reads": [str(table) for table in self.tables],
            "origin": self.origin,
            "columns": [self._column(trail) for trail in self.columns],
            "unknown": self.unknown,
            "rows": [_place(origin) for origin in self.rows],
            "rows_unknown": self.rows_unknown,
        }

    def _column(self, trail: Trail) -> dict[str, Any]:
        said: dict[str, Any] = {"column": trail.column, "unknown": trail.lineage.unknown if trail.lineage else None}
        own = [o for o in trail.lineage.rows if o not in self.rows] if trail.lineage else []
        said["rows"] = [_place(origin) for origin in own]
        for direction in self.directions:
            said[direction] = [branch.to_json() for branch in getattr(trail, direction)]
        return said


def _place(origin: Origin) -> dict[str, str]:
    return {"table": origin.table, "column": origin.column}


def trails(
    project: Project,
    lineage: ProjectLineage,
    name: TableName,
    column: str | None = None,
    directions: Sequence[Direction] = ("upstream", "downstream"),
) -> Trails:
    """Follow a table's columns, or one of them, in the given directions."""
    query = lineage.query(name)
    model = project.models.get(name)
    found = []
    for wanted in [column] if column else lineage.columns(name) or (query.names if query else []):
        back = _grown(project, lineage.inputs, name, wanted) if "upstream" in directions else ()
        on = _grown(project, lineage.readers, name, wanted) if "downstream" in directions else ()
        found.append(Trail(wanted, lineage.column(name, wanted), back, on))
    unknown = None
    if lineage.columns(name) is None:
        unknown = query.others.reason if query and query.others else "its columns are not known until it is built"
    return Trails(
        name,
        directions,
        found,
        query.rows if query else (),
        unknown,
        query.rows_unknown if query else None,
        model.inputs if model else (),
        _end(project, name),
    )


def _grown(
    project: Project, steps: Callable[[TableName, str], list[Step]], name: TableName, column: str
) -> list[Branch]:
    """Follow one direction to its end; a way that was shown is not shown again."""
    seen: set[tuple[TableName, str]] = {(name, column.lower())}

    def grow(step: Step) -> Branch:
        note = step.note or _end(project, step.table)
        if step.column is None:
            return Branch(step.table, None, step.how, note)
        key = (step.table, step.column.lower())
        if key in seen:
            return Branch(step.table, step.column, step.how, SEEN)
        seen.add(key)
        further = [grow(s) for s in steps(step.table, step.column)]
        return Branch(step.table, step.column, step.how, note, further)

    return [grow(step) for step in steps(name, column)]


def _end(project: Project, name: TableName) -> str | None:
    stream = project.graph.streams.get(name)
    return f"stream {stream.stream} of {stream.source}" if stream else None
