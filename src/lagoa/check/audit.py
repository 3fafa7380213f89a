"""Judges staged rows before anybody sees them: who goes on, who is set aside and why, and what stops the publish."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from lagoa.check.gates import Gate, quoted
from lagoa.errors import CheckFailed, Place, StepError, did_you_mean
from lagoa.kit.rows import row_as_json
from lagoa.kit.text import columns, literal, quote
from lagoa.kit.types import sql_type
from lagoa.lake.quarantine import SCHEMA
from lagoa.lake.state import CheckResult
from lagoa.ports import LOADED_AT, OWN, RAW, REASON, RUN, SOURCE, Asked, FileSet, Session, StagedFile
from lagoa.spec.names import TableName

_ROWS = "_audited"
_SAMPLES = 3


@dataclass(frozen=True)
class Batch:
    """Staged rows that are to be judged. `become` binds the table as it would be with some files, and names it.

    `whole` says that the staged rows are all that the table will have. `judge_all` judges the rows that the table has
    already, too: its checks are new to them.
    """

    session: Session
    table: TableName
    schema: pa.Schema
    gates: Sequence[Gate]
    become: Callable[[Sequence[StagedFile]], str]
    folder: Path
    run: str
    at: datetime
    personal: frozenset[str] = frozenset()
    partition_by: Sequence[str] = ()
    judge_all: bool = False
    whole: bool = False


@dataclass
class Audited:
    """Files of rows that may go on, files of rows that were set aside (lake.quarantine.SCHEMA), and every result.

    `left` counts, by check, the rows that the table has already and that would be set aside if they came now.
    """

    good: list[StagedFile]
    bad: list[StagedFile] = field(default_factory=list)
    results: list[CheckResult] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)


def audit(batch: Batch, staged: Sequence[StagedFile]) -> Audited:
    """Run every gate. Raises CheckFailed LG-401 when a blocking one fails, LG-402 when one cannot be run."""
    done = Audited(list(staged))
    setting_aside = [g for g in batch.gates if g.on_fail == "quarantine" and g.judges_rows]
    _set_aside(batch, done, [g for g in setting_aside if g.local])
    others = [g for g in setting_aside if not g.local]
    while others and _set_aside(batch, done, others):
        pass  # a row that is set aside may be the one that another points at
    rest = [g for g in batch.gates if g not in setting_aside]
    _judge_rows(batch, done, [g for g in rest if g.local])
    for gate in rest:
        if not gate.local:
            _judge(batch, done, gate)
    for gate in setting_aside if batch.judge_all else ():
        query = f"select count(*) from {batch.become(done.good)} where {gate.breaks(_asked(batch, gate, done))}"
        done.left[gate.name] = _ask(batch, query, [gate])[0][0]
    return done


# ---------------------------------------------------------------- rows that are set aside
def _set_aside(batch: Batch, done: Audited, gates: Sequence[Gate]) -> bool:
    """Take the rows that break a gate, and those that the source refused, out of the good files; say if any did."""
    refused = any(f.refused for f in done.good)
    if not gates and not refused:
        return False
    rows = _bind(batch, done.good)
    broken = [gate.breaks(_asked(batch, gate, done)) for gate in gates]
    came = [f"count(*) filter ({REASON} is not null)"] if refused else ["0"]
    counts = _ask(batch, f"select {', '.join(came + [f'count(*) filter ({b})' for b in broken])} from {rows}", gates)[0]
    _count(done, gates, counts[1:])
    if not any(counts):
        return False
    reasons = [REASON] if refused else []
    reasons += [f"case when {b} then {literal(g.name)} end" for b, g in zip(broken, gates, strict=True)]
    reason = f"nullif(concat_ws('; ', {', '.join(reasons)}), '')"
    _split(batch, done, reason)
    return True


def _count(done: Audited, gates: Sequence[Gate], found: Sequence[int]) -> None:
    """Note what gates found; what the same gate found in another round is added to it."""
    for gate, number in zip(gates, found, strict=True):
        same = [i for i, r in enumerate(done.results) if (r.name, r.on_fail) == (gate.name, gate.on_fail)]
        before = done.results.pop(same[0]).violations if same and not gate.local else 0
        done.results.append(CheckResult(gate.name, gate.on_fail, before + number))


def _split(batch: Batch, done: Audited, reason: str) -> None:
    """Rewrite the files that hold bad rows; the others stay as they are."""
    session, files = batch.session, batch.session.files_of(_ROWS)
    session.run(f"create or replace temp table _judged as select _file, {reason} as _why from {files}")
    dirty = {row[0] for row in session.rows("select distinct _file from _judged where _why is not null")}
    session.run("drop table _judged")
    clean = [f for f in done.good if str(f.path) not in dirty]
    soiled = _bind(batch, [f for f in done.good if str(f.path) in dirty], "_soiled")
    number = len(list(batch.folder.glob("*"))) if batch.folder.is_dir() else 0
    source = SOURCE if SOURCE in batch.schema.names else "null::varchar"
    line = row_as_json(pa.schema([f for f in batch.schema if f.name not in OWN]))
    raw = f"coalesce({RAW}, {line})" if RAW in session.schema(f"from {soiled}").names else line
    bad = (
        f"select {source} as {SOURCE}, {reason} as {REASON}, {raw} as {RAW}, {literal(batch.run)} as _run, "
        f"timestamptz {literal(batch.at.isoformat())} as _at from {soiled} where {reason} is not null"
    )
    good = f"select {columns(batch.schema.names)} from {soiled} where {reason} is null"
    done.bad += session.stage(bad, batch.folder / f"bad-{number}", SCHEMA)
    done.good = clean + session.stage(good, batch.folder / f"good-{number}", batch.schema, batch.partition_by)


# ---------------------------------------------------------------- what blocks or warns
def _judge_rows(batch: Batch, done: Audited, gates: Sequence[Gate]) -> None:
    """Judge every row by all rules that a row alone decides, in one reading."""
    if not gates:
        return
    rows = batch.become(done.good) if batch.judge_all else _bind(batch, done.good)
    broken = [gate.breaks(_asked(batch, gate, done)) for gate in gates]
    counts = _ask(batch, f"select {', '.join(f'count(*) filter ({b})' for b in broken)} from {rows}", gates)[0]
    done.results += [CheckResult(g.name, g.on_fail, n) for g, n in zip(gates, counts, strict=True)]
    for gate, rule, found in zip(gates, broken, counts, strict=True):
        if found and gate.on_fail != "warn":
            raise _failed(batch, gate, f"select * from {rows} where {rule}", found)


def _judge(batch: Batch, done: Audited, gate: Gate) -> None:
    asked = _asked(batch, gate, done)
    if gate.judges_rows:
        # what points into its own table may break when other rows of it change
        all_of_it = batch.judge_all or str(batch.table) in gate.tables
        rows = asked.table if all_of_it else _bind(batch, done.good)
        query = f"select * from {rows} where {gate.breaks(asked)}"
    else:
        if gate.check is None:
            batch.session.bind(str(batch.table), f"select * from {asked.table}")
        query = gate.violations(asked)
        _binds(batch, gate, query)
    found = int(_ask(batch, f"select count(*) from ({query}\n)", [gate])[0][0])
    done.results.append(CheckResult(gate.name, gate.on_fail, found))
    if found and gate.on_fail != "warn":
        raise _failed(batch, gate, query, found)


def _failed(batch: Batch, gate: Gate, query: str, found: int) -> CheckFailed:
    names = batch.session.schema(query).names
    shown = [n for n in names if n not in (REASON, RAW, RUN, LOADED_AT)]
    sample = batch.session.rows(f"select {columns(shown)} from ({query}\n) limit {_SAMPLES}")
    hidden = _hidden(batch, gate, shown)
    masked = [
        ", ".join(f"{n}={'***' if n in hidden else v}" for n, v in zip(shown, row, strict=True)) for row in sample
    ]
    count = f"{found:,} row{'s' if found != 1 else ''}"
    return CheckFailed(
        "LG-401",
        f"`{batch.table}` is not published: check `{gate.name}` found {count}: " + " | ".join(masked),
        hint="readers still see the last good version; mend the data or the check, or say `on_fail: quarantine`",
    )


def _hidden(batch: Batch, gate: Gate, shown: Sequence[str]) -> set[str]:
    """Name the columns whose values are not shown; a query may give a personal one under another name."""
    mentioned = set(re.findall(r"\w+", (gate.sql or "").lower()))
    renamed = any(name.lower() in mentioned for name in batch.personal)
    known = {name.lower() for name in batch.schema.names}
    personal = {name.lower() for name in batch.personal}
    return {n for n in shown if n.lower() in personal or (renamed and n.lower() not in known)}


# ---------------------------------------------------------------- asking
def _asked(batch: Batch, gate: Gate, done: Audited) -> Asked:
    kind = sql_type(batch.schema.field(gate.column).type) if gate.column in batch.schema.names else ""
    if gate.column is not None and not kind:
        message = f"`{batch.table}` has no column `{gate.column}`, which check `{gate.name}` judges"
        hint = did_you_mean(gate.column, batch.schema.names) or f"it has {', '.join(batch.schema.names)}"
        raise CheckFailed("LG-402", message, hint=hint)
    if gate.local:
        return Asked(quoted(gate), _ROWS, {}, kind)
    become = batch.become(done.good)
    everything = batch.whole or (batch.judge_all and gate.on_fail != "quarantine")
    staged = become if everything else _bind(batch, done.good)
    tables = {t: become if t == str(batch.table) else quote_table(t) for t in gate.tables}
    at = f"timestamptz {literal(batch.at.isoformat())}"
    return Asked(quoted(gate), become, tables, kind, staged, at, gate.where or "true")


def quote_table(name: str) -> str:
    """Quote `layer.name` as a relation."""
    return ".".join(quote(part) for part in name.split("."))


def _bind(batch: Batch, files: Sequence[StagedFile], name: str = _ROWS) -> str:
    schema = batch.schema
    if any(REASON in f.stats for f in files):
        schema = pa.schema([*schema, pa.field(REASON, pa.string()), pa.field(RAW, pa.string())])
    partitions = {str(f.path): f.partition for f in files if f.partition}
    batch.session.bind(name, FileSet(schema, [str(f.path) for f in files], partitions))
    return name


def _ask(batch: Batch, query: str, gates: Sequence[Gate]) -> list[tuple[int, ...]]:
    try:
        return batch.session.rows(query)
    except StepError as error:
        raise _unusable(batch, gates, error, gates[0].place if len(gates) == 1 else None) from error


def _binds(batch: Batch, gate: Gate, query: str) -> None:
    """Find out whether a user's query can be run, and where in the file it cannot."""
    try:
        batch.session.schema(query)
    except StepError as error:
        place = gate.place
        if place is not None and place.line and error.place is not None and error.place.line:
            line, text = place.line + error.place.line - 1, error.place.text
            place = Place(place.file, line, error.place.column, text)
        raise _unusable(batch, [gate], error, place) from error


def _unusable(batch: Batch, gates: Sequence[Gate], error: StepError, place: Place | None) -> CheckFailed:
    named = ", ".join(f"`{g.name}`" for g in gates)
    message = f"check {named} of `{batch.table}` cannot be run: {error.message}"
    return CheckFailed("LG-402", message, place=place, hint=error.hint)
