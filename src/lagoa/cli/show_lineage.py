"""What `lagoa show TABLE --lineage` writes: where columns come from and where they go, as trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lagoa.cli import screen
from lagoa.cli.settings import Settings
from lagoa.errors import CommandError, did_you_mean

if TYPE_CHECKING:
    from lagoa.app import Project
    from lagoa.catalog.trails import Branch, Direction, Trail, Trails


def show_lineage(
    settings: Settings, project: Project, what: str, column: str | None, only: Direction | None, as_json: bool
) -> None:
    """Write the ways of a table's columns, or of one of them."""
    from lagoa.catalog.describe import find
    from lagoa.catalog.lineage import ProjectLineage
    from lagoa.catalog.trails import trails

    name = find(project.project, project.lake, what)
    lineage = ProjectLineage(project.project, project.lake.open)
    known = lineage.columns(name)
    if column is not None and known is not None:
        spelled = {n.lower(): n for n in known}
        if column.lower() not in spelled:
            hint = did_you_mean(column, known) or f"it has {', '.join(known)}"
            raise CommandError("LG-601", f"`{name}` has no column `{column}`", hint=hint)
        column = spelled[column.lower()]
    directions: Sequence[Direction] = (only,) if only else ("upstream", "downstream")
    found = trails(project.project, lineage, name, column, directions)
    if as_json:
        screen.out_json(found.to_json())
        return
    _write(found)
    following = [(f"lagoa show {name}", "the table itself")]
    if column is None and found.columns:
        following.insert(0, (f"lagoa show {name} --lineage --column {found.columns[0].column}", "one column"))
    screen.following(settings, *following)


def _write(found: Trails) -> None:
    about = found.origin or (f"reads {', '.join(map(str, found.tables))}" if found.tables else "")
    screen.out(screen.bold(str(found.table)) + (f"  {screen.dim(about)}" if about else ""))
    if found.unknown:
        screen.out(screen.dim(f"unknown: {found.unknown}"))
    if "upstream" in found.directions and not found.origin:
        screen.out()
        screen.out(screen.dim("comes from"))
        for trail in found.columns:
            _back(found, trail)
        if found.rows or found.rows_unknown:
            doubt = f"unknown: {found.rows_unknown}" if found.rows_unknown else ""
            rows = [part for part in (", ".join(map(str, found.rows)), doubt) if part]
            screen.out(f"{screen.dim('its rows by')} {'; '.join(rows)}")
    if "downstream" in found.directions:
        screen.out()
        screen.out(screen.dim("goes to"))
        read = [trail for trail in found.columns if trail.downstream]
        for trail in read:
            screen.out(trail.column)
            _branches(trail.downstream, "")
        if not read:
            screen.out("nothing in the project reads it")


def _back(found: Trails, trail: Trail) -> None:
    told, notes = trail.lineage, []
    if told is not None and told.unknown and not any(branch.note == told.unknown for branch in trail.upstream):
        notes.append(f"unknown: {told.unknown}")
    elif told is not None and not told.unknown and not trail.upstream:
        notes.append("constant: no input column")
    own = [str(origin) for origin in told.rows if origin not in found.rows] if told is not None else []
    notes += [f"of rows by {', '.join(own)}"] if own else []
    screen.out(f"{trail.column}{_dimmed(notes)}")
    _branches(trail.upstream, "")


def _branches(branches: Sequence[Branch], margin: str) -> None:
    for i, branch in enumerate(branches):
        last = i == len(branches) - 1
        notes = [branch.how] if branch.how and branch.how != "copied" else []
        notes += [branch.note] if branch.note else []
        screen.out(f"{margin}{'└─' if last else '├─'} {branch.name}{_dimmed(notes)}")
        _branches(branch.branches, margin + ("   " if last else "│  "))


def _dimmed(notes: Sequence[str]) -> str:
    return f"  {screen.dim('; '.join(notes))}" if notes else ""
