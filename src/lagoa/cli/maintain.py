"""`lagoa maintain`: fewer files, a fresh checkpoint, no litter; no row changes by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, dry, everywhere, selecting, with_settings
from lagoa.errors import CommandError

if TYPE_CHECKING:
    from datetime import timedelta

    from lagoa.app import Project
    from lagoa.lake.upkeep import Cared


@click.command(short_help="Compact small files and remove what no version needs.")
@selecting
@click.option(
    "--keep", default="7d", show_default=True, metavar="TIME", help="Versions younger than this stay readable."
)
@dry
@as_json
@everywhere
@with_settings
def command(
    settings: Settings, select: tuple[str, ...], exclude: tuple[str, ...], keep: str, dry_run: bool, as_json: bool
) -> int:
    """Put small files together, remove files that no version younger than --keep needs, and write checkpoints.

    Rows do not change, and what reads the tables meanwhile goes on. Files younger than an hour stay in any case: a run
    on another machine may be about to use them.
    """
    with settings.open() as project:
        kept = _duration(keep)
        if dry_run:
            _dry(settings, project, select, exclude, as_json)
            return 0
        report = project.maintain(select, exclude, keep=kept)
        if as_json:
            screen.out_json([_told(cared) for cared in report])
        else:
            _report(settings, [c for c in report if c.error is None], keep)
            if copies := ", ".join(map(str, project.routes.copies)):
                screen.say(settings, screen.dim(f"Copies that no longer count, and may be deleted: {copies}."))
        for cared in report:
            if cared.error is not None:
                screen.show_error(cared.error, settings)
        return 1 if any(cared.error for cared in report) else 0


def _duration(text: str) -> timedelta:
    from lagoa.spec.duration import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError("LG-601", f"--keep {error}") from error


def _dry(
    settings: Settings, project: Project, select: tuple[str, ...], exclude: tuple[str, ...], as_json: bool
) -> None:
    from lagoa.catalog.describe import card

    cards = [card(project.project, project.lake, name) for name in project.held(select, exclude)]
    if as_json:
        screen.out_json([c.to_json() for c in cards])
        return
    screen.out(f"Would look after {screen.some(len(cards), 'table')}: compact, remove what is old, write a checkpoint.")
    if cards:
        screen.out()
        rows = [[str(c.name), screen.number(c.files), screen.size(c.size), screen.number(c.version)] for c in cards]
        screen.table(["table", "files", "size", "version"], rows, {1, 2, 3})
        screen.following(settings, ("lagoa maintain", "do it"))


def _report(settings: Settings, report: list[Cared], keep: str) -> None:
    told = [_told(cared) for cared in report]
    freed, removed = sum(t["bytes_freed"] for t in told), sum(t["files_removed"] for t in told)
    fewer = sum(t["fewer_files"] for t in told)
    screen.out(
        f"{screen.some(len(told), 'table')} looked after: {screen.some(fewer, 'file')} fewer to read, "
        f"{screen.some(removed, 'old file')} removed, {screen.size(freed)} freed."
    )
    rows = [
        [t["table"], screen.number(t["fewer_files"]), screen.number(t["files_removed"]), screen.size(t["bytes_freed"])]
        for t in told
        if t["fewer_files"] or t["files_removed"]
    ]
    if rows:
        screen.out()
        screen.table(["table", "fewer files", "removed", "freed"], rows, {1, 2, 3})
    screen.say(settings, screen.dim(f"Versions younger than {keep} stay readable; files younger than an hour stay."))
    screen.following(settings, ("lagoa doctor --verify", "read every byte"))


def _told(cared: Cared) -> dict[str, Any]:
    return {
        "table": str(cared.table),
        "fewer_files": cared.fewer,
        "files_removed": cared.removed,
        "bytes_freed": cared.freed,
        "error": cared.error.code if cared.error else None,
    }
