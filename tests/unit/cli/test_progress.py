"""Progress is lines that move on a terminal, and plain lines elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lagoa.cli.progress import Lines, progress
from lagoa.observe.events import Event


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def event(kind: str, table: str | None = "bronze.a", **data: Any) -> Event:
    return Event(kind, datetime(2026, 11, 20, tzinfo=UTC), "r", table, data)


def clock() -> tuple[Callable[[float], None], Callable[[], float]]:
    """A clock that a test winds."""
    hands = [0.0]

    def wind(seconds: float) -> None:
        hands[0] += seconds

    return wind, lambda: hands[0]


def test_a_pipe_gets_a_line_for_what_is_done_and_for_what_takes_long() -> None:
    stream = io.StringIO()
    wind, now = clock()
    lines = Lines(stream, now)
    lines(event("step.started"))
    wind(4)
    lines(event("source.read", label="a.csv", bytes=5_000_000, rows=1000))
    wind(8)
    lines(event("source.read", label="b.csv", bytes=5_000_000, rows=2000))
    lines(event("step.retry", attempt=1, wait_s=1.5, error="connection lost"))
    lines(event("note", text="read a.csv as cp1252"))
    lines(event("step.published", version=3, rows=3000, quarantined=2))
    lines(event("run.finished", None, status="done"))
    assert stream.getvalue().splitlines() == [
        "bronze.a: 3,000 rows, 10.0 MB, 250 rows/s, reading b.csv",
        "bronze.a: trying again in 1.5 s: connection lost",
        "bronze.a: read a.csv as cp1252",
        "bronze.a: published version 3, 3,000 rows, 2 quarantined",
    ]


def test_a_note_that_names_its_table_is_not_named_twice() -> None:
    stream = io.StringIO()
    lines = Lines(stream, lambda: 0.0)
    lines(event("note", text="bronze.a is rebuilt in full: its columns changed"))
    lines(event("note", text="read a.csv as cp1252"))
    lines(event("note", None, text="waits for another run"))
    assert stream.getvalue().splitlines() == [
        "bronze.a is rebuilt in full: its columns changed",
        "bronze.a: read a.csv as cp1252",
        "waits for another run",
    ]


def test_what_did_not_happen_says_why() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines(event("step.failed", code="LG-401", message="3 rows break it"))
    lines(event("step.blocked", "silver.b", because="bronze.a failed"))
    lines(event("step.unchanged", "silver.c", because="nothing new"))
    assert stream.getvalue() == "bronze.a: failed: 3 rows break it\nsilver.b: blocked: bronze.a failed\n"


def test_a_terminal_gets_lines_that_leave_nothing_behind() -> None:
    stream = Terminal()
    with progress(stream) as listener:
        listener(event("step.started"))
        listener(event("source.read", label="a[red].csv", bytes=10, rows=7))
        listener(event("step.staged", rows=7, bytes=5, files=1))
        listener(event("note", text="read [bold]a.csv as cp1252"))
        listener(event("step.published", version=0, rows=7, quarantined=0))
    assert "read [bold]a.csv as cp1252" in stream.getvalue()
