"""A table's versions as a person asks for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from deltalake import DeltaTable

from lagoa.lake.history import history
from lagoa.testing.shore import ORDERS, Shore, ids


def test_versions_come_newest_first_with_who_made_them(shore: Shore) -> None:
    shore.publish(ids(0, 3), run="r1")
    table = shore.publish(ids(0, 5), "replace", run="r2")
    DeltaTable(str(table.path)).delete("id = 1")
    found = history(shore.lake, ORDERS)
    assert [(v.version, v.mode, v.rows, v.run, v.ours) for v in found] == [
        (2, "delete", None, None, False),
        (1, "replace", 5, "r2", True),
        (0, "append", 3, "r1", True),
    ]
    assert all(datetime.now(UTC) - v.at < timedelta(minutes=5) for v in found)
    assert [v.version for v in history(shore.lake, ORDERS, limit=1)] == [2]


def test_a_lost_state_is_said_and_a_table_that_is_not_there_has_no_history(shore: Shore) -> None:
    assert history(shore.lake, ORDERS) == []
    table = shore.publish(ids(0, 3), run="r1")
    assert table.state
    (table.path / "_lagoa" / "state" / f"{table.state.id}.json").unlink()
    (only,) = history(shore.lake, ORDERS)
    assert (only.mode, only.rows, only.ours) == ("unknown (its state is lost)", None, True)
