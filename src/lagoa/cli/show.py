"""`lagoa show`: the project's tables, one table with its sample and history, or what runs did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, everywhere, selecting, with_settings
from lagoa.cli.show_lineage import show_lineage
from lagoa.cli.show_profile import show_profile
from lagoa.cli.show_search import show_search
from lagoa.cli.show_sql import show_sql
from lagoa.cli.show_table import show_table
from lagoa.errors import CommandError

if TYPE_CHECKING:
    from lagoa.app import Project
    from lagoa.catalog.describe import Card
    from lagoa.catalog.trails import Direction
    from lagoa.observe.log import RunRecord
    from lagoa.spec.names import TableName

_RUN = re.compile(r"\d{8}-\d{6}-[a-z0-9]{4}")


@click.command(short_help="Show the project, a table, or what runs did.")
@click.argument("what", nargs=-1)
@selecting
@click.option(
    "-n", "--rows", type=click.IntRange(min=0), default=5, show_default=True, help="How many rows a sample shows."
)
@click.option("--lineage", is_flag=True, help="Show where a table's columns come from and where they go.")
@click.option("--column", metavar="NAME", help="With --lineage: only this column.")
@click.option("--upstream", "only", flag_value="upstream", help="With --lineage: only where columns come from.")
@click.option("--downstream", "only", flag_value="downstream", help="With --lineage: only where columns go.")
@click.option("--profile", is_flag=True, help="Show what a table's columns hold: nulls, distinct, min, max, top.")
@click.option("--sql", is_flag=True, help="Show the SQL that a run gives to the engine for a model.")
@click.option("--search", is_flag=True, help="Find tables by words, in names, columns, descriptions, tags, owners.")
@as_json
@everywhere
@with_settings
def command(
    settings: Settings,
    what: tuple[str, ...],
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    rows: int,
    lineage: bool,
    column: str | None,
    only: Direction | None,
    profile: bool,
    sql: bool,
    search: bool,
    as_json: bool,
) -> None:
    """Show what is there.

    \b
    lagoa show                 every table: rows, size, version, quarantine
    lagoa show silver.orders   one table: columns, checks, sample, versions
    lagoa show runs            the last runs
    lagoa show RUN             one run, table by table
    lagoa show silver.orders --lineage   its columns' ways, from streams to gold
    lagoa show silver.orders --profile   what its columns hold
    lagoa show silver.orders --sql       what the engine will run
    lagoa show --search revenue state    the tables that these words are about
    lagoa show -s state:stale            only the tables that a selector chooses

    Values of personal columns are masked in samples.
    """
    views = [name for name, on in (("lineage", lineage), ("profile", profile), ("sql", sql), ("search", search)) if on]
    _refuse(what, views, bool(column or only), bool(select or exclude))
    view, table = views[0] if views else "", what[0] if what else ""
    with settings.open() as project:
        if view == "search":
            show_search(settings, project, what, as_json)
        elif view == "lineage":
            show_lineage(settings, project, table, column, only, as_json)
        elif view == "profile":
            show_profile(settings, project, table, as_json)
        elif view == "sql":
            show_sql(settings, project, table, as_json)
        else:
            _plainly(
                settings, project, table, rows, as_json, project.chosen(select, exclude) if select or exclude else None
            )


def _refuse(what: Sequence[str], views: Sequence[str], of_lineage: bool, selected: bool) -> None:
    """Refuse what cannot be asked together."""
    if of_lineage and views != ["lineage"]:
        raise CommandError("LG-601", "--column, --upstream and --downstream go with --lineage", hint="add --lineage")
    if len(views) > 1:
        raise CommandError("LG-601", f"--{views[0]} and --{views[1]} are two questions", hint="ask one after the other")
    if views == ["search"]:
        return
    if len(what) > 1:
        raise CommandError("LG-601", "one table at a time", hint=f"lagoa show {what[0]}, or --search with words")
    if views and (not what or what[0] == "runs" or _RUN.fullmatch(what[0])):
        raise CommandError("LG-601", f"--{views[0]} is of one table", hint=f"lagoa show silver.orders --{views[0]}")
    if selected and (what or views):
        raise CommandError(
            "LG-601", "--select and --exclude are for the list of tables", hint="lagoa show -s layer:gold"
        )


def _plainly(
    settings: Settings, project: Project, what: str, rows: int, as_json: bool, chosen: AbstractSet[TableName] | None
) -> None:
    if not what:
        _project(settings, project, as_json, chosen)
    elif what == "runs":
        _runs(settings, project, as_json)
    elif _RUN.fullmatch(what):
        _run(settings, project, what, as_json)
    else:
        show_table(settings, project, what, rows, as_json)


# ---------------------------------------------------------------- project
def _project(settings: Settings, project: Project, as_json: bool, chosen: AbstractSet[TableName] | None) -> None:
    from lagoa.catalog.describe import tables
    from lagoa.observe.log import last_runs, runs_folder

    cards = tables(project.project, project.lake, chosen)
    if as_json:
        told = {"project": project.name, "target": project.target_name, "lake": str(project.lake.root)}
        screen.out_json({**told, "tables": [c.to_json() for c in cards]})
        return
    if chosen is not None and not cards:
        screen.out("No table is chosen.")
        return
    zone = project.project.file.timezone
    runs = last_runs(runs_folder(project.root), 1)
    screen.out(_summary(project, cards))
    if runs:
        screen.out(screen.dim(f"Last run {screen.moment(runs[0].started_at, zone)}: {_run_words(runs[0])}."))
    screen.out()
    rows = [_card_row(c, zone) for c in cards]
    headers = ["table", "kind", "rows", "size", "version", "published", "quarantined"]
    screen.table(headers, rows, {2, 3, 4, 6}, status=5)
    built = [c for c in cards if c.built]
    if not built:
        screen.following(settings, ("lagoa run", "build them"))
        return
    gold = [c for c in built if c.name.layer == "gold"] or built
    screen.following(settings, (f"lagoa show {gold[0].name}", "one table"), ("lagoa show runs", "what runs did"))


def _summary(project: Project, cards: list[Card]) -> str:
    built = [c for c in cards if c.built]
    tables = [c for c in cards if c.kind != "view"]
    said = f"{project.name} on {project.target_name}: {len(built)} of {screen.some(len(tables), 'table')} built"
    rows, size = sum(c.rows or 0 for c in built), sum(c.size or 0 for c in built)
    said += f", {screen.some(rows, 'row')}, {screen.size(size)}" if built else ""
    aside = sum(c.quarantined for c in cards)
    said += f", {screen.number(aside)} quarantined" if aside else ""
    broken = sum(c.problem is not None for c in cards)
    return said + (f". {screen.some(broken, 'table needs', 'tables need')} a look." if broken else ".")


def _card_row(card: Card, zone: str) -> list[str]:
    state = screen.moment(card.published_at, zone, today="")
    if card.problem:
        state = f"{card.problem.code} {screen.lowered(card.problem.code)}"
    elif card.kind == "view":
        state = "always now"
    elif not card.built:
        state = "not built yet"
    return [
        str(card.name),
        card.kind,
        screen.number(card.rows),
        screen.size(card.size),
        screen.number(card.version) + (f" in {card.read_in}" if card.read_in and card.built else ""),
        state,
        screen.number(card.quarantined) if card.quarantined else "",
    ]


# ---------------------------------------------------------------- runs
def _runs(settings: Settings, project: Project, as_json: bool) -> None:
    from lagoa.observe.log import last_runs, runs_folder

    runs = last_runs(runs_folder(project.root))
    if as_json:
        screen.out_json([_run_json(r) for r in runs])
        return
    if not runs:
        screen.out("No runs yet. `lagoa run` writes the first.")
        return
    zone = project.project.file.timezone
    rows = [
        [
            r.run,
            r.status,
            screen.moment(r.started_at, zone),
            screen.duration(r.seconds),
            *(
                screen.number(r.count(status)) if r.count(status) else ""
                for status in ("published", "failed", "blocked")
            ),
            screen.number(r.rows) if r.rows else "",
            screen.number(r.quarantined) if r.quarantined else "",
        ]
        for r in runs
    ]
    headers = ["run", "status", "began", "took", "published", "failed", "blocked", "rows", "quarantined"]
    screen.table(headers, rows, {3, 4, 5, 6, 7, 8}, status=1)
    screen.following(settings, (f"lagoa show {runs[0].run}", "one run, table by table"))


def _run(settings: Settings, project: Project, run: str, as_json: bool) -> None:
    from lagoa.observe.log import read_run, record, runs_folder

    found = record(read_run(runs_folder(project.root), run))
    if found is None:
        raise CommandError("LG-601", f"there is no log of run {run}", hint="`lagoa show runs` lists the runs")
    if as_json:
        screen.out_json(_run_json(found))
        return
    zone = project.project.file.timezone
    screen.out(f"{screen.bold(run)}  {_run_words(found)}. It began {screen.moment(found.started_at, zone)}.")
    steps = [s for s in found.steps if s.status != "unchanged"]
    if steps:
        screen.out()
    rows = [
        [
            s.table,
            s.status,
            screen.number(s.rows) if s.rows else "",
            screen.number(s.quarantined) if s.quarantined else "",
            screen.duration(s.seconds),
            s.message or "",
        ]
        for s in steps
    ]
    if rows:
        screen.table(["table", "status", "rows", "quarantined", "took", "why"], rows, {2, 3, 4}, status=1)
    screen.following(settings, (f"lagoa query \"from history.events where run = '{run}'\"", "every event"))


def _run_words(run: RunRecord) -> str:
    words = {"unfinished": "unfinished: it runs still, or was killed"}.get(run.status, run.status)
    parts = [
        f"{run.count(s):,} {s}" for s in ("published", "unchanged", "failed", "blocked", "skipped") if run.count(s)
    ]
    took = f" in {screen.duration(run.seconds)}" if run.seconds is not None else ""
    return f"{words}{took}" + (f", {', '.join(parts)}" if parts else "")


def _run_json(run: RunRecord) -> dict[str, object]:
    return {
        "run": run.run,
        "status": run.status,
        "target": run.target,
        "started_at": run.started_at.isoformat(),
        "seconds": run.seconds,
        "rows": run.rows,
        "quarantined": run.quarantined,
        "tables": [vars(s) for s in run.steps],
    }
