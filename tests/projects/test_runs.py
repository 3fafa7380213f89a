"""Runs beside runs and beside others' maintenance, failures that heal, and the events that tell of all of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lagoa.app import Project
from lagoa.errors import SourceError
from lagoa.observe import events
from lagoa.ports import Batch, Reading
from lagoa.run.execute import TRIES
from lagoa.testing.raft import Impatient, Raft, batch


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    return Raft(tmp_path)


class Flaky:
    """Gives one batch after the other from the cursor on, and fails `times` at the place of batch `before`."""

    def __init__(self, *values: list[int], times: int = 0, before: int = 0, retry: bool = True) -> None:
        self.values, self.times, self.before, self.retry = values, times, before, retry
        self.asked = 0

    def __call__(self, reading: Reading) -> Iterator[Batch]:
        self.asked += 1
        for number, values in enumerate(self.values):
            if number == self.before and self.times:
                self.times -= 1
                raise SourceError("LG-201", "the line is down", retry=self.retry)
            if number >= (reading.since or 0):
                yield batch(pa.table({"id": values}), cursor=number + 1)


@pytest.mark.parametrize("before", [0, 1])
def test_what_fails_twice_and_then_works_is_loaded_once(raft: Raft, before: int) -> None:
    raft.script("mode: append", Flaky([0]))
    raft.model("silver.s", "select id from bronze.toy_s")
    raft.ok()
    source = Flaky([0], [1, 2], [3], times=2, before=before + 1)
    raft.script("mode: append", source)
    done = raft.ok()
    assert source.asked == 3
    assert raft.rows("bronze.toy_s") == raft.rows("silver.s") == [(0,), (1,), (2,), (3,)]
    assert (done["bronze.toy_s"].rows, done["bronze.toy_s"].total) == (3, 4)
    retries = [e.data for e in raft.events if e.kind == "step.retry"]
    assert [r["attempt"] for r in retries] == [1, 2]
    assert 1 <= retries[0]["wait_s"] <= 1.5 < 3 <= retries[1]["wait_s"] <= 4.5
    assert retries[0]["error"] == "the line is down"


def test_a_failure_after_the_last_batch_forgets_nothing_that_was_published(raft: Raft) -> None:
    raft.script("mode: append", Flaky([0]))
    raft.model("silver.s", "select id from bronze.toy_s")
    raft.ok()

    class Late(Flaky):
        def __call__(self, reading: Reading) -> Iterator[Batch]:
            yield from super().__call__(reading)
            if self.asked == 1:
                raise SourceError("LG-201", "the line is down", retry=True)

    raft.script("mode: append", Late([0], [1]))
    done = raft.ok()
    assert (done["bronze.toy_s"].status, done["bronze.toy_s"].rows) == ("published", 1)
    assert raft.rows("silver.s") == [(0,), (1,)]


def test_what_cannot_heal_fails_at_once_and_what_does_not_heal_fails_in_the_end(raft: Raft) -> None:
    for retry, asked in ((False, 1), (True, TRIES)):
        source = Flaky([0], times=99, retry=retry)
        raft.script("mode: append", source)
        assert raft.fails()["bronze.toy_s"].code == "LG-201"
        assert source.asked == asked


# ---------------------------------------------------------------- beside others
def shop(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p*.csv', mode: append}\nm: {path: 'p*.csv', mode: merge, key: id}")
    raft.model("silver.s", "select id, v from bronze.land_p")
    raft.model("silver.a", "select id from bronze.land_p", "kind: append")
    raft.model("gold.g", "select count(*) as n from silver.s join bronze.land_m using (id)")
    for n in range(3):
        raft.write(f"land/p{n}.csv", "id,v\n" + "".join(f"{n}{k},{k}\n" for k in range(50)))


def test_runs_at_once_with_different_selections_publish_each_row_once(raft: Raft) -> None:
    shop(raft)
    for _ in range(3):
        start = Barrier(3)

        def carry_out(words: list[str], start: Barrier = start) -> bool:
            with Project.open(raft.root) as project:
                start.wait()
                return project.run(words, stop=Impatient()).ok

        with ThreadPoolExecutor(3) as pool:
            told = list(pool.map(carry_out, [["+gold.g"], ["+silver.a"], ["bronze.land_p", "bronze.land_m"]]))
        assert told == [True] * 3
        raft.ok()
        count = len(list((raft.root / "land").glob("*.csv"))) * 50
        for table in ("bronze.land_p", "bronze.land_m", "silver.s", "silver.a"):
            assert len(set(raft.rows(f"select id from {table}"))) == len(raft.rows(f"select id from {table}")) == count
        assert raft.rows("gold.g") == [(count,)]
        raft.write(f"land/p{count}.csv", "id,v\n" + "".join(f"x{count}{k},{k}\n" for k in range(50)))


def test_a_run_goes_on_while_others_compact_and_vacuum(raft: Raft) -> None:
    shop(raft)
    raft.ok()
    for n in range(3, 8):
        raft.write(f"land/p{n}.csv", "id,v\n" + "".join(f"{n}{k},{k}\n" for k in range(50)))
        places = [str(raft.root / "lake" / name) for name in ("bronze/land_p", "bronze/land_m", "silver/s")]

        def disturb(paths: list[str] = places) -> None:
            for path in paths:
                DeltaTable(path).optimize.compact()
                DeltaTable(path).vacuum(dry_run=False)

        with ThreadPoolExecutor(1) as pool:
            disturbed = pool.submit(disturb)
            raft.ok()
            disturbed.result()
        raft.ok()
        assert len(raft.rows("bronze.land_m")) == len(raft.rows("silver.a")) == 50 * (n + 1)
    assert {r.status for r in raft.ok().values()} == {"unchanged"}


# ---------------------------------------------------------------- events
def documented() -> dict[str, set[str]]:
    """Read the table in the docstring of observe/events.py: each kind and the names of its data."""
    rows = re.findall(r"^\| ([a-z.]+) \|(.*?)\| .* \|$", events.__doc__ or "", re.MULTILINE)
    plain = ((kind, re.sub(r"\[.*?\]|\{.*?\}|\(.*?\)", "", data)) for kind, data in rows if kind != "kind")
    return {kind: set(re.findall(r"\w+", data)) for kind, data in plain}


def test_every_kind_of_event_is_emitted_with_the_data_that_its_table_says(raft: Raft) -> None:
    seen: dict[str, set[str]] = {}

    def note() -> None:
        for event in raft.events:
            seen.setdefault(event.kind, set()).update(event.data)

    raft.script("mode: append, columns: {id: {checks: [{max: 9, on_fail: quarantine}]}}", Flaky([0, 99], times=1))
    raft.model("silver.s", "select id from bronze.toy_s", "columns: {id: {checks: [unique]}}")
    raft.model("gold.bad", "select nope from silver.s")
    raft.model("gold.worse", "select * from gold.bad")
    raft.run()
    note()
    raft.script("mode: append, columns: {id: {checks: [{max: 9, on_fail: quarantine}], pii: id}}", Flaky([0, 99]))
    stop = Impatient()
    with raft.open() as project:
        project.run(
            listeners=[raft.events.append, lambda e: stop.set() if e.kind == "step.started" else None], stop=stop
        )
    note()
    raft.run()
    note()
    shutil.rmtree(raft.root / "models")
    raft.run(drop=True)
    note()
    assert seen.keys() == events.KINDS == documented().keys()
    assert seen == documented()


def test_the_numbers_of_events_and_results_add_up(raft: Raft) -> None:
    columns = "columns: {id: {type: bigint, checks: [{max: 5, on_fail: quarantine}]}}"
    raft.source("land", f"p: {{path: 'p*.csv', mode: append, {columns}}}")
    raft.model("silver.s", "select id from bronze.land_p", "columns: {id: {checks: [{min: 2, on_fail: quarantine}]}}")
    for n in (1, 2):
        raft.write(f"land/p{n}.csv", "id,v\n1,a\n2,b\n3,c\nx,d\n9,e\nbroken\n")
        done = raft.ok()["bronze.land_p"]
        assert (done.rows, done.quarantined, done.total) == (3, 3, 3 * n)
        told = {e.table: e.data for e in raft.events if e.kind == "step.published"}
        assert (told["bronze.land_p"]["rows"], told["bronze.land_p"]["quarantined"]) == (3, 3)
        assert told["silver.s"] == {"version": n - 1, "rows": 2 * n, "quarantined": n}
        order = raft.kinds("silver.s")
        assert order == ["step.started", "step.staged", "step.audited", "step.published"]
    assert len(raft.refused("bronze.land_p")) == 6
    assert len(raft.refused("silver.s")) == 2, "a replace empties its quarantine"
