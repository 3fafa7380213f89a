"""Dirty files at random, whose truth is known: no cell is silently wrong, and every record is accounted for.

Each file is read twice: as a whole, and cut into small pieces. `SOAK=1` reads 10,000, `SEED=…` begins with another.
The figures of all of them are in the last line.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from tests.adapters.sources.files.dirt import Dirt, dirty

from lagoa import registry
from lagoa.kit.delimited.read import Delimited
from lagoa.ports import Portion, Reading

FILES = 10_000 if os.environ.get("SOAK") else 300
PARTS = 10
"""How many tests share the files, so that they run at once."""
FIRST = int(os.environ.get("SEED", "0"))


class Told:
    """What reading a file gave: rows and refusals by line, and each record counted."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.rows: dict[int, tuple[Any, ...]] = {}
        self.refused: dict[int, str] = {}
        self.unaccounted = 0

    def stage(self, portion: Portion, connection: duckdb.DuckDBPyConnection) -> None:
        """Stage a portion as a run does."""
        table = connection.sql(str(portion.rows)).to_arrow_table()
        settled = portion.settle(table.num_rows, lambda sql: connection.execute(sql).fetchall())
        portion.close()
        if isinstance(settled, Portion):
            self.stage(settled, connection)
            return
        self.unaccounted += (settled.read or 0) - table.num_rows - len(settled.rejects)
        for row in table.to_pylist():
            line = int(row["_source"].rpartition(":")[2])
            assert line not in self.rows, f"line {line} came twice"
            if row.get("_reason"):
                self.refused[line] = row["_reason"]
            else:
                self.rows[line] = tuple(row[name] for name in self.names)
        for reject in settled.rejects:
            assert reject.line is not None
            self.refused[reject.line] = reject.reason


def told(dirt: Dirt, folder: Path, connection: duckdb.DuckDBPyConnection) -> Told:
    """Read a file as its stream is declared."""
    found = Told(dirt.names)
    (folder / "x.csv").write_bytes(dirt.content)
    scratch = folder / "scratch"
    scratch.mkdir()
    source = registry.adapter("sources", "files")(type="files", streams={"s": dirt.stream})
    for batch in source.read(Reading("s", None, scratch, folder, "bronze.files_s")):
        for portion in batch.portions:
            found.stage(portion, connection)
        batch.cursor()
    shutil.rmtree(scratch)
    return found


def wrong(dirt: Dirt, found: Told) -> list[str]:
    """Say what differs from the truth."""
    said = [f"{found.unaccounted} records are unaccounted for"] * bool(found.unaccounted)
    for line in sorted({*dirt.rows, *dirt.refused, *found.rows, *found.refused}):
        truth = dirt.rows.get(line, f"refused: {dirt.refused.get(line)}")
        got = found.rows.get(line, f"refused: {found.refused.get(line)}")
        same = dirt.refused[line] in found.refused.get(line, "") if line in dirt.refused else truth == got
        if not same:
            said.append(f"line {line}: {got!r} instead of {truth!r}")
    return said


def figures(dirt: Dirt, found: Told) -> Counter[str]:
    """Count records and cells: those that were loaded although the truth is another, and records that are nowhere."""
    wrong_cells = 0
    for line, row in found.rows.items():
        truth = dirt.rows.get(line)
        wrong_cells += len(row) if truth is None else sum(a != b for a, b in zip(row, truth, strict=True))
    records = {*dirt.rows, *dirt.refused}
    return Counter(
        {
            "readings": 1,
            "records": len(records),
            "records accounted for": len(records & {*found.rows, *found.refused}) - abs(found.unaccounted),
            "loaded": len(found.rows),
            "quarantined": len(found.refused),
            "cells loaded": sum(map(len, found.rows.values())),
            "cells silently wrong": wrong_cells,
        }
    )


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let files be cut into pieces of some bytes, each of which DuckDB may read as it is."""

    def cut(size: int) -> None:
        monkeypatch.setattr("lagoa.adapters.sources.files.Delimited", partial(Delimited, small=0, piece=size))

    return cut


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_cell_is_silently_wrong_and_every_record_is_accounted_for(
    part: int,
    tmp_path: Path,
    small_pieces: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    failed, total = [], Counter[str]()
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set timezone = 'UTC'")
        for seed in range(FIRST + part, FIRST + FILES, PARTS):
            dirt = dirty(seed)
            monkeypatch.undo()
            whole = told(dirt, tmp_path, connection)
            small_pieces(Random(seed).choice((16, 64, 300, 1 << 16)))
            pieces = told(dirt, tmp_path, connection)
            total.update({"files": 1})
            for way, found in (("whole", whole), ("pieces", pieces)):
                total.update(figures(dirt, found))
                if said := wrong(dirt, found):
                    failed.append(f"seed {seed}, {way}: {said}")
    record_property("figures", dict(total))
    assert not failed, f"{len(failed)} of {FILES // PARTS} files:\n" + "\n".join(failed[:20])
