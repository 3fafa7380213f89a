"""What `lagoa show MODEL --sql` writes: the statements that the engine gets for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lagoa.cli import screen
from lagoa.cli.settings import Settings

if TYPE_CHECKING:
    from lagoa.app import Project


def show_sql(settings: Settings, project: Project, what: str, as_json: bool) -> None:
    """Write what will be run for a model, each statement under a comment that says what it is for."""
    from lagoa.catalog.describe import find
    from lagoa.transform.as_run import as_run

    name = find(project.project, project.lake, what)
    statements = as_run(project.project, project.lake, lambda: project.engine.session(), name)
    if as_json:
        screen.out_json({"table": str(name), "statements": [vars(s) for s in statements]})
        return
    for i, statement in enumerate(statements):
        if i:
            screen.out()
        screen.out(screen.dim(f"-- {statement.what}"))
        if statement.sql:
            screen.out(f"{statement.sql.strip()};")
    screen.following(settings, (f"lagoa run -s {name}", "run it"), (f"lagoa show {name}", "what it made"))
