"""Holds every declared check against its kind: does it exist, does it take this value, may it stand here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from lagoa.errors import ProjectError
from lagoa.ports import Check
from lagoa.project.reading import Mention, Reading
from lagoa.project.words import declared
from lagoa.project.yaml import Document, Where
from lagoa.registry import adapter
from lagoa.spec.check import CheckSpec
from lagoa.spec.column import Column
from lagoa.spec.names import TableName


class Checked(Protocol):
    """What carries checks: a stream, or a model's header."""

    @property
    def columns(self) -> Mapping[str, Column]:
        """Its columns, each with checks of its own."""

    @property
    def checks(self) -> Sequence[CheckSpec]:
        """The checks of the table as a whole."""


def tables_of(
    reading: Reading, table: TableName, document: Document, at: Where, checked: Checked
) -> tuple[TableName, ...]:
    """Validate the checks of a table, which are declared below `at`; mistakes go to the findings.

    Return the other tables that they read.
    """
    found: list[TableName] = []
    for column, spec, where in every_check(at, checked):
        with reading.findings.catching():
            check = _check(spec, column, document, where)
            for written in check.tables():
                mention = Mention(table, written, document.at(where), f"a check of `{table}` reads")
                reading.mentions.append(mention)
                found += [name for name in [mention.table] if name is not None and name != table]
    return tuple(dict.fromkeys(found))


def every_check(at: Where, checked: Checked) -> Iterator[tuple[str | None, CheckSpec, Where]]:
    """Walk over the checks of a table: the column that each judges, what it says, and where it stands."""
    for name, column in checked.columns.items():
        for i, spec in enumerate(column.checks):
            yield name, spec, (*at, "columns", name, "checks", i, spec.kind)
    for i, spec in enumerate(checked.checks):
        yield None, spec, (*at, "checks", i, spec.kind)


def _check(spec: CheckSpec, column: str | None, document: Document, where: Where) -> Check:
    try:
        kind = cast("type[Check]", adapter("checks", spec.kind))
    except ProjectError as error:
        raise ProjectError(error.code, error.message, place=document.key(where), hint=error.hint) from None
    place: str = kind.place
    if place == "column" and column is None:
        hint = f"move it beside the column: `columns: {{name: {{checks: [{spec.kind}]}}}}`"
        raise _misplaced(f"`{spec.kind}` judges a column, not the table as a whole", hint, document, where)
    if place == "table" and column is not None:
        hint = "move it under the table's `checks:`"
        raise _misplaced(f"`{spec.kind}` judges the table as a whole, not one column", hint, document, where)
    if spec.on_fail == "quarantine" and kind.breaks is Check.breaks:
        hint = "say `on_fail: block`, or `on_fail: warn`"
        raise _misplaced(f"`{spec.kind}` finds no row that could be set aside", hint, document, where)
    value: dict[str, Any] = {} if spec.value is None else {"value": spec.value}
    return declared(kind, value, document, where, skip=1)


def _misplaced(message: str, hint: str, document: Document, where: Where) -> ProjectError:
    return ProjectError("LG-402", message, place=document.key(where), hint=hint)
