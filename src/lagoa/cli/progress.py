"""How far a run is: live lines on a terminal, one line per finished table elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from lagoa.cli import screen
from lagoa.observe.events import Event

PATIENCE = 10.0
"""Seconds after which a line says that a long step is still alive, where nothing can move on the screen."""


@dataclass
class _Step:
    began: float
    told: float
    rows: int = 0
    read: int = 0
    doing: str = ""

    def seen(self, event: Event) -> None:
        """Take in one event of this step."""
        data = event.data
        if event.kind == "source.read":
            self.rows += data.get("rows") or 0
            self.read += data.get("bytes") or 0
            self.doing = f"reading {data.get('label') or ''}".rstrip()
        elif event.kind == "step.staged":
            self.rows = max(self.rows, data.get("rows") or 0)
            self.doing = "checking"
        elif event.kind == "step.audited":
            self.doing = "publishing"
        elif event.kind == "step.retry":
            self.doing = f"trying again in {data.get('wait_s')} s: {data.get('error')}"

    def words(self, now: float) -> str:
        """Say how far it is: rows, bytes, rows per second."""
        parts = [screen.some(self.rows, "row")] if self.rows else []
        parts += [screen.size(self.read)] if self.read else []
        seconds = now - self.began
        if self.rows and seconds >= 2:
            parts.append(f"{self.rows / seconds:,.0f} rows/s")
        return ", ".join([*parts, self.doing] if self.doing else parts)


@contextmanager
def progress(stream: TextIO) -> Iterator[Callable[[Event], None]]:
    """Give the listener that shows a run's progress on a stream."""
    if not screen.is_terminal(stream):
        yield Lines(stream)
        return
    with _Live(stream) as live:
        yield live


class Lines:
    """Plain lines: notes, retries, what failed, and a sign of life from long steps."""

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._now = stream, now
        self._steps: dict[str, _Step] = {}

    def __call__(self, event: Event) -> None:
        """Write what this event calls for."""
        now = self._now()
        table = event.table or ""
        if event.kind == "note":
            self._write(_noted(event))
            return
        if not table:
            return
        step = self._steps.setdefault(table, _Step(now, now))
        step.seen(event)
        if event.kind == "step.retry":
            self._write(f"{table}: {step.doing}")
        elif event.kind in _ENDS:
            self._write(f"{table}: {_ended(event)}")
        elif now - step.told >= PATIENCE:
            step.told = now
            self._write(f"{table}: {step.words(now)}")

    def _write(self, text: str) -> None:
        print(text, file=self._stream, flush=True)  # this is the place where progress is printed


_ENDS = ("step.published", "step.dropped", "step.failed", "step.blocked", "step.skipped")


def _noted(event: Event) -> str:
    text = str(event.data.get("text"))
    return text if event.table is None or text.startswith(event.table) else f"{event.table}: {text}"


def _ended(event: Event) -> str:
    data = event.data
    if event.kind == "step.published":
        aside = f", {data['quarantined']:,} quarantined" if data.get("quarantined") else ""
        return f"published version {data.get('version')}, {screen.some(data.get('rows') or 0, 'row')}{aside}"
    if event.kind == "step.dropped":
        return f"dropped, with {screen.some(data.get('rows') or 0, 'row')}"
    if event.kind == "step.failed":
        return f"failed: {data.get('message')}"
    return f"{event.kind.removeprefix('step.')}: {data.get('because')}"


class _Live:
    """Lines that move: one for each table that is being worked on."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(file=stream, no_color=not screen.colour(stream), highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[words]}", style="dim", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, Any] = {}
        self._steps: dict[str, _Step] = {}

    def __enter__(self) -> _Live:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        if event.kind == "note":
            self._progress.console.print(_noted(event), style="dim", markup=False)
            return
        table = event.table
        if table is None:
            return
        now = time.monotonic()
        if event.kind in (*_ENDS, "step.unchanged"):
            self._steps.pop(table, None)
            if table in self._tasks:
                self._progress.remove_task(self._tasks.pop(table))
            return
        step = self._steps.setdefault(table, _Step(now, now))
        step.seen(event)
        if table not in self._tasks:
            self._tasks[table] = self._progress.add_task(table, total=None, words="")
        self._progress.update(self._tasks[table], words=step.words(now))
