"""The mysql source against a real server: the contract, the modes, hostile names, and errors that help."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from pydantic import ValidationError

from lagoa import registry
from lagoa.errors import SourceError
from lagoa.ports import SOURCE, Portion, Reading, Source
from lagoa.testing.mariadb import PASSWORD, MariaServer
from lagoa.testing.sources import Reader, SourceContract, multiset

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/mysql.md"
CANARIES = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), "c4n@ry", "c4n%40ry")
SHOP = """
create table orders (id bigint primary key auto_increment, amount decimal(12,2), at timestamp(6) not null);
create table customers (id varchar(36) primary key, name text, notes text, updated_at datetime);
create view paid as select id, amount from orders where amount > 3;
insert into orders (amount, at)
select seq * 1.5, timestamp '2024-01-01 00:00:00' + interval seq hour from seq_1_to_20;
delete from orders where id = 18;
insert into customers select md5(seq), concat('c', seq), 'secret',
timestamp '2024-01-01 00:00:00' + interval seq div 3 day from seq_1_to_10;
insert into customers values (md5('none'), 'never changed', null, null);
"""
STREAMS: dict[str, Any] = {
    "orders": {"table": "shop.orders", "mode": "append", "cursor": "id", "lag": 5},
    "late": {"table": "orders", "mode": "append", "cursor": "at", "lag": "3h"},
    "customers": {
        "table": "shop.customers",
        "mode": "merge",
        "key": "id",
        "cursor": "updated_at",
        "columns": {"notes": {"drop": True}},
    },
    "compared": {"table": "customers", "mode": "merge", "key": "id", "deletes": "compare"},
    "everything": {"table": "orders", "ranges": 3},
    "paid": {"table": "paid"},
    "report": {"query": "select date(at) as day, sum(amount) as total from orders group by 1; "},
}


def mysql(uri: str, **streams: Any) -> Source:
    found: Source = registry.adapter("sources", "mysql")(
        type="mysql", connection=uri, streams=streams, connect_timeout="2s", idle_timeout="20s"
    )
    return found


@pytest.fixture
def shop(mariadb_server: MariaServer) -> str:
    name = mariadb_server.database("shop")
    mariadb_server.sql("set time_zone = '+00:00';" + SHOP, name)
    return mariadb_server.uri(name)


@pytest.fixture
def sql(mariadb_server: MariaServer) -> Callable[[str], str]:
    return lambda script: mariadb_server.sql("set time_zone = '+00:00';" + script, "shop")


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


class TestMySQL(SourceContract):
    secrets = CANARIES
    page = PAGE

    @pytest.fixture
    def source(self, shop: str) -> Source:
        return mysql(shop, **STREAMS)

    @pytest.fixture
    def grow(self, sql: Callable[[str], str]) -> Callable[[str], None]:
        scripts = {
            # the second row comes late: it commits below the highest value, inside the lag
            "orders": "insert into orders values (100, 7, '2024-01-01'), (18, 1, '2024-01-01')",
            "late": "insert into orders (amount, at) values (7, '2024-01-01 18:30'), (8, '2024-01-01 20:00');"
            "insert into orders (amount, at) values (9, '2024-03-01')",
            "customers": "update customers set name = 'new', updated_at = '2024-01-04' where name in ('c1', 'c9'); "
            "insert into customers values (md5('tie'), 'tie', null, '2024-01-04'); "
            "update customers set name = 'changed without a time' where updated_at is null",
            "compared": "insert into customers values ('another', 'tie', null, '2024-01-04')",
        }
        return lambda stream: void(sql(scripts[stream]))

    @pytest.fixture
    def broken(self, shop: str, mariadb_server: MariaServer) -> list[Source]:
        one = {"orders": {"table": "shop.orders"}}
        return [
            mysql(mariadb_server.uri("shop", port=9), **one),
            mysql(mariadb_server.uri("shop", password=PASSWORD + "!"), **one),
            mysql(mariadb_server.uri("no_such_database"), **one),
            mysql(f"mysql://lagoa:{PASSWORD}@127.0.0.1:{mariadb_server.port}/shop", **one),
            mysql(f"postgresql://lagoa:{quote(PASSWORD, safe='')}@127.0.0.1/shop", **one),
            mysql(f"host=127.0.0.1 password={PASSWORD}", **one),
            mysql(f"mysql://lagoa:{quote(PASSWORD, safe='')}@127.0.0.1", **one),
            mysql(f"mysql://lagoa:{quote(PASSWORD, safe='')}@a,b/shop", **one),
            mysql(shop + f"?password={quote(PASSWORD, safe='')}", **one),
            mysql(shop + f"?ssl_ca=/{quote(PASSWORD, safe='')}", **one),
            mysql(shop, orders={"table": "shop.order"}),
            mysql(shop, orders={"query": "select 'c4n@ry' from nowhere"}),
        ]


def void(_: object) -> None:
    """Take a value and give none."""


def failure(source: Source, folder: Path, since: Any = None, **more: Any) -> SourceError:
    name = next(iter(source.streams))
    with pytest.raises(SourceError) as caught:
        for batch in source.read(Reading(name, since, folder, folder, f"bronze.shop_{name}", **more)):
            for portion in batch.portions:
                assert not isinstance(portion.rows, str)
                try:
                    portion.rows.read_all()
                except pa.ArrowException:
                    pass
                finally:
                    portion.close()
    return caught.value


def test_an_unreachable_server_is_worth_a_retry_and_a_wrong_password_is_not(
    shop: str, mariadb_server: MariaServer, tmp_path: Path
) -> None:
    gone = failure(mysql(mariadb_server.uri(port=9), t={"table": "t"}), tmp_path)
    assert (gone.code, gone.retry) == ("LG-201", True)
    assert "127.0.0.1:9/test as lagoa" in gone.message
    wrong = failure(mysql(mariadb_server.uri(password="guess-me"), t={"table": "t"}), tmp_path)
    assert (wrong.code, wrong.retry) == ("LG-201", False)
    assert "Access denied" in wrong.message
    assert "guess-me" not in wrong.message


@pytest.mark.parametrize(
    ("stream", "code", "hint"),
    [
        ({"table": "shop.order"}, "LG-203", "`shop.orders`"),
        ({"table": "Orders"}, "LG-203", "`shop.orders`"),
        ({"table": "shopp.orders"}, "LG-203", "`shop.orders`"),
        ({"table": "orders", "mode": "append", "cursor": "idd"}, "LG-203", "`id`"),
        ({"table": "orders", "mode": "merge", "key": "ids"}, "LG-203", "`id`"),
        ({"table": "customers", "columns": {"note": {"drop": True}}}, "LG-203", "`notes`"),
        ({"table": "customers", "columns": {"Name": {"pii": "name"}}}, "LG-203", "`name`"),
        ({"query": "select idd from orders"}, "LG-203", "query"),
        ({"query": "select * from nowhere"}, "LG-203", "query"),
        ({"query": "selec 1"}, "LG-202", "names"),
        ({"query": "select 1 as a, 2 as A"}, "LG-202", "names"),
        ({"query": "select 1 as _source"}, "LG-206", "another name"),
        ({"table": "customers", "mode": "append", "cursor": "updated_at"}, "LG-207", "merge"),
        ({"query": "select x'00' as b", "mode": "append", "cursor": "b"}, "LG-207", "grows"),
        ({"table": "orders", "mode": "append", "cursor": "id", "lag": "1h"}, "LG-207", "lag: 1000"),
        ({"table": "orders", "mode": "append", "cursor": "at", "lag": 5}, "LG-207", "length of time"),
    ],
)
def test_what_the_project_got_wrong_is_said_with_what_to_do(
    stream: dict[str, Any], code: str, hint: str, shop: str, tmp_path: Path
) -> None:
    error = failure(mysql(shop, t=stream), tmp_path)
    assert (error.code, error.retry) == (code, False)
    assert hint in str(error.hint)


def test_null_cursors_are_counted_in_the_error_of_an_append(shop: str, tmp_path: Path) -> None:
    error = failure(mysql(shop, c={"table": "customers", "mode": "append", "cursor": "updated_at"}), tmp_path)
    assert error.message == "1 rows of bronze.shop_c have no `updated_at`, so an append by it would skip them"


@pytest.mark.parametrize(
    "stream",
    [
        {},
        {"table": "t", "query": "select 1"},
        {"table": "t", "mode": "append"},
        {"table": "t", "lag": 1},
        {"table": "t", "cursor": "id"},
        {"table": "t", "ranges": 0},
        {"table": "t", "ranges": 65},
    ],
)
def test_a_stream_that_cannot_be_read_is_refused_when_it_is_declared(stream: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mysql("mysql://x@y/z", t=stream)


def test_a_cursor_of_another_column_is_not_taken_up(shop: str, tmp_path: Path) -> None:
    source = mysql(shop, o={"table": "orders", "mode": "append", "cursor": "at"})
    error = failure(source, tmp_path, {"column": "id", "type": "bigint", "value": "7"})
    assert error.code == "LG-207"
    assert "--reset-cursor" in str(error.hint)


def test_a_cursor_keeps_its_exact_text(sql: Callable[[str], str], shop: str, read: Callable[[Source], Reader]) -> None:
    sql(
        "create table c (n decimal(38,18) not null, t timestamp(6) not null, x varchar(9) not null, u bigint unsigned "
        "not null, d double not null);"
        "insert into c values (12345678901234567890.000000000000000001, '2024-01-01 03:00:00.000001', 'Z', "
        "18446744073709551615, 0.1e0 + 0.2e0), (2, '2020-01-01', 'b', 1, 0)"
    )
    values = {}
    for column in "ntxud":
        landed = read(mysql(shop, c={"table": "c", "mode": "append", "cursor": column})).read("c")
        values[column] = landed.cursor["type"], landed.cursor["value"]
    assert values == {
        "n": ("decimal", "12345678901234567890.000000000000000001"),
        "t": ("timestamp", "2024-01-01 03:00:00.000001+00:00"),
        "x": ("varchar", "b"),
        "u": ("bigint", "18446744073709551615"),
        "d": ("double", "0.30000000000000004"),
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("tinyint", "{}"),
        ("smallint unsigned", "{}"),
        ("int(6) unsigned zerofill", "{}"),
        ("bigint unsigned", "18446744073709551610 + {}"),
        ("decimal(20,4)", "{}.5"),
        ("decimal(65,2)", "concat(repeat('9', 60), {})"),
        ("double", "{} / 3e0"),
        ("year", "2000 + {}"),
        ("date", "date '2024-01-01' + interval {} day"),
        ("datetime(6)", "timestamp '2024-01-01 00:00:00.000001' + interval {} second"),
        ("timestamp", "timestamp '2024-01-01 00:00:00' + interval {} second"),
        ("varchar(20)", "concat('é', {})"),
        ("varchar(20) character set latin1", "concat('é', {})"),
        ("uuid", "concat('00000000-0000-0000-0000-00000000000', {})"),
    ],
)
def test_every_type_of_cursor_reads_ties_once(
    kind: str, value: str, sql: Callable[[str], str], shop: str, read: Callable[[Source], Reader]
) -> None:
    make = value.format
    sql(f"create table ties (c {kind} not null, n int); insert into ties values ({make(1)}, 1), ({make(2)}, 2)")
    reader = read(mysql(shop, ties={"table": "ties", "mode": "append", "cursor": "c"}))
    first = reader.read("ties")
    sql("insert into ties select c, 3 from ties where n = 2; insert into ties select c, 3 from ties where n = 2")
    news = reader.read("ties", first.cursor, first)
    assert [row["n"] for row in news.rows] == [3, 3]
    assert news.cursor == first.cursor


def test_texts_are_compared_by_their_bytes_whatever_their_collation(
    sql: Callable[[str], str], shop: str, read: Callable[[Source], Reader]
) -> None:
    sql("create table x (c varchar(9) collate utf8mb4_general_ci not null); insert into x values ('a'), ('B'), ('b')")
    reader = read(mysql(shop, x={"table": "x", "mode": "append", "cursor": "c"}))
    first = reader.read("x")
    assert first.cursor["value"] == "b"
    sql("insert into x values ('c'), ('C')")
    assert [row["c"] for row in reader.read("x", first.cursor, first).rows] == ["c"]


def test_a_float_is_no_cursor(sql: Callable[[str], str], shop: str, tmp_path: Path) -> None:
    sql("create table f (c float not null)")
    error = failure(mysql(shop, f={"table": "f", "mode": "append", "cursor": "c"}), tmp_path)
    assert error.message == "column `c` is float, which is no cursor"


def test_no_batch_means_no_news(shop: str, sql: Callable[[str], str], tmp_path: Path) -> None:
    sql("delete from orders where id > 5")
    source = mysql(shop, o={"table": "orders", "mode": "append", "cursor": "id"})
    since = {"column": "id", "type": "bigint", "value": "20"}
    assert list(source.read(Reading("o", since, tmp_path, tmp_path, "bronze.shop_o"))) == []


def test_the_cursor_never_goes_back_when_rows_vanish(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader]
) -> None:
    source = mysql(shop, o={"table": "orders", "mode": "append", "cursor": "id", "lag": 10})
    sql("delete from orders where id > 15")
    assert read(source).read("o", {"column": "id", "type": "bigint", "value": "20"}).cursor["value"] == "20"


def test_hostile_names_are_read_and_become_names_that_delta_allows(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader]
) -> None:
    sql(
        "create table `Weird ``Name``.; DROP TABLE orders` (`Preço (R$)` int, `a\"b'c` int, `seleção` int, `t` int, "
        "`j;{}=` int, `%s {0}` decimal(4,1), `select` date, `\\\\` int);"
        "insert into `Weird ``Name``.; DROP TABLE orders` values (1, 2, 3, 4, 5, 6.5, '2024-01-01', 7)"
    )
    weird = "shop.`Weird ``Name``.; DROP TABLE orders`"
    landed = read(mysql(shop, w={"table": weird})).read("w")
    assert landed.schema is not None
    assert landed.schema.names == ["Preço__R$_", "a\"b'c", "seleção", "t", "j____", "%s__0_", "select", "\\\\"]
    assert [list(row.values())[:6] for row in landed.rows] == [[1, 2, 3, 4, 5, pytest.approx(6.5)]]
    columns = {"Preço (R$)": {"drop": True}, "j;{}=": {"pii": "name"}}
    renamed = mysql(shop, w={"table": weird, "mode": "merge", "key": ["seleção", "j;{}="], "columns": columns})
    landed = read(renamed).read("w")
    assert [row[SOURCE] for row in landed.rows] == ["w"]  # a personal key is not repeated
    assert landed.schema is not None
    assert "Preço__R$_" not in landed.schema.names
    assert sql("select count(*) from orders").strip() == "19"


def test_tables_whose_names_differ_in_case_are_told_apart(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader]
) -> None:
    sql("create table Twin (a int primary key); create table twin (b varchar(3)); insert into twin values ('x')")
    reader = read(mysql(shop, upper={"table": "Twin"}, lower={"table": "twin"}))
    upper, lower = reader.read("upper"), reader.read("lower")
    assert upper.schema is not None
    assert (upper.schema.names, upper.rows) == (["a"], [])
    assert [row["b"] for row in lower.rows] == ["x"]


def test_dropped_columns_are_never_asked_for_not_even_a_key(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader]
) -> None:
    sql("set global log_output = 'TABLE'; truncate mysql.general_log; set global general_log = 1")
    dropped = {"id": {"drop": True}, "notes": {"drop": True}}
    try:
        reader = read(mysql(shop, o={"table": "orders", "columns": {"id": {"drop": True}}}))
        landed = reader.read("o")
        assert landed.schema is not None
        assert (landed.schema.names, len(landed.rows)) == (["amount", "at"], 19)
        assert len(read(mysql(shop, c={"table": "customers", "columns": dropped})).read("c").rows) == 11
    finally:
        asked = sql("set global general_log = 0; select argument from mysql.general_log where user_host like 'lagoa%'")
    assert "`amount`" in asked
    assert "`name`" in asked
    assert [word for word in ("`id`", "`notes`", "*") if word in asked.replace("count(*)", "")] == []


def test_a_column_that_is_to_be_dropped_and_cannot_be_seen_is_an_error(
    shop: str, sql: Callable[[str], str], tmp_path: Path
) -> None:
    sql(
        "create or replace user clerk@127.0.0.1 identified by 'clerk-password';"
        "grant select (amount, at) on shop.orders to clerk@127.0.0.1"
    )
    uri = shop.replace(f"lagoa:{quote(PASSWORD, safe='')}", "clerk:clerk-password")
    error = failure(mysql(uri, o={"table": "orders", "columns": {"id": {"drop": True}}}), tmp_path)
    assert error.message == "bronze.shop_o has no column `id`, which is to be dropped"
    sql("drop user clerk@127.0.0.1")


def test_a_table_is_read_in_ranges_of_its_key(
    shop: str, sql: Callable[[str], str], tmp_path: Path, read: Callable[[Source], Reader]
) -> None:
    sql(
        "create table big (id int primary key, d date); "
        "insert into big select cast(seq as signed) * 3 - 30000, null from seq_1_to_20000"
    )
    source = mysql(shop, big={"table": "big", "ranges": 4})
    ids: list[int] = []
    labels: list[str] = []
    for batch in source.read(Reading("big", None, tmp_path, tmp_path, "bronze.shop_big")):
        for portion in batch.portions:
            labels.append(portion.label)
            assert not isinstance(portion.rows, str)
            ids += portion.rows.read_all()["id"].to_pylist()
            portion.close()
    assert sorted(ids) == list(range(-29997, 30001, 3))
    assert labels[0] == "big (range 1 of 4)"
    assert len(labels) == 4


def test_everything_is_of_one_moment_whatever_is_written_meanwhile(
    shop: str, sql: Callable[[str], str], tmp_path: Path
) -> None:
    sql("create table busy (id int primary key, v int); insert into busy select seq, 0 from seq_1_to_50000")
    stream = {"table": "busy", "mode": "merge", "key": "id", "deletes": "compare"}
    ids: list[int] = []
    values: set[int] = set()
    keys: list[int] = []
    for batch in mysql(shop, busy=stream).read(Reading("busy", None, tmp_path, tmp_path, "bronze.shop_busy")):
        for portion in batch.portions:
            assert not isinstance(portion.rows, str)
            for number, part in enumerate(portion.rows):
                if number == 0:
                    sql("update busy set v = 1; delete from busy where id % 2 = 0; insert into busy values (-1, 2)")
                ids += part["id"].to_pylist()
                values |= set(part["v"].to_pylist())
            portion.close()
        assert batch.keys is not None
        for portion in batch.keys.portions:
            assert not isinstance(portion.rows, str)
            keys += portion.rows.read_all()["id"].to_pylist()
            portion.close()
    assert sorted(ids) == sorted(keys) == list(range(1, 50001))
    assert values == {0}


def test_the_server_sees_who_reads_and_that_it_goes(shop: str, sql: Callable[[str], str], tmp_path: Path) -> None:
    source = mysql(shop, o={"table": "orders"})
    batches = source.read(Reading("o", None, tmp_path, tmp_path, "bronze.shop_o", stopped=Event()))
    next(batches)
    count = "select count(*) from information_schema.processlist where user = 'lagoa'"
    assert sql(count).strip() == "1"
    batches.close()  # type: ignore[attr-defined] # a generator: giving it up closes its connection
    for _ in range(100):
        if sql(count).strip() == "0":
            break
    assert sql(count).strip() == "0"


def test_two_readings_of_merge_are_one(shop: str, read: Callable[[Source], Reader]) -> None:
    reader = read(mysql(shop, **STREAMS))
    first = reader.read("customers")
    ties = reader.read("customers", first.cursor)
    assert multiset(ties) <= multiset(first)
    assert {row["name"] for row in ties.rows} == {"c9", "c10", "never changed"}


def test_deletes_by_comparison_ask_for_all_keys_even_without_news(shop: str, tmp_path: Path) -> None:
    stream = {"table": "orders", "mode": "merge", "key": "id", "cursor": "at", "deletes": "compare"}
    since = {"column": "at", "type": "timestamp", "value": "2030-01-01 00:00:00.000000+00:00"}
    batch = next(mysql(shop, o=stream).read(Reading("o", since, tmp_path, tmp_path, "bronze.shop_o")))
    assert list(batch.portions) == []
    assert batch.keys is not None
    assert batch.keys.schema.names == ["id"]
    (portion,) = batch.keys.portions
    assert isinstance(portion, Portion)
    assert not isinstance(portion.rows, str)
    assert len(portion.rows.read_all()) == 19
    portion.close()


def test_a_missing_driver_names_the_command_that_installs_it(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['pymysql'] = None\n"
        "from pathlib import Path; from lagoa.registry import adapter; from lagoa.errors import MissingExtra\n"
        "source = adapter('sources', 'mysql')(type='mysql', connection='mysql://h/d', "
        "streams={'t': {'table': 't'}})\n"
        "try: source.check('t', Path())\n"
        "except MissingExtra as error: print(error.code, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "LG-602 pip install 'lagoa[mysql]'\n"
