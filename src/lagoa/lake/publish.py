"""Publishes a change: files are placed, the state is written, and one commit makes all of it true, once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import pyarrow as pa

from lagoa.errors import LakeError
from lagoa.lake import log
from lagoa.lake.commit import Adding, Commit, prepare
from lagoa.lake.files import folder, fsync, new_id, place, writing
from lagoa.lake.partition import normal
from lagoa.lake.schema import same, to_delta, twice_named
from lagoa.lake.settle import Try, settle
from lagoa.lake.state import CHANGES, CheckResult, Input, Placed, State
from lagoa.lake.stats import delta_stats
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.ports import Json, StagedFile

_TOGETHER = 4


@dataclass
class Change:
    """What is to become true. `adds` are staged files; `removes` live files' paths, needed for a merge only.

    `changes`: None, everything changed; [], the added files are the changed rows; else staged files of exactly
    the changed rows, whose column `_side` is 'old' or 'new'. A cursor of None keeps the one that the table has,
    but for a replace, which starts anew. `personal` columns get no statistics.
    """

    mode: Literal["append", "merge", "replace"]
    schema: pa.Schema
    adds: Sequence[StagedFile] = ()
    removes: Sequence[str] = ()
    changes: Sequence[StagedFile] | None = None
    bad: Sequence[StagedFile] = ()
    definition: Json = None
    inputs: Mapping[str, Input] = field(default_factory=dict)
    cursor: Json = None
    checks: Sequence[CheckResult] = ()
    partition_by: Sequence[str] = ()
    personal: frozenset[str] = frozenset()
    run: str = ""
    description: str | None = None


@dataclass(frozen=True)
class Ready:
    """A change whose files lie where they will stay, durably."""

    adds: Sequence[Adding]
    changes: Sequence[str] | None
    bad: Sequence[Placed]


def publish(lake: Lake, table: Table, change: Change) -> Table:
    """Make a change true on top of exactly this version and return the table as it is then.

    Raises Conflict LG-305 when a rival published first (what was placed is litter for `maintain`), LakeError
    LG-306 when the disk refuses. It never believes an error, nor a success: it looks at the log.
    """
    lake.owned(table.name)
    table = _fit(lake, table, change)
    with writing(table.name):
        ready = place_all(lake, table, change)
        return settle(lake, table, partial(_attempt, lake, change, ready))


def _fit(lake: Lake, table: Table, change: Change) -> Table:
    """Refuse what would damage the table; move a broken one aside, which only a replace may do."""
    twice_named(change.schema.names)
    if change.mode != "replace" and table.exists and (doubt := table.doubt()) is not None:
        raise doubt
    if table.broken or (table.trusted and _unreadable(table)):
        return set_aside(lake, table)
    if not table.exists:
        return table
    if table.mapped:
        raise LakeError(
            "LG-304",
            f"{table.name} has mapped columns (column mapping), which Lagoa reads but cannot write",
            hint="move the folder away and run again",
        )
    if change.mode != "replace":
        _same_shape(table, change)
    return table


def _same_shape(table: Table, change: Change) -> None:
    if not same(change.schema, table.schema):
        raise LakeError(
            "LG-308", f"the staged rows have not the columns of {table.name}, which are {table.schema.names}"
        )
    if tuple(change.partition_by) != tuple(table.partition_by):
        hint = f"`lagoa run --full -s {table.name}` rebuilds it with other partitions"
        raise LakeError("LG-308", f"{table.name} is partitioned by {list(table.partition_by)}", hint=hint)
    if lost := set(change.removes) - table.files.keys():
        raise ValueError(f"{table.name} does not hold {sorted(lost)[0]}")


def _unreadable(table: Table) -> bool:
    try:
        return table.exists and table.handle is None
    except LakeError:
        return True


def set_aside(lake: Lake, table: Table) -> Table:
    """Keep a folder whose log takes no commit any more under another name; the table begins anew."""
    lake.owned(table.name)
    home = lake.path(table.name)
    with writing(table.name):
        home.rename(home.with_name(f".{home.name}.broken-{new_id():x}"))
        fsync(home.parent)
    return Table(table.name, home)


# ---------------------------------------------------------------- files
def place_all(lake: Lake, table: Table, change: Change) -> Ready:
    """Move a change's staged files to their places and make them durable, many at a time."""
    homes = table.path, table.path / CHANGES, lake.path(table.name.quarantine)
    partitions = [normal(table.name, f.partition, change.schema) for f in change.adds]
    jobs = [partial(place, f.path, homes[0], inside) for f, inside in zip(change.adds, partitions, strict=True)]
    jobs += [partial(place, f.path, homes[1], prefix="changes") for f in change.changes or ()]
    jobs += [partial(place, f.path, homes[2]) for f in change.bad]
    names = _all(jobs)
    first, second = len(change.adds), len(change.adds) + len(change.changes or ())
    groups = names[:first], names[first:second], names[second:]
    for home, group in zip(homes, groups, strict=True):
        for inside in {(home / name).parent for name in group}:
            fsync(folder(inside))
    folder(table.path)
    adds = [
        Adding(name, f.size, f.rows, delta_stats(f, change.schema, change.personal), inside)
        for name, f, inside in zip(groups[0], change.adds, partitions, strict=True)
    ]
    bad = [Placed(name, f.rows, f.size) for name, f in zip(groups[2], change.bad, strict=True)]
    return Ready(adds, None if change.changes is None else groups[1], bad)


def _all(jobs: Sequence[partial[str]]) -> list[str]:
    if len(jobs) < 2:
        return [job() for job in jobs]
    with ThreadPoolExecutor(min(_TOGETHER, len(jobs)), thread_name_prefix="place") as pool:
        return [f.result() for f in [pool.submit(job) for job in jobs]]


# ---------------------------------------------------------------- state and commit
def _state(lake: Lake, table: Table, change: Change, ready: Ready) -> State:
    old, id = table.state, new_id(table.selected)
    whole = change.mode == "replace"
    gone = 0 if whole else sum(table.files[path].rows for path in change.removes)
    held = 0 if whole or not table.exists else table.rows
    changed = bool(ready.adds or change.removes or (whole and table.exists and table.files))
    last = old.bad_at if old else None
    empties = whole and (
        last is not None or (old is None and log.listing(lake.path(table.name.quarantine)) is not None)
    )
    follow = bool(ready.bad) or empties
    return State(
        id=id,
        parent=table.selected,
        version=table.version + 1,
        data=old.data if old and not changed else id,
        mode=change.mode,
        rows=held - gone + sum(a.rows for a in ready.adds),
        size=_size(table, change, ready),
        table=to_delta(change.schema).to_json(),
        partition_by=list(change.partition_by),
        definition=change.definition,
        inputs=change.inputs,
        cursor=old.cursor if old and change.cursor is None and not whole else change.cursor,
        added=[Placed(a.path, a.rows, a.size, a.partition) for a in ready.adds] if _only_adds(change) else [],
        changes=None if ready.changes is None else list(ready.changes),
        sides=None if change.changes is None else sum(f.rows for f in change.changes),
        checks=change.checks,
        bad=ready.bad,
        bad_at=id if follow else last,
        bad_before=last if follow else old.bad_before if old else None,
        personal=sorted(change.personal),
        run=change.run,
        at=time.time_ns() // 1_000_000,
    )


def _only_adds(change: Change) -> bool:
    """Say whether the files that come are the changed rows: an append, or a merge into an empty table."""
    return change.mode == "append" or (change.changes is not None and not change.changes and not change.removes)


def _size(table: Table, change: Change, ready: Ready) -> int | None:
    """Count the bytes of the table as it will be."""
    came = sum(a.size for a in ready.adds)
    if change.mode == "replace" or not table.exists:
        return came
    held = table.state.size if table.state else None
    return None if held is None else held - sum(table.files[path].size for path in change.removes) + came


def _attempt(lake: Lake, change: Change, ready: Ready, table: Table) -> Try | None:
    """Make a try of the same files; None when what a merge removes is no longer live (somebody compacted
    it)."""
    if change.mode == "merge" and not set(change.removes) <= table.files.keys():
        return None
    state = _state(lake, table, change, ready)
    commit = Commit(
        change.schema,
        ready.adds,
        change.removes,
        replace=change.mode == "replace",
        state=state.id,
        partition_by=change.partition_by,
        personal=change.personal,
        run=change.run,
        description=change.description,
    )
    return state, prepare(table, commit)
