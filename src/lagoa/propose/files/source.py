"""The whole way from files to the source that reads them, written with the reasons for all it says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lagoa.errors import CommandError, LagoaError
from lagoa.kit.landing import is_pattern
from lagoa.ports import Session
from lagoa.propose.asking import engine_session
from lagoa.propose.files.families import Family, families
from lagoa.propose.files.names import free_source_name, stream_names
from lagoa.propose.files.sheets import sheets_of
from lagoa.propose.files.stream import propose_stream
from lagoa.propose.files.survey import Survey, survey, why_left_out
from lagoa.propose.proposed import Proposed


def propose_files(origin: Path, project: Path, taken: Sequence[str] = ()) -> tuple[Proposed, list[tuple[str, Path]]]:
    """Propose a source for a file or for all files of a folder, and return the databases that lie among them.

    Nothing is written. `taken` are names of sources. Raises CommandError LG-601 for a folder that no path can name,
    SourceError for what leads out of the folder.
    """
    base = origin if origin.is_dir() else origin.parent
    if is_pattern(str(base)):
        raise CommandError("LG-601", f"the folder {base} has a `*`, a `?` or braces in its name", hint="rename it")
    seen = survey(base, "**" if origin.is_dir() else _literal(origin.name))
    stem = origin.name if origin.is_dir() else origin.name.partition(".")[0]
    proposed = Proposed(free_source_name(stem, taken), {"type": "files", "path": near(base, project)})
    _streams(proposed, seen)
    return proposed, seen.databases


def _literal(name: str) -> str:
    return "".join("?" if c in "*?{}" else c for c in name)


def near(place: Path, project: Path) -> str:
    """Write a path: from the project when it lies near, whole otherwise."""
    from_there = os.path.relpath(place, Path.cwd() / project)
    return from_there if not from_there.startswith("../../..") else str(place)


def _streams(proposed: Proposed, seen: Survey) -> None:
    proposed.left_out += seen.left_out
    with engine_session() as session:
        groups = [part for f in families(seen.base, seen.files) for part in _parts(session, seen.base, f, proposed)]
        names = stream_names([_stem(f) for f in groups])
        for name, family in zip(names, groups, strict=True):
            try:
                proposed.streams.append(propose_stream(session, seen.base, name, family))
            except LagoaError as error:
                proposed.left_out.append(_left_out(family, error))
    proposed.streams.sort(key=lambda s: s.name)


def _parts(session: Session, base: Path, family: Family, proposed: Proposed) -> list[Family]:
    if family.first.format != "excel":
        return [family]
    try:
        return sheets_of(session, base, family, proposed.left_out)
    except LagoaError as error:
        proposed.left_out.append(_left_out(family, error))
        return []


def _left_out(family: Family, error: LagoaError) -> tuple[str, str]:
    first = family.files[0].found
    return first.name + (" and others" if len(family.files) > 1 else ""), why_left_out(first, error.message)


def _stem(family: Family) -> str:
    records, kind = family.first.records, family.first.guess.dialect.lines if family.first.guess else ""
    if kind:
        return f"{family.stem} {kind}"
    return records.removeprefix("$.") if records else family.stem
