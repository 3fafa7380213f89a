"""A lake that falls through: some tables are read in another folder, and nothing is ever written there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from lagoa.errors import LakeError
from lagoa.lake import quarantine
from lagoa.lake.maintain import checkpoint, compact, vacuum
from lagoa.lake.publish import publish, set_aside
from lagoa.lake.restore import restore
from lagoa.lake.store import Lake
from lagoa.ports import Session
from lagoa.spec.names import TableName
from lagoa.testing.shore import ORDERS, Shore, ids

OTHER = TableName("silver", "other")


def contents(root: Path) -> dict[str, str]:
    files = (p for p in sorted(root.rglob("*")) if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def shore(tmp_path: Path, session: Session) -> Shore:
    made = Shore(tmp_path, session)
    made.publish(ids(0, 3), bad=2)
    made.publish(ids(3, 5))
    made.publish(ids(0, 1), name=OTHER)
    return made


def through(shore: Shore, root: Path) -> Lake:
    return Lake(root / "dev", {ORDERS: shore.lake.root})


def test_a_table_is_read_where_the_lake_falls_through_and_its_quarantine_with_it(shore: Shore, tmp_path: Path) -> None:
    lake = through(shore, tmp_path)
    assert lake.open(ORDERS).rows == 5
    assert lake.at(ORDERS, 0).rows == 3
    assert lake.open(ORDERS.quarantine).rows == 2
    assert not lake.open(OTHER).exists
    assert lake.names() == [ORDERS.quarantine, ORDERS]


def test_a_copy_of_its_own_does_not_count(shore: Shore, tmp_path: Path, session: Session) -> None:
    mine = Shore(tmp_path / "mine", session)
    mine.publish(ids(0, 1))
    lake = Lake(mine.lake.root, {ORDERS: shore.lake.root})
    assert lake.open(ORDERS).rows == 5
    assert mine.lake.open(ORDERS).rows == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda lake, shore: publish(lake, lake.open(ORDERS), shore.change(ids(9, 10))),
        lambda lake, shore: publish(lake, lake.open(ORDERS, trust=True), shore.change(ids(9, 10), "replace")),
        lambda lake, shore: compact(lake, shore.session, ORDERS, shore.scratch()),
        lambda lake, _: checkpoint(lake, ORDERS),
        lambda lake, _: vacuum(lake, ORDERS),
        lambda lake, _: restore(lake, ORDERS, 0),
        lambda lake, _: set_aside(lake, lake.open(ORDERS)),
    ],
)
def test_nothing_is_written_there(shore: Shore, tmp_path: Path, write: Callable[[Lake, Shore], object]) -> None:
    before = contents(shore.lake.root)
    with pytest.raises(LakeError) as refused:
        write(through(shore, tmp_path), shore)
    assert refused.value.code == "LG-310"
    assert contents(shore.lake.root) == before


def test_what_was_left_undone_there_is_not_done_from_here(shore: Shore, tmp_path: Path) -> None:
    lake = through(shore, tmp_path)
    publish(shore.lake, shore.lake.open(ORDERS), shore.change(ids(5, 6), bad=1))  # killed before its quarantine
    before = contents(shore.lake.root)
    with pytest.raises(LakeError, match="another target's lake"):
        quarantine.follow(lake, ORDERS)
    assert contents(shore.lake.root) == before
