"""The log of runs: one file of JSON lines per run under `.lagoa/runs/`, which may be deleted without harm."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from lagoa.observe.events import Event

KEEP = 1000
"""How many runs are kept; the oldest beyond go when a run begins."""
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_RUN = re.compile(r"\d{8}-\d{6}-[a-z0-9]{4}")


def new_run_id(now: datetime | None = None) -> str:
    """Make a run's id, which sorts by time: 20261120-061405-k3f9."""
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(4))
    return f"{(now or datetime.now(UTC)).astimezone(UTC):%Y%m%d-%H%M%S}-{tail}"


def started(run: str) -> datetime:
    """Read from a run's id when it began, to the second (UTC)."""
    return datetime.strptime(run[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)


def runs_folder(project: Path) -> Path:
    """Name the folder where a project's runs are logged."""
    return project / ".lagoa" / "runs"


class RunLog:
    """A listener that appends each event to its run's file, one write per event."""

    def __init__(self, folder: Path, run: str, keep: int = KEEP) -> None:
        self.path = folder / f"{run}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        for old in _files(folder)[:-keep]:
            old.unlink(missing_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def __call__(self, event: Event) -> None:
        """Append one event."""
        os.write(self._file, (event.to_json() + "\n").encode())

    def close(self) -> None:
        """Close the file; events that come later are lost."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(frozen=True)
class StepRecord:
    """What became of a table in a run: published, unchanged, failed, blocked, skipped or unfinished."""

    table: str
    status: str
    rows: int = 0
    quarantined: int = 0
    version: int | None = None
    seconds: float | None = None
    message: str | None = None
    code: str | None = None
    """Of a failed table: the error's code."""


@dataclass(frozen=True)
class RunRecord:
    """One run as its log tells it: done, failed, stopped, or unfinished (running still, or killed)."""

    run: str
    status: str
    started_at: datetime
    seconds: float | None
    target: str | None
    steps: list[StepRecord] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows it published."""
        return sum(step.rows for step in self.steps)

    @property
    def quarantined(self) -> int:
        """How many rows it set aside."""
        return sum(step.quarantined for step in self.steps)

    def count(self, status: str) -> int:
        """How many tables ended in this status."""
        return sum(step.status == status for step in self.steps)


_CHECKS = ("LG-401", "LG-402")


def came_to(run: RunRecord, result: str) -> set[str]:
    """Name the tables that ended in `error` (failed, or killed), `fail` (a check stopped them) or `blocked`."""

    def of(step: StepRecord) -> str:
        if step.status == "failed":
            return "fail" if step.code in _CHECKS else "error"
        return {"unfinished": "error", "blocked": "blocked", "skipped": "blocked"}.get(step.status, "")

    return {step.table for step in run.steps if of(step) == result}


def last_runs(folder: Path, limit: int = 20) -> list[RunRecord]:
    """Tell of the newest runs, newest first."""
    found = (record(read_run(folder, path.stem)) for path in _files(folder)[-limit:])
    # ids tell runs of one second apart, and not which came first
    return sorted((run for run in found if run), key=lambda run: run.started_at, reverse=True)


def read_run(folder: Path, run: str) -> list[Event]:
    """Read a run's events in order; a line torn by a kill is left out. Empty when there is no such run."""
    path = folder / f"{run}.jsonl"
    if not _RUN.fullmatch(run) or not path.is_file():
        return []
    return list(_events(path))


def record(events: list[Event]) -> RunRecord | None:
    """Sum up a run's events; None when there are none."""
    if not events:
        return None
    start = next((e for e in events if e.kind == "run.started"), events[0])
    end = next((e for e in reversed(events) if e.kind == "run.finished"), None)
    tables = dict.fromkeys(e.table for e in events if e.table and e.kind.startswith(("step.", "source.")))
    return RunRecord(
        run=start.run,
        status=end.data.get("status", "done") if end else "unfinished",
        started_at=start.at,
        seconds=(end.at - start.at).total_seconds() if end else None,
        target=start.data.get("target"),
        steps=[_step(table, [e for e in events if e.table == table]) for table in tables],
    )


_ENDS = ("failed", "blocked", "skipped", "published", "dropped", "unchanged")


def _step(table: str, events: list[Event]) -> StepRecord:
    kinds = {e.kind for e in events}
    status = next((end for end in _ENDS if f"step.{end}" in kinds), "unfinished")
    published = [e for e in events if e.kind == "step.published"]
    last = next((e for e in reversed(events) if e.kind == f"step.{status}"), None)
    start = next((e for e in events if e.kind == "step.started"), None)
    return StepRecord(
        table=table,
        status=status,
        rows=sum(e.data.get("rows") or 0 for e in published),
        quarantined=sum(e.data.get("quarantined") or 0 for e in published),
        version=published[-1].data.get("version") if published else None,
        seconds=(last.at - start.at).total_seconds() if last and start else None,
        message=(last.data.get("message") or last.data.get("because")) if last else None,
        code=last.data.get("code") if last else None,
    )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.jsonl") if _RUN.fullmatch(path.stem))


def _events(path: Path) -> Iterator[Event]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError):
                yield Event.from_json(line)
