"""Drops a table for good: one rename decides, so that a kill in the middle leaves either the table or no table."""

from __future__ import annotations

from pathlib import Path

from lagoa.errors import Conflict
from lagoa.lake import log
from lagoa.lake.files import fsync, writing
from lagoa.lake.staging import live
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.spec.names import TableName


def drop(lake: Lake, table: Table, scratch: Path, run: str) -> int:
    """Drop a pinned table, with its quarantine, and return how many rows it held.

    Its folder moves into the run's scratch folder, which goes with the run, however that ends. Raises Conflict LG-305
    when another run is going on, which may read it, or when somebody published since it was pinned; LakeError LG-301
    when the rows are not as we left them; LG-310 when it is another target's.
    """
    name = table.name
    lake.owned(name)
    if (doubt := table.doubt()) is not None:
        raise doubt
    if others := [other for other in live(lake.root) if other != run]:
        message = f"{name} is not dropped while run {others[0]} is going on, which may read it"
        raise Conflict("LG-305", message, hint="run again when it has ended")
    _move(name, table.path, scratch / f"dropped-{name}", table.version)
    quarantine = lake.path(name.quarantine)
    if quarantine.is_dir():
        _move(name.quarantine, quarantine, scratch / f"dropped-{name.quarantine}")
    return table.rows


def _move(name: TableName, home: Path, aside: Path, version: int | None = None) -> None:
    """Take a folder out of the lake; put it back when it is not at the version that was meant."""
    with writing(name):
        home.rename(aside)
        fsync(home.parent)
        found = log.listing(aside)
        if version is not None and (found is None or found.newest != version):
            aside.rename(home)
            fsync(home.parent)
            raise Conflict("LG-305", f"{name} is not dropped: somebody published it meanwhile", hint="plan again")
