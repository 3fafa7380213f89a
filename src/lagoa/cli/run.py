"""`lagoa run`: carries out the plan, shows how far it is, and ends with what became of each table."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lagoa.cli import screen
from lagoa.cli.settings import DAY, Settings, as_json, dry, everywhere, selecting, with_settings
from lagoa.errors import CommandError, LagoaError

if TYPE_CHECKING:
    from lagoa.app import Listener, Project
    from lagoa.observe.events import Event
    from lagoa.plan.step import Plan
    from lagoa.run.report import Result, Run


@click.command(short_help="Bring the lake up to date.")
@selecting
@click.option("--full", is_flag=True, help="Rebuild the selected tables, and read their streams from the beginning.")
@click.option(
    "--accept", is_flag=True, help="Take the selected tables as somebody else left them, and go on from there."
)
@click.option("--reset-cursor", is_flag=True, help="Read the selected streams from the beginning.")
@click.option("--verify", is_flag=True, help="Compare what models recompute with a full rebuild, before publishing.")
@click.option("--ingest", is_flag=True, help="Of a target that defers: load the streams into its own lake.")
@click.option("--drop", is_flag=True, help="Drop the tables that nothing makes any more.")
@click.option("--start", type=DAY, metavar="DAY", help="Rebuild the time partitions from this day on.")
@click.option("--end", type=DAY, metavar="DAY", help="Up to this day, which is left out.")
@click.option(
    "--plan",
    "planned",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Carry out exactly the plan that `lagoa plan --out FILE` wrote, or nothing when it no longer holds.",
)
@dry
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
    verify: bool,
    ingest: bool,
    drop: bool,
    start: datetime | None,
    end: datetime | None,
    planned: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Read what is new, rebuild what depends on it, check it, publish it.

    A table that fails keeps the version that readers see, and stops only the tables that read it. A run that was
    stopped, by Ctrl-C or worse, is taken up by the next one.
    """
    wish: dict[str, Any] = {
        "full": full,
        "accept": accept,
        "reset_cursor": reset_cursor,
        "ingest": ingest,
        "drop": drop,
        "start": start,
        "end": end,
    }
    if planned is not None and (select or exclude or dry_run or any(wish.values())):
        raise CommandError("LG-601", "--plan takes everything from the plan: it goes with nothing that says what to do")
    with settings.open(fresh=not dry_run) as project:
        if dry_run:
            return _dry(settings, project, partial(project.plan, select, exclude, **wish), as_json)
        warned = _Warned()
        recorded = _read(planned) if planned else None

        asked: Callable[..., Run] = partial(project.run, select, exclude, verify=verify, plan=recorded, **wish)
        done = _run(settings, asked, warned)
        if as_json:
            screen.out_json(done.to_json())
        elif not settings.quiet:
            _report(done)
        warned.tell(settings)
        _errors(settings, done)
        _next(settings, done)
    return 0 if done.ok else 1


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise CommandError("LG-601", message, hint="`lagoa plan --out FILE` writes one") from error


def _dry(settings: Settings, project: Project, planned: Callable[[], Plan], as_json: bool) -> int:
    from lagoa.cli.plan_lines import show

    plan = planned()
    if as_json:
        screen.out_json(plan.to_json())
    else:
        show(plan, project.name)
        screen.following(settings, ("lagoa run", "do it"))
    return 0


def _run(settings: Settings, asked: Callable[..., Run], warned: _Warned) -> Run:
    from lagoa.cli.progress import progress
    from lagoa.cli.signals import stopped_by_signals
    from lagoa.kit.stop import Stop

    stop = Stop()
    with ExitStack() as stack:
        stack.enter_context(stopped_by_signals(stop))
        listeners: list[Listener] = [warned]
        listeners += [] if settings.quiet else [stack.enter_context(progress(sys.stderr))]
        return asked(listeners=listeners, stop=stop)


class _Warned:
    """Hears which checks found something and let it pass: what was published all the same must be told."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def __call__(self, event: Event) -> None:
        if event.kind == "step.audited" and event.table is not None:
            checks = [c for c in event.data["checks"] if c["on_fail"] == "warn" and c["violations"]]
            said = [f"check `{c['check']}` found {screen.some(c['violations'], 'row')}" for c in checks]
            self._found[event.table] = said

    def tell(self, settings: Settings) -> None:
        """Write a line for each check that warns, by table."""
        lines = [f"warning: {table}: {line}" for table in sorted(self._found) for line in self._found[table]]
        for line in ["", *lines] if lines else []:
            screen.say(settings, line)


def _report(done: Run) -> None:
    """Write the sentence, then a line for each table that the run touched."""
    screen.out(_sentence(done))
    told = [r for r in done.results if r.status not in ("unchanged", "view", "deferred")]
    if not told:
        return
    rows = [
        (
            str(r.table),
            _what(r),
            screen.number(r.rows) if r.status == "published" else "",
            screen.number(r.quarantined) if r.quarantined else "",
            screen.duration(r.seconds) if r.seconds else "",
        )
        for r in told
    ]
    screen.out()
    screen.table(["table", "what happened", "rows", "quarantined", "time"], rows, {2, 3, 4}, status=1)


def _what(result: Result) -> str:
    if result.status == "published":
        return f"published version {result.version}"
    if result.status == "failed":
        return "failed, not published"
    if isinstance(result.error, LagoaError):
        return f"blocked: {result.error.code} {screen.lowered(result.error.code)}"
    return f"{result.status}: {result.reason}" if result.reason else result.status


def _sentence(done: Run) -> str:
    results = [r for r in done.results if r.status not in ("view", "deferred")]
    unchanged = sum(r.status == "unchanged" for r in results)
    dropped = sum(r.status == "dropped" for r in results)
    if done.ok and not done.published and not dropped:
        return f"Nothing to write. {screen.some(unchanged, 'table')} up to date, {screen.duration(done.seconds)}."
    parts = [
        f"{screen.some(len(done.published), 'table')} published",
        f"{screen.some(sum(r.rows for r in done.published), 'row')}",
    ]
    set_aside = sum(r.quarantined for r in results)
    parts += [f"{set_aside:,} quarantined"] if set_aside else []
    for status in ("dropped", "unchanged", "failed", "blocked", "skipped"):
        count = sum(r.status == status for r in results)
        parts += [f"{count:,} {'up to date' if status == 'unchanged' else status}"] if count else []
    stopped = "Stopped. " if done.stopped else ""
    return f"{stopped}{', '.join(parts)}, {screen.duration(done.seconds)}."


def _errors(settings: Settings, done: Run) -> None:
    for result in done.results:
        if not isinstance(result.error, LagoaError):
            continue
        screen.error_line("")
        screen.show_error(result.error, settings)
        if result.status == "failed" and (result.total or (result.version or -1) >= 0):
            screen.say(settings, screen.dim(f"  {result.table} is not published; readers still see its last version."))


def _next(settings: Settings, done: Run) -> None:
    if done.stopped:
        screen.following(settings, ("lagoa run", "go on from where it stopped"))
        return
    if not done.ok:
        errors = [(r.table, getattr(r.error, "code", "")) for r in done.results if r.status == "blocked"]
        stopped = [table for table, code in errors if code.startswith("LG-3")]
        first = (f"lagoa show {stopped[0]}", "its versions, and who wrote them") if stopped else None
        again = ("lagoa run", "try again; what is published stays")
        screen.following(settings, first or again, (f"lagoa show {done.id}", "this run"))
        return
    commands = []
    gold = [r.table for r in done.results if r.table.layer == "gold"] or [r.table for r in done.results]
    if gold:
        commands.append((f'lagoa query "select * from {gold[0]} limit 10"', ""))
    aside = [r for r in done.published if r.quarantined]
    if aside:
        commands.append((f'lagoa query "select * from {aside[-1].table.quarantine}"', "the rows set aside, and why"))
    commands.append(("lagoa show", "every table"))
    screen.following(settings, *commands)
