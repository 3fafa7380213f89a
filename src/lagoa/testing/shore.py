"""A lake on disk with a session of the real engine, and short ways to publish into it and read it back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.lake import quarantine
from lagoa.lake.publish import Change, publish
from lagoa.lake.store import Lake
from lagoa.lake.table import Table, bind
from lagoa.ports import Session, StagedFile
from lagoa.spec.names import TableName

ORDERS = TableName("silver", "orders")
"""The table that is published into when no other is named."""
REFUSED = (
    "select 'f.csv:1' as _source, 'too small' as _reason, '{}' as _raw, 'r' as _run, "
    "timestamptz '2026-01-01 00:00:00+00' as _at"
)


class Shore:
    """A place from which a lake is filled and looked at."""

    def __init__(self, root: Path, session: Session) -> None:
        self.lake = Lake(root / "lake")
        self.session = session
        self._scratch = root / "scratch"
        self._numbers = count()

    def scratch(self) -> Path:
        """Return a folder that nobody has used."""
        return self._scratch / str(next(self._numbers))

    def stage(self, sql: str, by: Sequence[str] = (), schema: pa.Schema | None = None) -> list[StagedFile]:
        """Stage what a query gives."""
        return self.session.stage(sql, self.scratch(), schema, by)

    def change(self, sql: str, mode: Any = "append", **more: Any) -> Change:
        """Stage a query as a change; `bad` is a number of rows to set aside."""
        by, bad = tuple(more.pop("partition_by", ())), more.pop("bad", 0)
        refused = self.stage(f"{REFUSED} from range({bad})", schema=quarantine.SCHEMA) if bad else ()
        exact: dict[str, Any] = {"changes": []} if mode == "append" else {}
        return Change(
            mode,
            self.session.schema(sql),
            self.stage(sql, by),
            bad=refused,
            partition_by=by,
            **{"run": "r1", **exact, **more},
        )

    def publish(
        self, sql: str, mode: Any = "append", name: TableName = ORDERS, trust: bool = False, **more: Any
    ) -> Table:
        """Publish what a query gives, and let the quarantine follow."""
        table = publish(self.lake, self.lake.open(name, trust=trust), self.change(sql, mode, **more))
        quarantine.follow(self.lake, name)
        return table

    def rows(self, table: Table, sql: str = "select * from {t} order by all") -> list[tuple[Any, ...]]:
        """Query a table, called {t}."""
        bind(self.session, "shown", table)
        return self.session.rows(sql.format(t="shown"))

    def count(self, name: TableName = ORDERS) -> int:
        """Count the rows of the newest version by reading them."""
        return int(self.rows(self.lake.open(name), "select count(*) from {t}")[0][0])


def ids(first: int, last: int, text: str = "x") -> str:
    """Write a query for numbered rows: id bigint, s text."""
    return f"select i::bigint as id, '{text}' as s from range({first}, {last}) t(i)"
