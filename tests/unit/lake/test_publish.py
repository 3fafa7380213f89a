"""Publishing: what becomes true, and what is refused before anything does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lagoa.errors import Conflict, LakeError
from lagoa.lake import log
from lagoa.lake.evolve import add_columns, retype
from lagoa.lake.files import fsync, hash_of, new_id
from lagoa.lake.publish import Change, publish
from lagoa.lake.state import CheckResult, Input, load_state
from lagoa.lake.table import Table
from lagoa.testing.shore import ORDERS, Shore, ids


def test_rows_and_state_become_true_by_one_commit(shore: Shore) -> None:
    table = shore.publish(
        ids(0, 10),
        cursor={"id": 9},
        definition={"sql": "select 1"},
        inputs={"bronze.a": Input(state=7)},
        checks=[CheckResult("id unique", "block", 0)],
    )
    assert table.version == 0
    assert len(list((table.path / "_delta_log").glob("*.json"))) == 1
    state = shore.lake.open(ORDERS).state
    assert state is not None
    assert (state.rows, state.cursor, state.definition) == (10, {"id": 9}, {"sql": "select 1"})
    assert state.inputs == {"bronze.a": Input(state=7)}
    assert state.checks == [CheckResult("id unique", "block", 0)]
    assert state.data == state.id
    assert shore.rows(table, "select count(*), min(id), max(id) from {t}") == [(10, 0, 9)]


def test_a_chain_of_states_leads_from_the_newest_to_the_first(shore: Shore) -> None:
    states = [shore.publish(ids(i, i + 1)).state for i in range(4)]
    assert all(states)
    for older, newer in pairwise(states):
        assert older and newer
        assert newer.parent == older.id
        assert newer.id > older.id
        assert newer.version == older.version + 1


def test_an_id_is_above_its_parent_even_when_the_parent_clock_ran_ahead(shore: Shore) -> None:
    future = 1 << 62
    assert new_id(future) > future


def test_files_carry_a_uuid_and_the_hash_of_their_bytes(shore: Shore) -> None:
    table = shore.publish(ids(0, 10))
    for path in table.files:
        found = re.fullmatch(r"part-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([0-9a-f]{32})\.parquet", path)
        assert found
        assert found[1][14] == "7"
        assert hash_of(table.path / path) == found[2]


def test_equal_bytes_are_published_twice(shore: Shore) -> None:
    for _ in range(3):
        shore.publish("select 7::bigint as id, 'same' as s")
    table = shore.lake.open(ORDERS)
    assert len(table.files) == 3
    assert shore.count() == 3
    shore.publish("select 7::bigint as id, 'same' as s", "replace")
    shore.publish("select 7::bigint as id, 'same' as s", "replace")
    assert shore.count() == 1


def test_the_commit_says_nothing_of_a_checkpoint_and_carries_the_run(shore: Shore) -> None:
    for i in range(12):
        shore.publish(ids(i, i + 1), run=f"run-{i}")
    table = shore.lake.open(ORDERS)
    assert not list((table.path / "_delta_log").glob("*checkpoint*"))
    assert log.info_of(log.read_commit(table.path, 11, "t"))["lagoa.run"] == "run-11"


def test_a_rival_makes_the_change_void_and_its_rows_invisible(shore: Shore) -> None:
    shore.publish(ids(0, 10))
    stale = shore.lake.open(ORDERS)
    shore.publish(ids(10, 20))
    for mode in ("append", "replace"):
        with pytest.raises(Conflict) as raised:
            publish(shore.lake, stale, shore.change(ids(20, 30), mode))
        assert raised.value.code == "LG-305"
    assert shore.count() == 20


def test_two_first_runs_leave_one_table(shore: Shore) -> None:
    absent = shore.lake.open(ORDERS)
    assert not absent.exists
    assert absent.version == -1
    publish(shore.lake, absent, shore.change(ids(0, 10)))
    with pytest.raises(Conflict):
        publish(shore.lake, absent, shore.change(ids(0, 10)))
    assert shore.count() == 10


def test_an_append_keeps_the_cursor_when_it_brings_none_and_a_replace_forgets_it(shore: Shore) -> None:
    shore.publish(ids(0, 1), cursor=41)
    kept = shore.publish(ids(1, 2)).state
    assert kept and kept.cursor == 41
    forgotten = shore.publish(ids(0, 1), "replace").state
    assert forgotten and forgotten.cursor is None


def test_a_commit_without_rows_moves_the_cursor_and_is_no_news(shore: Shore) -> None:
    first = shore.publish(ids(0, 5), cursor=1)
    table = publish(shore.lake, first, Change("append", first.schema, cursor=2, changes=[]))
    assert table.state and first.state
    assert (table.version, table.state.cursor, table.state.data) == (1, 2, first.state.data)


def test_a_table_may_be_empty_from_the_start_and_become_empty(shore: Shore) -> None:
    table = shore.publish(ids(0, 0))
    assert (table.exists, table.rows, shore.rows(table)) == (True, 0, [])
    shore.publish(ids(0, 5))
    table = shore.publish(ids(0, 0), "replace")
    assert (table.rows, shore.rows(table), table.schema.names) == (0, [], ["id", "s"])


def test_a_replace_changes_columns_types_and_partitions_at_once(shore: Shore) -> None:
    shore.publish(ids(0, 4))
    table = shore.publish(
        "select i::int as n, i % 2 as p, timestamp '2026-01-01 00:00:00' as t from range(4) r(i)",
        "replace",
        partition_by=("p",),
    )
    assert table.schema.names == ["n", "p", "t"]
    assert tuple(table.partition_by) == ("p",)
    assert [r[:2] for r in shore.rows(table)] == [(0, 0), (1, 1), (2, 0), (3, 1)]
    assert DeltaTable(str(table.path)).count() == 4
    table = shore.publish(ids(0, 3), "replace")
    assert tuple(table.partition_by) == ()
    assert pa.table(DeltaTable(str(table.path)).scan().read_all()).num_rows == 3
    assert shore.count() == 3


def test_partition_values_survive_nulls_slashes_spaces_accents_and_long_names(shore: Shore) -> None:
    values = ["a/b", "ç ã%2F", None, "x" * 190, "=", "#?", "São Paulo"]
    shown = ["null" if v is None else f"'{v}'" for v in values]
    union = " union all ".join(f'select {i}::bigint as id, {v}::varchar as "the place"' for i, v in enumerate(shown))
    table = shore.publish(union, partition_by=("the place",))
    assert shore.rows(table) == list(enumerate(values))
    theirs = {r["id"]: r["the place"] for r in pa.table(DeltaTable(str(table.path)).scan().read_all()).to_pylist()}
    assert [theirs[i] for i in range(len(values))] == values
    assert all((table.path / f).exists() for f in table.files)


def test_an_append_of_other_columns_is_refused(shore: Shore) -> None:
    shore.publish(ids(0, 1))
    for other in ("select 1::bigint as id", "select 1::int as id, 'x' as s", "select 'x' as s, 1::bigint as id"):
        with pytest.raises(LakeError) as raised:
            shore.publish(other)
        assert raised.value.code == "LG-308"
    with pytest.raises(LakeError, match="partitioned"):
        shore.publish(ids(0, 1), partition_by=("s",))


def test_names_that_differ_only_in_case_are_refused(shore: Shore) -> None:
    schema = pa.schema([("id", pa.int64()), ("ID", pa.int64())])
    with pytest.raises(LakeError, match="upper and lower case"):
        publish(shore.lake, shore.lake.open(ORDERS), Change("append", schema))
    assert not shore.lake.open(ORDERS).exists


def test_personal_columns_have_no_statistics_for_us_or_for_others(shore: Shore) -> None:
    sql = "select 1::bigint as id, '123.456.789-09' as cpf"
    table = shore.publish(sql, personal=frozenset({"cpf"}))
    DeltaTable(str(table.path)).delete("id = 99")
    text = "".join(p.read_text() for p in (table.path / "_delta_log").glob("*.json"))
    assert "123.456" not in text
    stats = [json.loads(json.loads(line)["add"]["stats"]) for line in text.splitlines() if '"add":' in line]
    assert all("cpf" not in s["nullCount"] | s["minValues"] | s["maxValues"] for s in stats)
    assert DeltaTable(str(table.path)).metadata().configuration == {"delta.dataSkippingStatsColumns": "`id`"}
    write_deltalake(str(table.path), pa.table({"id": [2], "cpf": ["987.654.321-00"]}), mode="append")
    assert "987.654" not in "".join(p.read_text() for p in (table.path / "_delta_log").glob("*.json"))


def test_a_replace_tells_others_of_new_personal_columns(shore: Shore) -> None:
    shore.publish("select 1::bigint as id, 'a@b.c' as mail")
    table = shore.publish("select 1::bigint as id, 'a@b.c' as mail", "replace", personal=frozenset({"mail"}))
    assert table.live.metadata().configuration["delta.dataSkippingStatsColumns"] == "`id`"
    assert shore.count() == 1


def test_statistics_keep_every_digit(shore: Shore) -> None:
    table = shore.publish("select 99999999999999999.99::decimal(38, 2) as v, {'a': 1} as nested")
    (file,) = table.files.values()
    assert str(file.high["v"]) == "99999999999999999.99"
    assert file.rows == 1
    assert file.nulls.get("nested") is None


def test_what_a_merge_removes_must_be_there(shore: Shore) -> None:
    table = shore.publish(ids(0, 3))
    with pytest.raises(ValueError, match="does not hold"):
        publish(shore.lake, table, Change("merge", table.schema, removes=["part-gone.parquet"]))


def test_empty_text_in_a_partition_column_is_refused_rather_than_made_null(shore: Shore) -> None:
    change = shore.change("select 1::bigint as id, 'a' as p", partition_by=("p",))
    change.adds = [replace(f, partition={"p": ""}) for f in change.adds]
    with pytest.raises(LakeError, match="empty text"):
        publish(shore.lake, shore.lake.open(ORDERS), change)


def test_a_big_cursor_lies_beside_the_state_and_is_read_as_if_it_did_not(shore: Shore) -> None:
    cursor = [{"path": f"landing/file-{i}.csv", "size": i, "hash": f"{i:032x}"} for i in range(3000)]
    table = shore.publish(ids(0, 1), cursor=cursor)
    assert table.state and table.state.cursor == cursor
    home = table.path / "_lagoa" / "state"
    assert (home / f"{table.state.id}.cursor.json.gz").stat().st_size < 100_000
    assert (home / f"{table.state.id}.json").stat().st_size < 10_000
    assert load_state(table.path, table.state.id, cursor=False).cursor is None
    kept = shore.publish(ids(1, 2)).state
    assert kept and kept.cursor == cursor


WRITES: dict[str, Callable[[Shore, Table], object]] = {
    "publish": lambda shore, on: publish(shore.lake, on, shore.change(ids(3, 6))),
    "add_columns": lambda shore, on: add_columns(shore.lake, on, pa.schema([("n", pa.int64())])),
    "retype": lambda shore, on: retype(
        shore.lake, shore.session, on, pa.schema([("id", pa.decimal128(20, 0)), ("s", pa.string())]), shore.scratch()
    ),
}


@pytest.mark.parametrize("write", WRITES)
def test_commits_are_durable_before_they_are_built_upon_and_before_a_write_returns(
    write: str, shore: Shore, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = log.commit_file(shore.publish(ids(0, 3)).path, 0)
    newer = older.with_name(f"{1:020}.json")
    seen: list[tuple[str, bool]] = []

    def watched(path: Path) -> None:
        seen.append((path.name, newer.exists()))
        fsync(path)

    monkeypatch.setattr(log, "fsync", watched)
    WRITES[write](shore, shore.lake.open(ORDERS))
    assert (older.name, False) in seen
    assert ("_delta_log", False) in seen
    assert (newer.name, True) in seen
    assert seen[-1] == ("_delta_log", True)
