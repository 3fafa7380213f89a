"""Puts staged rows in the place of all rows of some stretches of a table: only files that hold such rows are
rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from lagoa.kit.text import columns
from lagoa.lake.merge import SIDE, Merge, at_places, place_in, sides
from lagoa.ports import FileSet, Session, StagedFile

_HELD, _CAME, _OLD = "_swap_held", "_swap_came", "_swap_old"


def swap(
    session: Session,
    held: FileSet,
    staged: Sequence[StagedFile],
    where: str,
    schema: pa.Schema,
    into: Path,
    partition_by: Sequence[str] = (),
) -> Merge:
    """Replace the rows for which `where` is true by the staged ones; when they are the same nothing is written.

    `held` are the files that may hold such rows. Each other row of a rewritten file is kept.
    """
    if not held.paths:
        return Merge(adds=list(staged))  # nothing gives way, so there is nothing to compare
    session.bind(_HELD, _of(held, schema, held.paths))
    rows = f"select * replace ({place_in(held)} as _file) from {session.files_of(_HELD)} where {where}"
    session.run(f"create or replace temp table {_OLD} as {rows}")
    partitions: dict[str, Mapping[str, str | None]] = {str(f.path): f.partition for f in staged if f.partition}
    session.bind(_CAME, FileSet(schema, [str(f.path) for f in staged], partitions))
    shown = columns(schema.names)
    differ = sides(f"select {shown} from {_OLD}", f"select {shown} from {_CAME}", schema.names)
    done = Merge(changes=session.stage(differ, into / "changes", pa.schema([pa.field(SIDE, pa.string()), *schema])))
    if done.changes:
        done.removes = at_places(session, held, f"from {_OLD}")
        for number, path in enumerate(done.removes):
            session.bind(_HELD, _of(held, schema, [path]))
            kept = f"select {shown} from {_HELD} where ({where}) is not true"
            done.adds += session.stage(kept, into / f"kept-{number}", schema, partition_by)
        done.adds += staged
        done.changes = done.changes if done.removes else []
    session.run(f"drop table {_OLD}")
    return done


def _of(held: FileSet, schema: pa.Schema, paths: Sequence[str]) -> FileSet:
    return FileSet(schema, paths, {p: held.partitions[p] for p in paths if p in held.partitions})
