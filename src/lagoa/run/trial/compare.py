"""Compares the rows that a model gave with those that a test expects, and lays what differs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from lagoa.kit.text import quote
from lagoa.ports import Session
from lagoa.project.trial import Held
from lagoa.run.trial.given import ROW, table_of
from lagoa.spec.names import TableName

_WANTED, _GOT = "_wanted", "_got"
SHOWN = 40
"""Rows that are shown of each kind; the others are counted."""

Cells = Sequence[str | None]


@dataclass(frozen=True)
class DifferentRow:
    """A row that lacks (`missing`), one too many (`unexpected`), or one of which some cells differ (`differs`)."""

    kind: Literal["missing", "unexpected", "differs"]
    expected: Cells | None
    actual: Cells | None

    def cells(self, arrow: str = " → ") -> list[str | None]:
        """Give the row for a person: in a cell that differs, what was expected and what came."""
        if self.expected is None or self.actual is None:
            return list(self.expected or self.actual or ())
        pairs = zip(self.expected, self.actual, strict=True)
        return [a if a == b else f"{'∅' if a is None else a}{arrow}{'∅' if b is None else b}" for a, b in pairs]


@dataclass(frozen=True)
class Difference:
    """What differs in one table after one run (`round` counts from 1); `more` rows are not listed."""

    table: TableName
    round: int
    columns: Sequence[str]
    rows: Sequence[DifferentRow]
    more: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give it as `test --json` prints it."""
        return {
            "table": str(self.table),
            "round": self.round,
            "columns": list(self.columns),
            "rows": [{"kind": r.kind, "expected": r.expected, "actual": r.actual} for r in self.rows],
            "more": self.more,
        }


@dataclass(frozen=True)
class Asked:
    """How a test wants its rows compared."""

    all_columns: bool = False
    in_order: bool = False


def compare(session: Session, held: Held, actual: pa.Table, number: int, asked: Asked) -> Difference | None:
    """Compare a model's rows with the expected ones. None: they are the same."""
    types = {field.name: field.type for field in actual.schema}
    wanted = table_of(session, held, types)
    named = {name.casefold() for name in held.columns}
    every = asked.all_columns or not held.columns
    columns = [name for name in types if every or name.casefold() in named]
    session.bind(_WANTED, _numbered(wanted))
    session.bind(_GOT, _numbered(actual))
    shown = [_comparable(name, types[name]) for name in columns]
    if asked.in_order:
        shown.append(f"({ROW} + 1) as {quote('row')}")
        columns = [*columns, "row"]
    lacking, lacking_more = _rows(session, shown, _WANTED, _GOT)
    surplus, surplus_more = _rows(session, shown, _GOT, _WANTED)
    if not lacking and not surplus:
        return None
    return Difference(held.table, number, columns, _aligned(lacking, surplus), lacking_more + surplus_more)


def _numbered(rows: pa.Table) -> pa.Table:
    return rows.append_column(ROW, pa.array(range(rows.num_rows), pa.int64()))


def _comparable(name: str, kind: pa.DataType) -> str:
    """Write a column for comparing: of a floating number twelve digits, which sums in any order agree on."""
    if pa.types.is_floating(kind):
        return f"format('{{:.12g}}', {quote(name)}::double)::double as {quote(name)}"
    return quote(name)


def _rows(session: Session, shown: Sequence[str], of: str, without: str) -> tuple[list[tuple[str | None, ...]], int]:
    """Give the rows of one side that the other lacks, as text, and how many more there are."""
    columns = ", ".join(shown)
    differ = f"(select {columns} from {of}) except all (select {columns} from {without})"
    found = session.rows(f"select columns(*)::varchar from ({differ}) order by all limit {SHOWN}")
    if len(found) < SHOWN:
        return found, 0
    return found, int(session.rows(f"select count(*) from ({differ})")[0][0]) - SHOWN


def _aligned(lacking: list[tuple[str | None, ...]], surplus: list[tuple[str | None, ...]]) -> list[DifferentRow]:
    """Lay rows that are most alike beside each other; those with no cell in common stay alone."""
    alike = sorted(
        (
            (sum(a == b for a, b in zip(want, got, strict=True)), i, j)
            for i, want in enumerate(lacking)
            for j, got in enumerate(surplus)
        ),
        key=lambda found: (-found[0], found[1], found[2]),
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for same, i, j in alike:
        if same and i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    rows = [
        DifferentRow("differs", want, surplus[partner[i]]) if i in partner else DifferentRow("missing", want, None)
        for i, want in enumerate(lacking)
    ]
    return rows + [DifferentRow("unexpected", None, got) for j, got in enumerate(surplus) if j not in taken]
