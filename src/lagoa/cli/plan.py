"""`lagoa plan`: what a run would do to each table, and why, before anything is written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, everywhere, selecting, with_settings
from lagoa.errors import LagoaError

if TYPE_CHECKING:
    from lagoa.plan.step import Plan, Step

SIGNS = {"new": "+", "changed": "~", "new data": "↑", "up to date": "=", "read": "?", "blocked": "×"}
SIGNS |= {"view": "·", "deferred": "→"}
"""One sign for each status, so that a column of them can be read at a glance."""
_NARROW = 24
"""Columns below which a reason is not cut but wrapped: too little of it would be left."""
_COLOURS = {"new": "green", "changed": "yellow", "new data": "cyan", "blocked": "red"}


@click.command(short_help="Say what a run would do and why.")
@selecting
@click.option("--full", is_flag=True, help="Plan to rebuild, and to read the streams from the beginning.")
@click.option("--reset-cursor", is_flag=True, help="Plan to read the streams from the beginning.")
@click.option("--ingest", is_flag=True, help="Of a target that defers: plan to load the streams into its own lake.")
@click.option("--all", "everything", is_flag=True, help="Show the tables that are up to date or read elsewhere, too.")
@as_json
@everywhere
@with_settings
def command(
    settings: Settings,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    full: bool,
    reset_cursor: bool,
    ingest: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Say, for each table, what a run would do and why. Reads the lake alone and writes nothing.

    What a source will deliver is not known beforehand: the steps that depend on it are marked `if there is news`.
    """
    with settings.open() as project:
        plan = project.plan(select, exclude, full=full, reset_cursor=reset_cursor, ingest=ingest)
        if as_json:
            screen.out_json(plan.to_json())
            return
        show(plan, project.name, everything)
        stopped = [(step.table, step.error) for step in plan.blocked if isinstance(step.error, LagoaError)]
        for _, error in stopped:
            screen.error_line("")
            screen.show_error(error, settings)
        more = [("lagoa plan --all", "also what is read elsewhere, and at which version")] if plan.deferred else []
        if stopped:
            screen.following(settings, (f"lagoa show {stopped[0][0]}", "its versions, and who wrote them"))
        elif plan.steps or plan.reads:
            screen.following(settings, ("lagoa run", "do it"), *more)
        else:
            screen.following(settings, ("lagoa show", "what the tables hold"), *more)


def show(plan: Plan, name: str, everything: bool = False) -> None:
    """Write a plan: the sentence first, then a line for each step."""
    screen.out(f"{name} on {plan.target}: {sentence(plan)}")
    shown = [s for s in plan.selected if everything or s in (*plan.steps, *plan.reads, *plan.maybe)]
    if not shown:
        return
    screen.out()
    wide = max(len(str(s.table)) for s in shown)
    states = max(len(s.status) for s in shown)
    for step in shown:
        screen.out(_line(step, wide, states))


def sentence(plan: Plan) -> str:
    """Say in one sentence what the plan amounts to."""
    streams = [s for s in plan.steps if s.table.layer == "bronze" and s.status != "blocked"]
    models = [s for s in plan.steps if s.table.layer != "bronze" and s.status != "blocked"]
    parts = []
    if streams:
        parts.append(f"{screen.some(len(streams), 'stream')} to load")
    if plan.reads:
        parts.append(f"{screen.some(len(plan.reads), 'stream')} to ask for news")
    if models:
        parts.append(f"{screen.some(len(models), 'table')} to write")
    if plan.maybe:
        parts.append(f"{screen.some(len(plan.maybe), 'table')} to write if there is news")
    if plan.blocked:
        parts.append(f"{screen.some(len(plan.blocked), 'table')} blocked")
    fresh = sum(s.status == "up to date" and not s.conditional for s in plan.selected)
    elsewhere = f", {len(plan.deferred):,} read elsewhere" if plan.deferred else ""
    if not parts:
        return f"nothing to write. {screen.some(fresh, 'table')} up to date{elsewhere}."
    return f"{', '.join(parts)}{elsewhere}."


def _line(step: Step, wide: int, states: int) -> str:
    colour = _COLOURS.get(step.status)
    sign = click.style(SIGNS[step.status], fg=colour, bold=colour is not None)
    status = click.style(f"{step.status:<{states}}", fg=colour)
    unsaid = step.status in ("read", "blocked") or step.table.layer == "bronze"  # a stream's reason says it already
    condition = "if there is news: " if step.conditional and not unsaid else ""
    room = (screen.width(sys.stdout) or 10_000) - (wide + states + len("  +     "))
    why = condition + step.reason
    why = why if len(why) <= room or room < _NARROW else f"{why[: room - 1]}…"
    return f"  {sign} {step.table!s:<{wide}}  {status}  {screen.dim(why)}".rstrip()
