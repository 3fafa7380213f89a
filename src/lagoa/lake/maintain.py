"""Keeps a table quick and small: fewer files, a checkpoint that is whole, and no litter; no row changes by
it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

from deltalake import DeltaTable

from lagoa.errors import LakeError
from lagoa.kit.text import columns
from lagoa.lake import log
from lagoa.lake.commit import Adding, Commit, prepare
from lagoa.lake.files import TARGET, folder, fsync, new_id, place, rows_per_file, writing
from lagoa.lake.rust import asked, attempted, refusal
from lagoa.lake.state import CHANGES, STATES, chain, load_state
from lagoa.lake.stats import delta_stats
from lagoa.lake.store import Lake
from lagoa.lake.table import DataFile, Table
from lagoa.ports import Session
from lagoa.spec.names import QUARANTINE, TableName

GRACE = timedelta(hours=1)
"""Litter younger than this may belong to a run on another machine."""
LAST_CHECKPOINT = "_last_checkpoint"


# ---------------------------------------------------------------- compact
def compact(lake: Lake, session: Session, name: TableName, scratch: Path, target: int = TARGET, run: str = "") -> int:
    """Rewrite small files into larger ones, partition by partition; return how many files fewer there are.

    The commit says `dataChange=false` and selects no state: nobody has news. A rival's commit makes it void
    (0).
    """
    lake.owned(name)
    table = lake.open(name)
    if not table.exists or not table.plain or table.mapped:
        return 0
    gone: list[str] = []
    adds: list[Adding] = []
    personal = table.state.personal if table.state else ()
    for group in _groups(table, target):
        session.bind("compacting", table.fileset([f.path for f in group]))
        into = scratch / f"{new_id():x}"
        query = f"select {columns(table.schema.names)} from compacting"
        staged = session.stage(query, into, table.schema, table.partition_by)
        if len(staged) >= len(group) or sum(f.rows for f in staged) != sum(f.rows for f in group):
            shutil.rmtree(into, ignore_errors=True)
            continue
        with writing(name):
            for file in staged:
                path = place(file.path, table.path, group[0].partition)
                fsync((table.path / path).parent)
                stats = delta_stats(file, table.schema, personal)
                adds.append(Adding(path, file.size, file.rows, stats, group[0].partition))
        gone += [f.path for f in group]
    if not gone:
        return 0
    return len(gone) - len(adds) if _rearrange(lake, table, adds, gone, run) else 0


def _groups(table: Table, target: int) -> Iterator[list[DataFile]]:
    """Put the small files of each partition together, in bins of about the target's size and of a file's rows."""
    most = rows_per_file(table.rows, sum(f.size for f in table.files.values())) or 2 * table.rows
    small: dict[tuple[tuple[str, str | None], ...], list[DataFile]] = {}
    for file in table.files.values():
        if file.size < target // 2 and file.rows <= most // 2:
            small.setdefault(tuple(file.partition.items()), []).append(file)
    for files in small.values():
        group: list[DataFile] = []
        for file in files:
            full = sum(f.size for f in group) + file.size > target or sum(f.rows for f in group) + file.rows > most
            if group and full:
                yield from [group] if len(group) > 1 else []
                group = []
            group.append(file)
        yield from [group] if len(group) > 1 else []


def _rearrange(lake: Lake, table: Table, adds: Sequence[Adding], gone: Sequence[str], run: str) -> bool:
    commit = Commit(table.schema, adds, gone, partition_by=table.partition_by, run=run or "maintain", data_change=False)
    error = attempted(prepare(table, commit))
    now = lake.open(table.name, trust=True)
    if now.version == table.version:
        raise refusal(table.name, error) from error
    if not all(a.path in now.files for a in adds):
        return False
    log.durable(now.path, table.version + 1, now.version)
    return True


# ---------------------------------------------------------------- checkpoint
def checkpoint(lake: Lake, name: TableName, every: int = 1) -> bool:
    """Write a checkpoint of the newest version when `every` commits came since the last one; say whether it did.

    It spares readers and writers the commits before it: they read each of them to open the table.
    delta-rs makes no file durable, and a `_last_checkpoint` that names a torn checkpoint closes the table for
    good. So it is made beside the table and moves in whole: first the checkpoint, then what names it.
    """
    lake.owned(name)
    path = lake.path(name)
    found = log.listing(path)
    if found is None or found.since_checkpoint < every:
        return False
    if (broken := log.damage(found, name)) is not None:
        raise broken
    log.durable(path, max(found.checkpoints, default=-1) + 1, found.newest)
    with writing(name):
        aside = folder(path / "_lagoa" / f"checkpoint-{new_id():x}")
        try:
            return _checkpoint(path, aside, found, name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _checkpoint(path: Path, aside: Path, found: log.Log, name: TableName) -> bool:
    copied = folder(aside / log.FOLDER)
    base = max(found.checkpoints, default=-1)
    for entry in (path / log.FOLDER).iterdir():
        version = entry.name[:20]
        if entry.name == LAST_CHECKPOINT or (version.isdigit() and base <= int(version) <= found.newest):
            shutil.copyfile(entry, copied / entry.name)
    with asked(name):
        DeltaTable(str(aside), version=found.newest).create_checkpoint()
    made = f"{found.newest:020}.checkpoint.parquet"
    home = path / log.FOLDER
    for file, draft in ((made, f"_{made}.tmp"), (LAST_CHECKPOINT, f"_{LAST_CHECKPOINT}.tmp")):
        fsync(copied / file)
        (copied / file).rename(home / draft)
        (home / draft).rename(home / file)
        fsync(home)
    return True


# ---------------------------------------------------------------- vacuum
@dataclass(frozen=True)
class Vacuumed:
    """What a vacuum removed."""

    files: int = 0
    size: int = 0


def vacuum(
    lake: Lake,
    name: TableName,
    keep: timedelta = timedelta(days=7),
    oldest_run: datetime | None = None,
    now: datetime | None = None,
) -> Vacuumed:
    """Remove what no version of the last `keep` needs, and litter of runs that are over.

    `oldest_run` is when the oldest run that still lives began (naive is UTC): nothing younger is touched, nor
    anything younger than an hour, as a run on another machine may have staged it.
    """
    lake.owned(name)
    table = lake.open(name)
    if not table.exists:
        return Vacuumed()
    now = now or datetime.now(UTC)
    limit = log.milliseconds(min([now - GRACE, *([_aware(oldest_run)] if oldest_run else [])]))
    needed = _needed(lake, table, log.milliseconds(now - keep))
    if needed is None:
        return Vacuumed()
    count = size = 0
    with writing(name):
        for path in _loose(table.path):
            told = path.stat()
            if str(path.relative_to(table.path)) not in needed and told.st_mtime_ns // 1_000_000 < limit:
                path.unlink()
                count, size = count + 1, size + told.st_size
    return Vacuumed(count, size)


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _loose(root: Path) -> Iterator[Path]:
    """Walk the files that may be litter: data, changes, states; never the log."""
    for entry in root.iterdir():
        if entry.name == log.FOLDER:
            continue
        if entry.is_dir():
            yield from (p for p in entry.rglob("*") if p.is_file())
        elif entry.is_file():
            yield entry


def _needed(lake: Lake, table: Table, cutoff: int) -> set[str] | None:
    """Name every file that the newest version, one since `cutoff`, or a state needs; None when the log
    cannot tell."""
    found = log.listing(table.path)
    if found is None:
        return None
    needed = set(table.files)
    for version, at, actions in log.times(found, table.version, table.name):
        if at <= cutoff:
            needed |= set(_at(lake, table, version))
            break
        needed |= {unquote(a["add"]["path"]) for a in actions if "add" in a}
        needed |= {unquote(a["remove"]["path"]) for a in actions if "remove" in a}
    return needed | _of_states(table, cutoff) | _of_main(lake, table.name)


def _at(lake: Lake, table: Table, version: int) -> Mapping[str, DataFile]:
    return lake.at(table.name, version).files


def _of_states(table: Table, cutoff: int) -> set[str]:
    """Name the files of every state in the chain; exact changes and big cursors only of those since `cutoff`."""
    needed = set()
    for state in chain(table.path, table.state):
        needed.add(f"{STATES}/{state.id}.json")
        if state.at >= cutoff or state.id == table.selected:
            needed.add(f"{STATES}/{state.id}.cursor.json.gz")
            needed |= {f"{CHANGES}/{name}" for name in state.changes or ()}
    return needed


def _of_main(lake: Lake, name: TableName) -> set[str]:
    """Name the quarantined files that the main table's states speak of, shown already or not."""
    if name.layer != QUARANTINE:
        return set()
    main = lake.open(name.guarded, trust=True)
    needed: set[str] = set()
    id = main.state.bad_at if main.state else None
    while id is not None:
        try:
            state = load_state(main.path, id, cursor=False)
        except LakeError:
            break
        needed |= {p.path for p in state.bad}
        if state.mode in ("replace", "restore"):
            break
        id = state.bad_before
    return needed
