"""A test as the rest of Lagoa sees it: validated, its rows read from wherever they stand, each with its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lagoa.errors import Place, ProjectError
from lagoa.project.words import found
from lagoa.project.yaml import Document, Where
from lagoa.spec.names import TableName
from lagoa.spec.trial import Trial


@dataclass(frozen=True)
class Held:
    """The rows that a test gives a table, or expects of it: values as YAML or CSV gives them, in columns' order."""

    table: TableName
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    types: Mapping[str, str]
    """Types that the test itself declares."""
    head: Place
    """Where the table is named."""
    place: Callable[[int, str], Place]
    """Points at a row (from 0) and one of its columns."""

    def first(self, column: str) -> int:
        """Find the first row that holds something in a column."""
        at = self.columns.index(column)
        return next((number for number, row in enumerate(self.rows) if row[at] is not None), 0)


@dataclass(frozen=True)
class ProjectRound:
    """What is given and expected before and after one run."""

    given: Mapping[TableName, Held]
    expect: Mapping[TableName, Held]
    now: datetime | None
    """What time it is; None: what time it really is."""


@dataclass(frozen=True)
class ProjectTrial:
    """One test of a file of `tests/`."""

    name: str
    file: str
    place: Place
    spec: Trial
    rounds: Sequence[ProjectRound]

    @property
    def expected(self) -> list[TableName]:
        """The models that it tests."""
        return list(dict.fromkeys(name for part in self.rounds for name in part.expect))

    @property
    def given(self) -> list[TableName]:
        """The tables whose rows it gives, in any round."""
        return list(dict.fromkeys(name for part in self.rounds for name in part.given))


def moment(text: str) -> datetime:
    """Read a test's time, in UTC when it says no offset. Raises ValueError."""
    when = datetime.fromisoformat(text.strip())
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def listed(table: TableName, rows: Sequence[Any], types: Mapping[str, str], document: Document, at: Where) -> Held:
    """Read rows that are written as YAML. Raises ProjectError LG-102 at a row that is no mapping."""
    columns: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            message = f"a row is a mapping, `{{column: value}}`, but this is {found(row)}"
            raise ProjectError("LG-102", message, place=document.at((*at, number)))
        columns |= dict.fromkeys(row)

    def place(number: int, column: str) -> Place:
        return document.key((*at, number, column))

    values = [[row.get(column) for column in columns] for row in rows]
    return Held(table, (*columns,), values, types, document.key(at), place)


def lines(table: TableName, text: str, types: Mapping[str, str], head: Place, first: Place) -> Held:
    """Read rows that are written as CSV: a header, and fields between `,` or `;`; an empty one is null.

    `first` is the place of the header. Raises ProjectError LG-102 at a line that has another number of fields.
    """
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in header and "," not in header else ",", strict=True)
    columns: list[str] = []
    rows: list[list[Any]] = []
    places: list[Place] = []
    try:
        for fields in reader:
            here = _below(first, reader.line_num - 1, text)
            if not any(fields):
                continue
            if not columns:
                columns = [field.strip() for field in fields]
            elif len(fields) != len(columns):
                message = f"this line has {len(fields)} fields, its header {len(columns)}"
                raise ProjectError("LG-102", message, place=here)
            else:
                rows.append([field.strip() or None for field in fields])
                places.append(here)
    except csv.Error as error:
        message = f"the CSV cannot be read: {error}"
        raise ProjectError("LG-102", message, place=_below(first, reader.line_num - 1, text)) from None
    if len(set(columns)) < len(columns) or "" in columns:
        raise ProjectError("LG-102", "each field of a CSV's header names a column of its own", place=first)
    return Held(table, (*columns,), rows, types, head, lambda number, _: places[number])


def _below(first: Place, count: int, text: str) -> Place:
    written = text.split("\n")
    line = None if first.line is None else first.line + count
    return Place(first.file, line, None, written[count] if count < len(written) else None)
