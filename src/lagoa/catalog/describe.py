"""What exists: each table as the project declares it and as the lake holds it, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from lagoa.catalog.lineage import ProjectLineage, Told, declared_of
from lagoa.errors import CommandError, LagoaError, ProjectError, did_you_mean
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.lake.history import Version, history
from lagoa.lake.state import CheckResult, chain
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.observe.log import last_runs, runs_folder
from lagoa.project.model import Project
from lagoa.spec.check import CheckSpec
from lagoa.spec.column import Column
from lagoa.spec.names import LAYERS, QUARANTINE, TableName
from lagoa.sql.lineage import Origin

MASK = "***"
"""What stands for a value of a personal column."""


@dataclass(frozen=True)
class Card:
    """One table in a list. What the lake alone knows is None while the table is not built.

    `kind` is stream, table, view, append, quarantine, or `left over` for what the project no longer makes.
    """

    name: TableName
    kind: str
    description: str | None = None
    owner: str | None = None
    owner_inherited: bool = False
    """The owner is that of the tables from which the values come."""
    file: str | None = None
    rows: int | None = None
    size: int | None = None
    files: int | None = None
    version: int | None = None
    published_at: datetime | None = None
    quarantined: int = 0
    problem: LagoaError | None = None
    read_in: str | None = None
    """The target in whose lake it is read, when that is another one."""

    @property
    def built(self) -> bool:
        """Say whether the lake holds it."""
        return self.version is not None

    def to_json(self) -> dict[str, Any]:
        """Give the card as `show --json` prints it."""
        return {
            "table": str(self.name),
            "kind": self.kind,
            "description": self.description,
            "owner": self.owner,
            "owner_inherited": self.owner_inherited,
            "file": self.file,
            "rows": self.rows,
            "bytes": self.size,
            "files": self.files,
            "version": self.version,
            "read_in": self.read_in,
            "published_at": self.published_at.isoformat() if self.published_at else None,
            "quarantined": self.quarantined,
            "problem": {"code": self.problem.code, "message": self.problem.message} if self.problem else None,
        }


@dataclass(frozen=True)
class ColumnCard:
    """One column: its type (DuckDB's words), whether it is personal, and what is declared of it."""

    name: str
    type: str | None
    pii: str | None
    description: str | None
    checks: Sequence[str]
    pii_from: Sequence[Origin] = ()
    """Where the personal data comes from, when that is not declared here."""
    description_from: Sequence[Origin] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the column as `show TABLE --json` prints it."""
        return {
            "name": self.name,
            "type": self.type,
            "pii": self.pii,
            "pii_from": list(map(str, self.pii_from)),
            "description": self.description,
            "description_from": list(map(str, self.description_from)),
            "checks": list(self.checks),
        }


@dataclass(frozen=True)
class Detail:
    """All that is known of one table; `checks` are the results of its newest version."""

    card: Card
    columns: Sequence[ColumnCard]
    inputs: Sequence[TableName]
    readers: Sequence[TableName]
    checks: Sequence[CheckResult]
    versions: Sequence[Version]
    changed_at: datetime | None = None
    """When its rows last changed; None when it is not built, or no longer known."""
    looked_at: datetime | None = None
    """When a run last found it in order, changed or not; None when no log tells."""

    def to_json(self) -> dict[str, Any]:
        """Give the detail as `show TABLE --json` prints it."""
        return {
            **self.card.to_json(),
            "changed_at": self.changed_at.isoformat() if self.changed_at else None,
            "looked_at": self.looked_at.isoformat() if self.looked_at else None,
            "columns": [c.to_json() for c in self.columns],
            "reads": [str(n) for n in self.inputs],
            "read_by": [str(n) for n in self.readers],
            "checks": [{"check": c.name, "on_fail": c.on_fail, "violations": c.violations} for c in self.checks],
            "versions": [
                {
                    "version": v.version,
                    "at": v.at.isoformat(),
                    "mode": v.mode,
                    "rows": v.rows,
                    "run": v.run,
                    "ours": v.ours,
                }
                for v in self.versions
            ],
        }


def tables(project: Project, lake: Lake, chosen: AbstractSet[TableName] | None = None) -> list[Card]:
    """List every table that the project makes or the lake holds, or those that are chosen, layer by layer."""
    names = {*project.graph.nodes, *(n for n in lake.names() if n.layer != QUARANTINE)} if chosen is None else chosen
    ordered = sorted(names, key=lambda n: (LAYERS.index(n.layer), n.name))
    return [card(project, lake, name) for name in ordered]


def card(project: Project, lake: Lake, name: TableName) -> Card:
    """Describe one table. What is wrong with it in the lake is its `problem`, never an exception."""
    node = project.graph.nodes.get(name)
    noun = declared_of(project, name)
    kind = node.kind if node else QUARANTINE if name.layer == QUARANTINE else "left over"
    told: dict[str, Any] = {
        "description": noun.description if noun else None,
        "owner": node.owner if node else None,
        "file": str(node.place) if node else None,
        "read_in": project.defer.target if project.defer and name.guarded in lake.elsewhere else None,
    }
    if kind == "view":
        return Card(name, kind, **told)
    try:
        return Card(name, kind, **told, **_held(lake, lake.open(name)))
    except LagoaError as error:
        return Card(name, kind, **told, problem=error)


def _held(lake: Lake, table: Table) -> dict[str, Any]:
    if not table.exists:
        return {}
    files = table.files
    at = table.state.at if table.state else 0
    return {
        "rows": table.rows,
        "size": sum(f.size for f in files.values()),
        "files": len(files),
        "version": table.version,
        "published_at": datetime.fromtimestamp(at / 1000, UTC) if at else None,
        "quarantined": 0 if table.name.layer == QUARANTINE else _set_aside(lake, table.name),
    }


def _set_aside(lake: Lake, name: TableName) -> int:
    try:
        return lake.open(name.quarantine).rows
    except LagoaError:
        return 0


def find(project: Project, lake: Lake, text: str) -> TableName:
    """Find a table by what a user typed; `orders` is enough when only one table is called so.

    Raises ProjectError LG-103 with the closest name.
    """
    known = {str(n): n for n in (*project.graph.nodes, *lake.names())}
    wanted = text.strip().lower()
    if wanted in known:
        return known[wanted]
    bare = [n for key, n in known.items() if key.partition(".")[2] == wanted and n.layer != QUARANTINE]
    if len(bare) == 1:
        return bare[0]
    hint = did_you_mean(wanted, known) or "`lagoa show` lists the tables"
    raise ProjectError("LG-103", f"there is no table `{text}`", hint=hint)


def find_stored(project: Project, lake: Lake, text: str) -> TableName:
    """Find a table that has rows of its own. Raises ProjectError LG-103, and CommandError LG-601 for a view."""
    name = find(project, lake, text)
    model = project.models.get(name)
    if model is not None and model.header.kind == "view":
        hint = f"it reads {', '.join(map(str, model.inputs))}" if model.inputs else None
        raise CommandError("LG-601", f"{name} is a view: it has no rows or versions of its own", hint=hint)
    return name


def detail(project: Project, lake: Lake, name: TableName, schema: pa.Schema | None, limit: int = 10) -> Detail:
    """Describe one table in full, with its newest `limit` versions. `schema` is that of a view, which has no files."""
    shown = card(project, lake, name)
    results: Sequence[CheckResult] = ()
    changed_at = None
    if shown.built:
        table = lake.open(name)
        changed_at = _changed_at(table)
        schema = table.schema
        results = table.state.checks if table.state else ()
    node = project.graph.nodes.get(name)
    readers = sorted(n for n, other in project.graph.nodes.items() if name in other.inputs)
    versions = history(lake, name, limit) if shown.kind != "view" else []
    lineage = ProjectLineage(project, lake.open)
    owners, inherited = lineage.owners(name)
    shown = replace(shown, owner=", ".join(owners) or None, owner_inherited=inherited)
    return Detail(
        shown,
        _columns(project, lineage, name, schema),
        node.inputs if node else (),
        readers,
        results,
        versions,
        changed_at,
        _looked_at(project, name) if shown.built else None,
    )


def _changed_at(table: Table) -> datetime | None:
    """Find the state that last changed rows; a new column has not, nor has a run that only noted what it read."""
    state = table.state
    found = next((s for s in chain(table.path, state) if s.id <= state.data), None) if state is not None else None
    return datetime.fromtimestamp(found.at / 1000, UTC) if found is not None and found.news and found.at else None


def _looked_at(project: Project, name: TableName) -> datetime | None:
    """Find the newest of the last runs in which the table was made or found to be up to date."""
    for run in last_runs(runs_folder(project.root)):
        fine = any(s.table == str(name.guarded) and s.status in ("published", "unchanged") for s in run.steps)
        if fine and run.target == project.target_name:
            return run.started_at
    return None


def _columns(project: Project, lineage: ProjectLineage, name: TableName, schema: pa.Schema | None) -> list[ColumnCard]:
    noun = declared_of(project, name)
    declared: Mapping[str, Column] = noun.columns if noun else {}
    by_name = {n.lower(): c for n, c in declared.items()}
    types = {f.name: _as_declared(sql_type(f.type)) for f in schema} if schema is not None else {}
    if not types:
        types = {n: c.type or "" for n, c in declared.items()}
    personal = lineage.personal(name)
    found = []
    for column, kind in types.items():
        said = by_name.get(column.lower()) or Column()
        pii = personal.get(column.lower()) or Told("")
        words = lineage.description(name, column) or Told("")
        checks = [_check_words(check) for check in said.checks]
        found.append(
            ColumnCard(
                column, kind or None, pii.text or None, words.text or None, checks, pii.inherited, words.inherited
            )
        )
    return found


def _as_declared(kind: str) -> str:
    """Write a type as `columns:` does: text, timestamptz, decimal(12,2)."""
    return kind.lower().replace("varchar", "text").replace("timestamp with time zone", "timestamptz")


def _check_words(check: CheckSpec) -> str:
    """Write a check as its header does: unique, min 0, in a, b."""
    value = check.value
    words = (
        "" if value is None or value is True else f" {', '.join(map(str, value)) if isinstance(value, list) else value}"
    )
    return f"{check.kind}{words}" + (f" ({check.on_fail})" if check.on_fail != "block" else "")


def personal_columns(project: Project, lake: Lake, name: TableName) -> dict[str, str]:
    """Name the columns to be masked, in lower case, each with its kind of personal data, wherever it is declared.

    On the safe side: also what the table's state calls personal; and where lineage cannot tell, what has the name of a
    personal column of an input.
    """
    # a quarantine holds what its table would
    return {n: told.text for n, told in ProjectLineage(project, lake.open).personal(name.guarded).items()}


def masked(name: TableName, schema: pa.Schema, personal: Mapping[str, str]) -> str:
    """Write the query that shows a table's rows with the values of personal columns hidden.

    The raw text of quarantined rows is hidden when any column is personal: it holds them all.
    """
    hidden = {n.lower() for n in personal}
    raw = {"_raw"} if hidden else set()
    shown = [
        f"case when {quote(n)} is not null then {literal(MASK)} end as {quote(n)}"
        if n.lower() in hidden | raw
        else quote(n)
        for n in schema.names
    ]
    return f"select {', '.join(shown)} from {quote(name.layer)}.{quote(name.name)}"
