"""Inputs move while a run reads them: what a model publishes comes from versions that belong together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest
from deltalake import DeltaTable

from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.observe import events
from lagoa.spec.names import TableName
from lagoa.testing.raft import Raft

ROUNDS = 12 if os.environ.get("SOAK") else 3
SALES, KEPT, BOTH = "bronze.land_sales", "silver.kept", "gold.both"
COUNTS = f"select (select count(*) from {KEPT}) as kept, (select count(*) from {SALES}) as sales"


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """A model that counts a stream and a copy of it: the counts differ only when the versions do not fit."""
    made = Raft(tmp_path)
    made.source("land", 'sales: {path: "sales_*.parquet", mode: append}')
    made.model(KEPT, f"select id, amount from {SALES}", "kind: incremental\nkey: id")
    made.model(BOTH, COUNTS)
    arrives(made.root, 0)
    made.ok()
    return made


def arrives(root: Path, number: int) -> None:
    ids = list(range(number * 10, number * 10 + 10))
    Raft.parquet(_at(root), f"land/sales_{number:03}.parquet", id=ids, amount=[1] * 10)


def _at(root: Path) -> Raft:
    raft = Raft.__new__(Raft)
    raft.root = root
    return raft


def counted(root: Path) -> list[tuple[int, int]]:
    """Give the two counts in every version of the table, the oldest first."""
    path = str(root / "lake/gold/both")
    tables = (DeltaTable(path, version=v).to_pyarrow_table() for v in range(DeltaTable(path).version() + 1))
    return [(row["kept"], row["sales"]) for table in tables for row in table.to_pylist()]


def rival(root: Path, *select: str) -> None:
    """Let somebody else run."""
    done = subprocess.run([sys.executable, "-m", "lagoa", "run", "-C", str(root), *(f"-s{s}" for s in select)])
    assert done.returncode == 0


def moving(raft: Raft, moves: Callable[[], None], *select: str) -> None:
    """Run, and let something happen once, when the copy has been made or found to be as it should be."""
    happened: list[bool] = []

    def listen(event: events.Event) -> None:
        if event.table == KEPT and event.kind in ("step.published", "step.unchanged") and not happened:
            happened.append(True)
            moves()

    with raft.open() as project:
        assert project.run(select, listeners=[listen]).ok
    assert happened


def test_an_input_that_moves_while_a_run_reads_it_is_read_at_the_version_of_its_start(raft: Raft) -> None:
    arrives(raft.root, 1)

    def moves() -> None:
        arrives(raft.root, 2)
        rival(raft.root, SALES)

    moving(raft, moves)
    assert counted(raft.root)[-1] == (20, 20)
    assert raft.plan()[KEPT].status == raft.plan()[BOTH].status == "new data"
    raft.ok()
    assert counted(raft.root)[-1] == (30, 30)


def test_a_run_that_is_overtaken_by_a_whole_run_publishes_no_mixture(raft: Raft) -> None:
    arrives(raft.root, 1)

    def moves() -> None:
        arrives(raft.root, 2)
        rival(raft.root)

    moving(raft, moves)
    found = counted(raft.root)
    assert all(kept == sales for kept, sales in found), found
    assert found[-1] == (30, 30)
    assert raft.plan()[BOTH].status == "up to date"


def test_a_run_of_one_model_that_opens_its_inputs_around_a_rivals_run_publishes_no_mixture(
    raft: Raft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream is opened before the rival publishes, and its copy after."""
    true, overtaken = Lake.open, Event()

    def opened(lake: Lake, name: TableName, trust: bool = False) -> Table:
        if str(name) == KEPT:
            assert overtaken.wait(60)
        found = true(lake, name, trust)
        if str(name) == SALES and not overtaken.is_set():
            arrives(raft.root, 1)
            rival(raft.root, SALES, KEPT)
            overtaken.set()
        return found

    with raft.open() as project:
        monkeypatch.setattr(Lake, "open", opened)
        assert project.run([BOTH]).ok
    assert overtaken.is_set()
    found = counted(raft.root)
    assert all(kept == sales for kept, sales in found), found


def beside(raft: Raft, *runs: Sequence[str]) -> list[tuple[int, int]]:
    """Let runs go beside each other whenever something has arrived; give the counts of every version."""
    for number in range(1, ROUNDS + 1):
        arrives(raft.root, number)
        command = [sys.executable, "-m", "lagoa", "run", "-C", str(raft.root)]
        running = [subprocess.Popen([*command, *more], stderr=subprocess.PIPE) for more in runs]
        said = [process.communicate()[1].decode() for process in running]
        assert [process.returncode for process in running] == [0] * len(runs), said
    raft.ok()
    found = counted(raft.root)
    assert found[-1] == (10 * ROUNDS + 10,) * 2
    with raft.open() as project:
        assert project.plan().steps == []
    return found


@pytest.mark.slow
def test_whole_runs_beside_each_other_never_publish_a_mixture(raft: Raft) -> None:
    found = beside(raft, [], [], [])
    assert all(kept == sales for kept, sales in found), found


@pytest.mark.slow
def test_a_run_of_one_model_beside_a_whole_run_publishes_what_the_lake_held_at_one_moment(raft: Raft) -> None:
    """Between two publishes of the other run the copy is behind the stream; it is never before it."""
    found = beside(raft, [], [f"-s{BOTH}"], [f"-s{BOTH}"])
    assert all(kept in (sales, sales - 10) for kept, sales in found), found
