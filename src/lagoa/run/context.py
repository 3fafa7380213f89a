"""What every step of a run shares: project, lake, engine, clock, and the versions that it has pinned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock

from lagoa.kit.stop import Stop
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.observe.events import Events
from lagoa.ports import Engine
from lagoa.project.model import Project
from lagoa.spec.names import TableName


@dataclass
class Context:
    """One run. `at` is its time (UTC): every row that it loads carries the same."""

    project: Project
    lake: Lake
    start: Callable[[], Engine]
    """Gives the engine: a run with nothing to do never starts it."""
    threads: int
    events: Events
    stop: Stop
    run: str
    at: datetime
    folder: Path
    accept: bool = False
    verify: bool = False
    """Compare what is recomputed with a full rebuild before it is published."""
    exact: bool = False
    """Carry out what was planned, on the versions that were planned, or nothing."""
    pinned: dict[TableName, Table] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def engine(self) -> Engine:
        """What executes SQL."""
        with self._lock:
            return self.start()

    def pin(self, name: TableName) -> Table:
        """Open a table once in a run: whoever reads it later reads the same version, whatever others publish."""
        with self._lock:
            if name in self.pinned:
                return self.pinned[name]
        table = self.lake.open(name)
        with self._lock:
            return self.pinned.setdefault(name, table)

    def move(self, table: Table) -> None:
        """Pin a newer version, which this run has just made."""
        with self._lock:
            self.pinned[table.name] = table
            self.pinned.pop(table.name.quarantine, None)

    def unpin(self, name: TableName) -> None:
        """Forget the version, so that the newest is pinned when the table is asked for again."""
        with self._lock:
            self.pinned.pop(name, None)
            self.pinned.pop(name.guarded, None)
