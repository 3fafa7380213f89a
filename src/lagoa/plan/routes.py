"""Says which tables a target that defers has of its own, and why: those that differ from the other target's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lagoa.errors import LakeError
from lagoa.ingest.definition import changes as changes_of_stream
from lagoa.ingest.definition import definition as definition_of_stream
from lagoa.lake.store import Lake, on_disk
from lagoa.lake.table import Table
from lagoa.project.model import Deferred, Project
from lagoa.spec.names import TableName
from lagoa.transform.bind import tables_behind
from lagoa.transform.definition import changes, definition


@dataclass(frozen=True)
class Routes:
    """Where each table of a project is read. `own` says why a table is this target's, for those that are.

    `notes` say of streams how their declaration differs from the one by which the other target loaded them. `copies`
    are tables below this target's lake that no longer count.
    """

    defer: Deferred | None = None
    own: Mapping[TableName, str] = field(default_factory=dict)
    elsewhere: Mapping[TableName, Path] = field(default_factory=dict)
    notes: Mapping[TableName, str] = field(default_factory=dict)
    copies: Collection[TableName] = ()
    ingested: Collection[TableName] = ()
    """The streams that are asked for; a target that defers asks for no others."""
    seen: Mapping[TableName, Table | LakeError] = field(default_factory=dict)
    """The tables that are read elsewhere, as they were opened to be compared."""

    def asks(self, stream: TableName) -> bool:
        """Say whether a source may be asked for a stream."""
        return self.defer is None or stream in self.ingested


def routes(project: Project, ingest: Collection[TableName] = ()) -> Routes:
    """Compare the project with what the other target's lake was built by; `ingest` are streams to be loaded here.

    A table is this target's own when it differs, is absent there, or is made of, or checked against, one that is.
    """
    if project.defer is None:
        return Routes()
    there = _opened(project, Lake(project.defer.lake))
    here = set(on_disk(project.lake))
    own: dict[TableName, str] = {}
    notes: dict[TableName, str] = {}
    streams = project.graph.streams
    for name in (n for n in project.graph.order if n in there):
        if name not in streams:
            why = _why_own(project, name, there[name], own)
        elif name in ingest:
            why = "--ingest loads it here"
        else:
            why = "--ingest loaded it here" if name in here else None
        if why is not None:
            own[name] = why
        elif name in streams and (said := _stream_differs(project, name, there[name])):
            notes[name] = said
    elsewhere = dict.fromkeys((n for n in there if n not in own), project.defer.lake)
    copies = sorted(n for n in here if n in elsewhere)
    seen = {name: there[name] for name in elsewhere}
    return Routes(project.defer, own, elsewhere, notes, copies, frozenset(ingest) & streams.keys(), seen)


def _opened(project: Project, lake: Lake) -> dict[TableName, Table | LakeError]:
    views = {name for name, model in project.models.items() if model.header.kind == "view"}
    names = [name for name in project.graph.order if name not in views]

    def look(name: TableName) -> Table | LakeError:
        try:
            return lake.open(name)
        except LakeError as error:
            return error  # whoever reads it is told

    with ThreadPoolExecutor(8, thread_name_prefix="route") as pool:
        return dict(zip(names, pool.map(look, names), strict=True))


def _why_own(project: Project, name: TableName, found: Table | LakeError, own: Mapping[TableName, str]) -> str | None:
    said: list[str] = []
    target = project.defer.target if project.defer else ""
    if isinstance(found, Table) and not found.exists:
        said.append(f"{target} does not have it")
    elif isinstance(found, Table):
        then = found.state.definition if found.state else None
        if then is None:
            said.append(f"{target} does not say how it was built")
        elif differs := changes(then, definition(project, project.models[name])):
            said.append(f"differs from {target}: {', '.join(differs)}")
    behind = [i.guarded for i in tables_behind(project, project.graph.waits_for(name))]
    said += [f"{i} is its own" for i in dict.fromkeys(behind) if i in own]
    return "; ".join(said) or None


def _stream_differs(project: Project, name: TableName, found: Table | LakeError) -> str:
    then = found.state.definition if isinstance(found, Table) and found.state else None
    if then is None:
        return ""
    spec = project.graph.streams[name].spec
    return ", ".join(changes_of_stream(then, definition_of_stream(spec, project.deciding(name))))
