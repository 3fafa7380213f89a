"""What has happened to an input since a table consumed it, told by the input's states alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lagoa.lake.state import State, chain
from lagoa.lake.table import Table
from lagoa.spec.names import QUARANTINE, TableName

_LONGEST = 1_000
"""So many states are read back; who consumed an older one is told less."""
_WHOLE = {
    "replace": "rebuilt",
    "restore": "put back to an earlier version",
    "accept": "taken as somebody else left it",
}


@dataclass(frozen=True)
class News:
    """The commits between what was consumed and what is there, `rows` of which changed; None: not known."""

    table: TableName
    then: int | None
    now: int
    commits: int = 0
    rows: int | None = None
    whole: str | None = None
    """Why every row counts as changed."""
    columns: str = ""
    """The columns that the table had when it was consumed, as Delta's JSON; empty when that is not known."""
    grown: bool = False
    """Rows were only added."""

    @property
    def more_than_added(self) -> bool:
        """Say whether it is known that rows were changed or removed."""
        return self.then is not None and self.table.layer != QUARANTINE and (self.whole is not None or not self.grown)

    def __str__(self) -> str:
        if self.table.layer == QUARANTINE:
            return f"other rows are set aside from {self.table.guarded}"
        came = f"{self.table} {self.now}" if self.then is None else f"{self.table} {self.then} → {self.now}"
        rows = "" if self.rows is None else f", {_some(self.rows, 'row')}"
        if self.whole is not None:
            return f"{came}: {self.whole}{rows}"
        rows += f" {'added' if self.grown else 'changed'}" if rows else ""
        return f"{came}: {_some(self.commits, 'commit')}{rows}"


def news(name: TableName, table: Table, since: int | None) -> News:
    """Tell what happened to a table, or to the one whose rows a quarantine shows, since a state was consumed."""
    walked: list[State] = []
    for state in chain(table.path, table.state):
        if state.id == since:
            return _told(name, table, state, walked)
        if len(walked) == _LONGEST:
            break
        walked.append(state)
    whole = "read for the first time"
    if since is not None:
        gone_back = table.state is not None and since > table.state.id
        whole = "older than what was read" if gone_back else "made anew, or what happened since is no longer known"
    return News(name, None, _version(walked, table), rows=table.state.rows if table.state else None, whole=whole)


def _told(name: TableName, table: Table, then: State, walked: Sequence[State]) -> News:
    """Sum up the states since, newest first."""
    moved = [state for state in walked if state.news]
    now = _version(walked, table)
    if whole := next((_WHOLE[s.mode] for s in moved if s.changes is None and s.mode in _WHOLE), None):
        rows = table.state.rows if table.state else None
        return News(name, then.version, now, len(moved), rows, whole, then.table)
    parents = [*walked[1:], then]
    each = [_rows(s, parent) for s, parent in zip(walked, parents, strict=True) if s.news]
    count = None if None in each else sum(n or 0 for n in each)
    return News(name, then.version, now, len(moved), count, None, then.table, not any(s.changes for s in moved))


def _version(walked: Sequence[State], table: Table) -> int:
    """Return the version of the newest rows; a compaction later is no news."""
    return next((s.version for s in walked if s.news), table.version)


def _rows(state: State, parent: State) -> int | None:
    """Count the rows that a commit touched: one that changed is there on both sides, one that came on one."""
    added = sum(placed.rows for placed in state.added)
    if state.changes is None:
        return max(state.rows, parent.rows)
    if state.changes and state.sides is None:
        return None
    sides, grown = state.sides or 0, state.rows - parent.rows - added
    return added + (sides + abs(grown)) // 2


def _some(count: int, what: str) -> str:
    return f"{count:,} {what if count == 1 else what + 's'}"
