"""New columns and wider types: no value is lost, no reader has news."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lagoa.errors import Conflict, LakeError
from lagoa.lake.changes import changed
from lagoa.lake.evolve import add_columns, retype
from lagoa.testing.shore import ORDERS, Shore, ids

WIDE = pa.schema([("id", pa.decimal128(20, 0)), ("s", pa.string())])


def test_a_new_column_is_null_in_every_row_there_is(shore: Shore) -> None:
    before = shore.publish(ids(0, 3), cursor=7, definition="one")
    table = add_columns(shore.lake, before, pa.schema([("n", pa.int64()), ("t", pa.timestamp("us"))]), definition="two")
    assert shore.rows(table)[0] == (0, "x", None, None)
    assert table.state and before.state
    assert (table.state.mode, table.state.cursor, table.state.definition) == ("schema", 7, "two")
    assert table.state.data == before.state.data
    assert changed(shore.lake, table, before.state.data).kind == "nothing"
    table = shore.publish("select 9::bigint as id, 'y' as s, 1::bigint as n, timestamp '2026-01-01' as t")
    assert changed(shore.lake, table, before.state.data).kind == "appended"
    assert pa.table(DeltaTable(str(table.path)).scan().read_all()).column("n").null_count == 3
    assert len(shore.rows(table)) == 4


def test_a_new_personal_column_is_hidden_from_the_statistics_of_others(shore: Shore) -> None:
    before = shore.publish(ids(0, 3))
    table = add_columns(shore.lake, before, pa.schema([("cpf", pa.string())]), personal=frozenset({"cpf"}))
    assert table.live.metadata().configuration["delta.dataSkippingStatsColumns"] == "`id`,`s`"
    assert table.state and table.state.personal == ["cpf"]


def test_a_column_that_is_there_in_other_letters_is_refused(shore: Shore) -> None:
    with pytest.raises(LakeError, match="upper and lower"):
        add_columns(shore.lake, shore.publish(ids(0, 3)), pa.schema([("ID", pa.int64())]))


def test_a_stale_table_cannot_evolve(shore: Shore) -> None:
    stale = shore.publish(ids(0, 3))
    shore.publish(ids(3, 6))
    with pytest.raises(Conflict):
        add_columns(shore.lake, stale, pa.schema([("n", pa.int64())]))
    with pytest.raises(Conflict):
        retype(shore.lake, shore.session, stale, WIDE, shore.scratch())
    assert shore.count() == 6


def test_a_wider_type_keeps_every_value_and_is_no_news(shore: Shore) -> None:
    shore.publish(ids(0, 5), cursor=3)
    before = shore.publish("select 9223372036854775807 as id, null::varchar as s")
    table = retype(shore.lake, shore.session, before, WIDE, shore.scratch(), "r2", definition="wide")
    assert table.schema.field("id").type == pa.decimal128(20, 0)
    assert [int(r[0]) for r in shore.rows(table)] == [0, 1, 2, 3, 4, 9223372036854775807]
    assert table.state and before.state
    assert (table.state.data, table.state.cursor, table.state.definition) == (before.state.data, 3, "wide")
    assert pa.table(DeltaTable(str(table.path)).scan().read_all()).num_rows == 6
    after = shore.publish("select 8::decimal(20, 0) as id, 'z' as s")
    assert changed(shore.lake, after, before.state.data).kind == "appended"


def test_a_partitioned_table_is_retyped_partition_column_and_all(shore: Shore) -> None:
    before = shore.publish("select i::int as p, i::int as v from range(4) t(i)", partition_by=("p",))
    table = retype(
        shore.lake,
        shore.session,
        before,
        pa.schema([("p", pa.int64()), ("v", pa.int64()), ("n", pa.string())]),
        shore.scratch(),
    )
    assert shore.rows(table) == [(i, i, None) for i in range(4)]
    assert tuple(table.partition_by) == ("p",)


def test_an_empty_table_is_retyped(shore: Shore) -> None:
    table = retype(shore.lake, shore.session, shore.publish(ids(0, 0)), WIDE, shore.scratch())
    assert (table.rows, table.schema.field("id").type) == (0, pa.decimal128(20, 0))


def test_what_could_lose_a_value_is_refused(shore: Shore) -> None:
    table = shore.publish(ids(0, 3))
    for become in (
        pa.schema([("id", pa.int32()), ("s", pa.string())]),
        pa.schema([("id", pa.float64()), ("s", pa.string())]),
        pa.schema([("id", pa.int64())]),
    ):
        with pytest.raises(LakeError) as raised:
            retype(shore.lake, shore.session, table, become, shore.scratch())
        assert raised.value.code == "LG-308"
    assert shore.lake.open(ORDERS).version == 0


def test_personal_columns_stay_without_statistics_when_retyped(shore: Shore) -> None:
    before = shore.publish(ids(0, 3, "123.456.789-09"), personal=frozenset({"s"}))
    table = retype(shore.lake, shore.session, before, WIDE, shore.scratch())
    assert "123.456" not in "".join(p.read_text() for p in (table.path / "_delta_log").glob("*.json"))
