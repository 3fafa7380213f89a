"""Going back: rows, columns and state together, by one commit."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lagoa.errors import Conflict, LakeError
from lagoa.lake import restore as restoring
from lagoa.lake.changes import changed
from lagoa.lake.evolve import add_columns
from lagoa.lake.restore import accept, restore
from lagoa.lake.settle import Try, settle
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.spec.names import TableName
from lagoa.testing.shore import ORDERS, Shore, ids


def test_rows_cursor_definition_and_columns_come_back_by_one_commit(shore: Shore) -> None:
    shore.publish(ids(0, 10), cursor=1, definition="one")
    first = shore.lake.open(ORDERS)
    shore.publish(ids(10, 20), cursor=2, definition="two")
    add_columns(shore.lake, shore.lake.open(ORDERS), pa.schema([("n", pa.int64())]))
    table = restore(shore.lake, ORDERS, 0, "r9")
    assert (table.version, table.rows, table.schema.names) == (3, 10, ["id", "s"])
    state = table.state
    assert state and first.state
    assert (state.mode, state.cursor, state.definition, state.run) == ("restore", 1, "one", "r9")
    assert state.data == state.id
    assert changed(shore.lake, table, first.state.data).kind == "everything"
    assert [r[0] for r in shore.rows(table)] == list(range(10))
    assert shore.publish(ids(10, 12)).rows == 12


def test_exact_statistics_survive_a_restore(shore: Shore) -> None:
    shore.publish("select 99999999999999999.99::decimal(38, 2) as v")
    shore.publish("select 1::decimal(38, 2) as v", "replace")
    table = restore(shore.lake, ORDERS, 0)
    (file,) = table.files.values()
    assert str(file.high["v"]) == "99999999999999999.99"


def test_partitions_come_back_too(shore: Shore) -> None:
    shore.publish("select i::bigint as id, i % 2 as p from range(6) t(i)", partition_by=("p",))
    shore.publish(ids(0, 3), "replace")
    table = restore(shore.lake, ORDERS, 0)
    assert tuple(table.partition_by) == ("p",)
    assert len(shore.rows(table)) == 6
    assert pa.table(DeltaTable(str(table.path)).scan().read_all()).num_rows == 6


def test_restoring_what_is_there_writes_nothing(shore: Shore) -> None:
    shore.publish(ids(0, 3))
    assert restore(shore.lake, ORDERS, 0).version == 0


def test_a_restore_is_undone_by_a_restore(shore: Shore) -> None:
    shore.publish(ids(0, 3), cursor=1)
    shore.publish(ids(3, 9), cursor=2)
    restore(shore.lake, ORDERS, 0)
    table = restore(shore.lake, ORDERS, 1)
    assert table.state and (table.rows, table.state.cursor) == (9, 2)


@pytest.mark.parametrize("version", [7, -2])
def test_a_version_that_never_was_cannot_come_back(shore: Shore, version: int) -> None:
    shore.publish(ids(0, 3))
    with pytest.raises(LakeError) as raised:
        restore(shore.lake, ORDERS, version)
    assert raised.value.code == "LG-307"


def test_a_version_of_somebody_else_or_without_its_files_or_state_cannot_come_back(shore: Shore) -> None:
    table = shore.publish(ids(0, 3))
    shore.publish(ids(3, 6), "replace")
    DeltaTable(str(table.path)).delete("id = 4")
    accept(shore.lake, ORDERS)
    with pytest.raises(LakeError, match="not one that Lagoa wrote"):
        restore(shore.lake, ORDERS, 2)
    (table.path / next(iter(table.files))).unlink()
    with pytest.raises(LakeError, match="has been vacuumed"):
        restore(shore.lake, ORDERS, 0)
    assert table.state
    (table.path / "_lagoa" / "state" / f"{table.state.id}.json").unlink()
    with pytest.raises(LakeError, match="not one that Lagoa wrote"):
        restore(shore.lake, ORDERS, 0)


def test_a_restore_loses_against_a_rival(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    shore.publish(ids(0, 3))
    shore.publish(ids(3, 6))
    honest = settle

    def beaten(lake: Lake, table: Table, attempt: Callable[[Table], Try | None]) -> Table:
        shore.publish(ids(6, 9))
        return honest(lake, table, attempt)

    monkeypatch.setattr(restoring, "settle", beaten)
    with pytest.raises(Conflict):
        restore(shore.lake, ORDERS, 0)
    monkeypatch.undo()
    assert shore.count() == 9


def test_a_table_that_is_ours_needs_no_accepting(shore: Shore) -> None:
    shore.publish(ids(0, 3))
    assert accept(shore.lake, ORDERS).version == 0
    with pytest.raises(LakeError, match="has not been built"):
        accept(shore.lake, TableName("gold", "none"))
