"""What a run did: one result for each table, and whether all is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lagoa.spec.names import TableName

Outcome = Literal["published", "unchanged", "dropped", "failed", "blocked", "skipped", "view", "deferred"]
"""`deferred`: read in another target's lake."""


@dataclass(frozen=True)
class Result:
    """What became of one table. `rows` are those that this run added or rewrote, `total` those that the table has."""

    table: TableName
    status: Outcome
    reason: str = ""
    rows: int = 0
    total: int = 0
    quarantined: int = 0
    seconds: float = 0.0
    version: int | None = None
    error: Exception | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the result as `run --json` prints it."""
        return {
            "table": str(self.table),
            "status": self.status,
            "reason": self.reason,
            "rows": self.rows,
            "total": self.total,
            "quarantined": self.quarantined,
            "seconds": round(self.seconds, 3),
            "version": self.version,
            "error": getattr(self.error, "code", None),
        }


@dataclass(frozen=True)
class Run:
    """A finished run."""

    id: str
    results: Sequence[Result]
    seconds: float
    stopped: bool = False

    @property
    def ok(self) -> bool:
        """Say whether every table is as it should be."""
        well = ("published", "unchanged", "dropped", "view", "deferred")
        return not self.stopped and all(r.status in well for r in self.results)

    @property
    def published(self) -> list[Result]:
        """The tables that gained a version."""
        return [r for r in self.results if r.status == "published"]

    def to_json(self) -> dict[str, Any]:
        """Give the run as `run --json` prints it."""
        return {
            "run": self.id,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "tables": [r.to_json() for r in self.results],
        }
