"""`lagoa test`: models against the rows that `tests/` gives and expects."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, everywhere, selecting, with_settings
from lagoa.errors import CommandError

if TYPE_CHECKING:
    from lagoa.run.trial.trial import Verdict


@click.command(short_help="Test models on given rows.")
@click.argument("names", nargs=-1)
@click.option("--record", metavar="MODEL", help="Write a test of this model from rows of the lake.")
@click.option(
    "-n", "--rows", type=click.IntRange(min=1), default=3, show_default=True, help="Rows that --record picks."
)
@click.option("--name", help="What the recorded test is called.")
@selecting
@as_json
@everywhere
@with_settings
def command(
    settings: Settings,
    names: tuple[str, ...],
    record: str | None,
    rows: int,
    name: str | None,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    as_json: bool,
) -> int:
    """Test models: the rows under `given:` go in, the rows under `expect:` must come out. The lake is not touched.

    NAMES are tests (also `orders_*`) or files (`orders` for tests/orders.yml); all tests by default.
    """
    if record is not None:
        _record(settings, record, rows, name, chosen=bool(names or select or exclude))
        return 0
    if name is not None:
        raise CommandError("LG-601", "--name goes with --record", hint="name a test by itself: lagoa test NAME")
    began = time.monotonic()
    with settings.open() as project:
        verdicts = project.tests.run(names, select, exclude, heard=lambda v: None if as_json else _tell(settings, v))
    failed = sum(v.status != "passed" for v in verdicts)
    if as_json:
        screen.out_json({"passed": len(verdicts) - failed, "failed": failed, "tests": [v.to_json() for v in verdicts]})
    elif not verdicts:
        screen.say(settings, "There is no test.")
        screen.following(settings, ("lagoa test --record MODEL", "write one from rows of the lake"))
    else:
        counted = f"{len(verdicts) - failed} passed" + (f", {failed} failed" if failed else "")
        seconds = screen.duration(time.monotonic() - began)
        screen.out(f"{screen.some(len(verdicts), 'test')}: {counted} in {seconds}")
    return 1 if failed else 0


def _tell(settings: Settings, verdict: Verdict) -> None:
    """Say how a test went; of one that failed, every row that differs."""
    if verdict.status == "passed":
        screen.say(settings, f"{click.style('passed', fg='green')}  {verdict.name}")
        return
    screen.out(f"{click.style('failed', fg='red')}  {screen.bold(verdict.name)}  {verdict.file}:{verdict.line}")
    if verdict.error is not None:
        screen.show_error(verdict.error, settings)
    for difference in verdict.differences:
        after = f", after run {difference.round}" if difference.round > 1 else ""
        screen.out(f"\n{difference.table}{after}: expected → actual")
        rows = [[row.kind, *row.cells()] for row in difference.rows]
        screen.table(["", *difference.columns], rows, status=0)
        if difference.more:
            screen.out(screen.dim(f"… {screen.some(difference.more, 'more row')}"))
    screen.out()


def _record(settings: Settings, model: str, rows: int, name: str | None, chosen: bool) -> None:
    if chosen:
        raise CommandError("LG-601", "--record takes one model, and no names of tests")
    with settings.open() as project:
        recorded = project.tests.record(model, rows, name)
    screen.out(f"Wrote {recorded.file}: the test {recorded.name}, with {screen.some(recorded.rows, 'expected row')}.")
    for line in recorded.notes:
        screen.say(settings, screen.dim(line))
    screen.following(settings, (f"lagoa test {recorded.name}", "it passes as it stands; make it say what you mean"))
