"""What a person sees: data on stdout, conversation on stderr, colour only where it is wanted."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import click

from lagoa.cli.settings import Settings
from lagoa.errors import CODES, LagoaError, ProjectErrors


def colour(stream: TextIO) -> bool:
    """Say whether a stream may be coloured."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Say whether a person looks at this stream."""
    return bool(getattr(stream, "isatty", lambda: False)())


def width(stream: TextIO) -> int | None:
    """Return how many letters fit on a line; None when nobody looks."""
    return shutil.get_terminal_size().columns if is_terminal(stream) else None


def out(text: str = "") -> None:
    """Write a line of data."""
    click.echo(text, color=colour(sys.stdout) or None)


def out_json(value: Any) -> None:
    """Write data as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def say(settings: Settings, text: str = "") -> None:
    """Write a line of conversation, unless asked to be quiet."""
    if not settings.quiet:
        click.echo(text, err=True, color=colour(sys.stderr) or None)


def error_line(text: str) -> None:
    """Write a line to stderr that even the quiet hear."""
    click.echo(text, err=True, color=colour(sys.stderr) or None)


def show_error(error: LagoaError, settings: Settings) -> None:
    """Write an error with its code, place and hint; without a hint of its own, the code's."""
    from lagoa.project.render import render

    if isinstance(error, ProjectErrors) and len(error.errors) == 1:
        error = error.errors[0]
    text = settings.redact(render(error))
    if error.hint is None and not isinstance(error, ProjectErrors):
        text += f"\n  hint: {CODES[error.code][1]}"
    error_line("\n".join(map(_error_colours, text.splitlines())))


def _error_colours(line: str) -> str:
    head, colon, rest = line.partition(": ")
    if line.startswith("error["):
        return click.style(head, fg="red", bold=True) + colon + bold(rest)
    return click.style(head, fg="cyan") + colon + rest if head.strip() == "hint" else line


def following(settings: Settings, *commands: tuple[str, str]) -> None:
    """End a command by naming what may come next, on the same target: (command, what it does)."""
    if settings.target is not None:
        commands = tuple((f"{command} -t {settings.target}", purpose) for command, purpose in commands)
    wide = max((len(command) for command, purpose in commands if purpose), default=0)
    for i, (command, purpose) in enumerate(commands):
        lead = "\nNext: " if i == 0 else "      "
        tail = f"{' ' * (wide - len(command))}   {dim(purpose)}" if purpose else ""
        say(settings, f"{lead}{bold(command)}{tail}")


COLOURS = {
    **dict.fromkeys(("published", "done"), "green"),
    **dict.fromkeys(("failed", "missing"), "red"),
    **dict.fromkeys(("blocked", "skipped", "stopped", "unfinished", "unexpected", "differs"), "yellow"),
}
"""How the first word of a status is coloured; the word itself says all."""


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str | None]],
    right: Collection[int] = (),
    status: int = -1,
    whole: Collection[int] = (0,),
) -> None:
    """Write a table as data: cut to the terminal, or in full when nobody looks. `status` is a column of COLOURS.

    Columns in `whole`, the names, are cut last.
    """
    from lagoa.serve.grid import grid

    def paint(column: int, cell: str, shown: str) -> str:
        word = cell.split(" ")[0].rstrip(":,")
        return click.style(shown, fg=COLOURS.get(word)) if column == status else shown

    for line in grid(headers, rows, right, width(sys.stdout), bold, dim, paint, whole):
        out(line)


def lowered(code: str) -> str:
    """Write an error code's name inside a sentence: somebody else wrote."""
    name = CODES[code][0]
    return name[:1].lower() + name[1:]


def bold(text: str) -> str:
    """Make text stand out."""
    return click.style(text, bold=True)


def dim(text: str) -> str:
    """Make text step back."""
    return click.style(text, dim=True)


def number(value: float | None) -> str:
    """Write a count: 12,345."""
    return "" if value is None else f"{value:,}"


def some(count: int, what: str, plural: str = "") -> str:
    """Write a count with its noun: 1 table, 2 tables."""
    return f"{count:,} {what if count == 1 else plural or what + 's'}"


def size(count: int | None) -> str:
    """Write bytes as people read them: 1.2 MB."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def duration(seconds: float | None) -> str:
    """Write a length of time: 0.3 s, 2 min 05 s, 1 h 03 min."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def moment(when: datetime | None, zone: str, now: datetime | None = None, today: str = "today ") -> str:
    """Write a time in the project's zone: `today 06:14`, or `06:14` where that is plain, `2026-11-19 06:14`."""
    if when is None:
        return ""
    there = when.astimezone(ZoneInfo(zone))
    this_day = (now or datetime.now(UTC)).astimezone(ZoneInfo(zone)).date()
    return f"{today}{there:%H:%M}" if there.date() == this_day else f"{there:%Y-%m-%d %H:%M}"
