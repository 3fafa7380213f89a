"""What a step will read and write, estimated from the states of tables: no file is opened, no log is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lagoa.lake.table import Table
from lagoa.plan.news import News
from lagoa.plan.observe import Actual
from lagoa.plan.step import UNKNOWN, WRITTEN, Amount, Step
from lagoa.spec.names import QUARANTINE, TableName


def estimated(
    step: Step,
    inputs: Sequence[TableName],
    moved: Sequence[News],
    actual: Actual,
    steps: Mapping[TableName, Step],
) -> Step:
    """Add to a model's step what it reads and writes; a step that may not be carried out, or is for a span
    of time, keeps None.

    A rebuild reads its inputs whole and writes about as much as there is. What only follows reads and writes about
    as many rows as have changed.
    """
    if step.status not in WRITTEN or step.conditional or step.span is not None:
        return step
    held = _held(step.table, actual)
    if step.action == "recompute":
        changed = _changed(inputs, moved, actual, steps)
        return replace(step, reading=changed, writing=_shared(held, changed.rows))
    if step.action == "append" and not step.full:
        first = _changed(inputs[:1], moved, actual, steps)
        rest = sum((_held(name, actual) for name in inputs[1:]), Amount(0, 0))
        return replace(step, reading=first + rest, writing=_shared(held, first.rows, grows=True))
    reading = sum((_held(name, actual) for name in inputs), Amount(0, 0))
    return replace(step, reading=reading, writing=held)


def _held(name: TableName, actual: Actual) -> Amount:
    """Measure a table as it is; what is rebuilt before it is read is taken to stay as big."""
    found = actual.tables.get(name)
    if name.layer == QUARANTINE or not isinstance(found, Table) or found.state is None:
        return UNKNOWN
    return Amount(found.state.rows, found.state.size)


def _changed(
    inputs: Sequence[TableName], moved: Sequence[News], actual: Actual, steps: Mapping[TableName, Step]
) -> Amount:
    """Measure the rows of inputs that changed, or will have when they are read."""
    total = Amount(0, 0)
    told = {n.table: n.rows for n in moved}
    for name in inputs:
        held, rows = _held(name, actual), told.get(name, 0)
        before = steps.get(name.guarded)
        if before is not None and before.writes and rows is not None:
            rows = None if before.writing.rows is None else rows + before.writing.rows
        total += _shared(held, rows)
    return total


def _shared(held: Amount, rows: int | None, grows: bool = False) -> Amount:
    """Measure some rows of a table by what a row of it takes on average."""
    if rows is None:
        return UNKNOWN
    if held.rows is not None and not grows:
        rows = min(rows, held.rows)
    if not rows:
        return Amount(0, 0)
    size = round(held.bytes * rows / held.rows) if held.bytes is not None and held.rows else None
    return Amount(rows, size)
