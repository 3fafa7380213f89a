"""`lagoa validate`: all that is wrong with the files, at once, without touching lake or sources."""

from __future__ import annotations

from typing import Any

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, everywhere, with_settings
from lagoa.errors import ProjectError, ProjectErrors
from lagoa.project.trials import read_trials


@click.command(short_help="Check every file of the project.")
@as_json
@everywhere
@with_settings
def command(settings: Settings, as_json: bool) -> None:
    """Check every file of the project: keys, types, SQL, and that every table that is read is made.

    The lake is not touched, nor any source, but where one takes a whole schema its catalog is asked what there is.
    """
    try:
        project = settings.open(fresh=True).project
        tests = len(read_trials(project))
    except (ProjectErrors, ProjectError) as error:
        if as_json:
            found = error.errors if isinstance(error, ProjectErrors) else [error]
            screen.out_json({"ok": False, "errors": [_error(e) for e in found]})
        raise
    streams = len(project.graph.streams)
    counted = {
        "sources": len(project.sources),
        "streams": streams,
        "models": len(project.models),
        "checks": _checks(project),
        "tests": tests,
    }
    if as_json:
        screen.out_json({"ok": True, "project": project.file.name, "target": project.target_name, **counted})
        return
    said = {what: count for what, count in counted.items() if count or what != "tests"}
    words = ", ".join(screen.some(count, what[:-1]) for what, count in said.items())
    screen.out(f"{project.file.name} is sound: {words}.")
    screen.following(settings, ("lagoa plan", "what a run would do"), ("lagoa run", "do it"))


def _checks(project: Any) -> int:
    declared = [s.spec for s in project.graph.streams.values()] + [m.header for m in project.models.values()]
    beside = sum(len(column.checks) for noun in declared for column in noun.columns.values())
    return len(project.checks) + beside + sum(len(noun.checks) for noun in declared)


def _error(error: ProjectError) -> dict[str, Any]:
    place = error.place
    return {
        "code": error.code,
        "message": error.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "hint": error.hint,
    }
