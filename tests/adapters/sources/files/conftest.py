"""Reads a stream of files as a run does, with plain DuckDB, and shows everything that came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lagoa import registry
from lagoa.ports import Batch, Portion, Reading, Reject


@dataclass
class Loaded:
    """Rows as dictionaries (refused ones apart), rejects, and the rest of what the batches said."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cursor: Any = None
    batches: int = 0
    portions: int = 0
    anew: int = 0
    """How often a batch had to be read again."""

    def column(self, name: str) -> list[Any]:
        """Return a column's values."""
        return [row[name] for row in self.rows]

    def reasons(self) -> list[str]:
        """Return why records were refused, whether they became rows or not, with their place."""
        return [f"{r.file}:{r.line} {r.reason}" for r in self.rejects] + [
            f"{r['_source']} {r['_reason']}" for r in self.refused
        ]


def stage(portion: Portion, into: Loaded) -> None:
    """Stage a portion, or the one that it turns into."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("set timezone = 'UTC'")
        table = connection.sql(str(portion.rows)).to_arrow_table()
        settled = portion.settle(table.num_rows, lambda sql: connection.execute(sql).fetchall())
    portion.close()
    if isinstance(settled, Portion):
        stage(settled, into)
        return
    assert settled.read is None or table.num_rows + len(settled.rejects) == settled.read
    for row in table.to_pylist():
        (into.refused if row.get("_reason") else into.rows).append(row)
    into.rejects += settled.rejects
    into.portions += 1


def stage_all(batch: Batch, into: Loaded) -> None:
    """Stage a batch's portions, and all anew when the batch says so."""
    while True:
        mine = Loaded()
        for portion in batch.portions:
            stage(portion, mine)
        if not batch.again():
            break
        into.anew += 1
    into.rows += mine.rows
    into.refused += mine.refused
    into.rejects += mine.rejects
    into.portions += mine.portions


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    """Read a stream: load({"path": "x.csv", …}), with since=…, source={…}, folder=…."""
    count = 0

    def read(
        stream: dict[str, Any],
        since: Any = None,
        source: dict[str, Any] | None = None,
        folder: Path | None = None,
        name: str = "s",
    ) -> Loaded:
        nonlocal count
        count += 1
        scratch = tmp_path / f"scratch-{count}"
        scratch.mkdir()
        adapter = registry.adapter("sources", "files")(type="files", streams={name: stream}, **(source or {}))
        loaded = Loaded(cursor=since)
        for batch in adapter.read(Reading(name, since, scratch, folder or tmp_path, f"bronze.files_{name}")):
            stage_all(batch, loaded)
            loaded.columns |= {f.name: str(f.type) for f in batch.schema}
            loaded.notes += batch.notes
            loaded.cursor = batch.cursor()
            loaded.batches += 1
        return loaded

    return read


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    """Write a file below the project's folder."""

    def write(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
