"""What the fault tests of the lake carry out in processes of their own: `lake_work.py step|finish|compact ROOT MODE`.

A table takes in the numbered batches 0 to LAST, each by one publish; some rows of each go to the quarantine. The cursor
is the last batch's number, so that a process that was killed is resumed by doing the next step.
"""

from __future__ import annotations

import random
import shutil
import sys
from itertools import count
from pathlib import Path
from typing import Any, Literal

from lagoa.errors import Conflict
from lagoa.lake import maintain, quarantine
from lagoa.lake.files import hash_of, new_id
from lagoa.lake.merge import merge
from lagoa.lake.publish import Change, publish
from lagoa.lake.state import CHANGES, chain
from lagoa.lake.store import Lake
from lagoa.lake.table import Table, bind
from lagoa.ports import Engine, FileSet, Session
from lagoa.registry import adapter
from lagoa.spec.names import TableName

Mode = Literal["append", "merge", "replace"]
LAST = 6
NAME = TableName("silver", "work")
COLUMNS = "id, v, s, seq"
_numbers = count()


def batch(mode: str, number: int) -> str:
    """Write the query of a batch, its bad rows included."""
    span = {"append": (number * 50, number * 50 + 50), "merge": (number * 13, number * 13 + 40)}
    first, last = span.get(mode, (0, 30 + number))
    plus = 0 if mode == "append" else number
    bad = f"(i + {number}) % 17 = 0"
    return (
        f"select i::bigint as id, (case when {bad} then -1 else i * 7 + {plus} end)::decimal(12, 2) as v, "
        f"'r' || i as s, {number}::bigint as seq from range({first}, {last}) t(i)"
    )


def engine(root: Path) -> Engine:
    made: Engine = adapter("engines", "duckdb")(2, "500MB", root / "spill")
    return made


def step(session: Session, root: Path, mode: Mode) -> int:
    """Publish the next batch, if there is one, and return the cursor. Raises Conflict when a rival was first."""
    lake, scratch = Lake(root / "lake"), root / "scratch" / f"{new_id():x}"
    quarantine.follow(lake, NAME)
    table = lake.open(NAME)
    done = -1 if table.state is None else int(table.state.cursor)
    if done >= LAST:
        return done
    query = batch(mode, done + 1)
    try:
        publish(lake, table, _change(session, table, mode, query, done + 1, scratch))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    quarantine.follow(lake, NAME)
    return done + 1


def _change(session: Session, table: Table, mode: Mode, query: str, number: int, scratch: Path) -> Change:
    schema = session.schema(query)
    adds = session.stage(f"select * from ({query}) where v >= 0", scratch / "rows", schema)
    aside = (
        f"select 'batch {number}' as _source, 'v >= 0' as _reason, id::varchar as _raw, '{number}' as _run, "
        f"timestamptz '2026-01-01 00:00:00+00' as _at from ({query}) where v < 0"
    )
    change = Change(mode, schema, adds, cursor=number, run=str(number))
    change.bad = session.stage(aside, scratch / "bad", quarantine.SCHEMA)
    if mode == "append":
        change.changes = []
    elif mode == "merge" and table.exists:
        done = merge(session, table.fileset(), adds, ["id"], schema, scratch / "merged", bounds=table.bounds(["id"]))
        change.adds, change.changes = done.adds, done.changes
        change.removes = [path.removeprefix(f"{table.path}/") for path in done.removes]
    return change


def finish(root: Path, mode: Mode) -> None:
    """Publish batches until none is left, redoing the step whenever a rival was first."""
    made = engine(root)
    with made.session() as session:
        done = -1
        while done < LAST:
            try:
                done = step(session, root, mode)
            except Conflict:
                continue


def compact(root: Path) -> None:
    """Rearrange the table for ever, as a maintainer on another machine might."""
    lake, made = Lake(root / "lake"), engine(root)
    with made.session() as session:
        while True:
            for name in (NAME, NAME.quarantine):
                maintain.compact(lake, session, name, root / "scratch" / f"{new_id():x}")
            if random.random() < 0.3:
                maintain.checkpoint(lake, NAME)
            maintain.vacuum(lake, NAME)


def expected(session: Session, mode: Mode) -> tuple[list[Any], list[Any]]:
    """Compute the rows and the quarantined ids of an undisturbed run."""
    rows: dict[int, Any] = {}
    bad: list[str] = []
    for number in range(LAST + 1):
        if mode == "replace":
            rows, bad = {}, []
        for row in session.rows(batch(mode, number)):
            if row[1] < 0:
                bad.append(str(row[0]))
            else:
                rows[row[0]] = row
    return sorted(rows.values()), sorted(bad)


def judge(root: Path, mode: Mode) -> list[str]:
    """Compare the table with an undisturbed run: rows, quarantine, cursors, bytes, and the exact changes replayed."""
    wrong: list[str] = []
    lake, made = Lake(root / "lake"), engine(root)
    with made.session() as session:
        rows, bad = expected(session, mode)
        table, aside = lake.open(NAME), lake.open(NAME.quarantine)
        bind(session, "shown", table)
        found = sorted(session.rows(f"select {COLUMNS} from shown"))
        if found != rows:
            wrong.append(f"{len(found)} rows, expected {len(rows)}")
        bind(session, "aside", aside)
        if (set_aside := sorted(r[0] for r in session.rows("select _raw from aside"))) != bad:
            wrong.append(f"{len(set_aside)} quarantined, expected {len(bad)}")
        cursors = [s.cursor for s in chain(table.path, table.state)][::-1]
        if cursors != list(range(LAST + 1)):
            wrong.append(f"cursors {cursors}")
        if mode == "merge" and _replayed(session, table) != rows:
            wrong.append("the exact changes, replayed, do not give the table")
    for name in (NAME, NAME.quarantine):
        opened = lake.open(name)
        wrong += [f"{f}: bytes" for f in opened.files if hash_of(opened.path / f) != f[:-8].rsplit("-", 1)[1]]
    return wrong


def _replayed(session: Session, table: Table) -> list[Any]:
    rows: list[Any] = []
    for state in [*chain(table.path, table.state)][::-1]:
        if state.changes is None:
            rows = [r for r in session.rows(batch("merge", state.cursor)) if r[1] >= 0]
            continue
        files = [str(table.path / CHANGES / name) for name in state.changes]
        for name, side in (("old", rows.remove), ("new", rows.append)):
            bound = f"replay{next(_numbers)}"
            session.bind(bound, FileSet(session.schema(f"select '' as _side, * from ({batch('merge', 0)})"), files))
            for row in session.rows(f"select {COLUMNS} from {bound} where _side = '{name}'"):
                side(row)
    return sorted(rows)


if __name__ == "__main__":
    what, where, how = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    kind: Mode = "append" if how == "append" else "merge" if how == "merge" else "replace"
    if what == "finish":
        finish(where, kind)
    elif what == "compact":
        compact(where)
    else:
        with engine(where).session() as only:
            step(only, where, kind)
