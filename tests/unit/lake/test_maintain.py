"""Maintenance changes no row, keeps what anybody may need, and leaves the log readable."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lagoa.errors import LakeError
from lagoa.lake import log, maintain, quarantine
from lagoa.lake.files import fsync
from lagoa.lake.history import history
from lagoa.lake.maintain import Vacuumed, checkpoint, compact, vacuum
from lagoa.lake.publish import publish
from lagoa.lake.restore import restore
from lagoa.lake.rust import attempted
from lagoa.lake.state import State
from lagoa.lake.verify import verify
from lagoa.testing.shore import ORDERS, Shore, ids

LATER = datetime.now(UTC) + timedelta(days=30)


def state(shore: Shore) -> State:
    found = shore.lake.open(ORDERS).state
    assert found
    return found


def test_compaction_leaves_fewer_files_the_same_rows_and_no_news(shore: Shore) -> None:
    for i in range(5):
        shore.publish(ids(i * 3, i * 3 + 3), cursor=i)
    before = state(shore)
    assert compact(shore.lake, shore.session, ORDERS, shore.scratch()) == 4
    table = shore.lake.open(ORDERS)
    assert (table.version, len(table.files), table.rows) == (5, 1, 15)
    assert state(shore) == before
    assert [r[0] for r in shore.rows(table)] == list(range(15))
    text = log.commit_file(table.path, 5).read_text()
    assert '"dataChange":true' not in text
    assert '"txn"' not in text
    assert history(shore.lake, ORDERS)[0].mode == "compact"
    assert compact(shore.lake, shore.session, ORDERS, shore.scratch()) == 0
    assert shore.publish(ids(15, 18)).rows == 18


def test_compaction_stays_inside_partitions_and_keeps_personal_values_out_of_the_log(shore: Shore) -> None:
    for i in range(3):
        sql = f"select {i} as id, 'a/b' as p, '111.222.333-4{i}' as cpf union all select {i}, null, '999.888.777-6{i}'"
        shore.publish(sql, partition_by=("p",), personal=frozenset({"cpf"}))
    assert compact(shore.lake, shore.session, ORDERS, shore.scratch()) == 4
    table = shore.lake.open(ORDERS)
    assert sorted(map(str, (f.partition["p"] for f in table.files.values()))) == ["None", "a/b"]
    assert shore.rows(table, "select p, count(*) from {t} group by p order by p") == [("a/b", 3), (None, 3)]
    assert "222.333" not in "".join(p.read_text() for p in (table.path / "_delta_log").glob("*.json"))
    assert pa.table(DeltaTable(str(table.path)).scan().read_all()).num_rows == 6


def test_large_files_are_left_alone(shore: Shore) -> None:
    for i in range(3):
        shore.publish(ids(i, i + 1))
    assert compact(shore.lake, shore.session, ORDERS, shore.scratch(), target=600) == 0


def test_a_compaction_that_loses_against_a_rival_changes_nothing(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        shore.publish(ids(i, i + 1))

    def beaten(commit: Callable[[], object]) -> BaseException | None:
        monkeypatch.undo()
        shore.publish(ids(3, 4))
        return attempted(commit)

    monkeypatch.setattr(maintain, "attempted", beaten)
    assert compact(shore.lake, shore.session, ORDERS, shore.scratch()) == 0
    assert shore.count() == 4


def test_a_checkpoint_is_whole_and_the_table_opens_by_it(shore: Shore) -> None:
    for i in range(4):
        shore.publish(ids(i, i + 1))
    assert not checkpoint(shore.lake, ORDERS, every=5)
    assert checkpoint(shore.lake, ORDERS, every=4)
    assert not checkpoint(shore.lake, ORDERS), "there is one already"
    path = shore.lake.path(ORDERS)
    log.commit_file(path, 0).unlink()
    log.commit_file(path, 1).unlink()
    assert shore.count() == 4
    shore.publish(ids(4, 5))
    assert checkpoint(shore.lake, ORDERS)
    assert verify(shore.lake, ORDERS, deep=True) == []
    assert pa.table(DeltaTable(str(path)).scan().read_all()).num_rows == 5
    assert not list((path / "_lagoa").glob("checkpoint-*"))


def test_a_checkpoint_is_durable_before_anything_names_it(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    shore.publish(ids(0, 1))
    done: list[str] = []
    rename = Path.rename

    def watched_fsync(path: Path) -> None:
        done.append(f"fsync {path.name}")
        fsync(path)

    def watched_rename(path: Path, to: Path) -> Path:
        done.append(f"rename {to.name}")
        return rename(path, to)

    monkeypatch.setattr(maintain, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    checkpoint(shore.lake, ORDERS)
    whole = "00000000000000000000.checkpoint.parquet"
    last = done.index("rename _last_checkpoint")
    assert done.index(f"fsync {whole}") < done.index(f"rename {whole}") < last
    assert "fsync _delta_log" in done[done.index(f"rename {whole}") : last]


def test_a_damaged_table_gets_no_checkpoint(shore: Shore) -> None:
    table = shore.publish(ids(0, 1))
    shore.publish(ids(1, 2))
    log.commit_file(table.path, 0).write_bytes(b"")
    with pytest.raises(LakeError):
        checkpoint(shore.lake, ORDERS)


def age(path: Path, hours: float) -> None:
    then = datetime.now(UTC).timestamp() - hours * 3600
    for file in path.rglob("*"):
        os.utime(file, (then, then))


def test_a_vacuum_removes_litter_and_keeps_what_is_live(shore: Shore) -> None:
    table = shore.publish(ids(0, 3), bad=2)
    litter = [
        table.path / "part-lost.parquet",
        table.path / "_lagoa" / "state" / "123.json",
        table.path / "_lagoa" / "changes" / "old.parquet",
        table.path / "p=1" / "part-lost.parquet",
    ]
    for path in litter:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"litter")
    assert vacuum(shore.lake, ORDERS) == Vacuumed(), "it may belong to a run that still lives"
    age(table.path, 3)
    began = datetime.now(UTC) - timedelta(hours=4)
    assert vacuum(shore.lake, ORDERS, oldest_run=began) == Vacuumed(), "it is younger than the oldest run"
    assert vacuum(shore.lake, ORDERS) == Vacuumed(4, 24)
    assert not any(path.exists() for path in litter)
    assert shore.count() == 3
    assert verify(shore.lake, ORDERS, deep=True) == []


def test_a_vacuum_keeps_every_version_of_the_last_days_and_no_older_one(shore: Shore) -> None:
    shore.publish(ids(0, 3))
    table = shore.publish(ids(3, 6), "replace")
    age(table.path, 3)
    vacuum(shore.lake, ORDERS, keep=timedelta(days=1))
    assert len(shore.rows(shore.lake.at(ORDERS, 0))) == 3
    vacuum(shore.lake, ORDERS, keep=timedelta(days=1), now=LATER)
    assert shore.count() == 3
    with pytest.raises(LakeError, match="vacuumed"):
        restore(shore.lake, ORDERS, 0)


def test_a_vacuum_keeps_what_was_removed_lately_even_when_the_log_before_is_gone(shore: Shore) -> None:
    removed = next(iter(shore.publish(ids(0, 3)).files))
    table = shore.publish(ids(3, 6), "replace")
    checkpoint(shore.lake, ORDERS)
    log.commit_file(table.path, 0).unlink()
    age(table.path, 3)
    vacuum(shore.lake, ORDERS, keep=timedelta(days=1))
    assert (table.path / removed).exists()


def test_a_vacuum_keeps_quarantined_rows_that_are_not_shown_yet(shore: Shore) -> None:
    publish(shore.lake, shore.lake.open(ORDERS), shore.change(ids(0, 3), bad=2))
    quarantine.follow(shore.lake, ORDERS)
    publish(shore.lake, shore.lake.open(ORDERS), shore.change(ids(3, 6), bad=2))
    age(shore.lake.path(ORDERS.quarantine), 3)
    vacuum(shore.lake, ORDERS.quarantine, keep=timedelta(0), now=LATER)
    quarantine.follow(shore.lake, ORDERS)
    assert shore.count(ORDERS.quarantine) == 4


def test_a_vacuum_of_nothing_does_nothing(shore: Shore) -> None:
    assert vacuum(shore.lake, ORDERS) == Vacuumed()


def test_a_vacuum_touches_no_table_that_is_not_as_we_left_it(shore: Shore) -> None:
    table = shore.publish(ids(0, 3))
    DeltaTable(str(table.path)).delete("id = 1")
    with pytest.raises(LakeError):
        vacuum(shore.lake, ORDERS, now=LATER)


def test_files_of_a_table_that_is_cut_for_its_rows_are_left_alone(shore: Shore) -> None:
    for i in range(3):
        shore.publish(ids(i * 125_000, (i + 1) * 125_000))
    shore.publish(ids(375_000, 375_010))
    shore.publish(ids(375_010, 375_020))
    assert compact(shore.lake, shore.session, ORDERS, shore.scratch()) == 1
    assert shore.count() == 375_020
