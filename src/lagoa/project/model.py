"""A project as the rest of Lagoa sees it: validated, with every name resolved and nothing left to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lagoa.errors import Place
from lagoa.ports import Source
from lagoa.project.graph import Graph as Graph
from lagoa.project.graph import StreamTable as StreamTable
from lagoa.spec.check import CheckHeader
from lagoa.spec.model import ModelHeader
from lagoa.spec.names import TableName
from lagoa.spec.project import ProjectFile, Target
from lagoa.sql.parse import Query


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

    def place(self, table: TableName) -> Place | None:
        """Point at the file, and for a stream the line, that makes a table."""
        node = self.graph.nodes.get(table)
        return node.place if node else None
