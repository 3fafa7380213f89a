"""Goes back to an older version, or takes a foreign change as it is: rows and state together, by one
commit."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from lagoa.errors import LakeError
from lagoa.lake import log, quarantine
from lagoa.lake.commit import HOOKS, properties, select
from lagoa.lake.files import new_id, writing
from lagoa.lake.rust import asked
from lagoa.lake.settle import Try, settle
from lagoa.lake.state import Placed, State
from lagoa.lake.store import Lake
from lagoa.lake.table import Table, counted
from lagoa.spec.names import TableName


def restore(lake: Lake, name: TableName, version: int, run: str = "") -> Table:
    """Make a table what it was at a version, cursor and quarantine included; readers will see everything
    as changed.

    Raises LakeError LG-307 when the version, its state or its files are no longer there, Conflict when a
    rival won.
    """
    lake.owned(name)
    now = lake.open(name, trust=True)
    if now.broken:
        raise now.distrust or log.damaged(name, "its log cannot be read")
    target = lake.at(name, version)
    state = target.state
    if state is None or target.distrust is not None:
        raise LakeError("LG-307", f"version {version} of {name} is not one that Lagoa wrote", hint=_hint(name))
    if lost := [path for path in target.files if not (target.path / path).exists()]:
        said = f"version {version} of {name} needs {lost[0]}, which has been vacuumed"
        raise LakeError("LG-307", said, hint=_hint(name))
    if now.version == version and now.doubt() is None:
        return lake.open(name)
    aside = quarantine.bad_since(target, state.bad_at, None)[0] if state.bad_at is not None else []
    with writing(name):
        restored = settle(lake, now, partial(_back, version, state, aside, run, now.version))
    quarantine.follow(lake, name)
    return restored


def _back(version: int, state: State, aside: list[Placed], run: str, on: int, table: Table) -> Try | None:
    if table.version != on:
        return None
    id = new_id(table.selected)
    last = table.state.bad_at if table.state else None
    follow = bool(aside) or last is not None
    new = replace(
        state,
        id=id,
        parent=table.selected,
        version=table.version + 1,
        data=id,
        mode="restore",
        added=[],
        changes=None,
        sides=None,
        bad=aside,
        bad_at=id if follow else None,
        bad_before=last if follow else None,
        run=run,
        at=time.time_ns() // 1_000_000,
    )
    handle = table.live
    return new, lambda: handle.restore(version, commit_properties=properties(id, run), post_commithook_properties=HOOKS)


def accept(lake: Lake, name: TableName, run: str = "") -> Table:
    """Take a table as somebody else left it: a state of ours on top, and news for its readers. Its cursor
    stays.

    A table that is as we left it is returned as it is. Raises LakeError when it cannot be taken, Conflict.
    """
    now = lake.open(name, trust=True)
    if not now.exists:
        raise LakeError("LG-103", f"{name} has not been built yet", hint=f"lagoa run -s {name}")
    wrong = now.doubt() if not now.broken else now.distrust
    if wrong is None and now.state is not None:
        return lake.open(name)
    if now.broken or (wrong is not None and wrong.code == "LG-304"):
        raise wrong or log.damaged(name, "its log cannot be read")
    with writing(name):
        return settle(lake, now, partial(_taken, run, now.version))


def _taken(run: str, on: int, table: Table) -> Try | None:
    if table.version != on:
        return None
    handle, id = table.live, new_id(table.selected)
    told: dict[str, Any] = {
        "id": id,
        "parent": table.selected,
        "version": table.version + 1,
        "data": id,
        "mode": "accept",
        "rows": _rows(table),
        "size": None,
        "sides": None,
        "table": handle.schema().to_json(),
        "partition_by": list(handle.metadata().partition_columns),
        "run": run,
        "at": time.time_ns() // 1_000_000,
    }
    old = table.state
    state = replace(old, **told, added=[], changes=None, bad=[]) if old else State(**told)
    return state, lambda: select(table, id, "ACCEPT", run)


def _rows(table: Table) -> int:
    known = counted(table.live, pa.table(table.live.get_add_actions()))
    if known is not None:
        return known
    with asked(table.name):
        return sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(table.live.scan()))


def _hint(name: TableName) -> str:
    return f"`lagoa show {name}` lists its versions"
