"""`streams: {"*": …}` takes a whole schema of a real server: names, keys and descriptions are the catalog's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lagoa.app import Project
from lagoa.errors import ProjectErrors
from lagoa.testing import mariadb, postgres
from lagoa.testing.mariadb import running_mariadb
from lagoa.testing.postgres import running_postgres

SHOP = {
    "mysql": """
create table Orders (id int primary key, amount decimal(12,2)) comment 'What was ordered';
create table `lines` (order_id int, line int, sku varchar(9), primary key (order_id, line));
create table `Preços (R$)` (valor decimal(9,2));
create table log_2024 (t text); create table log_2025 (t text);
create view v as select * from Orders;
insert into Orders values (1, 2.50), (2, 3); insert into `lines` values (1, 1, 'a'), (1, 2, 'b');
insert into `Preços (R$)` values (9.99);
""",
    "postgres": """
create table "Orders" (id int primary key, amount numeric(12,2));
comment on table "Orders" is 'What was ordered';
create table lines (order_id int, line int, sku varchar(9), primary key (order_id, line));
create table "Preços (R$)" (valor numeric(9,2));
create table log_2024 (t text); create table log_2025 (t text);
create view v as select * from "Orders";
insert into "Orders" values (1, 2.50), (2, 3); insert into lines values (1, 1, 'a'), (1, 2, 'b');
insert into "Preços (R$)" values (9.99);
create schema other; create table other.elsewhere (id int);
create table parts (id int, d date) partition by range (d);
create table parts_1 partition of parts for values from ('2024-01-01') to ('2025-01-01');
insert into parts values (1, '2024-05-05');
""",
}
WHOLE = """\
type: {type}
connection: ${{secret:shop_url}}
connect_timeout: 2s
streams:
  "*": {{exclude: [log_*], mode: merge, deletes: compare{more}}}
  lines: {{table: {schema}.lines, columns: {{sku: {{drop: true}}}}}}
"""


@dataclass
class Shop:
    """A database with tables, and a project that takes all of them."""

    type: str
    sql: Callable[[str], str]
    root: Path
    url: str

    def write(self, more: str = "") -> None:
        schema = {"mysql": "whole", "postgres": "public"}[self.type]
        (self.root / "sources/shop.yml").write_text(WHOLE.format(type=self.type, more=more, schema=schema))

    def streams(self, fresh: bool = False) -> list[str]:
        with Project.open(self.root, fresh=fresh) as opened:
            return sorted(t.stream for t in opened.project.graph.streams.values())


@pytest.fixture(scope="module", params=["mysql", "postgres"])
def server(request: pytest.FixtureRequest) -> Iterator[mariadb.MariaServer | postgres.PostgresServer]:
    found = {"mysql": mariadb.find_binaries, "postgres": postgres.find_binaries}[request.param]()
    if found is None:
        pytest.skip(f"needs a server: {mariadb.INSTALL}, {postgres.INSTALL}")
    with (running_mariadb if request.param == "mysql" else running_postgres)() as started:
        yield started


@pytest.fixture
def shop(
    server: mariadb.MariaServer | postgres.PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shop:
    kind = "mysql" if isinstance(server, mariadb.MariaServer) else "postgres"
    name = server.database("whole")
    server.sql(SHOP[kind], name)
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: whole\n")
    monkeypatch.setenv("SHOP_URL", server.uri(name))
    made = Shop(kind, lambda script: server.sql(script, name), tmp_path, server.uri(name, port=9))
    made.write()
    return made


def own(shop: Shop) -> list[str]:
    return ["lines", "orders", *(["parts"] if shop.type == "postgres" else []), "precos__r__"]


def test_every_table_becomes_a_stream_and_named_ones_go_first(shop: Shop) -> None:
    assert shop.streams() == own(shop)
    with Project.open(shop.root) as opened:
        assert opened.run().ok
        specs = {t.stream: t.spec for t in opened.project.graph.streams.values()}
        assert (specs["orders"].key, specs["orders"].mode, specs["orders"].description) == (
            ("id",),
            "merge",
            "What was ordered",
        )
        assert specs["lines"].mode == "replace"
        assert specs["lines"].dropped == {"sku"}
        assert (specs["precos__r__"].mode, specs["precos__r__"].deletes) == ("replace", None)
        rows = opened.query("select id, amount from bronze.shop_orders order by id").read_all().to_pylist()
        assert [(r["id"], str(r["amount"])) for r in rows] == [(1, "2.50"), (2, "3.00")]
        assert opened.query("select count(*) as n from bronze.shop_precos__r__").read_all()["n"].to_pylist() == [1]


def test_without_the_server_what_was_seen_is_remembered(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.streams(fresh=True) == own(shop)
    monkeypatch.setenv("SHOP_URL", shop.url)  # nobody listens there
    assert shop.streams() == own(shop)
    assert shop.streams(fresh=True) == own(shop)  # a run goes on: the streams say themselves that nobody answers
    held = json.loads((shop.root / ".lagoa/streams/shop.json").read_text())
    assert set(held) == {"target", "whole", "streams"}
    assert "c4n" not in (shop.root / ".lagoa/streams/shop.json").read_text()
    shop.write(", tags: [all]")  # what is wanted has changed, so what was seen says nothing
    with pytest.raises(ProjectErrors) as caught:
        shop.streams()
    (error,) = caught.value.errors
    assert (error.code, str(error.place)) == ("LG-201", "sources/shop.yml:5:3")
    assert error.hint
    assert "c4n" not in str(error)


def test_new_tables_come_and_vanished_ones_stay_in_the_lake(shop: Shop) -> None:
    with Project.open(shop.root) as opened:
        assert opened.run().ok
    quoted = "`Orders`" if shop.type == "mysql" else '"Orders"'
    shop.sql(f"drop view v; drop table {quoted}; create table fresh (id int primary key); insert into fresh values (7)")
    assert "fresh" not in shop.streams()
    with Project.open(shop.root, fresh=True) as opened:
        plan = opened.plan()
        assert [str(s.table) for s in plan.steps if s.status == "new"] == ["bronze.shop_fresh"]
        assert [str(s.table) for s in plan.removed] == ["bronze.shop_orders"]
        assert opened.run().ok
        assert opened.query("select id from bronze.shop_fresh").read_all()["id"].to_pylist() == [7]
    assert "fresh" in shop.streams()


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (", schema: nowhere", "LG-203", "no table in the schema nowhere"),
        (", modus: x", "LG-101", "`modus`"),
        (", cursor: id", "LG-101", "`cursor`"),
        (", owner: [x]", "LG-102", "`owner`"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(more: str, code: str, said: str, shop: Shop) -> None:
    shop.write(more)
    with pytest.raises(ProjectErrors) as caught:
        shop.streams()
    (error,) = caught.value.errors
    assert error.code == code
    assert said in error.message
    assert str(error.place).startswith("sources/shop.yml:5:")


def test_tables_that_would_have_one_name_are_named(shop: Shop) -> None:
    shop.sql("create table `orders` (id int)" if shop.type == "mysql" else "create table orders (id int)")
    with pytest.raises(ProjectErrors) as caught:
        shop.streams()
    (error,) = caught.value.errors
    assert error.code == "LG-206"
    assert "`Orders` and `orders`" in error.message


def test_a_source_that_has_no_schemas_says_so(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: whole\n")
    (tmp_path / "sources/a.yml").write_text('type: files\npath: data\nstreams:\n  "*": {mode: replace}\n')
    with pytest.raises(ProjectErrors) as caught:
        Project.open(tmp_path)
    (error,) = caught.value.errors
    assert (error.code, str(error.place)) == ("LG-102", "sources/a.yml:4:3")
    assert error.hint == "name each stream that is wanted"
