"""Reads `--start` and `--end`: which partitions of time a run is asked to rebuild."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from lagoa.errors import CommandError
from lagoa.project.model import Project
from lagoa.spec.names import TableName
from lagoa.transform.partitions import Stretch

Day = date | datetime
"""A date, or a time; one without zone is UTC."""


def span_of(project: Project, selected: Iterable[TableName], start: Day | None, end: Day | None) -> Stretch | None:
    """Return the span that is asked for; None when none is. Raises CommandError LG-601.

    `start` lies in it and `end` does not; the partitions that hold them are rebuilt whole.
    """
    if start is None and end is None:
        return None
    if start is None or end is None:
        lacking = "--start" if start is None else "--end"
        raise CommandError("LG-601", f"{lacking} is missing: a backfill goes from --start up to, but not with, --end")
    low, high = _moment(start), _moment(end)
    if low >= high:
        raise CommandError("LG-601", f"--end {high:%Y-%m-%d} does not come after --start {low:%Y-%m-%d}")
    for name in sorted(selected):
        model = project.models.get(name)
        if model is None or model.header.kind != "incremental" or model.header.time is None:
            hint = "select the models that have: `-s silver.x`"
            raise CommandError("LG-601", f"--start rebuilds partitions of time, and {name} has no `time:`", hint=hint)
    return Stretch(low, high)


def _moment(day: Day) -> datetime:
    if isinstance(day, datetime):
        return day.astimezone(UTC) if day.tzinfo else day.replace(tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
