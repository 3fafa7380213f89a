"""A pinned version: lazily loaded, read right whoever wrote it, and guarded before its rows are touched."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lagoa.errors import LakeError
from lagoa.lake import log
from lagoa.lake.partition import as_text
from lagoa.lake.restore import accept
from lagoa.lake.state import Input
from lagoa.lake.verify import verify
from lagoa.spec.names import TableName
from lagoa.testing.shore import ORDERS, Shore, ids

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85(data: bytes) -> str:
    data += b"\0" * (-len(data) % 4)
    out = ""
    for (value,) in struct.iter_unpack(">I", data):
        digits = [value // 85**k % 85 for k in (4, 3, 2, 1, 0)]
        out += "".join(Z85[d] for d in digits)
    return out


def deletion_vector(rows: list[int]) -> dict[str, Any]:
    """Encode deleted row numbers as the Delta protocol's inline deletion vector."""
    bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(rows) - 1, 16) + struct.pack(f"<{len(rows)}H", *rows)
    data = struct.pack("<iQI", 1681511377, 1, 0) + bitmap
    return {"storageType": "i", "pathOrInlineDv": z85(data), "sizeInBytes": len(data), "cardinality": len(rows)}


def commit(path: Path, actions: list[dict[str, Any]]) -> None:
    version = DeltaTable(str(path)).version() + 1
    log.commit_file(path, version).write_text("\n".join(json.dumps(a) for a in actions))


def delete_by_vector(path: Path, rows: list[int]) -> None:
    """Delete rows of the table's only file as Spark does: the file stays, a vector hides them."""
    (action,) = pa.table(DeltaTable(str(path)).get_add_actions()).to_pylist()
    file = {"path": action["path"], "dataChange": True}
    stats = json.dumps({"numRecords": action["num_records"]})
    shape = {"partitionValues": {}, "size": action["size_bytes"], "modificationTime": 0, "stats": stats}
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    commit(
        path,
        [
            {"commitInfo": {"timestamp": 1, "operation": "DELETE", "engineInfo": "Apache-Spark"}},
            {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
            {"remove": file | {"deletionTimestamp": 1}},
            {"add": file | shape | {"deletionVector": deletion_vector(rows)}},
        ],
    )


def map_columns(path: Path) -> None:
    """Rename a column as Spark does: only the log knows, the files keep the old name."""
    table = DeltaTable(str(path))
    schema = json.loads(table.schema().to_json())
    for number, field in enumerate(schema["fields"], 1):
        field["metadata"] = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": field["name"]}
    schema["fields"][1]["name"] = "renamed"
    configuration = {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"}
    metadata = {
        "id": str(table.metadata().id),
        "format": {"provider": "parquet", "options": {}},
        "partitionColumns": [],
    }
    commit(
        path,
        [
            {"commitInfo": {"timestamp": 1, "operation": "RENAME COLUMN", "engineInfo": "Apache-Spark"}},
            {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}},
            {"metaData": metadata | {"schemaString": json.dumps(schema), "configuration": configuration}},
        ],
    )


def test_rows_hidden_by_deletion_vectors_are_not_shown(shore: Shore) -> None:
    delete_by_vector(shore.publish(ids(0, 10)).path, [2, 5])
    with pytest.raises(LakeError, match="DELETE by Apache-Spark"):
        shore.lake.open(ORDERS)
    table = accept(shore.lake, ORDERS)
    assert (table.rows, table.plain) == (8, False)
    expected = [i for i in range(10) if i not in (2, 5)]
    assert [r[0] for r in shore.rows(table)] == expected
    twice = "select count(*) from {t} a join {t} b using (id)"
    assert shore.rows(table, twice) == [(8,)], "a bound table can be read twice"
    with pytest.raises(LakeError, match="deletion vectors"):
        table.fileset()
    table = shore.publish(ids(20, 22))
    assert [r[0] for r in shore.rows(table)] == [*expected, 20, 21]
    table = shore.publish(ids(0, 3), "replace")
    assert [r[0] for r in shore.rows(table)] == [0, 1, 2]


def test_mapped_columns_are_read_by_their_new_names_and_never_written(shore: Shore) -> None:
    map_columns(shore.publish(ids(0, 3)).path)
    table = accept(shore.lake, ORDERS)
    assert table.schema.names == ["id", "renamed"]
    assert shore.rows(table) == [(0, "x"), (1, "x"), (2, "x")]
    for mode in ("append", "replace"):
        with pytest.raises(LakeError) as raised:
            shore.publish("select 1::bigint as id, 'y' as renamed", mode)
        assert raised.value.code == "LG-304"
    assert len(shore.rows(shore.lake.open(ORDERS))) == 3


def test_a_table_of_somebody_else_is_read_when_trusted_and_consumed_by_id_and_version(shore: Shore) -> None:
    name = TableName("bronze", "theirs")
    path = shore.lake.path(name)
    write_deltalake(str(path), pa.table({"id": [1, 2]}))
    write_deltalake(str(path), pa.table({"id": [3]}), mode="append")
    before = shore.lake.open(name, trust=True)
    assert before.consumed() == Input(table_id=str(DeltaTable(str(path)).metadata().id), version=1)
    DeltaTable(str(path)).optimize.compact()
    after = shore.lake.open(name, trust=True)
    assert after.version == 2
    assert after.consumed() == before.consumed()
    assert shore.rows(after) == [(1,), (2,), (3,)]


def test_opening_reads_no_more_than_the_newest_commit_and_its_state(
    shore: Shore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(5):
        shore.publish(ids(i, i + 1))

    def never(*args: object, **more: object) -> None:
        raise AssertionError("a handle was loaded")

    monkeypatch.setattr("lagoa.lake.table.DeltaTable", never)
    table = shore.lake.open(ORDERS)
    assert (table.exists, table.version, table.rows) == (True, 4, 5)
    assert table.schema.names == ["id", "s"]
    assert tuple(table.partition_by) == ()
    assert table.consumed().state


def test_a_pinned_version_does_not_move(shore: Shore) -> None:
    table = shore.publish(ids(0, 10))
    shore.publish(ids(0, 3), "replace")
    assert len(shore.rows(table)) == 10
    assert len(shore.rows(shore.lake.open(ORDERS))) == 3


def test_bounds_and_files_say_what_the_log_knows(shore: Shore) -> None:
    shore.publish(ids(0, 10))
    table = shore.publish(ids(10, 20))
    assert sorted(b["id"] for b in table.bounds(["id", "none"]).values()) == [(0, 9), (10, 19)]
    assert {Path(p).parent for p in table.bounds(["id"])} == {table.path}
    assert sum(f.rows for f in table.files.values()) == 20
    one = min(table.files)
    assert table.fileset([one]).paths == [f"{table.path}/{one}"]


def test_partition_values_are_text_as_delta_writes_them(shore: Shore) -> None:
    table = shore.publish(
        "select 1 as id, date '2026-02-03' as d, 1.50::decimal(9, 2) as n, true as b, "
        "timestamp '2026-01-02 03:04:05.000006' as t, timestamptz '2026-01-02 03:04:05+00' as z",
        partition_by=("d", "n", "b", "t", "z"),
    )
    (file,) = table.files.values()
    assert dict(file.partition) == {
        "d": "2026-02-03",
        "n": "1.50",
        "b": "true",
        "t": "2026-01-02 03:04:05.000006",
        "z": "2026-01-02T03:04:05.000000Z",
    }
    row = shore.rows(table)[0]
    assert row[1:4] == (datetime(2026, 2, 3).date(), pytest.approx(1.5), True)
    assert row[4] == datetime(2026, 1, 2, 3, 4, 5, 6)
    assert row[5] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    theirs = pa.table(DeltaTable(str(table.path)).scan().read_all()).to_pylist()[0]
    assert (theirs["t"], theirs["z"]) == (row[4], row[5])
    assert as_text(None) is None


def test_time_travel_goes_by_version_and_by_time(shore: Shore) -> None:
    first = shore.publish(ids(0, 1))
    shore.publish(ids(1, 2))
    assert len(shore.rows(shore.lake.at(ORDERS, 0))) == 1
    state = shore.lake.at(ORDERS, 0).state
    assert state and first.state and state.id == first.state.id
    now = datetime.now(UTC)
    assert shore.lake.at(ORDERS, now + timedelta(hours=1)).version == 1
    assert shore.lake.at(ORDERS, (now + timedelta(hours=1)).replace(tzinfo=None)).version == 1
    found = log.listing(first.path)
    assert found
    at = min(t for _, t, _ in log.times(found, 1, ORDERS))
    assert shore.lake.at(ORDERS, datetime.fromtimestamp(at / 1000, UTC)).version == 0


@pytest.mark.parametrize("when", [2, -1, datetime(2020, 1, 1)])
def test_a_version_that_never_was_is_an_error_with_a_name(shore: Shore, when: int | datetime) -> None:
    shore.publish(ids(0, 1))
    shore.publish(ids(1, 2))
    with pytest.raises(LakeError) as raised:
        shore.lake.at(ORDERS, when)
    assert raised.value.code == "LG-307"


def test_a_table_that_was_never_built_has_no_version_and_no_rows(shore: Shore) -> None:
    table = shore.lake.open(ORDERS)
    assert (table.exists, table.version, table.files, table.schema.names) == (False, -1, {}, [])
    with pytest.raises(LakeError, match="has not been built yet"):
        shore.rows(table)
    with pytest.raises(LakeError) as raised:
        shore.lake.at(ORDERS, 0)
    assert raised.value.code == "LG-307"


def test_the_lake_lists_its_tables_and_their_quarantines(shore: Shore) -> None:
    assert shore.lake.names() == []
    shore.publish(ids(0, 1), bad=1)
    shore.publish(ids(0, 1), name=TableName("gold", "x"))
    (shore.lake.root / "gold" / ".x.broken-1" / "_delta_log").mkdir(parents=True)
    (shore.lake.root / "gold" / "empty").mkdir()
    assert [str(n) for n in shore.lake.names()] == ["gold.x", "quarantine.silver_orders", "silver.orders"]


def test_what_cannot_be_read_or_made_is_an_error_with_a_name(shore: Shore) -> None:
    path = shore.publish(ids(0, 1)).path
    commit = log.commit_file(path, 0)
    commit.unlink()
    commit.mkdir()
    with pytest.raises(LakeError) as raised:
        shore.lake.open(ORDERS)
    assert raised.value.code == "LG-302"
    with pytest.raises(LakeError) as raised:
        shore.lake.at(ORDERS, 0)
    assert raised.value.code == "LG-302"
    assert [f.code for f in verify(shore.lake, ORDERS)] == ["LG-302"]
    name = TableName("gold", "blocked")
    (shore.lake.root / "gold").write_text("a file where a folder should be")
    with pytest.raises(LakeError) as raised:
        shore.publish(ids(0, 1), name=name)
    assert raised.value.code == "LG-306"


@pytest.mark.parametrize("what", ["commit", "checkpoint"])
def test_a_table_that_cannot_be_opened_can_still_be_asked_about_and_rebuilt(shore: Shore, what: str) -> None:
    path = shore.publish(ids(0, 3)).path
    shore.publish(ids(3, 6))
    DeltaTable(str(path)).create_checkpoint()
    torn = path / "_delta_log" / f"{1:020}.{'json' if what == 'commit' else 'checkpoint.parquet'}"
    torn.write_bytes(torn.read_bytes()[:-30])
    with pytest.raises(LakeError):
        shore.rows(shore.lake.open(ORDERS))
    table = shore.lake.open(ORDERS, trust=True)
    assert (dict(table.files), table.rows) == ({}, 0)
    table = shore.publish(ids(0, 2), "replace", trust=True)
    assert (table.version, shore.count()) == (0, 2)
    assert len(list(path.parent.glob(".orders.broken-*"))) == 1
