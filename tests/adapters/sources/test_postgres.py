"""The postgres source against a real server: the contract, the modes, hostile names, and errors that help."""

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
from lagoa.kit.database.whole import WholeSchema
from lagoa.ports import SOURCE, Portion, Reading, Source
from lagoa.testing.postgres import PASSWORD, PostgresServer
from lagoa.testing.sources import Reader, SourceContract, multiset

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/postgres.md"
CANARIES = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), "c4n@ry", "c4n%40ry")
SHOP = """
create table orders (id bigserial primary key, amount numeric(12,2), at timestamptz not null);
create table customers (id uuid primary key, name text, notes text, updated_at timestamp);
create view paid as select id, amount from orders where amount > 3;
insert into orders (amount, at)
select g * 1.5, timestamptz '2024-01-01' + g * interval '1 hour' from generate_series(1, 20) g;
delete from orders where id = 18;
insert into customers select md5(g::text)::uuid, 'c' || g, 'secret', timestamp '2024-01-01' + (g / 3) * interval '1 day'
from generate_series(1, 10) g;
insert into customers values (md5('none')::uuid, 'never changed', null, null);
"""
WEIRD = '"Esquema.x"."Weird ""Name""; DROP TABLE orders"'
STREAMS: dict[str, Any] = {
    "orders": {"table": "public.orders", "mode": "append", "cursor": "id", "lag": 5},
    "late": {"table": "orders", "mode": "append", "cursor": "at", "lag": "3h"},
    "customers": {
        "table": "public.customers",
        "mode": "merge",
        "key": "id",
        "cursor": "updated_at",
        "columns": {"notes": {"drop": True}},
    },
    "everything": {"table": "public.orders"},
    "paid": {"table": "paid"},
    "report": {"query": "select at::date as day, sum(amount) as total from orders group by 1; "},
}


def postgres(uri: str, **streams: Any) -> Source:
    found: Source = registry.adapter("sources", "postgres")(
        type="postgres", connection=uri, streams=streams, connect_timeout="2s", idle_timeout="20s"
    )
    return found


@pytest.fixture
def shop(postgres_server: PostgresServer) -> str:
    name = postgres_server.database("shop")
    postgres_server.sql(SHOP, name)
    return postgres_server.uri(name)


@pytest.fixture
def sql(postgres_server: PostgresServer) -> Callable[[str], str]:
    return lambda script: postgres_server.sql(script, "shop")


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


class TestPostgres(SourceContract):
    secrets = CANARIES
    page = PAGE

    @pytest.fixture
    def source(self, shop: str) -> Source:
        return postgres(shop, **STREAMS)

    @pytest.fixture
    def grow(self, sql: Callable[[str], str]) -> Callable[[str], None]:
        scripts = {
            # the second row comes late: it commits below the highest value, inside the lag
            "orders": "insert into orders values (100, 7, '2024-01-01'), (18, 1, '2024-01-01')",
            "late": "insert into orders (amount, at) values (7, '2024-01-01 18:30Z'), (8, '2024-01-01 20:00Z');"
            "insert into orders (amount, at) values (9, '2024-03-01Z')",
            "customers": "update customers set name = 'new', updated_at = '2024-01-04' where name in ('c1', 'c9'); "
            "insert into customers values (md5('tie')::uuid, 'tie', null, '2024-01-04'); "
            "update customers set name = 'changed without a time' where updated_at is null",
        }
        return lambda stream: void(sql(scripts[stream]))

    @pytest.fixture
    def broken(self, shop: str, postgres_server: PostgresServer) -> list[Source]:
        one = {"orders": {"table": "public.orders"}}
        return [
            postgres(postgres_server.uri("shop", port=9), **one),
            postgres(postgres_server.uri("shop", password=PASSWORD + "!"), **one),
            postgres(postgres_server.uri("no_such_database"), **one),
            postgres(f"postgresql://lagoa:{PASSWORD}@127.0.0.1:{postgres_server.port}/shop", **one),
            postgres(f"mysql://lagoa:{quote(PASSWORD, safe='')}@127.0.0.1/shop", **one),
            postgres(f"host=127.0.0.1 password={PASSWORD}", **one),
            postgres(shop, orders={"table": "public.order"}),
            postgres(
                shop,
                orders={"query": "select 'c4n@ry' from nowhere"},
            ),
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
    shop: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    gone = failure(postgres(postgres_server.uri(port=9), t={"table": "t"}), tmp_path)
    assert (gone.code, gone.retry) == ("LG-201", True)
    assert "127.0.0.1:9/postgres as lagoa" in gone.message
    wrong = failure(postgres(postgres_server.uri(password="guess-me"), t={"table": "t"}), tmp_path)
    assert (wrong.code, wrong.retry) == ("LG-201", False)
    assert "password authentication failed" in wrong.message
    assert "guess-me" not in wrong.message


@pytest.mark.parametrize(
    ("stream", "code", "hint"),
    [
        ({"table": "public.order"}, "LG-203", "`public.orders`"),
        ({"table": "Orders"}, "LG-203", "`public.orders`"),
        ({"table": "publik.orders"}, "LG-203", "`public.orders`"),
        ({"table": "orders", "mode": "append", "cursor": "idd"}, "LG-203", "`id`"),
        ({"table": "orders", "mode": "merge", "key": "ids"}, "LG-203", "`id`"),
        ({"table": "customers", "columns": {"note": {"drop": True}}}, "LG-203", "`notes`"),
        ({"table": "customers", "columns": {"Name": {"pii": "name"}}}, "LG-203", "`name`"),
        ({"query": "select idd from orders"}, "LG-203", "query"),
        ({"query": "select 1 / 0 as x"}, "LG-202", "names"),
        ({"query": "select 1 as a, 2 as a"}, "LG-206", "another name"),
        ({"query": 'select 1 as a, 2 as "A"'}, "LG-206", "another name"),
        ({"query": "select 1 as _source"}, "LG-206", "another name"),
        ({"table": "customers", "mode": "append", "cursor": "updated_at"}, "LG-207", "merge"),
        ({"query": "select true as b", "mode": "append", "cursor": "b"}, "LG-207", "grows"),
        ({"table": "orders", "mode": "append", "cursor": "id", "lag": "1h"}, "LG-207", "lag: 1000"),
        ({"table": "orders", "mode": "append", "cursor": "at", "lag": 5}, "LG-207", "length of time"),
        ({"query": "select 'infinity'::date as d", "mode": "append", "cursor": "d"}, "LG-207", "grows"),
    ],
)
def test_what_the_project_got_wrong_is_said_with_what_to_do(
    stream: dict[str, Any], code: str, hint: str, shop: str, tmp_path: Path
) -> None:
    error = failure(postgres(shop, t=stream), tmp_path)
    assert (error.code, error.retry) == (code, False)
    assert hint in str(error.hint)


def test_null_cursors_are_counted_in_the_error_of_an_append(shop: str, tmp_path: Path) -> None:
    error = failure(postgres(shop, c={"table": "customers", "mode": "append", "cursor": "updated_at"}), tmp_path)
    assert error.message == "1 rows of bronze.shop_c have no `updated_at`, so an append by it would skip them"


@pytest.mark.parametrize(
    "stream",
    [
        {},
        {"table": "t", "query": "select 1"},
        {"table": "t", "mode": "append"},
        {"table": "t", "lag": 1},
        {"table": "t", "cursor": "id"},
    ],
)
def test_a_stream_that_cannot_be_read_is_refused_when_it_is_declared(stream: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        postgres("postgresql://x@y/z", t=stream)


def test_a_cursor_of_another_column_is_not_taken_up(shop: str, tmp_path: Path) -> None:
    source = postgres(shop, o={"table": "orders", "mode": "append", "cursor": "at"})
    error = failure(source, tmp_path, {"column": "id", "type": "int8", "value": "7"})
    assert error.code == "LG-207"
    assert "--reset-cursor" in str(error.hint)


def test_a_cursor_keeps_its_exact_text(sql: Callable[[str], str], shop: str, read: Callable[[Source], Reader]) -> None:
    sql(
        "create table c (n numeric not null, t timestamptz not null, x text not null);"
        "insert into c values (1, now(), 'a')"
    )
    sql(
        "insert into c values (12345678901234567890.000000000000000001, '2024-01-01 00:00:00.000001-03', 'Z'),"
        "(2, '2020-01-01', 'b')"
    )
    values = {}
    for column in "ntx":
        landed = read(postgres(shop, c={"table": "c", "mode": "append", "cursor": column})).read("c")
        values[column] = landed.cursor["type"], landed.cursor["value"]
    assert values["n"] == ("numeric", "12345678901234567890.000000000000000001")
    assert values["x"] == ("text", "b")
    sql("delete from c where n = 1")
    landed = read(postgres(shop, c={"table": "c", "mode": "append", "cursor": "t"})).read("c")
    assert landed.cursor == {"column": "t", "type": "timestamptz", "value": "2024-01-01 03:00:00.000001+00"}


@pytest.mark.parametrize(
    "kind", ["int2", "int4", "numeric", "numeric(20,4)", "float8", "date", "timestamp", "timestamptz", "text", "uuid"]
)
def test_every_type_of_cursor_reads_ties_once(
    kind: str, sql: Callable[[str], str], shop: str, read: Callable[[Source], Reader]
) -> None:
    value = {"date": "date '2024-01-01' + {}", "timestamp": "timestamp '2024-01-01' + {} * interval '1s'"}
    value |= {
        "timestamptz": "timestamptz '2024-01-01' + {} * interval '1s'",
        "text": "'é' || {}",
        "uuid": "md5('{}')::uuid",
    }
    make = value.get(kind, "{}").format
    sql(f"create table ties (c {kind} not null, n int); insert into ties values ({make(1)}, 1), ({make(2)}, 2)")
    reader = read(postgres(shop, ties={"table": "ties", "mode": "append", "cursor": "c"}))
    first = reader.read("ties")
    highest = sql("select n from ties order by c desc limit 1").strip()
    sql(
        f"insert into ties select c, 3 from ties where n = {highest};"
        f"insert into ties select c, 3 from ties where n = {highest}"
    )
    news = reader.read("ties", first.cursor, first)
    assert [row["n"] for row in news.rows] == [3, 3]


def test_no_batch_means_no_news(shop: str, sql: Callable[[str], str], tmp_path: Path) -> None:
    sql("delete from orders where id > 5")
    source = postgres(shop, o={"table": "orders", "mode": "append", "cursor": "id"})
    since = {"column": "id", "type": "int8", "value": "20"}
    assert list(source.read(Reading("o", since, tmp_path, tmp_path, "bronze.shop_o"))) == []


def test_the_cursor_never_goes_back_when_rows_vanish(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader]
) -> None:
    source = postgres(shop, o={"table": "orders", "mode": "append", "cursor": "id", "lag": 10})
    sql("delete from orders where id > 15")
    assert read(source).read("o", {"column": "id", "type": "int8", "value": "20"}).cursor["value"] == "20"


def test_an_empty_table_lands_with_its_columns(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader]
) -> None:
    sql("create table nothing (id int not null, name text)")
    landed = read(postgres(shop, n={"table": "nothing", "mode": "append", "cursor": "id"})).read("n")
    assert (landed.batches, landed.rows, landed.cursor) == (1, [], None)
    assert landed.schema is not None
    assert landed.schema.names == ["id", "name"]


def test_hostile_names_are_read_and_become_names_that_delta_allows(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader]
) -> None:
    sql('create schema "Esquema.x"')
    sql(
        'create table "Esquema.x"."Weird ""Name""; DROP TABLE orders" '
        '("Preço (R$)" int, "a""b\'c" int, "seleção" int, "t" int, "j;{}=" int, "%s {0}" numeric(4,1), "select" date)'
    )
    sql('insert into "Esquema.x"."Weird ""Name""; DROP TABLE orders" values (1, 2, 3, 4, 5, 6.5, \'2024-01-01\')')
    sql('insert into "Esquema.x"."Weird ""Name""; DROP TABLE orders" values (1, 2, 3, 4, 5, \'NaN\', \'infinity\')')
    source = postgres(shop, w={"table": WEIRD})
    landed = read(source).read("w")
    assert landed.schema is not None
    assert landed.schema.names == ["Preço__R$_", "a\"b'c", "seleção", "t", "j____", "%s__0_", "select"]
    assert [list(row.values())[:6] for row in landed.rows] == [[1, 2, 3, 4, 5, pytest.approx(6.5)]]
    assert len(landed.refused) == 1
    columns = {"Preço (R$)": {"drop": True}, "j;{}=": {"pii": "name"}}
    renamed = postgres(shop, w={"table": WEIRD, "mode": "merge", "key": ["seleção", "j;{}="], "columns": columns})
    assert renamed.streams["w"].dropped == {"Preço__R$_"}
    assert renamed.streams["w"].key == ("seleção", "j____")
    landed = read(renamed).read("w")
    assert [row[SOURCE] for row in landed.rows] == ["w"]  # a personal key is not repeated
    assert landed.schema is not None
    assert "Preço__R$_" not in landed.schema.names
    assert sql("select count(*) from orders").strip() == "19"


def test_dropped_columns_are_never_asked_for(
    shop: str, sql: Callable[[str], str], read: Callable[[Source], Reader], postgres_server: PostgresServer
) -> None:
    sql("create role clerk login password 'clerk-password'; grant select (id, name, updated_at) on customers to clerk")
    uri = shop.replace(f"lagoa:{quote(PASSWORD, safe='')}", "clerk:clerk-password")
    source = postgres(uri, c={"table": "customers", "columns": {"notes": {"drop": True}}})
    assert len(read(source).read("c").rows) == 11
    sql("drop owned by clerk; drop role clerk")


def test_large_tables_are_read_in_ranges_of_one_snapshot(
    shop: str,
    sql: Callable[[str], str],
    tmp_path: Path,
    read: Callable[[Source], Reader],
    postgres_server: PostgresServer,
) -> None:
    sql(
        "create table big as select g as id, repeat(md5(g::text), 20) as pad, date '2024-01-01' as d "
        "from generate_series(1, 60000) g"
    )
    sql("update big set d = 'infinity' where id = 59999")
    source = postgres(shop, big={"table": "big"})
    labels: list[str] = []
    reasons: list[str] = []
    ids: list[int] = []
    sources: set[str] = set()
    for batch in source.read(Reading("big", None, tmp_path, tmp_path, "bronze.shop_big")):
        for number, portion in enumerate(batch.portions):
            if number == 0:
                sql("delete from big where id % 2 = 0; insert into big values (-1)")
            labels.append(portion.label)
            assert portion.size
            assert not isinstance(portion.rows, str)
            table = portion.rows.read_all()
            ids += table["id"].to_pylist()
            sources |= set(table[SOURCE].to_pylist())
            settled = portion.settle(table.num_rows, lambda query: [])
            portion.close()
            if isinstance(settled, Portion):
                assert not isinstance(settled.rows, str)
                reasons += [r for r in settled.rows.read_all()["_reason"].to_pylist() if r]
                settled.close()
    assert sorted(ids) == [n for n in range(1, 60001) if n != 59999]
    assert reasons == ["d is infinity, which lies outside the years 1 to 9999"]
    assert len(labels) == 2
    assert sources == set(labels)


def test_the_server_sees_who_reads(shop: str, sql: Callable[[str], str], tmp_path: Path) -> None:
    source = postgres(shop, o={"table": "orders"})
    batches = source.read(Reading("o", None, tmp_path, tmp_path, "bronze.shop_o", stopped=Event()))
    next(batches)
    assert (
        sql("select count(*) from pg_stat_activity where application_name = 'lagoa' and xact_start is not null").strip()
        == "1"
    )
    batches.close()  # type: ignore[attr-defined] # a generator: giving it up closes its connection
    assert sql("select count(*) from pg_stat_activity where application_name = 'lagoa'").strip() == "0"


def test_two_readings_of_merge_are_one(shop: str, read: Callable[[Source], Reader]) -> None:
    reader = read(postgres(shop, **STREAMS))
    first = reader.read("customers")
    ties = reader.read("customers", first.cursor)
    assert multiset(ties) <= multiset(first)
    assert {row["name"] for row in ties.rows} == {"c9", "c10", "never changed"}


def test_a_missing_driver_names_the_command_that_installs_it(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['adbc_driver_postgresql'] = None\n"
        "from pathlib import Path; from lagoa.registry import adapter; from lagoa.errors import MissingExtra\n"
        "source = adapter('sources', 'postgres')(type='postgres', connection='postgresql://h/d', "
        "streams={'t': {'table': 't'}})\n"
        "try: source.check('t', Path())\n"
        "except MissingExtra as error: print(error.code, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "LG-602 pip install 'lagoa[postgres]'\n"


def test_tables_that_inherit_are_taken_when_they_have_columns_of_their_own(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    name = postgres_server.database("heirs")
    postgres_server.sql(
        "create table cities (id int primary key); create table capitals (state text) inherits (cities); "
        "create table towns () inherits (cities); "
        "create table days (d date) partition by range (d); "
        "create table days_2024 partition of days for values from ('2024-01-01') to ('2025-01-01')",
        name,
    )
    source = postgres(postgres_server.uri(name))
    assert sorted(source.discover(WholeSchema(), tmp_path)) == ["capitals", "cities", "days"]


def test_the_schemas_that_hold_tables_are_named(postgres_server: PostgresServer, tmp_path: Path) -> None:
    name = postgres_server.database("several")
    postgres_server.sql("create schema hr; create schema bare; create table hr.people (id int)", name)
    assert postgres(postgres_server.uri(name)).schemas(tmp_path) == ["hr"]
