"""The sqlserver and oracle sources against stand-ins of their drivers: tables in ranges, and whole schemas."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.sources.simulated import installed

from lagoa import registry
from lagoa.app import Project
from lagoa.errors import ProjectErrors, SourceError
from lagoa.ports import Batch, Reading, Source

SHOP = """
create table "ORDERS" ("ID" bigint primary key, "AMOUNT" decimal(12,2));
comment on table "ORDERS" is 'What was ordered';
create table "LINES" ("ORDER_ID" bigint, "LINE" bigint, "SKU" varchar, primary key ("ORDER_ID", "LINE"));
create table "LOG_2024" ("T" varchar);
create table "Preços (R$)" ("VALOR" decimal(9,2));
create view "PAID" as select * from "ORDERS";
insert into "ORDERS" select g, g * 1.5 from range(1, 101) t(g);
insert into "LINES" values (1, 1, 'a'), (1, 2, 'b');
"""
ORDERS = {"table": "ORDERS", "ranges": 4}


@pytest.fixture(params=["sqlserver", "oracle"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def server(kind: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    return installed(kind, SHOP, monkeypatch)


def source(kind: str, **stream: Any) -> Source:
    made: Source = registry.adapter("sources", kind)(
        type=kind, connection=f"{kind}://reader:c4n4ry@127.0.0.1:9/shop", streams={"orders": stream or ORDERS}
    )
    return made


def ids(one: Batch) -> list[list[int]]:
    """Read each portion's numbers, one portion after the other."""
    found = []
    for portion in one.portions:
        assert not isinstance(portion.rows, str)
        found.append(portion.rows.read_all()["ID"].to_pylist())
        portion.close()
    return found


def test_each_range_is_a_connection_and_every_row_is_in_one(kind: str, server: Any, tmp_path: Path) -> None:
    read = source(kind).read(Reading("orders", None, tmp_path, tmp_path, "bronze.shop_orders"))
    found = ids(next(read))
    assert list(read) == []
    assert [len(part) for part in found] == [25, 25, 25, 25]
    assert sorted(chain(*found)) == [*range(1, 101)]
    assert (len(server.connections), server.closed) == (5, 5)


def test_which_moment_the_ranges_see_is_what_the_page_promises(kind: str, server: Any, tmp_path: Path) -> None:
    read = source(kind).read(Reading("orders", None, tmp_path, tmp_path, "bronze.shop_orders"))
    one = next(read)
    first = next(iter(one.portions))
    server.db.execute("""insert into "ORDERS" values (0, 1), (1000, 1); delete from "ORDERS" where "ID" = 99""")
    assert not isinstance(first.rows, str)
    found = Counter([*first.rows.read_all()["ID"].to_pylist(), *chain(*ids(one))])
    assert set(found.values()) == {1}
    news = {0, 1000} if kind == "sqlserver" else set()  # each connection sees its own moment; Oracle's are told one
    assert found.keys() == ({*range(1, 101)} | news) - ({99} if news else set())
    asked = [sql for sql in server.said if "as of scn" in sql]
    assert len(asked) == (4 if kind == "oracle" else 0)


def test_rows_and_keys_of_one_reading_are_of_one_moment_in_oracle(monkeypatch: Any, tmp_path: Path) -> None:
    server = installed("oracle", SHOP, monkeypatch)
    compared = source("oracle", **ORDERS, mode="merge", key="ID", deletes="compare")
    read = compared.read(Reading("orders", None, tmp_path, tmp_path, "bronze.shop_orders"))
    one = next(read)
    assert one.keys is not None
    rows = ids(one)
    server.db.execute("""delete from "ORDERS" where "ID" < 50""")
    assert ids(one.keys) == rows
    assert len([sql for sql in server.said if "get_system_change_number" in sql]) == 1


@pytest.mark.parametrize(
    ("stream", "portions"),
    [
        ({"table": "LINES", "ranges": 3}, 1),  # no single key
        ({"table": "LINES", "ranges": 3, "mode": "append", "cursor": "ORDER_ID"}, 1),  # a range of one number
        ({"table": "LINES", "ranges": 3, "mode": "append", "cursor": "LINE"}, 2),
        ({"table": "ORDERS", "ranges": 3, "columns": {"ID": {"drop": True}}}, 1),
        ({"table": "LOG_2024", "ranges": 3}, 1),
        ({"table": "PAID", "ranges": 3, "mode": "merge", "key": "ID"}, 3),  # of a view, the key that the user says
        ({"query": 'select "ID" from "ORDERS"', "ranges": 3}, 1),
    ],
)
def test_what_has_no_whole_number_to_cut_by_is_read_by_one_connection(
    kind: str, server: Any, tmp_path: Path, stream: dict[str, Any], portions: int
) -> None:
    read = source(kind, **stream).read(Reading("orders", None, tmp_path, tmp_path, "bronze.shop_orders"))
    assert len(list(next(read).portions)) == portions
    if "columns" in stream:
        assert [sql for sql in server.said if 't."ID"' in sql or "t.[ID]" in sql] == []


def test_a_right_that_is_missing_is_named(monkeypatch: Any, tmp_path: Path) -> None:
    server = installed("oracle", SHOP, monkeypatch)
    server.flashback = False
    with pytest.raises(SourceError, match=r"`ranges:` cannot ask for one moment: .*ORA-00904") as caught:
        ids(next(source("oracle").read(Reading("orders", None, tmp_path, tmp_path, "bronze.shop_orders"))))
    assert "EXECUTE on dbms_flashback" in str(caught.value.hint)


@pytest.fixture
def project(kind: str, tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: whole\n")
    (tmp_path / ".env").write_text(f"SHOP_URL={kind}://reader:c4n4ry@127.0.0.1:9/shop\n")
    (tmp_path / "sources/shop.yml").write_text(f"""type: {kind}
connection: ${{secret:shop_url}}
streams:
  "*": {{exclude: [LOG_*], mode: merge, deletes: compare}}
  lines: {{table: LINES, columns: {{SKU: {{drop: true}}}}}}
""")
    return tmp_path


def test_a_star_takes_the_tables_of_a_schema_with_their_keys(server: Any, kind: str, project: Path) -> None:
    with Project.open(project) as opened:
        specs: dict[str, Any] = {t.stream: t.spec for t in opened.project.graph.streams.values()}
        assert sorted(specs) == ["lines", "orders", "precos__r__"]
        orders = specs["orders"]
        assert (orders.mode, orders.key, orders.deletes.compare) == ("merge", ("ID",), True)
        assert orders.description == "What was ordered"
        assert (specs["precos__r__"].mode, specs["lines"].dropped) == ("replace", {"SKU"})
        server.db.execute("""insert into "Preços (R$)" values (9.99)""")
        assert opened.run().ok
        query = "select count(*) as n, sum(o.AMOUNT) as s from bronze.shop_orders o"
        assert opened.query(query).read_all()["n"].to_pylist() == [100]
        server.db.execute("""delete from "ORDERS" where "ID" = 7""")
        assert opened.run().ok
        assert opened.query(query).read_all()["n"].to_pylist() == [99]
    assert "c4n4ry" not in (project / ".lagoa/streams/shop.json").read_text()


def test_a_schema_that_has_no_table_is_named(server: Any, project: Path) -> None:
    text = (project / "sources/shop.yml").read_text()
    (project / "sources/shop.yml").write_text(text.replace("exclude:", "schema: nobody, exclude:"))
    with pytest.raises(ProjectErrors) as caught:
        Project.open(project)
    assert "the user sees no table in the schema nobody" in str(caught.value.errors[0])
