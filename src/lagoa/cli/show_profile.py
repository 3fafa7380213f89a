"""What `lagoa show TABLE --profile` writes: what each column holds, and from where that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lagoa.cli import screen
from lagoa.cli.settings import Settings

if TYPE_CHECKING:
    from lagoa.app import Project
    from lagoa.catalog.profile import ColumnProfile, Profile
    from lagoa.spec.names import TableName

_LONGEST = 28
"""Longer values are cut on the screen."""


def show_profile(settings: Settings, project: Project, what: str, as_json: bool) -> None:
    """Write nulls, distinct values, bounds and frequent values of every column; of personal ones only the nulls."""
    from lagoa.catalog.describe import find

    name = find(project.project, project.lake, what)
    version, found = _profiled(project, name)
    if as_json:
        columns = [column.to_json(found.rows) for column in found.columns]
        told = {"table": str(name), "version": version, "rows": found.rows, "queries": found.queries}
        screen.out_json({**told, "columns": columns})
        return
    at = f", version {version}" if version is not None else ""
    screen.out(f"{screen.bold(str(name))}  {screen.some(found.rows, 'row')}{at}.")
    screen.out()
    headers = ["column", "null", "distinct", "min", "max", "most frequent"]
    screen.table(headers, [_row(column, found.rows) for column in found.columns], {1, 2})
    screen.out()
    screen.out(screen.dim(_origins(found)))
    screen.following(settings, (f"lagoa show {name}", "its checks, sample and versions"))


def _profiled(project: Project, name: TableName) -> tuple[int | None, Profile]:
    from lagoa.catalog.describe import personal_columns
    from lagoa.catalog.profile import personal_or_raw, profile
    from lagoa.kit.text import quote
    from lagoa.serve.export import schema_of
    from lagoa.serve.query import answering

    model = project.project.models.get(name)
    table = None if model is not None and model.header.kind == "view" else project.lake.open(name)
    at = table.version if table is not None and table.exists else None
    text = f"select * from {name}"
    with answering(project.project, project.lake, project.engine, text, at) as session:
        schema = schema_of(session, text)
        hidden = personal_or_raw(personal_columns(project.project, project.lake, name))
        return at, profile(table, f"{quote(name.layer)}.{quote(name.name)}", schema, hidden, session.rows)


def _row(column: ColumnProfile, rows: int) -> list[str]:
    distinct = "" if column.distinct is None else f"{'' if column.exact else '≈ '}{column.distinct:,}"
    often = ", ".join(f"{_cut(value)} {_share(count, rows)}" for value, count in column.top)
    low = "personal" if column.personal else _cut(column.low or "")
    return [column.name, _share(column.nulls, rows), distinct, low, _cut(column.high or ""), often]


def _share(count: int, rows: int) -> str:
    """Write a share so that some is never written as none, nor almost all as all."""
    if not count or not rows:
        return "0 %"
    share = 100 * count / rows
    if count == rows:
        return "100 %"
    return "< 0.1 %" if share < 0.1 else f"{min(share, 99.9):.1f} %" if share < 10 or share > 99 else f"{share:.0f} %"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _origins(found: Profile) -> str:
    nulls = sum(c.nulls_from == "log" for c in found.columns)
    bounds = sum(c.bounds_from == "log" for c in found.columns)
    said = [f"from the table's log: nulls of {screen.some(nulls, 'column')}, min and max of {bounds}"]
    said += ["; the rest from aggregate queries" if found.queries else ""]
    said += ["; ≈ is an estimate" if any(not c.exact for c in found.columns) else ""]
    return "".join(said)
