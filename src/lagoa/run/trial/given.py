"""Makes tables of the rows that a test gives or expects: every value in its column's type, or an error at its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from lagoa.errors import ProjectError, StepError, did_you_mean
from lagoa.kit.casts import survival
from lagoa.kit.declared_types import arrow_types
from lagoa.kit.text import literal, quote
from lagoa.kit.types import is_nested, sql_type, storable
from lagoa.ports import Session
from lagoa.project.trial import Held
from lagoa.run.trial.shapes import Shape, Types

_RAW = "_given"
ROW = "_row"
"""The column that numbers the rows of a test, from 0."""


def kinds(session: Session, held: Sequence[Held], shape: Shape, read: Types) -> dict[str, pa.DataType]:
    """Give the columns of a table of which a test gives rows, in one round or several.

    `shape` is what is known of it, `read` that and what its readers name. Raises ProjectError LG-102 at a column that
    cannot be there.
    """
    found = dict(read)
    by_fold = {name.casefold(): name for name in found}
    known = {name.casefold() for name in shape.types}
    values: dict[str, list[Any]] = {}
    for part in held:
        declared = _declared(session, part)
        for position, name in enumerate((*part.columns, *(n for n in declared if n not in part.columns))):
            called = by_fold.setdefault(name.casefold(), name)
            if called.casefold() not in known and shape.whole:
                raise _stranger(part, name, shape.types)
            if name in declared:
                found[called] = declared[name]
                known.add(name.casefold())
            elif called.casefold() not in known:
                values.setdefault(called, []).extend(row[position] for row in part.rows)
    return found | {name: inferred(seen) for name, seen in values.items() if name.casefold() not in known}


def _stranger(held: Held, name: str, types: Types) -> ProjectError:
    hint = did_you_mean(name, types) or f"its columns are {', '.join(types)}"
    place = held.place(held.first(name), name) if held.rows and name in held.columns else held.head
    return ProjectError("LG-102", f"`{held.table}` has no column `{name}`", place=place, hint=hint)


def table_of(session: Session, held: Held, types: Types) -> pa.Table:
    """Make the rows of a test into a table with all columns of `types`.

    Raises ProjectError LG-102 at a column that is none of them, and at a value that its type cannot hold as it is.
    """
    by_fold = {name.casefold(): name for name in types}
    if lost := [name for name in held.columns if name.casefold() not in by_fold]:
        raise _stranger(held, lost[0], types)
    shown = {by_fold[name.casefold()]: name for name in held.columns}
    session.bind(_RAW, raw_table(held, {name: is_nested(types[called]) for called, name in shown.items()}))
    _refuse_misfits(session, held, shown, types)
    columns = [
        f"{_cast(shown[name], kind)[0] if name in shown else f'null::{sql_type(kind)}'} as {quote(name)}"
        for name, kind in types.items()
    ]
    rows = session.arrow(f"select {', '.join(columns)} from {_RAW} order by {ROW}").read_all()
    return rows.cast(pa.schema([pa.field(n, storable(k)) for n, k in types.items()]))


def _declared(session: Session, held: Held) -> dict[str, pa.DataType]:
    try:
        return arrow_types(session, held.types, held.head.file)
    except StepError as error:
        raise ProjectError("LG-102", error.message, place=held.head, hint=error.hint) from None


def raw_table(held: Held, nested: Mapping[str, bool]) -> pa.Table:
    """Put the rows into columns of text, nested values as JSON, and number them."""
    columns: dict[str, pa.Array] = {
        name: pa.array([_text(row[i], nested[name]) for row in held.rows], pa.string())
        for i, name in enumerate(held.columns)
        if name in nested
    }
    return pa.table({**columns, ROW: pa.array(range(len(held.rows)), pa.int64())})


def _text(value: Any, nested: bool) -> str | None:
    if value is None or (isinstance(value, str) and (not nested or value[:1] in "[{")):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if nested or isinstance(value, (list, dict)) else str(value)


def inferred(values: Sequence[Any]) -> pa.DataType:
    """Guess a column's type from its values, where nothing tells it: text stays text."""
    known = [value for value in values if value is not None]
    if not known or any(isinstance(value, str) for value in known):
        return pa.string()
    try:
        return storable(pa.array(known).type)
    except pa.ArrowInvalid:
        return pa.string()


def _cast(name: str, kind: pa.DataType) -> tuple[str, str | None]:
    """Write SQL for a value in its type, and for whether it is held as it is; None: always."""
    value = quote(name)
    if is_nested(kind):
        cast = f"try_cast(try_cast({value} as json) as {sql_type(kind)})"
        return cast, f"({cast} is not null)"
    return survival(value, "VARCHAR", pa.string(), kind)


def _refuse_misfits(session: Session, held: Held, shown: Mapping[str, str], kinds: Types) -> None:
    risky = [
        (written, kind, kept) for name, written in shown.items() if (kept := _cast(written, kind := kinds[name])[1])
    ]
    if not risky or not held.rows:
        return
    asked = [f"min({ROW}) filter ({quote(n)} is not null and not coalesce({kept}, false))" for n, _, kept in risky]
    for (name, kind, _), row in zip(risky, session.rows(f"select {', '.join(asked)} from {_RAW}")[0], strict=True):
        if row is not None:
            value = held.rows[row][held.columns.index(name)]
            message = f"`{name}` of `{held.table}` is {sql_type(kind).lower()}, which cannot hold {literal(str(value))}"
            raise ProjectError("LG-102", message, place=held.place(row, name))
