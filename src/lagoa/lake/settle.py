"""Gets one commit of ours into a table's log: once, whatever rivals do and whatever the libraries say."""

from __future__ import annotations

from collections.abc import Callable, Collection

from lagoa.errors import Conflict, LakeError
from lagoa.lake import log
from lagoa.lake.rust import attempted, refusal
from lagoa.lake.state import State, load_state, write_state
from lagoa.lake.store import Lake
from lagoa.lake.table import Table

Try = tuple[State, Callable[[], object]]
"""A state, whose version is the table's next, and what commits it."""


def settle(lake: Lake, table: Table, attempt: Callable[[Table], Try | None]) -> Table:
    """Write a state, commit it, look at the log; again when only somebody's rearranging of files was in
    the way.

    `attempt` makes a try on a version of the table, or None when it is void there. The version below, which a
    rival may have committed just now, is made durable before anything builds on it. Returns the newest version,
    made durable. Raises Conflict LG-305 when a rival was first, LakeError when nothing could be committed.
    """
    lake.owned(table.name)
    if table.exists:
        log.durable(table.path, table.state.version if table.state else table.version, table.version)
    tried: set[int] = set()
    on = table
    while True:
        made = attempt(on)
        if made is None:
            raise _lost(table)
        state, commit = made
        write_state(on.path, state)
        tried.add(state.id)
        error = attempted(commit)
        now = lake.open(table.name, trust=True)
        if landed(now, tried, table.selected):
            log.durable(now.path, table.version + 1, now.version)
            return lake.open(table.name)
        if now.selected != table.selected:
            raise _lost(table) from error
        if now.version == on.version:
            raise refusal(table.name, error) from error
        if now.distrust is not None:
            raise now.distrust
        on = now


def landed(now: Table, tried: Collection[int], parent: int | None) -> bool:
    """Say whether one of our tries is in the log: a rival may already stand on it, so the chain of
    parents is walked."""
    id = now.selected
    while id is not None and id != parent:
        if id in tried:
            return True
        try:
            id = load_state(now.path, id, cursor=False).parent
        except LakeError:
            return False
    return False


def _lost(table: Table) -> Conflict:
    return Conflict(
        "LG-305",
        f"another run published {table.name} first; nothing of this one is visible",
        hint="run again: it goes on from what the other one wrote",
    )
