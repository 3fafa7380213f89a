"""What every command is told in the same way: where the project is, on which target, and how much to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lagoa.app import Project

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Settings:
    """Set by options before or after the command's name."""

    project: Path = Path()
    target: str | None = None
    debug: bool = False
    quiet: bool = False
    redact: Callable[[str], str] = str
    """Hides the project's secrets, once it is open."""

    def open(self, fresh: bool = False) -> Project:
        """Open the project; from here on its secrets are hidden from all that is said."""
        from lagoa.app import Project

        found = Project.open(self.project, self.target, fresh=fresh)
        self.redact = found.redact
        return found


with_settings = click.make_pass_decorator(Settings, ensure=True)
"""Hand the settings to a command as its first argument."""


def _set(name: str, ctx: click.Context, _param: click.Parameter, value: Any) -> None:
    if value is not None and value is not False:
        setattr(ctx.ensure_object(Settings), name, value)


def everywhere(command: Command) -> Command:
    """Give a command the options that all of them take."""
    options: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
        (("--debug",), "debug", {"is_flag": True, "help": "Show stack traces."}),
        (("-q", "--quiet"), "quiet", {"is_flag": True, "help": "Say nothing but errors and data."}),
        (("-t", "--target"), "target", {"metavar": "NAME", "help": "Where it runs; `local` by default."}),
        (
            ("-C", "--project"),
            "project",
            {
                "metavar": "FOLDER",
                "type": click.Path(path_type=Path),
                "help": "The project's folder; this one by default.",
            },
        ),
    ]
    for names, field, how in options:
        command = click.option(*names, expose_value=False, callback=partial(_set, field), **how)(command)
    return command


def as_json(command: Command) -> Command:
    """Give a reading command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")(command)


DAY = click.DateTime(["%Y-%m-%d", "%Y-%m", "%Y"])
"""A day, or the first one of a month or a year."""


def selecting(command: Command) -> Command:
    """Give a command `-s/--select` and `--exclude`."""
    what = "Tables by name, +upstream, downstream+, @around, tag:x, state:changed, …; blank = or, comma = and."
    command = click.option("--exclude", multiple=True, metavar="WHAT", help="Leave these out.")(command)
    return click.option("-s", "--select", multiple=True, metavar="WHAT", help=what)(command)


def dry(command: Command) -> Command:
    """Give an acting command `--dry-run`."""
    return click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")(command)
