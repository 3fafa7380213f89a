"""Takes out of a merge what its source has deleted: rows that it marks, and rows whose key it no longer holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.ingest.deliver import Landing, deliver
from lagoa.ingest.drift import Drift
from lagoa.kit.text import columns, literal, quote
from lagoa.lake.table import bind
from lagoa.ports import RAW, REASON, Batch, FileSet, StagedFile
from lagoa.run.settle import Landed
from lagoa.spec.stream import Deletes, Stream
from lagoa.transform.incremental import VANISHED

_MARKED, _THERE, _HAS = "_marked", "_there", "_has"


def listed(batch: Batch, drift: Drift, stream: Stream, place: str, to: Landing) -> list[StagedFile] | None:
    """Stage the keys that the source holds; None when the batch does not list them."""
    if batch.keys is None:
        return None
    kept = pa.schema([drift.schema.field(k) for k in stream.key])
    shape = Drift(kept, arriving={k: drift.arriving.get(k, k) for k in stream.key})
    shape.doubtful = [k for k in drift.doubtful if k in stream.key]
    return deliver(batch.keys, shape, stream, place, replace(to, folder=to.folder / "keys")).staged


def apart(landed: Landed, staged: Sequence[StagedFile], folder: Path) -> tuple[list[StagedFile], list[StagedFile]]:
    """Part staged rows, one a key, into those to merge and the keys to remove (see `Work.vanished`)."""
    deletes = landed.stream.deletes
    if deletes is None or deletes.column is None or not staged:
        return list(staged), []
    session = landed.session
    doubtful = any(REASON in f.stats for f in staged)
    shape = landed.schema if not doubtful else pa.schema([*landed.schema, (REASON, pa.string()), (RAW, pa.string())])
    partitions = {str(f.path): f.partition for f in staged if f.partition}
    session.bind(_MARKED, FileSet(shape, [str(f.path) for f in staged], partitions))
    gone = _mark(deletes, landed.schema)
    gone = f"({gone}) and {REASON} is null" if doubtful else gone
    if not int(session.rows(f"select count(*) from {_MARKED} where {gone}")[0][0]):
        return list(staged), []
    partition_by = landed.stream.partition_by
    kept = session.stage(
        f"select * from {_MARKED} where ({gone}) is not true", folder / "kept", landed.schema, partition_by
    )
    if landed.mode == "replace" or not landed.table.exists:
        return kept, []
    keys = f"select {columns(landed.stream.key)}, true as {VANISHED} from {_MARKED} where {gone}"
    return kept, session.stage(keys, folder / "gone", _removal(landed.schema), partition_by)


def vanished(landed: Landed, keys: Sequence[StagedFile], place: str, folder: Path) -> list[StagedFile]:
    """Stage the keys of the table that the source does not list any more.

    Raises SourceError LG-202 when it lists none at all, which would empty the table.
    """
    table, session, stream = landed.table, landed.session, landed.stream
    if landed.mode == "replace" or not table.exists or not table.rows:
        return []
    if not sum(f.rows for f in keys) and not stream.allow_empty:
        raise SourceError(
            "LG-202",
            f"{place} lists no key, which would empty `{table.name}` of its {table.rows} rows",
            hint="if that is right, say `allow_empty: true` in the stream",
        )
    shape = pa.schema([landed.schema.field(k) for k in stream.key])
    session.bind(_THERE, FileSet(shape, [str(f.path) for f in keys]))
    bind(session, _HAS, table)
    same = " and ".join(f"h.{quote(k)} = t.{quote(k)}" for k in stream.key)
    gone = f"select {columns(stream.key, 'h.')}, true as {VANISHED} from {_HAS} h anti join {_THERE} t on {same}"
    return session.stage(gone, folder / "vanished", _removal(landed.schema), stream.partition_by)


def _removal(schema: pa.Schema) -> pa.Schema:
    return pa.schema([*schema, (VANISHED, pa.bool_())])


def _mark(deletes: Deletes, schema: pa.Schema) -> str:
    """Write the predicate of a deleted row."""
    name = str(deletes.column)
    kind, column = schema.field(name).type, quote(name)
    if deletes.values:
        return f"{column}::varchar in ({', '.join(literal(v) for v in deletes.values)})"
    if pa.types.is_boolean(kind):
        return f"{column} is true"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return f"{column} <> 0"
    return f"{column} is not null"
