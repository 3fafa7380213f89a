"""A portion's rows in the table's columns, with the reason beside each row that does not fit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from lagoa.ingest.drift import settle
from lagoa.ingest.shape import fingerprint, shaped, unmet
from lagoa.ports import Session
from lagoa.spec.stream import Stream

AT = datetime(2026, 11, 20, 6, 14, tzinfo=UTC)


def rows(session: Session, sql: str, held: dict[str, Any] | None = None, **stream: Any) -> list[dict[str, Any]]:
    """Shape the rows of a query for a table of these columns."""
    spec = Stream.model_validate(stream)
    before = pa.schema(list(held.items())) if held else None
    arriving = session.schema(sql)
    names = [n for n in arriving.names if not n.startswith("_")]
    drift = settle(pa.schema([arriving.field(n) for n in names]), before, spec, {}, "erp.x")
    found: list[dict[str, Any]] = session.arrow(shaped(sql, arriving, drift, spec, "r1", AT)).read_all().to_pylist()
    return found


def test_rows_gain_the_columns_of_every_bronze_table(session: Session) -> None:
    assert rows(session, "select 1 as id, 'x@1' as _source") == [
        {"id": 1, "_run": "r1", "_loaded_at": AT, "_source": "x@1"}
    ]


def test_a_value_that_does_not_survive_the_way_there_and_back_is_refused(session: Session) -> None:
    sql = "select unnest([1.5, 2.0])::double as id, 'x' as _source"
    found = rows(session, sql, {"id": pa.int64()})
    assert [(r["id"], r["_reason"]) for r in found] == [(None, "id is not bigint"), (2, None)]
    assert found[0]["_raw"] == '{"id":1.5}'


def test_a_missing_column_is_null_and_a_refused_one_needs_a_value_to_matter(session: Session) -> None:
    sql = "select unnest([1, 2]) as id, unnest([null, 'v']) as extra, 'x' as _source"
    found = rows(session, sql, {"id": pa.int32()}, schema="quarantine")
    assert [r["_reason"] for r in found] == [None, "unknown column extra"]
    found = rows(session, "select 1 as id, 'x' as _source", {"id": pa.int32(), "name": pa.string()})
    assert found[0]["name"] is None


def test_a_merged_row_without_its_key_is_refused(session: Session) -> None:
    sql = "select unnest([1, null]) as id, 'x' as _source"
    found = rows(session, sql, mode="merge", key="id")
    assert [r["_reason"] for r in found] == [None, "key id is null"]


def test_rows_read_again_are_taken_as_many_times_as_they_are_new(session: Session) -> None:
    session.run("create table held as from (values (1, 'a'), (1, 'a'), (2, null)) t(id, v)")
    session.run("create table came as from (values (1, 'a'), (1, 'a'), (1, 'a'), (2, null), (3, 'c')) t(id, v)")
    found = session.rows(unmet("held", "came", ["id", "v"], "true"))
    assert sorted(found) == [(1, "a"), (3, "c")]
    assert len(session.rows(unmet("held", "came", ["id", "v"], "id > 1"))) == 4


def test_equal_multisets_have_equal_fingerprints_and_others_have_not(session: Session) -> None:
    one = fingerprint("(values (1, 'a'), (2, null)) t(id, v)", ["id", "v"])
    assert session.rows(one) == session.rows(fingerprint("(values (2, null), (1, 'a')) t(id, v)", ["id", "v"]))
    for other in ("(1, 'a'), (1, 'a')", "(1, 'a'), (2, '')", "(1, null), (2, 'a')", "(1, 'a')"):
        assert session.rows(one) != session.rows(fingerprint(f"(values {other}) t(id, v)", ["id", "v"]))


def test_rows_without_columns_are_compared_by_their_number(session: Session) -> None:
    session.run("create temp table bare as select 1 as x from range(3)")
    assert session.rows(fingerprint("bare", [])) == [(3,)]
