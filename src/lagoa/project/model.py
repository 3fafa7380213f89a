"""A project as the rest of Lagoa sees it: validated, with every name resolved and nothing left to look up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lagoa.errors import Place
from lagoa.ports import Source
from lagoa.project.graph import Graph as Graph
from lagoa.project.graph import StreamTable as StreamTable
from lagoa.project.targets import Deferred as Deferred
from lagoa.spec.check import CheckHeader
from lagoa.spec.model import ModelHeader
from lagoa.spec.names import TableName
from lagoa.spec.project import ProjectFile, Target
from lagoa.sql.parse import Query, same


@dataclass(frozen=True)
class SourceEntry:
    """A file of `sources/`; `source` is built by its adapter's class. `file` is relative to the project."""

    name: str
    file: str
    source: Source


@dataclass(frozen=True)
class Model:
    """A file of `models/`: how a table, or a view, is made.

    `text` is the whole file and `body` what follows the header, which begins on line `body_line` of the file.
    `inputs` are the tables that it reads, quarantine tables among them. A Python model has no query.
    """

    name: TableName
    file: str
    header: ModelHeader
    language: Literal["sql", "python"]
    text: str
    body: str
    body_line: int
    query: Query | None
    inputs: tuple[TableName, ...]


@dataclass(frozen=True)
class CustomCheck:
    """A file of `checks/`: a query whose rows are violations of `table`; `tables` are all that it reads."""

    name: str
    file: str
    header: CheckHeader
    table: TableName
    body: str
    body_line: int
    tables: tuple[TableName, ...]


def same_checks(then: Sequence[Any], now: Sequence[Any]) -> bool:
    """Compare what `Project.deciding` wrote at two times; comments and layout of a query do not count."""
    if len(then) != len(now):
        return False
    return all(a == b or (a[1] == b[1] == "sql" and _same_query(a, b)) for a, b in zip(then, now, strict=True))


def _same_query(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return [*a[:2], *a[3:]] == [*b[:2], *b[3:]] and same(a[2], b[2])


@dataclass(frozen=True)
class Project:
    """A folder of files, read and found right for one target."""

    root: Path
    file: ProjectFile
    target_name: str
    target: Target
    lake: Path
    """The lake's folder, absolute."""
    sources: Mapping[str, SourceEntry]
    models: Mapping[TableName, Model]
    checks: tuple[CustomCheck, ...]
    graph: Graph
    secrets: tuple[str, ...] = field(repr=False)
    """Every secret value that was met, also passwords inside connections; nothing shown may hold one."""
    defer: Deferred | None = None
    """Where tables are read that do not differ here; None: this target holds them all."""
    deferring: tuple[Path, ...] = ()
    """The lakes of the targets that read this one's tables."""

    def place(self, table: TableName) -> Place | None:
        """Point at the file, and for a stream the line, that makes a table."""
        node = self.graph.nodes.get(table)
        return node.place if node else None

    def guards(self, table: TableName) -> list[CustomCheck]:
        """Find the files of `checks/` that guard a table."""
        return [check for check in self.checks if check.table == table]

    def deciding(self, table: TableName) -> list[Any]:
        """Write down every check that decides which rows of a table are published, in an order apart from layout."""
        model = self.models.get(table)
        noun = model.header if model is not None else self.graph.streams[table].spec
        found: list[Any] = [
            [name, check.kind, check.value, check.on_fail, check.where]
            for name, column in noun.columns.items()
            for check in column.checks
        ]
        found += [[None, check.kind, check.value, check.on_fail, check.where] for check in noun.checks]
        found += [[check.name, "sql", check.body, check.header.on_fail, None] for check in self.guards(table)]
        return sorted((c for c in found if c[3] != "warn"), key=str)
