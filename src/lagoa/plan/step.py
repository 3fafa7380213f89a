"""What a plan is made of: one step for each table, with what will happen and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lagoa.spec.names import TableName

Status = Literal["new", "changed", "new data", "up to date", "read", "blocked", "view", "deferred"]
"""What a table is found to be; `read` is a stream that a source must be asked about."""


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
    error: Exception | None = field(default=None, compare=False)

    @property
    def writes(self) -> bool:
        """Say whether the step is certain to write."""
        return self.status in ("new", "changed", "new data") and not self.conditional

    def to_json(self) -> dict[str, Any]:
        """Give the step as `plan --json` prints it."""
        shown: dict[str, Any] = {
            "table": str(self.table),
            "status": self.status,
            "reason": self.reason,
            "kind": self.kind,
            "conditional": self.conditional,
            "full": self.full,
        }
        if self.error is not None:
            shown["error"] = getattr(self.error, "code", None)
        return shown


@dataclass(frozen=True)
class Plan:
    """The steps of a run, upstream first; `selected` is everything that was looked at."""

    target: str
    selected: Sequence[Step]

    @property
    def steps(self) -> list[Step]:
        """The steps that write, or cannot: empty when there is nothing to do but to ask the sources."""
        return [s for s in self.selected if s.status in ("new", "changed", "new data", "blocked")]

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
    def deferred(self) -> list[Step]:
        """The tables that are read in another target's lake."""
        return [s for s in self.selected if s.status == "deferred"]

    def step(self, table: TableName) -> Step | None:
        """Find the step of a table."""
        return next((s for s in self.selected if s.table == table), None)

    def to_json(self) -> dict[str, Any]:
        """Give the plan as `plan --json` prints it: `steps` is empty when there is nothing to do."""
        return {
            "target": self.target,
            "steps": [s.to_json() for s in self.steps],
            "reads": [s.to_json() for s in self.reads],
            "if_news": [s.to_json() for s in self.maybe],
            "deferred": [s.to_json() for s in self.deferred],
            "up_to_date": [str(s.table) for s in self.selected if s.status == "up to date" and not s.conditional],
        }
