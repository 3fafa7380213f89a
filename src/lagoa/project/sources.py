"""Reads `sources/*.yml`: each becomes a source built by its adapter's class, and its streams become tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from lagoa.errors import ProjectError, ProjectErrors
from lagoa.ports import Source
from lagoa.project.gates import tables_of
from lagoa.project.graph import Node, StreamTable
from lagoa.project.model import SourceEntry
from lagoa.project.python_source import has_its_functions, header_of
from lagoa.project.reading import Reading, mapping_of
from lagoa.project.whole import whole_streams
from lagoa.project.words import declared
from lagoa.project.yaml import Document
from lagoa.registry import adapter, names
from lagoa.spec.names import bronze, is_name
from lagoa.spec.stream import Stream

_NOTHING: Any = object()


def read_sources(reading: Reading) -> tuple[dict[str, SourceEntry], list[StreamTable], list[Node]]:
    """Read every source's file; what is wrong goes to the findings."""
    entries: dict[str, SourceEntry] = {}
    streams: list[StreamTable] = []
    nodes: list[Node] = []
    for name, path in reading.tree.sources.items():
        reading.broken_sources.add(name)  # until it is found whole, its readers are not told that its tables lack
        with reading.findings.catching():
            document, entry = _entry(reading, name, path)
            entries[name] = entry
            for stream, spec in entry.source.streams.items():
                table = _stream(document, name, stream, spec)
                streams.append(table)
                nodes.append(_node(reading, document, table, entry.source))
    return entries, streams, nodes


def _entry(reading: Reading, name: str, path: Path) -> tuple[Document, SourceEntry]:
    file = reading.tree.relative(path)
    script = path.suffix == ".py"
    document = header_of(path, file) if script else mapping_of(path, file)
    value, unresolved = reading.references.resolve(document)
    value = {**({"type": "python", "file": file} if script else {}), **(value or {})}
    kind = _kind(value, document)
    usable = _usable_names(reading, value, document)
    named = value.get("streams")
    every = named.pop("*", _NOTHING) if isinstance(named, dict) else _NOTHING
    try:
        source = declared(kind, value, document)
    except ProjectErrors as several:
        said = {str(error.place) for error in unresolved}
        raise ProjectErrors([*unresolved, *(e for e in several.errors if str(e.place) not in said)]) from None
    reading.findings.extend(unresolved)
    if script:
        has_its_functions(path, file, source, document)
    reading.references.remember(source)
    if every is not _NOTHING and not unresolved:
        found = whole_streams(reading, name, source, every, document)
        source = declared(kind, {**value, "streams": {**found, **value["streams"]}}, document)
    source = source.completed(reading.tree.root, document.at)
    if usable:
        reading.broken_sources.discard(name)
    return document, SourceEntry(name, file, source)


def _kind(value: dict[str, Any], document: Document) -> type[Source]:
    if "type" not in value:
        hint = f"add `type:`, one of {', '.join(names('sources'))}"
        raise ProjectError("LG-102", "`type` is missing", place=document.key(()), hint=hint)
    try:
        return cast("type[Source]", adapter("sources", str(value["type"])))
    except ProjectError as error:
        place = document.at(("type",))
        raise ProjectError(error.code, error.message, place=place, hint=error.hint) from None


def _usable_names(reading: Reading, value: dict[str, Any], document: Document) -> bool:
    """Refuse names that no table can have, and go on without them; say whether there were none."""
    streams = value.get("streams")
    if not isinstance(streams, dict):
        return True
    kept = {}
    for stream, spec in streams.items():
        place = document.key(("streams", stream))
        if stream != "*" and not is_name(stream):
            message = f"`{stream}` cannot name a stream: lower-case letters, digits and _, no digit first"
            reading.findings.append(ProjectError("LG-102", message, place=place))
        else:
            kept[stream] = spec
    value["streams"] = kept
    return len(kept) == len(streams)


def _stream(document: Document, source: str, stream: str, spec: Stream) -> StreamTable:
    where = ("streams", stream)
    place = document.key(where if where in document.keys else ("streams", "*"))
    return StreamTable(bronze(source, stream), source, stream, spec, place)


def _node(reading: Reading, document: Document, table: StreamTable, source: Source) -> Node:
    spec = table.spec
    checked = tables_of(reading, table.name, document, ("streams", table.stream), spec)
    return Node(
        name=table.name,
        kind="stream",
        place=table.place,
        checked_against=checked,
        source=table.source,
        owner=spec.owner or source.owner,
        tags=tuple(dict.fromkeys((*spec.tags, *source.tags))),
    )
