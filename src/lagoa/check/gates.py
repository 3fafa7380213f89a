"""Turns declared checks into gates: what is asked of rows, and what happens when they break it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lagoa.errors import Place
from lagoa.kit.text import quote
from lagoa.ports import Asked, Check
from lagoa.project.model import CustomCheck
from lagoa.registry import adapter
from lagoa.spec.check import CheckSpec, OnFail
from lagoa.spec.column import Column
from lagoa.sql.parse import bare


@dataclass(frozen=True)
class Gate:
    """One check of one table. `judges` says what it is asked about: each row, or the table as a whole.

    `check` is None for a file of `checks/`, whose query is `sql` and stands at `place`.
    """

    name: str
    on_fail: OnFail
    check: Check | None = None
    column: str | None = None
    where: str | None = None
    sql: str | None = None
    tables: tuple[str, ...] = ()
    place: Place | None = None

    @property
    def judges_rows(self) -> bool:
        """Say whether it tells of each row if it breaks the rule; the others judge the table as a whole."""
        return self.check is not None and type(self.check).breaks is not Check.breaks

    @property
    def local(self) -> bool:
        """Say whether a row alone decides."""
        return self.judges_rows and self.check is not None and self.check.reads == "row"

    def breaks(self, asked: Asked) -> str:
        """Return SQL that is true for a row that breaks the rule."""
        if self.check is None:
            raise TypeError(f"{self.name} does not judge rows")
        broken = self.check.breaks(asked)
        narrowed = f"({broken}) and ({self.where})" if self.where else broken
        return f"coalesce({narrowed}, false)"

    def violations(self, asked: Asked) -> str:
        """Return a query with one row for each violation of the table as a whole."""
        if self.check is None:
            return bare(self.sql or "")
        return self.check.violations(asked)


def gates(columns: Mapping[str, Column], checks: Iterable[CheckSpec], custom: Iterable[CustomCheck]) -> list[Gate]:
    """Build the gates of a table: of its columns, of the table, and of the files in `checks/` that guard it."""
    found = [_gate(spec, name) for name, column in columns.items() for spec in column.checks]
    found += [_gate(spec, None) for spec in checks]
    return found + [_custom(check) for check in custom]


def _custom(check: CustomCheck) -> Gate:
    place = Place(check.file, check.body_line)
    return Gate(check.name, check.header.on_fail, sql=check.body, tables=tuple(map(str, check.tables)), place=place)


def _gate(spec: CheckSpec, column: str | None) -> Gate:
    value = {} if spec.value is None else {"value": spec.value}
    check: Check = adapter("checks", spec.kind).model_validate(value)
    label = spec.label(column)
    return Gate(label, spec.on_fail, check, column, spec.where, tables=tuple(check.tables()))


def quoted(gate: Gate) -> str | None:
    """Return the SQL of a gate's column."""
    return quote(gate.column) if gate.column is not None else None
