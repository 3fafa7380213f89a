"""The sqlserver and oracle sources against stand-ins of their drivers: the contract, and the calls as documented.

No server has been seen; docs/reference/verified.md says so.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from tests.adapters.sources import simulated
from tests.adapters.sources.types_page import REFERENCE

from lagoa import registry
from lagoa.errors import MissingExtra, SourceError
from lagoa.ports import SOURCE, Reading, Source
from lagoa.testing.sources import Reader, SourceContract

PASSWORD = "c4n@ry;x}y'z"
CANARIES = (PASSWORD, "c4n@ry", "c4n%40ry", "x}y'z")
SHOP = """
create table "ORDERS" ("ID" bigint not null, "AMOUNT" decimal(12,2), "SEEN" timestamptz not null);
create table "CUSTOMERS" ("ID" varchar not null, "NAME" varchar, "NOTES" varchar, "CHANGED" timestamp);
create view "PAID" as select "ID", "AMOUNT" from "ORDERS" where "AMOUNT" > 3;
insert into "ORDERS" select g, g * 1.5, timestamptz '2024-01-01 00:00Z' + g * interval '1 hour' from range(1, 21) t(g);
delete from "ORDERS" where "ID" = 18;
insert into "CUSTOMERS"
select 'c' || g, 'name ' || g, 'secret', timestamp '2024-01-01' + (g // 3) * interval '1 day' from range(1, 11) t(g);
insert into "CUSTOMERS" values ('none', 'never changed', null, null), ('ação''s', 'x', null, '2024-01-03 00:00:00.5');
"""
STREAMS: dict[str, Any] = {
    "orders": {"table": "ORDERS", "mode": "append", "cursor": "ID", "lag": 5},
    "late": {"table": "orders", "mode": "append", "cursor": "SEEN", "lag": "3h"},
    "customers": {
        "table": "CUSTOMERS",
        "mode": "merge",
        "key": "ID",
        "cursor": "CHANGED",
        "columns": {"NOTES": {"drop": True}},
    },
    "by_name": {"table": "CUSTOMERS", "mode": "merge", "key": "ID", "cursor": "NAME", "deletes": "compare"},
    "everything": {"table": "ORDERS"},
    "in_ranges": {"table": "ORDERS", "mode": "append", "cursor": "ID", "ranges": 3},
    "paid": {"table": "PAID"},
    "report": {"query": 'select "NAME" as name, count(*) as n from "CUSTOMERS" group by "NAME"; '},
}
GROW = {
    "orders": """insert into "ORDERS" values (100, 7, '2024-01-01 00:00Z'), (18, 1, '2024-01-01 00:00Z')""",
    "in_ranges": """insert into "ORDERS" values (101, 7, '2024-01-01 00:00Z')""",
    "late": """insert into "ORDERS" values (50, 7, '2024-01-01 18:30Z'), (51, 8, '2024-01-01 20:00Z'),
    (52, 9, '2024-03-01 00:00Z')""",
    "customers": """update "CUSTOMERS" set "NAME" = 'new', "CHANGED" = '2024-01-04' where "ID" in ('c1', 'c9');
    insert into "CUSTOMERS" values ('tie', 'tie', null, '2024-01-04');
    update "CUSTOMERS" set "NAME" = 'changed without a time' where "CHANGED" is null""",
    "by_name": """insert into "CUSTOMERS" values ('z', 'zeta', null, null)""",
}


def source_of(kind: str, streams: dict[str, Any] | None = None, **more: Any) -> Source:
    written = PASSWORD.replace("'", "%27")
    said = {"connection": f"{kind}://reader:{written}@127.0.0.1:9/shop", **more}
    found: Source = registry.adapter("sources", kind)(type=kind, streams=streams or STREAMS, **said)
    return found


@pytest.fixture(params=["sqlserver", "oracle"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def server(kind: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    return simulated.installed(kind, SHOP, monkeypatch)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


class Simulated(SourceContract):
    secrets = CANARIES
    name: ClassVar[str]

    @pytest.fixture
    def kind(self) -> str:
        return self.name

    @pytest.fixture
    def source(self, server: Any) -> Source:
        return source_of(self.name)

    @pytest.fixture
    def grow(self, server: Any) -> Callable[[str], None]:
        return lambda stream: [server.db.execute(GROW[stream]), None][1]

    @pytest.fixture
    def broken(self, server: Any) -> list[Source]:
        one = {"orders": {"table": "ORDERS"}}
        return [
            source_of(self.name, {"orders": {"table": "ORDER"}}),
            source_of(self.name, {"orders": {"query": "select nothing as x from ORDERS"}}),
            source_of(self.name, one, connection=f"{self.name}://reader:{PASSWORD}@127.0.0.1:9"),
            source_of(self.name, one, connection=f"mysql://reader:{PASSWORD}@127.0.0.1/shop"),
            source_of(self.name, one, connection=f"{self.name}://reader:{PASSWORD}@127.0.0.1/shop?what=1"),
        ]


class TestSqlServer(Simulated):
    name = "sqlserver"
    page = REFERENCE / "sqlserver.md"


class TestOracle(Simulated):
    name = "oracle"
    page = REFERENCE / "oracle.md"


def test_values_and_origins_are_those_of_the_server(kind: str, server: Any, read: Callable[[Source], Reader]) -> None:
    reader = read(source_of(kind))
    rows = {row["ID"]: row for row in reader.read("orders").rows}
    assert len(rows) == 19
    assert (str(rows[3]["AMOUNT"]), rows[3]["SEEN"].isoformat()) == ("4.50", "2024-01-01T03:00:00+00:00")
    assert rows[20][SOURCE] == "orders@20"
    people = {row["ID"]: row for row in reader.read("customers").rows}
    assert str(people["ação's"]["CHANGED"]) == "2024-01-03 00:00:00.500000"
    assert people["ação's"][SOURCE] == "customers@ação's"


def test_a_reading_is_one_transaction_and_says_so_first(kind: str, server: Any, tmp_path: Path) -> None:
    batches = source_of(kind).read(Reading("everything", None, tmp_path, tmp_path, "bronze.x"))
    batch = next(batches)
    server.db.execute("""insert into "ORDERS" values (500, 1, '2024-01-01 00:00Z')""")
    tables = [p.rows.read_all() for p in batch.portions if not isinstance(p.rows, str)]
    assert 500 not in tables[0]["ID"].to_pylist()
    list(batches)
    assert len(server.connections) == 1
    first = server.said[:2] if kind == "sqlserver" else server.said[:4]
    assert first[-1] == {"sqlserver": "begin transaction", "oracle": "set transaction read only"}[kind]
    if kind == "sqlserver":
        assert first[0] == "set transaction isolation level snapshot"


def test_dropped_columns_are_never_asked_for(kind: str, server: Any, read: Callable[[Source], Reader]) -> None:
    read(source_of(kind)).read("customers")
    assert [sql for sql in server.said if "NOTES" in sql] == []


def test_keys_that_are_gone_are_found_by_comparing(kind: str, server: Any, tmp_path: Path) -> None:
    for batch in source_of(kind).read(Reading("by_name", None, tmp_path, tmp_path, "bronze.x")):
        list(batch.portions)
        assert batch.keys is not None
        keys = [p.rows.read_all() for p in batch.keys.portions if not isinstance(p.rows, str)]
        assert len(keys[0]) == 12


def test_a_password_of_any_characters_reaches_the_driver_whole(kind: str, server: Any, tmp_path: Path) -> None:
    source_of(kind).check("paid", tmp_path)
    said = server.connections[0]
    if kind == "sqlserver":
        assert "PWD={c4n@ry;x}}y'z};" in said
        assert "Encrypt={yes};" in said
        assert "Server={127.0.0.1,9};" in said
    else:
        assert (said["password"], said["host"], said["port"], said["name"]) == (PASSWORD, "127.0.0.1", 9, "shop")


def test_the_calls_are_those_of_the_installed_drivers() -> None:
    import mssql_python
    import oracledb

    pairs: list[tuple[Any, Any]] = [
        (simulated.SqlServer.connect, mssql_python.connect),
        (simulated.SqlServerCursor.execute, mssql_python.Cursor.execute),
        (simulated.SqlServerCursor.arrow_reader, mssql_python.Cursor.arrow_reader),
        (simulated.SqlServerCursor.fetchall, mssql_python.Cursor.fetchall),
        (simulated.SqlServerConnection.cursor, mssql_python.Connection.cursor),
        (simulated.Oracle.connect, oracledb.connect),
        (simulated.OracleConnection.fetch_df_batches, oracledb.Connection.fetch_df_batches),
        (simulated.OracleConnection.cancel, oracledb.Connection.cancel),
        (simulated.OracleCursor.execute, oracledb.Cursor.execute),
    ]
    for ours, theirs in pairs:
        known = inspect.signature(theirs).parameters
        for name, parameter in inspect.signature(ours).parameters.items():
            assert name in (*known, "self"), f"{theirs.__qualname__} takes no `{name}`"
            if name != "self" and parameter.kind is not parameter.KEYWORD_ONLY:
                assert known[name].kind is not parameter.KEYWORD_ONLY
    assert mssql_python.SQL_ATTR_LOGIN_TIMEOUT == simulated.SqlServer.SQL_ATTR_LOGIN_TIMEOUT
    assert isinstance(oracledb.Connection.call_timeout, property)
    assert all(hasattr(oracledb.FetchInfo, name) for name in ("name", "type_code", "precision", "scale", "null_ok"))
    known_names = {found.name for found in vars(oracledb).values() if isinstance(found, oracledb.DbType)}
    assert {"DB_TYPE_NUMBER", "DB_TYPE_VARCHAR", "DB_TYPE_TIMESTAMP_TZ", "DB_TYPE_INTERVAL_DS"} <= known_names


def test_a_server_that_is_not_there_is_worth_a_retry(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        source_of("oracle").check("paid", tmp_path)
    assert (caught.value.code, caught.value.retry) == ("LG-201", True)
    assert "127.0.0.1:9/shop as reader cannot be reached" in caught.value.message
    assert [s for s in CANARIES if s in caught.value.message] == []


def test_a_driver_that_is_missing_is_named(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mssql_python", None)
    monkeypatch.setitem(sys.modules, "oracledb", None)
    with pytest.raises(MissingExtra) as caught:
        source_of(kind).check("paid", tmp_path)
    assert caught.value.hint == f"pip install 'lagoa[{kind}]'"


def test_a_driver_that_gives_another_type_does_not_change_a_value(
    server: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(kind, {"paid": {"table": "PAID"}})
    batch = next(source.read(Reading("paid", None, tmp_path, tmp_path, "bronze.x")))
    lying = pa.table({"v0": pa.array([1.5]), "v1": pa.array([0.1])})
    if kind == "sqlserver":
        monkeypatch.setattr(simulated.SqlServerCursor, "arrow_reader", lambda *_, **__: lying.to_batches())
    else:
        monkeypatch.setattr(simulated.OracleConnection, "fetch_df_batches", lambda *_, **__: [lying])
    for portion in batch.portions:
        assert not isinstance(portion.rows, str)
        with pytest.raises(pa.ArrowInvalid):
            portion.rows.read_all()
