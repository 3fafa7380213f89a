"""What a plan is made of: one step for each table, with what will happen and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lagoa.plan.columns import Columns, Felt
from lagoa.plan.format import FORMAT, AmountForm, AskedForm, FeltForm, LookedForm, PlanForm, StepForm
from lagoa.spec.names import TableName
from lagoa.transform.partitions import Stretch

Status = Literal["new", "changed", "new data", "up to date", "read", "removed", "blocked", "view", "deferred"]
"""What a table is found to be; `read` is a stream that a source must be asked about, `removed` one that nothing in
the project makes any more."""
WRITTEN = ("new", "changed", "new data")
Action = Literal["read", "rebuild", "recompute", "append", "drop", "keep", "none"]
"""What a run does about it; `recompute` writes the rows of touched keys."""


@dataclass(frozen=True)
class Amount:
    """Rows and bytes, by the statistics of the lake; None is not known beforehand."""

    rows: int | None = None
    bytes: int | None = None

    def __add__(self, other: Amount) -> Amount:
        rows = None if self.rows is None or other.rows is None else self.rows + other.rows
        size = None if self.bytes is None or other.bytes is None else self.bytes + other.bytes
        return Amount(rows, size)


UNKNOWN = Amount()


@dataclass(frozen=True)
class Step:
    """What a run does with one table.

    `conditional` steps are carried out only when a source delivers rows; the others always. `error` says why a
    blocked table cannot be touched.
    """

    table: TableName
    status: Status
    reason: str
    kind: str
    conditional: bool = False
    full: bool = False
    """Rebuild from nothing, or (a stream) read everything again."""
    span: Stretch | None = None
    """Rebuild the partitions of time that lie in it, and no others."""
    error: Exception | None = field(default=None, compare=False)
    action: Action = "none"
    columns: Columns | None = None
    """How its columns change; None when they stay, or nobody can know before it runs."""
    felt: Sequence[Felt] = ()
    """Who reads a column that goes or changes its type."""
    reading: Amount = UNKNOWN
    """What it reads."""
    writing: Amount = UNKNOWN
    """What it writes."""

    @property
    def writes(self) -> bool:
        """Say whether the step is certain to write."""
        return self.status in WRITTEN and not self.conditional

    @property
    def breaking(self) -> bool:
        """Say whether something downstream reads a column that goes or changes its type."""
        return any(felt.sure for felt in self.felt)

    def form(self) -> StepForm:
        """Give the step in the documented form."""
        return StepForm(
            table=str(self.table),
            action=self.action,
            status=self.status,
            reason=self.reason,
            kind=self.kind,
            conditional=self.conditional,
            full=self.full,
            columns=self.columns.form() if self.columns else None,
            breaking=self.breaking,
            felt=[FeltForm(by=felt.by, column=felt.column, fails=felt.fails, sure=felt.sure) for felt in self.felt],
            reads=AmountForm(rows=self.reading.rows, bytes=self.reading.bytes),
            writes=AmountForm(rows=self.writing.rows, bytes=self.writing.bytes),
            error=getattr(self.error, "code", None),
        )

    def to_json(self) -> dict[str, Any]:
        """Give the step as `plan --json` prints it."""
        return self.form().model_dump()


@dataclass(frozen=True)
class Plan:
    """The steps of a run, upstream first; `selected` is everything that was looked at.

    `asked`, `lake` and `definitions` say for what it was made, so that a run can tell whether it still holds.
    """

    project: str
    target: str
    selected: Sequence[Step]
    asked: AskedForm
    lake: Mapping[TableName, LookedForm | None] = field(default_factory=dict)
    definitions: Mapping[TableName, str] = field(default_factory=dict)

    @property
    def steps(self) -> list[Step]:
        """The steps that write, or cannot: empty when there is nothing to do but to ask the sources."""
        return [s for s in self.selected if s.status in (*WRITTEN, "blocked") or s.action == "drop"]

    @property
    def maybe(self) -> list[Step]:
        """The models that are up to date and will be written if the sources have news."""
        return [s for s in self.selected if s.status == "up to date" and s.conditional]

    @property
    def reads(self) -> list[Step]:
        """The streams that sources are asked about; what they will deliver is not known."""
        return [s for s in self.selected if s.status == "read"]

    @property
    def blocked(self) -> list[Step]:
        """The steps that cannot be carried out."""
        return [s for s in self.selected if s.status == "blocked"]

    @property
    def removed(self) -> list[Step]:
        """The tables that nothing makes any more and that are kept."""
        return [s for s in self.selected if s.status == "removed" and s.action == "keep"]

    @property
    def deferred(self) -> list[Step]:
        """The tables that are read in another target's lake."""
        return [s for s in self.selected if s.status == "deferred"]

    def step(self, table: TableName) -> Step | None:
        """Find the step of a table."""
        return next((s for s in self.selected if s.table == table), None)

    def form(self) -> PlanForm:
        """Give the plan in the documented form."""
        return PlanForm(
            format=FORMAT,
            project=self.project,
            target=self.target,
            asked=self.asked,
            lake={str(name): looked for name, looked in sorted(self.lake.items())},
            definitions={str(name): text for name, text in sorted(self.definitions.items())},
            steps=[s.form() for s in self.steps],
            reads=[s.form() for s in self.reads],
            if_news=[s.form() for s in self.maybe],
            removed=[s.form() for s in self.removed],
            deferred=[s.form() for s in self.deferred],
            up_to_date=[str(s.table) for s in self.selected if s.status == "up to date" and not s.conditional],
        )

    def to_json(self) -> dict[str, Any]:
        """Give the plan as `plan --json` prints it: `steps` is empty when there is nothing to do."""
        return self.form().model_dump()
