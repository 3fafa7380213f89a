"""An engine whose clock stands still, so that a test of `current_date` says the same on every day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar

from lagoa.kit.text import literal, quote
from lagoa.ports import Engine, Session

_TIMES = {
    "TIMESTAMP WITH TIME ZONE": ("now", "current_timestamp", "get_current_timestamp", "transaction_timestamp"),
    "DATE": ("current_date", "today"),
    "TIMESTAMP": ("localtimestamp", "current_localtimestamp"),
    "TIME WITH TIME ZONE": ("current_time", "get_current_time"),
    "TIME": ("localtime", "current_localtime"),
}
"""DuckDB's functions that tell the time, by the type that they give."""


class Frozen:
    """An engine in whose sessions it is always `at`: a macro of a session comes before the function of its name."""

    name: ClassVar[str] = "frozen"

    def __init__(self, engine: Engine, at: datetime) -> None:
        self._engine, self._at = engine, at
        self.threads = engine.threads

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session of the engine behind it, with its clock stopped."""
        with self._engine.session() as session:
            for statement in _macros(self._at):
                session.run(statement)
            yield session

    def close(self) -> None:
        """Do nothing: the engine behind it belongs to somebody else."""


def _macros(at: datetime) -> Iterator[str]:
    zoned, plain = f"timestamptz {literal(at.isoformat())}", f"timestamp {literal(at.replace(tzinfo=None).isoformat())}"
    for kind, names in _TIMES.items():
        value = zoned if kind == "TIMESTAMP WITH TIME ZONE" else f"{plain}::{kind.removesuffix(' WITH TIME ZONE')}"
        for name in names:
            yield f"create macro {quote(name)}() as {value}::{kind}"
    today = f"{plain}::date::timestamp"
    yield f"create macro age(t) as system.main.age({today}, t), (a, b) as system.main.age(a, b)"
