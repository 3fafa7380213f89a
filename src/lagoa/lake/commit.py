"""The one Delta commit by which files, schema and state become true together, through the handle that was
pinned."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from lagoa.errors import LakeError
from lagoa.lake import log
from lagoa.lake.files import fsync, uuid7
from lagoa.lake.schema import same_json, to_delta
from lagoa.lake.table import Table

STATS_COLUMNS = "delta.dataSkippingStatsColumns"
"""The property that tells other writers for which columns they may keep statistics."""
HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
"""Neither a checkpoint, which delta-rs does not fsync, nor a clean-up of the log."""
_NTZ = "timestamp_ntz"
_NTZ_FEATURE = "timestampNtz"


@dataclass(frozen=True)
class Adding:
    """A placed file on its way into the log."""

    path: str
    size: int
    rows: int
    stats: str
    partition: Mapping[str, str | None] = field(default_factory=dict)


@dataclass
class Commit:
    """What one commit says. `state` is the id it selects; None for one that only rearranges files."""

    schema: pa.Schema
    adds: Sequence[Adding] = ()
    removes: Collection[str] = ()
    replace: bool = False
    state: int | None = None
    partition_by: Sequence[str] = ()
    personal: Collection[str] = ()
    run: str = ""
    description: str | None = None
    data_change: bool = True
    alter: bool = False
    """The schema changes, although the files stay."""


def properties(state: int | None, run: str) -> CommitProperties:
    """Make the properties of a commit of ours; never with retries, or a stale rewrite is accepted and
    rows double."""
    transactions = None if state is None else [Transaction(log.APP, state)]
    said = {"lagoa.run": run} if run else None
    return CommitProperties(app_transactions=transactions, max_commit_retries=0, custom_metadata=said)


def prepare(table: Table, commit: Commit) -> Callable[[], object]:
    """Make all that a commit needs; calling the result commits. Raises LakeError when the table cannot
    take it."""
    delta = to_delta(commit.schema)
    handle = table.handle
    if handle is None:
        return lambda: _create(table, commit, delta)
    if commit.alter or (commit.replace and _needs_metadata(table, handle, commit, delta)):
        return lambda: _by_hand(table, handle, commit, delta)
    return lambda: _write(table, handle, commit, delta)


def _create(table: Table, commit: Commit, delta: Schema) -> None:
    create_table_with_add_actions(
        str(table.path),
        delta,
        _adds(commit),
        partition_by=list(commit.partition_by),
        name=str(table.name),
        description=commit.description,
        configuration=_configuration({}, commit),
        commit_properties=properties(commit.state, commit.run),
        post_commithook_properties=HOOKS,
    )


def _write(table: Table, handle: DeltaTable, commit: Commit, delta: Schema) -> None:
    now = _now()
    removes = [] if commit.replace else [table.files[path] for path in commit.removes]
    handle.create_write_transaction(
        [
            *_adds(commit),
            *(RemoveAction(f.path, commit.data_change, now, f.size, dict(f.partition)) for f in removes),
        ],
        "overwrite" if commit.replace else "append",  # "overwrite" writes the removes of all files by itself
        delta,
        partition_by=list(commit.partition_by),
        commit_properties=properties(commit.state, commit.run),
        post_commithook_properties=HOOKS,
    )


def _adds(commit: Commit) -> list[AddAction]:
    now = _now()
    return [AddAction(a.path, a.size, dict(a.partition), now, commit.data_change, a.stats) for a in commit.adds]


def _now() -> int:
    return time.time_ns() // 1_000_000


# ---------------------------------------------------------------- what delta-rs would break
def _needs_metadata(table: Table, handle: DeltaTable, commit: Commit, delta: Schema) -> bool:
    """Say whether a replace changes what delta-rs leaves as it is: it then commits a table that nobody
    can open.

    Seen with 1.6.6: other partition columns, a first timestamp without time zone, and the same columns, or fields of
    a struct, in another order.
    """
    if handle.schema() == delta and not same_json(handle.schema().to_json(), delta.to_json()):
        return True
    if tuple(table.partition_by) != tuple(commit.partition_by) or _lacks_ntz(handle, delta):
        return True
    held = handle.metadata().configuration
    return _configuration(held, commit) != held


def _lacks_ntz(handle: DeltaTable, delta: Schema) -> bool:
    return f'"{_NTZ}"' in delta.to_json() and _NTZ_FEATURE not in (handle.protocol().reader_features or [])


def _configuration(held: Mapping[str, str], commit: Commit) -> dict[str, str]:
    """Return the table's properties: other writers are told to keep no statistics of personal columns, and
    nobody is told to forget what was consumed."""
    kept = {k: v for k, v in held.items() if k not in (STATS_COLUMNS, log.FORGETFUL)}
    if commit.personal:
        plain = (
            f.name
            for f in commit.schema
            if f.name not in commit.personal
            and f.name not in commit.partition_by
            and not pa.types.is_nested(f.type)
            and not pa.types.is_binary(f.type)
        )
        kept[STATS_COLUMNS] = ",".join("`" + name.replace("`", "``") + "`" for name in plain)
    return kept


def _by_hand(table: Table, handle: DeltaTable, commit: Commit, delta: Schema) -> None:
    """Write the commit file ourselves: the Delta protocol's own compare-and-swap is a file that
    must be new."""
    if commit.replace and not table.plain:
        raise LakeError(
            "LG-304",
            f"{table.name} has deletion vectors, so its columns or partitions cannot be changed in place",
            hint="move the folder away and run again",
        )
    now = _now()
    actions: list[dict[str, Any]] = [{"commitInfo": _info(table, commit, now)}]
    if _lacks_ntz(handle, delta):
        actions.append({"protocol": _protocol_with_ntz(handle)})
    actions.append({"metaData": _metadata(handle, commit, delta)})
    for file in table.files.values() if commit.replace else ():
        gone = {
            "path": file.logged,
            "dataChange": True,
            "deletionTimestamp": now,
            "extendedFileMetadata": True,
        }
        actions.append({"remove": gone | {"partitionValues": dict(file.partition), "size": file.size}})
    for added in commit.adds:
        new = {
            "path": quote(added.path, safe="/=-_.~"),
            "partitionValues": dict(added.partition),
            "size": added.size,
        }
        actions.append({"add": new | {"modificationTime": now, "dataChange": True, "stats": added.stats}})
    actions.append({"txn": {"appId": log.APP, "version": commit.state}})
    _link(table.path, table.version + 1, "\n".join(json.dumps(a, ensure_ascii=False) for a in actions).encode())


def select(table: Table, state: int, operation: str, run: str) -> None:
    """Commit nothing but that a state is true now."""
    said = {"lagoa.run": run} if run else {}
    info = {"timestamp": _now(), "operation": operation, "engineInfo": "lagoa", "readVersion": table.version}
    actions = [{"commitInfo": info | said}, {"txn": {"appId": log.APP, "version": state}}]
    _link(table.path, table.version + 1, "\n".join(json.dumps(a) for a in actions).encode())


def _info(table: Table, commit: Commit, now: int) -> dict[str, Any]:
    parameters = {"mode": "Overwrite", "partitionBy": json.dumps(list(commit.partition_by))}
    said = {"lagoa.run": commit.run} if commit.run else {}
    written = {
        "timestamp": now,
        "operation": "WRITE",
        "operationParameters": parameters,
        "engineInfo": "lagoa",
    }
    return written | {"readVersion": table.version} | said


def _protocol_with_ntz(handle: DeltaTable) -> dict[str, Any]:
    held = handle.protocol()
    readers = sorted({*(held.reader_features or []), _NTZ_FEATURE})
    writers = sorted({*(held.writer_features or []), _NTZ_FEATURE})
    return {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": readers,
        "writerFeatures": writers,
    }


def _metadata(handle: DeltaTable, commit: Commit, delta: Schema) -> dict[str, Any]:
    held = handle.metadata()
    return {
        "id": str(held.id),
        "name": held.name,
        "description": commit.description or held.description,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": delta.to_json(),
        "partitionColumns": list(commit.partition_by),
        "createdTime": held.created_time,
        "configuration": _configuration(held.configuration, commit),
    }


def _link(table: Path, version: int, data: bytes) -> None:
    """Make a commit appear whole and durable, or not at all. Raises FileExistsError when a rival was
    first."""
    draft = table / log.FOLDER / f"_{uuid7()}.tmp"
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        log.commit_file(table, version).hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    fsync(table / log.FOLDER)
