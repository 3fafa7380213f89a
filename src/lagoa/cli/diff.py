"""`lagoa diff`: what differs in a table between two targets, or between two of its versions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, as_json, everywhere, with_settings
from lagoa.errors import CommandError

if TYPE_CHECKING:
    from lagoa.app import Project
    from lagoa.serve.difference import Diff, Differing

SIGNS = {"changed": "~", "added": "+", "removed": "-"}


@click.command(short_help="Compare a table between targets or versions.")
@click.argument("table")
@click.option("--with", "other", metavar="TARGET", help="The other target; by default the one to which this defers.")
@click.option(
    "--versions", nargs=2, metavar="VERSION|TIME VERSION|TIME", help="Compare two versions: the older, then the newer."
)
@click.option("--key", metavar="COLUMNS", help="Which columns tell rows apart, with commas; the declared key if not.")
@click.option(
    "-n", "--rows", type=click.IntRange(min=0), default=5, show_default=True, help="Rows of each sort to show."
)
@as_json
@everywhere
@with_settings
def command(
    settings: Settings,
    table: str,
    other: str | None,
    versions: tuple[str, str] | None,
    key: str | None,
    rows: int,
    as_json: bool,
) -> None:
    """Say which columns and rows differ, how many, and show some of them, by key.

    \b
    lagoa diff gold.revenue -t dev               dev and the target to which it defers
    lagoa diff gold.revenue -t dev --with test   two targets
    lagoa diff gold.revenue --versions 3 5       two versions
    lagoa diff gold.revenue                      the newest version and the one before

    Values of personal columns are masked. Columns that one side lacks are named, and left out where rows are compared.
    """
    from lagoa.catalog.describe import find_stored

    if other is not None and versions:
        raise CommandError("LG-601", "--with is for targets, --versions for one target", hint="use one of them")
    with settings.open() as project:
        name = str(find_stored(project.project, project.lake, table))
        moments = (_moment(project, versions[0]), _moment(project, versions[1])) if versions else None
        found = project.diff(name, other, moments, key=_columns(key), rows=rows)
        if as_json:
            screen.out_json(found.to_json())
            return
        _show(found)
        if found.counts.changed + found.counts.added + found.counts.removed > len(found.sample) and rows:
            again = f"lagoa diff {name}" + (f" --with {other}" if other else "")
            again += f" --versions '{versions[0]}' '{versions[1]}'" if versions else ""
            again += f" --key '{key}'" if key else ""
            screen.following(settings, (f"{again} -n {max(rows * 10, 50)}", "more rows"))


def _columns(text: str | None) -> list[str]:
    return [name for part in (text or "").split(",") if (name := part.strip())]


def _moment(project: Project, text: str) -> int | datetime:
    from lagoa.serve.query import read_time

    digits = text.strip().lstrip("v")
    return int(digits) if digits.isdigit() else read_time(text, project.project.file.timezone)


def _show(found: Diff) -> None:
    head = f"{screen.bold(str(found.name))}: {found.before} → {found.after}"
    if found.same:
        screen.out(f"{head}: the same, {screen.some(found.counts.same, 'row')}.")
        return
    screen.out(f"{head}.")
    _show_columns(found)
    _show_counts(found)
    if found.sample:
        _show_sample(found)


def _show_columns(found: Diff) -> None:
    lines = [("+", name, kind) for name, kind in found.columns.added.items()]
    lines += [("-", name, kind) for name, kind in found.columns.removed.items()]
    lines += [("~", name, f"{then} → {now}") for name, (then, now) in found.columns.retyped.items()]
    if lines:
        screen.out()
    wide = max((len(name) for _, name, _ in lines), default=0)
    for sign, name, kind in lines:
        screen.out(f"  {sign} {name:<{wide}}  {screen.dim(kind)}")


def _show_counts(found: Diff) -> None:
    counts = found.counts
    told = [f"{screen.number(counts.changed)} changed"] if found.key else []
    told += [f"{screen.number(counts.added)} added", f"{screen.number(counts.removed)} removed"]
    told += [f"{screen.number(counts.same)} the same"]
    screen.out()
    by = f" by {', '.join(found.key)}" if found.key else ""
    screen.out(f"rows{by}: {', '.join(told)}.")
    if found.note is not None:
        screen.out(screen.dim(f"{found.note[:1].upper()}{found.note[1:]}."))
    if counts.columns:
        most = sorted(counts.columns.items(), key=lambda item: -item[1])
        screen.out(f"changed in: {', '.join(f'{name} {screen.number(count)}' for name, count in most)}.")


def _show_sample(found: Diff) -> None:
    names = list(found.sample[0].after or found.sample[0].before or ())
    first = [*found.key, *(n for n in names if n in found.counts.columns)]
    whole = any(row.what != "changed" for row in found.sample)
    shown = [*first, *(n for n in names if whole and n not in first)]
    screen.out()
    if found.personal:
        screen.out(screen.dim("personal columns are masked"))
    rows = [[SIGNS[row.what], *(_cell(row, name) for name in shown)] for row in found.sample]
    screen.table(["", *shown], rows, whole=())


def _cell(row: Differing, name: str) -> str | None:
    if row.before is None or row.after is None:
        return (row.after or row.before or {}).get(name)
    then, now = row.before[name], row.after[name]
    if then == now:
        return now
    return " → ".join("∅" if value is None else value for value in (then, now))
