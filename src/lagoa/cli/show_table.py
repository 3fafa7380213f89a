"""What `lagoa show TABLE` writes: one table from its columns to its versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lagoa.cli import screen
from lagoa.cli.settings import Settings
from lagoa.errors import LagoaError

if TYPE_CHECKING:
    from lagoa.app import Project
    from lagoa.catalog.describe import Card, Detail
    from lagoa.serve.sample import Sample


def show_table(settings: Settings, project: Project, what: str, rows: int, as_json: bool) -> None:
    """Write all that is known of one table: columns, edges, checks, a masked sample, versions."""
    from lagoa.catalog.describe import detail, find

    name = find(project.project, project.lake, what)
    found = detail(project.project, project.lake, name, None)
    seen, schema = None, None
    if found.card.built or found.card.kind == "view":
        seen, schema = _sample(project, found, rows)
        if schema is not None and not found.card.built:
            found = detail(project.project, project.lake, name, schema)
    if as_json:
        shown = [dict(zip(seen.headers, row, strict=True)) for row in seen.rows] if seen else []
        screen.out_json({**found.to_json(), "sample": shown})
        return
    _about(project, found)
    _columns(found)
    _edges(found)
    if seen is not None and seen.rows:
        _sampled(found, seen)
    _versions(project, found)
    if found.card.problem:
        raise found.card.problem
    _after_table(settings, found)


def _sample(project: Project, found: Detail, rows: int) -> tuple[Sample | None, object]:
    from lagoa.catalog.describe import masked, personal_columns
    from lagoa.serve.export import schema_of
    from lagoa.serve.query import answering
    from lagoa.serve.sample import sample

    name = found.card.name
    try:
        with answering(project.project, project.lake, project.engine, f"select * from {name}") as session:
            schema = schema_of(session, f"select * from {name}")
            personal = personal_columns(project.project, project.lake, name)
            query = f"select * from ({masked(name, schema, personal)} limit {rows})"
            return sample(session, query, max(rows, 1)), schema
    except LagoaError:
        if found.card.kind == "view":
            return None, None  # a view over what is not built yet
        raise


def _about(project: Project, found: Detail) -> None:
    card = found.card
    zone = project.project.file.timezone
    if card.built:
        held = (
            f"{screen.some(card.rows or 0, 'row')}, {screen.size(card.size)} in {screen.some(card.files or 0, 'file')}"
        )
        state = f"{held}, version {card.version}" + (f" in {card.read_in}" if card.read_in else "")
        state += f", published {screen.moment(card.published_at, zone)}" if card.published_at else ""
    elif card.problem is not None:
        state = f"{card.problem.code} {screen.lowered(card.problem.code)}"
    else:
        state = "a query with a name, read anew each time" if card.kind == "view" else "not built yet"
    screen.out(f"{screen.bold(str(card.name))}  {card.kind}: {state}.")
    if card.description:
        screen.out(card.description)
    facts = [card.file or "", _owner(card)]
    facts += [f"{card.quarantined:,} quarantined in {card.name.quarantine}"] if card.quarantined else []
    changed = screen.moment(found.changed_at, zone)
    facts += [f"rows changed {changed}"] if changed and changed != screen.moment(card.published_at, zone) else []
    facts += [f"last looked at {screen.moment(found.looked_at, zone)}"] if found.looked_at else []
    if any(facts):
        screen.out(screen.dim(", ".join(f for f in facts if f)))


def _owner(card: Card) -> str:
    return f"owner {card.owner}{' (inherited)' if card.owner_inherited else ''}" if card.owner else ""


def _marked(text: str | None, inherited: Sequence[object]) -> str:
    """Say that something was declared upstream."""
    return f"{text} (inherited)" if text and inherited else text or ""


def _columns(found: Detail) -> None:
    if not found.columns:
        return
    screen.out()
    rows = [
        [
            c.name,
            c.type or "",
            _marked(c.pii, c.pii_from),
            ", ".join(c.checks),
            _marked(c.description, c.description_from),
        ]
        for c in found.columns
    ]
    headers = ["column", "type", "personal", "checks", "description"]
    kept = [i for i in range(len(headers)) if i < 2 or any(row[i] for row in rows)]
    screen.table([headers[i] for i in kept], [[row[i] for i in kept] for row in rows])


def _edges(found: Detail) -> None:
    lines = [("reads", ", ".join(map(str, found.inputs))), ("read by", ", ".join(map(str, found.readers)))]
    violated = [c for c in found.checks if c.violations]
    if found.checks:
        passed = f"{len(found.checks) - len(violated)} of {screen.some(len(found.checks), 'check')} without violation"
        told = [f"{c.name}: {screen.number(c.violations)} ({c.on_fail})" for c in violated]
        lines.append(("checks", "; ".join([passed, *told])))
    lines = [(word, text) for word, text in lines if text]
    if lines:
        screen.out()
    for word, text in lines:
        screen.out(f"{screen.dim(f'{word:<8}')} {text}")


def _sampled(found: Detail, seen: Sample) -> None:
    hidden = any(c.pii for c in found.columns)
    of = (
        f"{len(seen.rows)} of {screen.number(found.card.rows)} rows"
        if found.card.rows is not None
        else f"{len(seen.rows)} rows"
    )
    screen.out()
    screen.out(screen.dim(f"sample: {of}{'; personal columns are masked' if hidden else ''}"))
    screen.table(seen.headers, seen.rows, seen.right, whole=())


def _versions(project: Project, found: Detail) -> None:
    if not found.versions:
        return
    zone = project.project.file.timezone
    rows = [
        [
            str(v.version),
            screen.moment(v.at, zone),
            v.mode if v.ours else f"{v.mode}, by somebody else",
            screen.number(v.rows),
            v.run or "",
        ]
        for v in found.versions
    ]
    screen.out()
    screen.table(["version", "when", "what", "rows", "run"], rows, {0, 3})


def _after_table(settings: Settings, found: Detail) -> None:
    name = found.card.name
    if not found.card.built and found.card.kind != "view":
        screen.following(settings, (f"lagoa run -s +{name}", "build it and what it reads"))
        return
    commands = [(f'lagoa query "select * from {name} limit 10"', "")]
    if len(found.versions) > 1:
        before = found.versions[1].version
        commands.append((f'lagoa query "select * from {name} limit 10" --at {before}', "as it was"))
    screen.following(settings, *commands)
