"""`lagoa restore`: a table's rows and state as they were, by one new commit; nothing is lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, dry, everywhere, with_settings

if TYPE_CHECKING:
    from lagoa.app import Project
    from lagoa.spec.names import TableName


@click.command(short_help="Put a table back to an earlier version.")
@click.argument("table")
@click.argument("to", metavar="VERSION|TIME")
@dry
@everywhere
@with_settings
def command(settings: Settings, table: str, to: str, dry_run: bool) -> None:
    """Put TABLE back to what it was at a version, or at a time.

    Rows, quarantine and how far its source was read go back together, in one new version. The versions in between
    stay, so that this, too, can be undone.
    """
    from lagoa.catalog.describe import find_stored

    with settings.open() as project:
        name = find_stored(project.project, project.lake, table).guarded
        version = _version(project, name, to)
        now, then = project.lake.open(name, trust=True), project.lake.at(name, version)
        words = f"{name} from version {now.version} ({now.rows:,} rows) to what it was at version {version}"
        words += f" ({then.rows:,} rows)"
        if dry_run:
            screen.out(f"Would put {words}.")
            screen.following(settings, (f"lagoa restore {name} {version}", "do it"))
            return
        restored = project.restore(str(name), version)
        if restored.version == now.version:
            screen.out(f"{name} is at version {version} already. Nothing to do.")
            return
        screen.out(f"Put {words}. It is version {restored.version} now.")
        if name in project.project.models:
            screen.say(
                settings, screen.dim("A run builds it anew: mend its model, or what it reads, before the next one.")
            )
        screen.following(
            settings,
            (f"lagoa restore {name} {now.version}", "undo this"),
            (f"lagoa run -s {name}+ --exclude {name}", "bring what reads it up to date"),
        )


def _version(project: Project, name: TableName, to: str) -> int:
    from lagoa.serve.query import read_time

    digits = to.strip().lstrip("v")
    if digits.isdigit():
        return int(digits)
    return project.lake.at(name, read_time(to, project.project.file.timezone)).version
