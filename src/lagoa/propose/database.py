"""A database's tables become the streams of a source: names, keys and comments come from its catalog."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lagoa.errors import LagoaError
from lagoa.ports import Reading, Source
from lagoa.propose.files.facts import Facts
from lagoa.propose.files.names import plain_name
from lagoa.propose.files.personal import personal
from lagoa.propose.proposed import Column, Proposed, Stream
from lagoa.registry import adapter

_CHANGED = re.compile(
    r"(updated|modified|changed)_?(at|on|date|time)?|last_?(update|modified|change)(d|_at|_date)?|dt_atualizacao|"
    r"(atualizado|alterado|modificado)_em|data_(atualizacao|alteracao)"
)
_TIMES = ("timestamp", "date")
_USUAL = {"public", "main"}
"""Schemas that are meant when none is named."""


def propose_tables(name: str, given: Mapping[str, Any], written: Mapping[str, Any], project: Path) -> Proposed:
    """Propose a source for all tables of a database; nothing is written.

    `given` are the source's keys with their values, `written` how its file says them (secrets by reference). Raises
    SourceError when the database cannot be read, MissingExtra without its driver.
    """
    kind = adapter("sources", str(given["type"]))
    source: Source = kind.model_validate({**given, "streams": {}})
    found = _tables(source, kind.whole, project)
    proposed = Proposed(name, written)
    with tempfile.TemporaryDirectory(prefix="lagoa-", ignore_cleanup_errors=True) as folder:
        for stream, said in sorted(found.items()):
            try:
                columns = _columns(
                    kind.model_validate({**given, "streams": {stream: said}}), stream, Path(folder), project
                )
            except LagoaError as error:
                proposed.left_out.append((str(said["table"]), error.message))
                continue
            proposed.streams.append(_stream(stream, said, columns))
    return proposed


def _tables(source: Source, whole: Any, project: Path) -> dict[str, Mapping[str, Any]]:
    """List the tables of all schemas; a stream of another one than the usual one has its schema's name before it."""
    schemas = source.schemas(project)
    found = dict(source.discover(whole(), project)) if not schemas or _USUAL & set(schemas) else {}
    for schema in schemas:
        if schema not in _USUAL:
            others = source.discover(whole(schema=schema), project)
            found |= {f"{plain_name(schema) or 'schema'}_{stream}": said for stream, said in others.items()}
    return found


def _columns(source: Source, stream: str, folder: Path, project: Path) -> dict[str, str]:
    """Return the columns that a stream would give, with their types; no row is fetched."""
    batches = source.read(Reading(stream, None, folder, project, stream))
    first = next(batches, None)
    columns = {} if first is None else {field.name: str(field.type) for field in first.schema}
    batches.close()  # type: ignore[attr-defined]  # a generator, whose connection is closed with it
    return columns


def _stream(name: str, said: Mapping[str, Any], columns: Mapping[str, str]) -> Stream:
    """Propose a stream from what the catalog says of its table."""
    kept = {key: value for key, value in said.items() if value not in (None, [], False)}
    kept.pop("mode", None)
    told: Mapping[str, Mapping[str, Any]] = kept.pop("columns", {})
    stream = Stream(name, kept, width=len(columns))
    if key := kept.get("key"):
        stream.said["key"] = key[0] if len(key) == 1 else key
        stream.why["key"] = "its primary key"
    cursor = next((c for c, t in columns.items() if _CHANGED.fullmatch(plain_name(c)) and t.startswith(_TIMES)), None)
    if cursor and key:
        stream.said |= {"mode": "merge", "cursor": cursor}
        stream.why["cursor"] = "only what changed is read; for deleted rows add `deletes: compare`"
    nothing = Facts(0, 0, 0)
    plain = {plain_name(c): c for c in columns}
    people = {plain[column]: hit for column, hit in personal(name, dict.fromkeys(plain, nothing)).items()}
    for column in [c for c in columns if c in told or c in people]:
        kind, why = people.get(column, ("", "declared as a time, and holds numbers"))
        stream.columns.append(Column(column, {**told.get(column, {}), **({"pii": kind} if kind else {})}, why))
    return stream
