"""Events are the facts of a run: the log, the history, the progress shown and the metrics are views of them.

| kind | data | says |
|---|---|---|
| run.started | target, select, full | a run begins |
| plan.made | steps: [{table, status, reason, …}] | what it will do |
| step.started | | work on a table begins |
| source.read | label, bytes, rows | one portion of a source is read and staged |
| step.staged | rows, bytes, files | rows are on disk, seen by nobody |
| step.audited | checks: [{check, on_fail, violations}] | checks looked at the staged rows |
| step.retry | attempt, wait_s, error | a failure that can heal; it is tried again |
| step.published | version, rows, quarantined | rows are true; rows counts those that this commit added |
| step.unchanged | because | nothing to write |
| step.failed | code, message | the table stays as it was |
| step.blocked | because | something that it reads failed or is not there |
| step.skipped | because | the run was stopped first |
| step.dropped | rows | a table that nothing makes any more is gone |
| note | text | what a person should know |
| run.finished | status (done, failed, stopped), seconds | the run ended by itself |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from lagoa.ports import Json

KINDS = frozenset(
    [
        *("run.started", "plan.made", "run.finished", "note", "source.read"),
        *("step.started", "step.staged", "step.audited", "step.retry", "step.published"),
        *("step.unchanged", "step.failed", "step.blocked", "step.skipped", "step.dropped"),
    ]
)
"""Every kind of event that there is; the table above says what each carries."""


@dataclass(frozen=True)
class Event:
    """One fact: when (UTC), in which run, about which table if any, and what. Secrets are gone from it."""

    kind: str
    at: datetime
    run: str
    table: str | None = None
    data: dict[str, Json] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps(
            {
                "time": self.at.isoformat(timespec="microseconds"),
                "run": self.run,
                "kind": self.kind,
                "table": self.table,
                "data": self.data,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, line: str) -> Event:
        """Read what `to_json` wrote. Raises ValueError on anything else."""
        try:
            raw = json.loads(line)
            at = datetime.fromisoformat(raw["time"])
            return cls(raw["kind"], at, raw["run"], raw["table"], raw["data"])
        except (KeyError, TypeError) as error:
            raise ValueError("not an event") from error


class Events:
    """Where a run says what happens: any thread may emit, listeners hear events one by one, in order."""

    def __init__(
        self,
        run: str,
        redact: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.run = run
        self._redact, self._now = redact, now
        self._listeners: list[Callable[[Event], None]] = []
        self._lock = RLock()

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Tell this listener of every event from now on; what it raises is dropped, the run goes on."""
        with self._lock:
            self._listeners.append(listener)

    def emit(self, kind: str, table: str | None = None, **data: Any) -> None:
        """Say what happened. What is not JSON becomes text, and a secret in any text becomes `***`."""
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a kind of event; see lagoa.observe.events")
        with self._lock:
            event = Event(kind, self._now(), self.run, table, self._clean(data))
            for listener in self._listeners:
                with suppress(Exception):
                    listener(event)

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {self._redact(str(key)): self._clean(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(inner) for inner in value]
        return self._redact(value.isoformat() if isinstance(value, datetime) else str(value))
