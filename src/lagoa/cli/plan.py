"""`lagoa plan`: what a run would do to each table, and why, before anything is written."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lagoa.cli import screen
from lagoa.cli.plan_lines import show
from lagoa.cli.settings import DAY, Settings, as_json, everywhere, selecting, with_settings
from lagoa.errors import CommandError, LagoaError

if TYPE_CHECKING:
    from lagoa.plan.step import Plan


@click.command(short_help="Say what a run would do and why.")
@selecting
@click.option("--full", is_flag=True, help="Plan to rebuild, and to read the streams from the beginning.")
@click.option("--accept", is_flag=True, help="Plan to take tables as somebody else left them.")
@click.option("--reset-cursor", is_flag=True, help="Plan to read the streams from the beginning.")
@click.option("--ingest", is_flag=True, help="Of a target that defers: plan to load the streams into its own lake.")
@click.option("--drop", is_flag=True, help="Plan to drop the tables that nothing makes any more.")
@click.option("--start", type=DAY, metavar="DAY", help="Plan to rebuild the time partitions from this day on.")
@click.option("--end", type=DAY, metavar="DAY", help="Up to this day, which is left out.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the plan, for `run --plan FILE`.")
@click.option("--all", "everything", is_flag=True, help="Show the tables that are up to date or read elsewhere, too.")
@as_json
@everywhere
@with_settings
def command(
    settings: Settings,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    full: bool,
    accept: bool,
    reset_cursor: bool,
    ingest: bool,
    drop: bool,
    start: datetime | None,
    end: datetime | None,
    out: Path | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Say, for each table, what a run would do and why. Reads the lake alone and writes nothing.

    What a source will deliver is not known beforehand: the steps that depend on it are marked `if there is news`.
    """
    with settings.open() as project:
        wish = {"full": full, "accept": accept, "reset_cursor": reset_cursor, "ingest": ingest, "drop": drop}
        plan = project.plan(select, exclude, **wish, start=start, end=end)
        if out is not None:
            _written(out, plan)
        if as_json:
            screen.out_json(plan.to_json())
            return
        show(plan, project.name, everything)
        stopped = [(step.table, step.error) for step in plan.blocked if isinstance(step.error, LagoaError)]
        for _, error in stopped:
            screen.error_line("")
            screen.show_error(error, settings)
        more = [("lagoa plan --all", "also what is read elsewhere, and at which version")] if plan.deferred else []
        foreign = [table for table, error in stopped if error.code.startswith("LG-3")]
        if foreign:
            screen.following(settings, (f"lagoa show {foreign[0]}", "its versions, and who wrote them"))
        elif stopped:
            screen.following(settings, ("lagoa plan", "again, when it is mended"))
        elif plan.steps or plan.reads:
            carry = f"lagoa run --plan {out}" if out else "lagoa run"
            screen.following(settings, (carry, "do it"), *more)
        else:
            screen.following(settings, ("lagoa show", "what the tables hold"), *more)


def _written(out: Path, plan: Plan) -> None:
    try:
        out.write_text(json.dumps(plan.to_json(), ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise CommandError("LG-601", f"{out} cannot be written: {error.strerror}") from error
