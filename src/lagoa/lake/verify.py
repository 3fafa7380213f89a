"""Looks at a table for damage, byte by byte when asked: every finding names the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lagoa.errors import LakeError
from lagoa.lake import log
from lagoa.lake.files import hash_in, hash_of, reading
from lagoa.lake.maintain import LAST_CHECKPOINT
from lagoa.lake.state import CHANGES, chain, load_state, state_file
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.spec.names import TableName


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a table: the error code that says how it is handled, the file, and
    what."""

    table: TableName
    code: str
    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.table}: {self.path}: {self.what}"


def verify(lake: Lake, name: TableName, deep: bool = False) -> list[Finding]:
    """Look at a table and change nothing. `deep` reads every byte of its live files and of its exact
    changes."""
    path = lake.path(name)
    try:
        with reading(name):
            return _verify(lake, name, path, deep)
    except LakeError as error:
        return [Finding(name, error.code, path, error.message)]


def _verify(lake: Lake, name: TableName, path: Path, deep: bool) -> list[Finding]:
    found = log.listing(path)
    if found is None:
        return []
    findings = [*_commits(found, name), *_checkpoints(found, name)]
    table = lake.open(name, trust=True)
    if table.broken:
        said = str(table.distrust)
        return findings or [Finding(name, "LG-302", path / log.FOLDER, said)]
    doubt = table.doubt()
    if doubt is not None and not (findings and doubt.code == "LG-302"):
        lost = table.selected is not None and table.state is None
        where = state_file(path, table.selected or 0) if lost else path / log.FOLDER
        findings.append(Finding(name, doubt.code, where, doubt.message))
    findings += _states(table)
    with suppress(LakeError):  # a table that delta-rs cannot open has been told already
        findings += _data(lake, table, deep)
    return findings


# ---------------------------------------------------------------- the log
def _commits(found: log.Log, name: TableName) -> Iterator[Finding]:
    for version, size in sorted(found.commits.items()):
        path = log.commit_file(found.path, version)
        if not size:
            yield Finding(name, "LG-302", path, "an empty commit: delta-rs reads it as one that did nothing")
            continue
        try:
            log.read_commit(found.path, version, name)
        except LakeError:
            yield Finding(name, "LG-302", path, "a torn commit: it is not whole lines of JSON")
    first = min(found.commits, default=0)
    base = max((v for v in found.checkpoints), default=-1)
    for version in range(min(first, base + 1), found.newest + 1):
        if version not in found.commits and version > base:
            yield Finding(name, "LG-302", log.commit_file(found.path, version), "a missing commit")


def _checkpoints(found: log.Log, name: TableName) -> Iterator[Finding]:
    home = found.path / log.FOLDER
    for path in sorted(home.glob("*.checkpoint*.parquet")):
        try:
            pq.read_metadata(path)
            pq.read_table(path)
        except (OSError, ValueError) as error:
            yield Finding(name, "LG-302", path, f"a torn checkpoint: {str(error).splitlines()[0]}")
    last = home / LAST_CHECKPOINT
    if not last.exists():
        return
    try:
        version = int(json.loads(last.read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        yield Finding(name, "LG-302", last, "torn; deleting it heals the table")
        return
    if version not in found.checkpoints:
        yield Finding(
            name,
            "LG-302",
            last,
            f"names checkpoint {version}, which is missing; deleting it heals the table",
        )


# ---------------------------------------------------------------- states and files
def _states(table: Table) -> Iterator[Finding]:
    """Look for the states that the commits still in the log select: one that is lost ends history and
    restores."""
    found = log.listing(table.path)
    for version, _, actions in log.times(found, table.version, table.name) if found else ():
        id = log.txn_of(actions)
        if id is None or id == table.selected:
            continue
        try:
            load_state(table.path, id, cursor=False)
        except LakeError as error:
            said = error.message.rsplit(", ", 1)[-1]
            yield Finding(table.name, error.code, state_file(table.path, id), f"the state of version {version} {said}")


def _data(lake: Lake, table: Table, deep: bool) -> Iterator[Finding]:
    home = table.path
    wanted: dict[Path, tuple[int, int] | None] = {home / f.path: (f.size, f.rows) for f in table.files.values()}
    for state in chain(home, table.state):
        wanted |= {home / CHANGES / c: None for c in state.changes or () if (home / CHANGES / c).exists()}
    aside = lake.path(table.name.quarantine)
    if table.state is not None and table.state.bad_at is not None:
        wanted |= {aside / p.path: (p.size, p.rows) for p in table.state.bad}
    with ThreadPoolExecutor(2, thread_name_prefix="verify") as pool:
        for path, what in zip(wanted, pool.map(lambda i: _file(i, deep), wanted.items()), strict=True):
            if what:
                yield Finding(table.name, "LG-302", path, what)


def _file(item: tuple[Path, tuple[int, int] | None], deep: bool) -> str | None:
    path, told = item
    try:
        size = path.stat().st_size
        if told is not None and size != told[0]:
            return f"has {size} bytes where the log says {told[0]}"
        if not deep:
            return None
        named = hash_in(path.name)
        if named is not None:
            return None if hash_of(path) == named else "its bytes are not those that its name carries the hash of"
        return _footer(path, told)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _footer(path: Path, told: tuple[int, int] | None) -> str | None:
    """Read a file that somebody else wrote, whose name says nothing of its bytes."""
    try:
        rows: Any = sum(
            batch.num_rows for batch in pq.ParquetFile(path, page_checksum_verification=True).iter_batches()
        )
    except (OSError, ValueError) as error:
        return f"cannot be read as Parquet: {str(error).splitlines()[0]}"
    return None if told is None or rows == told[1] else f"holds {rows} rows where the log says {told[1]}"
