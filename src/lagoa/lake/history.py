"""A table's versions, as a person asks for them: when, what, by which run, and whether by us."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from lagoa.errors import LakeError
from lagoa.lake import log
from lagoa.lake.state import load_state
from lagoa.lake.store import Lake
from lagoa.spec.names import TableName


@dataclass(frozen=True)
class Version:
    """One version. `mode` is ours (append, merge, …) or what the other writer calls its operation."""

    version: int
    at: datetime
    mode: str
    rows: int | None
    """Rows of the table after it; None when it is not ours."""
    run: str | None
    ours: bool


def history(lake: Lake, name: TableName, limit: int | None = None) -> list[Version]:
    """List the versions that the log still knows, newest first."""
    return list(islice(_versions(lake, name), limit))


def _versions(lake: Lake, name: TableName) -> Iterator[Version]:
    path = lake.path(name)
    found = log.listing(path)
    if found is None:
        return
    for version, at, actions in log.times(found, found.newest, name):
        info = log.info_of(actions)
        when = datetime.fromtimestamp(at / 1000, UTC)
        run = info.get("lagoa.run")
        id = log.txn_of(actions)
        if id is None:
            ours = run is not None and not log.changes_data(actions)
            said = "compact" if ours else str(info.get("operation", "unknown")).lower()
            yield Version(version, when, said, None, run, ours)
            continue
        try:
            state = load_state(path, id, cursor=False)
            yield Version(version, when, state.mode, state.rows, state.run or run, True)
        except LakeError:
            yield Version(version, when, "unknown (its state is lost)", None, run, True)
