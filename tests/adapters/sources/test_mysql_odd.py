"""Tables as nobody wants them: huge, sparse, wide, without keys, in any mode; every cell must be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lagoa import registry
from lagoa.errors import SourceError
from lagoa.testing.mariadb import PASSWORD, MariaServer
from lagoa.testing.sources import Landed, Reader

Read = Callable[..., Landed]
BIG = 18446744073709551615


@pytest.fixture
def sql(mariadb_server: MariaServer) -> Callable[[str], str]:
    name = mariadb_server.database("odd")
    return lambda script: mariadb_server.sql(script, name)


@pytest.fixture
def read(mariadb_server: MariaServer, tmp_path: Path) -> Iterator[Read]:
    engine = registry.adapter("engines", "duckdb")(2, "2GB", tmp_path / "engine")

    def landed(uri: str = "", **stream: Any) -> Landed:
        source = registry.adapter("sources", "mysql")(
            type="mysql", connection=uri or mariadb_server.uri("odd"), streams={"t": {"table": "t", **stream}}
        )
        return Reader(source, tmp_path, engine, tmp_path / "scratch").read("t")

    yield landed
    engine.close()


def values(landed: Landed, *names: str) -> list[tuple[Any, ...]]:
    assert landed.refused == []
    return sorted((tuple(row[n] for n in names) for row in landed.rows), key=repr)


@pytest.mark.parametrize("key", ["id bigint primary key", "id bigint"])
@pytest.mark.parametrize(
    "odd", ["\x1f", "a\x1f", "\x1f" * 2, "\x1fb\x1f", "=", "", "\\", "\\N", "NULL", "\0", "\0\x1f\0"]
)
def test_any_text_survives_beside_nulls_and_empty_texts(
    key: str, odd: str, sql: Callable[[str], str], read: Read
) -> None:
    written = f"x'{odd.encode().hex()}'"
    sql(
        f"create table t ({key}, a varchar(9), b varchar(9) not null, c blob);"
        f"insert into t values (1, {written}, '', {written}), (2, null, {written}, null), (3, '', 'x', '')"
    )
    found = values(read(), "id", "a", "b", "c")
    assert found == [(1, odd, "", odd.encode()), (2, None, odd, None), (3, "", "x", b"")]


def test_one_misleading_value_in_a_large_table_loses_and_doubles_nothing(sql: Callable[[str], str], read: Read) -> None:
    sql(
        "create table t (id int primary key, v varchar(9)); insert into t select seq, seq from seq_1_to_30000;"
        "update t set v = concat(id, x'1f') where id in (1, 9000, 9001, 30000)"
    )
    meant = [(n, f"{n}\x1f" if n in (1, 9000, 9001, 30000) else str(n)) for n in range(1, 30001)]
    assert sorted((r["id"], r["v"]) for r in read().rows) == meant
    assert sorted((r["id"], r["v"]) for r in read(ranges=3).rows) == meant
    sql("alter table t drop primary key")
    assert sorted((r["id"], r["v"]) for r in read().rows) == meant


def test_keys_with_huge_gaps_are_leapt_over(sql: Callable[[str], str], read: Read, mariadb_server: MariaServer) -> None:
    sql(
        "create table t (id bigint primary key, v int);"
        "insert into t select cast(seq as signed) * 1000000000000 - 5000000000000000, seq from seq_1_to_10000;"
        "insert into t select seq, -1 from seq_1_to_5000"
    )
    before = questions(mariadb_server)
    rows = read().rows
    assert questions(mariadb_server) - before < 60
    assert len({r["id"] for r in rows}) == len(rows) == 15000
    assert min(r["id"] for r in rows) == -4999000000000000


def questions(server: MariaServer) -> int:
    return int(server.sql("show global status like 'Questions'").split()[1])


def test_unsigned_keys_beyond_a_signed_bigint(sql: Callable[[str], str], read: Read) -> None:
    sql(f"create table t (id bigint unsigned primary key); insert into t values (0), (9223372036854775808), ({BIG})")
    for ranges in (1, 3):
        assert sorted(int(row["id"]) for row in read(ranges=ranges).rows) == [0, 2**63, BIG]


@pytest.mark.parametrize(
    "table",
    [
        "create table t (id int, v varchar(9))",
        "create table t (id int, v varchar(9), primary key (id, v))",
        "create table t (id int, v varchar(9) primary key)",
        "create table t (id int primary key, v varchar(9)) engine=MyISAM",
        "create table t (id int primary key, v varchar(9)) engine=Aria",
        "create table t (id int primary key, v varchar(9)) engine=MEMORY",
        "create table t (id int primary key, v varchar(9)) partition by hash(id) partitions 4",
        "create table u (id int primary key, v varchar(9)); create view t as select id, v from u",
        "create table t (id int primary key, v varchar(9) collate utf8mb4_bin)",
        "create table t (id int primary key, v varchar(9) character set ucs2)",
        "create table t (id int primary key, v varchar(9) character set latin1)",
        "create table t (id int primary key, v varchar(9)) with system versioning",
        "create table t (id smallint unsigned zerofill primary key, v varchar(9))",
        "create sequence s; create table t (id int primary key default (next value for s), v varchar(9))",
    ],
)
def test_every_sort_of_table_is_read(table: str, sql: Callable[[str], str], read: Read) -> None:
    sql(f"{table};")
    assert read().rows == []
    into = "u" if "create view" in table else "t"
    sql(f"insert into {into} (id, v) values (3, 'ç'), (1, 'a'), (2, '')")
    assert values(read(), "id", "v") == [(1, "a"), (2, ""), (3, "ç")]


def test_generated_and_invisible_columns_are_read(sql: Callable[[str], str], read: Read) -> None:
    sql(
        "create table t (id int primary key, a int as (id * 2) virtual, b varchar(9) as (concat('x', id)) stored, "
        "c int invisible default 7); insert into t (id) values (1), (2)"
    )
    assert values(read(), "id", "a", "b", "c") == [(1, 2, "x1", 7), (2, 4, "x2", 7)]


def test_nulls_where_the_catalog_promises_none(sql: Callable[[str], str], read: Read) -> None:
    sql("create table a (id int not null, v varchar(9) not null); insert into a values (1, 'x'), (1, 'y')")
    query = "select id, v, count(*) as n from a group by id, v with rollup"
    assert values(read(table=None, query=query), "id", "v", "n") == [
        (1, "x", 1),
        (1, "y", 1),
        (1, None, 2),
        (None, None, 2),
    ]
    outer = "select x.id, y.v from a x left join a y on y.v = 'none'"
    assert values(read(table=None, query=outer), "id", "v") == [(1, None)] * 2


def test_a_thousand_columns(sql: Callable[[str], str], read: Read) -> None:
    names = [f"c{n}" for n in range(1000)]
    sql(
        f"create table t (id int primary key, {', '.join(f'{n} varchar(8)' for n in names)}) engine=MyISAM;"
        f"insert into t select seq, {', '.join('seq' for _ in names)} from seq_1_to_50; update t set c500 = null"
    )
    rows = read().rows
    assert len(rows) == 50
    assert all(row[n] == (None if n == "c500" else str(row["id"])) for row in rows for n in names)


def test_texts_and_bytes_of_many_megabytes(mariadb_server: MariaServer, sql: Callable[[str], str], read: Read) -> None:
    sql("set global max_allowed_packet = 1073741824")
    sql(
        "create table t (id int primary key, v longtext character set latin1, b longblob, w longtext);"
        "insert into t values (1, repeat('é', 20000000), repeat(x'00ff', 10000000), null), (2, 'x', 'y', 'z'),"
        "(3, null, null, repeat('ção ', 12000000))"
    )
    meant = [
        (1, "é" * 20_000_000, b"\0\xff" * 10_000_000, None),
        (2, "x", b"y", "z"),
        (3, None, None, "ção " * 12_000_000),
    ]
    for packet in (1 << 30, 16 << 20, 1 << 20):
        sql(f"set global max_allowed_packet = {packet}")
        for stream in ({}, {"table": None, "query": "select * from t"}):
            rows = {row["id"]: row for row in read(**stream).rows}
            for number, v, b, w in meant:
                assert rows[number]["v"] == v, (packet, stream, number)
                assert rows[number]["b"] == b, (packet, stream, number)
                assert rows[number]["w"] == w, (packet, stream, number)
    sql("set global max_allowed_packet = 16777216")


def test_a_cut_of_the_server_s_text_is_noticed_wherever_it_falls(
    sql: Callable[[str], str], read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The windows' texts end near the largest answer, byte by byte."""
    from lagoa.adapters.sources import mysql as adapter
    from lagoa.kit.mysql import line

    settings = tuple(s.replace(str(line.ANSWER), "5000") for s in line._SETTINGS)
    monkeypatch.setattr(line, "_SETTINGS", settings)
    monkeypatch.setattr(adapter, "ANSWER", 5000)
    for extra in range(0, 1100, 97):
        sql(
            "create or replace table t (id int primary key, v text);"
            f"insert into t select seq, repeat('é', 10) from seq_1_to_100; update t set v = repeat('é', {1000 + extra})"
            " where id = 100"
        )
        assert {r["id"]: len(r["v"]) for r in read().rows} == {**dict.fromkeys(range(1, 100), 10), 100: 1000 + extra}


@pytest.mark.parametrize(
    "mode",
    [
        "ANSI_QUOTES",
        "NO_BACKSLASH_ESCAPES",
        "PIPES_AS_CONCAT",
        "ANSI",
        "ORACLE",
        "TRADITIONAL",
        "EMPTY_STRING_IS_NULL",
        "ONLY_FULL_GROUP_BY",
        "HIGH_NOT_PRECEDENCE,IGNORE_SPACE,REAL_AS_FLOAT",
        "",
    ],
)
def test_no_sql_mode_of_the_server_changes_a_cell(mode: str, sql: Callable[[str], str], read: Read) -> None:
    before = sql("select @@global.sql_mode").strip()
    sql(
        "create table t (id int primary key, a varchar(9), b varchar(9), `q'\\\\` int, at datetime not null);"
        "insert into t values (1, '', x'615c62', 7, '2024-01-01'), (2, null, x'2722', null, '2024-01-02')"
    )
    sql(f"set global sql_mode = '{mode}'")
    try:
        found = read(mode="append", cursor="at")
        keyless = read(table=None, query="select * from t")
        again = read(table=r"odd.t", mode="merge", key="id")
    finally:
        sql(f"set global sql_mode = '{before}'")
    meant = [(1, "", "a\\b", 7), (2, None, "'\"", None)]
    for landed in (found, keyless, again):
        assert values(landed, "id", "a", "b", "q'\\\\") == meant


@pytest.mark.parametrize("zone", ["+05:30", "-11:00", "SYSTEM"])
def test_the_server_s_time_zone_changes_no_instant(zone: str, sql: Callable[[str], str], read: Read) -> None:
    sql(
        "create table t (i timestamp(6) not null, d datetime not null); set time_zone = '+00:00';"
        "insert into t values ('2024-07-01 12:00:00.5', '2024-07-01 12:00:00')"
    )
    sql(f"set global time_zone = '{zone}'")
    try:
        landed = read(mode="append", cursor="i")
    finally:
        sql("set global time_zone = 'SYSTEM'")
    assert landed.rows[0]["i"].isoformat() == "2024-07-01T12:00:00.500000+00:00"
    assert landed.rows[0]["d"].isoformat() == "2024-07-01T12:00:00"
    assert landed.cursor["value"] == "2024-07-01 12:00:00.500000+00:00"


def test_a_user_who_may_read_one_table_alone_reads_it_by_its_key(
    sql: Callable[[str], str], read: Read, mariadb_server: MariaServer
) -> None:
    sql(
        "create table t (id int primary key, v int); insert into t values (1, 2); create table hidden (id int);"
        "create or replace user one@127.0.0.1 identified by 'one-password'; grant select on odd.t to one@127.0.0.1"
    )
    uri = mariadb_server.uri("odd").replace(f"lagoa:{quote(PASSWORD, safe='')}", "one:one-password")
    assert values(read(uri), "id", "v") == [(1, 2)]
    with pytest.raises(SourceError) as caught:
        read(uri, table="hidden")
    assert caught.value.code == "LG-203"
    assert "hidden" not in str(caught.value.hint)
    sql("drop user one@127.0.0.1")


def test_a_query_that_warns_of_nothing_serious_lands(sql: Callable[[str], str], read: Read) -> None:
    sql("create table t (v varchar(9)); insert into t values ('12x'), ('7')")
    assert values(read(table=None, query="select v, v + 0 as n from t"), "v", "n") == [("12x", 12.0), ("7", 7.0)]
