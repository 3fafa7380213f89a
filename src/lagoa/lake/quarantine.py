"""The quarantine table: it follows its main table's states, so it never shows a row that no commit set
aside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import pyarrow as pa

from lagoa.errors import Conflict, LakeError
from lagoa.lake import log
from lagoa.lake.commit import Adding, Commit, prepare
from lagoa.lake.files import new_id, writing
from lagoa.lake.publish import set_aside
from lagoa.lake.schema import to_delta
from lagoa.lake.settle import Try, settle
from lagoa.lake.state import Placed, State, load_state
from lagoa.lake.stats import rows_only
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.spec.names import TableName

SCHEMA = pa.schema(
    [
        pa.field("_source", pa.string()),
        pa.field("_reason", pa.string()),
        pa.field("_raw", pa.string()),
        pa.field("_run", pa.string()),
        pa.field("_at", pa.timestamp("us", "UTC")),
    ]
)
"""The columns of rows that were set aside."""
_RESETS = ("replace", "restore")
_PATIENCE = 50


def follow(lake: Lake, name: TableName) -> None:
    """Make `quarantine.<layer>_<name>` show what the main table's newest state says. Does nothing when it
    does already.

    Its cursor is the last state of the main table that it shows. A run that was killed leaves this to the
    next one.
    """
    main = lake.open(name, trust=True)
    if main.state is None or main.state.bad_at is None:
        return
    log.durable(main.path, main.state.version, main.version)
    for _ in range(_PATIENCE):
        try:
            if _caught_up(lake, main, main.state.bad_at):
                return
        except Conflict:
            continue  # a rival follows, too: look again
    raise Conflict("LG-305", f"{name.quarantine} is being written by too many others", hint="run again")


def _caught_up(lake: Lake, main: Table, target: int) -> bool:
    table = lake.open(main.name.quarantine, trust=True)
    if table.broken:
        table = set_aside(lake, table)
    doubted = table.exists and table.doubt() is not None  # it is derived: what others did to it is undone
    done = table.state.cursor if table.state and not doubted else None
    if done is not None and done >= target:
        return True
    files, whole = bad_since(main, target, done)
    with writing(table.name):
        settle(lake, table, partial(_attempt, main, target, files, whole or doubted))
    return False


def bad_since(main: Table, target: int, done: int | None) -> tuple[list[Placed], bool]:
    """List the files set aside after state `done` up to `target`, and whether they are all there are to
    show."""
    files: list[Placed] = []
    id: int | None = target
    while id is not None and id != done:
        if done is not None and id < done:
            return files, True  # what was shown belongs to another history
        try:
            state = load_state(main.path, id, cursor=False)
        except LakeError:
            return files, done is None
        files += state.bad
        if state.mode in _RESETS:
            return files, True
        id = state.bad_before
    return files, done is None or id is None


def _attempt(main: Table, target: int, files: Sequence[Placed], whole: bool, table: Table) -> Try:
    there = [f for f in files if (table.path / f.path).exists()]
    shown = table.files
    adds = [f for f in there if f.path not in shown]
    wanted = {f.path for f in there}
    gone = [path for path in shown if path not in wanted] if whole else []
    id = new_id(table.selected)
    held = sum(f.rows for f in shown.values()) - sum(shown[path].rows for path in gone)
    state = State(
        id=id,
        parent=table.selected,
        version=table.version + 1,
        data=table.state.data if table.state and not (adds or gone) else id,
        mode="replace" if gone else "append",
        rows=held + sum(f.rows for f in adds),
        table=to_delta(SCHEMA).to_json(),
        cursor=target,
        changes=None if gone else [],
        added=[] if gone else adds,
        run=main.state.run if main.state else "",
        at=time.time_ns() // 1_000_000,
    )
    return state, prepare(
        table,
        Commit(
            SCHEMA,
            [Adding(f.path, f.size, f.rows, rows_only(f.rows)) for f in adds],
            gone,
            state=id,
            run=state.run,
            description=f"Rows set aside from {main.name}, with the reason",
        ),
    )
