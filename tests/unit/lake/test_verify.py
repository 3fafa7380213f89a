"""Damage is found and named by file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lagoa.lake import log, maintain
from lagoa.lake.restore import accept
from lagoa.lake.verify import verify
from lagoa.spec.names import TableName
from lagoa.testing.shore import ORDERS, Shore, ids


def part(path: Path) -> Path:
    return min(path.glob("part-*.parquet"))


def flip(path: Path) -> Path:
    file = part(path)
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(data)
    return file


def cut(file: Path, by: int) -> Path:
    file.write_bytes(file.read_bytes()[:-by])
    return file


def lose(file: Path) -> Path:
    file.unlink()
    return file


def newest_state(path: Path) -> Path:
    return max((path / "_lagoa" / "state").glob("*.json"), key=lambda p: int(p.stem))


def oldest_state(path: Path) -> Path:
    return min((path / "_lagoa" / "state").glob("*.json"), key=lambda p: int(p.stem))


def empty(path: Path) -> Path:
    file = log.commit_file(path, 1)
    file.write_bytes(b"")
    return file


def forget(path: Path) -> Path:
    DeltaTable(str(path)).alter.set_table_properties({log.FORGETFUL: "interval 1 days"})
    return path / "_delta_log"


def unrow(path: Path) -> Path:
    commit = log.commit_file(path, 1)
    commit.write_text("\n".join(line for line in commit.read_text().splitlines() if '"add":' not in line))
    return path / "_delta_log"


def dangle(path: Path) -> Path:
    last = path / "_delta_log" / "_last_checkpoint"
    last.write_text('{"version": 77, "size": 3}')
    return last


HARMS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "flipped bit": (flip, "bytes are not those"),
    "missing file": (lambda p: lose(part(p)), "is missing"),
    "cut file": (lambda p: cut(part(p), 10), "bytes where the log says"),
    "empty commit": (empty, "an empty commit"),
    "torn commit": (lambda p: cut(log.commit_file(p, 2), 30), "a torn commit"),
    "missing commit": (lambda p: lose(log.commit_file(p, 1)), "a missing commit"),
    "newest state missing": (lambda p: lose(newest_state(p)), "is missing"),
    "oldest state missing": (lambda p: lose(oldest_state(p)), "the state of version 0 is missing"),
    "newest state cut": (lambda p: cut(newest_state(p), 5), "not those that were written"),
    "lost rows": (unrow, "rows where its state says"),
    "property": (forget, log.FORGETFUL),
    "checkpoint that is not there": (dangle, "names checkpoint 77"),
    "torn name of a checkpoint": (lambda p: _torn(p / "_delta_log" / "_last_checkpoint"), "torn"),
    "torn checkpoint": (lambda p: _checkpoint(p), "a torn checkpoint"),
}


def _torn(file: Path) -> Path:
    file.write_text('{"vers')
    return file


def _checkpoint(path: Path) -> Path:
    DeltaTable(str(path)).create_checkpoint()
    return cut(next((path / "_delta_log").glob("*.checkpoint.parquet")), 50)


@pytest.mark.parametrize("harm", HARMS)
def test_every_damage_is_named_by_file(shore: Shore, harm: str) -> None:
    for i in range(3):
        shore.publish(ids(i * 100, i * 100 + 100))
    path = shore.lake.path(ORDERS)
    assert verify(shore.lake, ORDERS, deep=True) == []
    do, words = HARMS[harm]
    where = do(path)
    found = verify(shore.lake, ORDERS, deep=True)
    assert any(f.path == where and words in f.what for f in found), found
    assert all("silver.orders" in str(f) for f in found)


def test_only_a_deep_look_reads_the_bytes(shore: Shore) -> None:
    shore.publish(ids(0, 100))
    flip(shore.lake.path(ORDERS))
    assert verify(shore.lake, ORDERS) == []


def test_quarantined_rows_and_exact_changes_are_looked_at_too(shore: Shore) -> None:
    shore.publish(ids(0, 3), bad=2)
    file = flip(shore.lake.path(ORDERS.quarantine))
    assert [f.path for f in verify(shore.lake, ORDERS, deep=True)] == [file]
    assert [f.path for f in verify(shore.lake, ORDERS.quarantine, deep=True)] == [file]


def test_files_of_somebody_else_are_read_to_their_end(shore: Shore) -> None:
    name = TableName("bronze", "theirs")
    path = shore.lake.path(name)
    write_deltalake(str(path), pa.table({"id": list(range(1000))}))
    accept(shore.lake, name)
    assert verify(shore.lake, name, deep=True) == []
    file = min(path.glob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[0:60] = b"\0" * 60
    file.write_bytes(data)
    assert [f.path for f in verify(shore.lake, name, deep=True)] == [file]


def test_a_healthy_table_a_compacted_one_and_none_at_all_have_no_findings(shore: Shore) -> None:
    assert verify(shore.lake, ORDERS, deep=True) == []
    for i in range(3):
        shore.publish(ids(i, i + 1), bad=1)
    maintain.compact(shore.lake, shore.session, ORDERS, shore.scratch())
    maintain.checkpoint(shore.lake, ORDERS)
    assert verify(shore.lake, ORDERS, deep=True) == []
