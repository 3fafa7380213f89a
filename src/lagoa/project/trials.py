"""Reads `tests/**/*.yml` and holds them against the project: every table and column that a test names must be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from lagoa.errors import CommandError, Place, ProjectError, did_you_mean
from lagoa.project.cache import QueryCache
from lagoa.project.links import look_up
from lagoa.project.model import Project
from lagoa.project.reading import Mention, Reading, mapping_of, text_of
from lagoa.project.refer import References
from lagoa.project.tree import survey
from lagoa.project.trial import Held, ProjectRound, ProjectTrial, lines, listed, moment
from lagoa.project.words import Findings, declared, found
from lagoa.project.yaml import Document, Where, read
from lagoa.spec.model import HISTORY
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.spec.trial import Round, Rows, Trial


def read_trials(project: Project) -> list[ProjectTrial]:
    """Read every test of the project, in the order of files and lines.

    Raises ProjectErrors with all that is wrong with them.
    """
    reading = _reading(project)
    trials: list[ProjectTrial] = []
    for path in reading.tree.tests:
        with reading.findings.catching():
            trials += _of(project, reading, mapping_of(path, reading.tree.relative(path)))
    return _sound(project, reading, trials)


def read_text(project: Project, text: str, file: str) -> list[ProjectTrial]:
    """Read the tests of a text that is about to become `file`. Raises ProjectErrors."""
    reading = _reading(project)
    return _sound(project, reading, _of(project, reading, read(text, file)))


def _reading(project: Project) -> Reading:
    findings = Findings()
    return Reading(survey(project.root, findings), findings, References({}), QueryCache(project.root))


def _of(project: Project, reading: Reading, document: Document) -> list[ProjectTrial]:
    trials = []
    for name in document.value or {}:
        with reading.findings.catching():
            trials.append(_trial(project, reading, document, name))
    return trials


def _sound(project: Project, reading: Reading, trials: list[ProjectTrial]) -> list[ProjectTrial]:
    look_up(reading, project.graph.nodes.values())
    for trial in trials:
        reading.findings.extend(_misfits(project, trial))
    reading.findings.extend(_twice(trials))
    reading.findings.raise_all()
    return trials


def named(trials: list[ProjectTrial], names: Sequence[str], models: set[TableName]) -> list[ProjectTrial]:
    """Choose tests by name (also `orders_*`) or by file (`tests/orders.yml`, `orders`), among those of the models.

    Raises CommandError LG-601 when a name chooses nothing.
    """
    found: dict[str, ProjectTrial] = {}
    for name in names:
        meant = [t for t in trials if name in (t.file, PurePosixPath(t.file).stem) or fnmatchcase(t.name, name)]
        if not meant:
            files = {PurePosixPath(t.file).stem for t in trials}
            hint = did_you_mean(name, [*(t.name for t in trials), *files])
            raise CommandError("LG-601", f"there is no test `{name}`", hint=hint or "`lagoa test` runs them all")
        found |= {trial.name: trial for trial in meant}
    kept = [trial for trial in trials if not names or trial.name in found]
    return [trial for trial in kept if models.intersection(trial.expected)]


def _trial(project: Project, reading: Reading, document: Document, name: str) -> ProjectTrial:
    value = document.value[name]
    place = document.key((name,))
    if not isinstance(value, dict):
        message = f"the test `{name}` is {found(value)}, but must be a mapping with `given:` and `expect:`"
        raise ProjectError("LG-102", message, place=place)
    spec = declared(Trial, value, document, (name,))
    parts: list[tuple[Round, Where]] = [(spec, (name,))]
    parts += [(part, (name, "then", number)) for number, part in enumerate(spec.then)]
    rounds: list[ProjectRound] = []
    now: datetime | None = None
    for part, at in parts:
        now = now if part.now is None else _time(part.now, document.at((*at, "now")))
        given = _sides(project, reading, document, part.given, (*at, "given"))
        expect = _sides(project, reading, document, part.expect, (*at, "expect"))
        rounds.append(ProjectRound(given, expect, now))
    if not any(part.expect for part in rounds):
        hint = "add `expect: {layer.model: [{column: value}]}`"
        raise ProjectError("LG-102", f"the test `{name}` expects nothing", place=place, hint=hint)
    return ProjectTrial(name, document.file, place, spec, rounds)


def _time(text: str, place: Place) -> datetime:
    try:
        return moment(text)
    except ValueError:
        hint = "write a date (2026-11-20) or a time ('2026-11-20 06:14')"
        raise ProjectError("LG-102", f"`now` is {found(text)}, which is no time", place=place, hint=hint) from None


def _sides(
    project: Project, reading: Reading, document: Document, entries: Mapping[str, Rows], at: Where
) -> dict[TableName, Held]:
    held: dict[TableName, Held] = {}
    for written, rows in entries.items():
        where = (*at, written)
        mention = Mention(TableName("", ""), written, document.key(where), "the test names")
        reading.mentions.append(mention)
        if mention.table is None:
            continue
        if mention.table in held:
            message = f"`{mention.table}` stands here a second time"
            raise ProjectError("LG-104", message, place=mention.place)
        held[mention.table] = _held(project.root, document, mention.table, rows, where)
    return held


def _held(root: Path, document: Document, table: TableName, rows: Rows, where: Where) -> Held:
    head = document.key(where)
    if rows.csv is not None:
        file = _beside(root, document, rows.csv, document.at((*where, "csv")))
        return lines(table, text_of(root / file, file, "LG-104"), rows.columns, head, Place(file, 1))
    at = (*where, "rows") if (*where, "rows") in document.values else where
    if isinstance(rows.rows, str):
        mark = document.at(at)
        # the text of a block (`|`) begins on the next line
        first = document.point((mark.line or 0) + 1, 1) if "\n" in rows.rows else mark
        return lines(table, rows.rows, rows.columns, head, first)
    held = listed(table, rows.rows, rows.columns, document, at)
    return Held(held.table, held.columns, held.rows, held.types, head, held.place)


def _beside(root: Path, document: Document, written: str, place: Place) -> str:
    """Find a CSV file beside the test. Raises ProjectError LG-102."""
    file = PurePosixPath(document.file).parent / written
    full = (root / file).resolve()
    if not full.is_relative_to(root / "tests"):
        raise ProjectError("LG-102", f"`csv` leads out of tests/: {written}", place=place)
    if not full.is_file():
        near = did_you_mean(written, [p.name for p in (root / file).parent.glob("*.csv")])
        raise ProjectError("LG-102", f"there is no file {file}", place=place, hint=near)
    return full.relative_to(root).as_posix()


def _twice(trials: list[ProjectTrial]) -> Iterator[ProjectError]:
    first: dict[str, ProjectTrial] = {}
    for trial in trials:
        rival = first.setdefault(trial.name, trial)
        if rival is not trial:
            message = f"two tests are called `{trial.name}`: here and in {rival.place}"
            yield ProjectError("LG-102", message, place=trial.place, hint="rename one of them")


def _misfits(project: Project, trial: ProjectTrial) -> Iterator[ProjectError]:
    """Say what of a test cannot be: columns that are not there, and tables that have no part in it."""
    behind = {name for model in trial.expected for name in _upstream(project, model)}
    for part in trial.rounds:
        for held in (*part.given.values(), *part.expect.values()):
            yield from _columns(project, held)
        for held in part.given.values():
            known = held.table.guarded in project.graph.nodes
            if known and held.table not in behind and held.table not in trial.expected:
                message = f"`{held.table}` is given, but nothing that the test expects is made of it"
                yield ProjectError("LG-102", message, place=held.head)
        for held in part.expect.values():
            if held.types:
                message = f"the types of expected rows are those of `{held.table}`: `columns` says nothing here"
                yield ProjectError("LG-102", message, place=held.head)
            if held.table in trial.given:
                yield ProjectError("LG-102", f"`{held.table}` is given, so nothing is made of it", place=held.head)
            elif held.table.layer == QUARANTINE or held.table in project.graph.streams:
                message = f"`{held.table}` is no model: a test expects what models make"
                yield ProjectError("LG-102", message, place=held.head)


def _upstream(project: Project, name: TableName) -> set[TableName]:
    """Name all that a model is made of, quarantine tables under their own names."""
    models = [project.models[n] for n in (name, *project.graph.upstream([name])) if n in project.models]
    return {needed for model in models for needed in model.inputs} if name in project.graph.nodes else set()


def _columns(project: Project, held: Held) -> Iterator[ProjectError]:
    model = project.models.get(held.table)
    known = model.query.columns if model is not None and model.query is not None else None
    if model is None or known is None:
        return
    known = (*known, *HISTORY) if model.header.kind == "scd2" else known
    folded = {name.casefold() for name in known}
    for name in (*held.columns, *held.types):
        if name.casefold() not in folded:
            place = held.place(held.first(name), name) if held.rows and name in held.columns else held.head
            hint = did_you_mean(name, known) or f"it gives {', '.join(known)}"
            yield ProjectError("LG-102", f"`{held.table}` gives no column `{name}`", place=place, hint=hint)
