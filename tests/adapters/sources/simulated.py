"""Stand-ins for two drivers: exactly the calls that we use of them, answered by DuckDB, so that our SQL is carried out.

They show that the flow of a reading is right and that the drivers are called as they are documented. They show nothing
of the servers themselves.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot

SQLSERVER_CATALOG = """
create schema dbo; create schema sys;
create macro switchoffset(x, zone) as timezone('UTC', x);
create view sys.schemas as select schema_name as name, oid as schema_id from duckdb_schemas() where not internal;
create view sys.objects as select table_name as name, schema_oid as schema_id, table_oid as object_id, 'U' as type,
0 as is_ms_shipped from duckdb_tables() union all
select view_name, schema_oid, view_oid, 'V', 0 from duckdb_views() where not internal and schema_name = 'dbo';
create view sys.columns as select column_name as name, table_oid as object_id, column_index as column_id,
split_part(data_type, '(', 1) as user_type_id, split_part(data_type, '(', 1) as system_type_id,
coalesce(numeric_precision, 0) as precision,
case when data_type like 'TIMESTAMP%' then 6 else coalesce(numeric_scale, 0) end as scale,
is_nullable from duckdb_columns();
create table sys.types as select * from (values ('BIGINT', 'bigint'), ('INTEGER', 'int'), ('VARCHAR', 'nvarchar'),
('DECIMAL', 'decimal'), ('TIMESTAMP', 'datetime2'), ('TIMESTAMP WITH TIME ZONE', 'datetimeoffset'), ('DATE', 'date'),
('UUID', 'uniqueidentifier'), ('BLOB', 'varbinary'), ('BOOLEAN', 'bit')) t(user_type_id, name);
create view sys.extended_properties as select 1 as class, table_oid as major_id, 0 as minor_id,
'MS_Description' as name, comment as value from duckdb_tables() where comment is not null;
create view keys as select table_oid, schema_name, table_name, unnest(constraint_column_names) as name,
generate_subscripts(constraint_column_names, 1) as place from duckdb_constraints()
where constraint_type = 'PRIMARY KEY';
create view sys.indexes as select distinct table_oid as object_id, 1 as index_id, 1 as is_primary_key from main.keys;
create view sys.index_columns as select k.table_oid as object_id, 1 as index_id, c.column_index as column_id,
k.place as key_ordinal from main.keys k join duckdb_columns() c on c.table_oid = k.table_oid and c.column_name = k.name;
"""
ORACLE_CATALOG = """
create schema "LAGOA";
create macro sys_extract_utc(x) as timezone('UTC', x);
create macro from_tz(x, zone) as timezone(zone, x);
create macro sys_context(a, b) as 'LAGOA';
create view all_objects as select schema_name as owner, table_name as object_name, 'TABLE' as object_type
from duckdb_tables() union all select schema_name, view_name, 'VIEW' from duckdb_views() where schema_name = 'LAGOA';
create view all_tab_columns as select schema_name as owner, table_name, column_name, column_index as column_id,
case split_part(data_type, '(', 1) when 'DECIMAL' then 'NUMBER' when 'BIGINT' then 'NUMBER'
when 'VARCHAR' then 'VARCHAR2' when 'TIMESTAMP' then 'TIMESTAMP(6)'
when 'TIMESTAMP WITH TIME ZONE' then 'TIMESTAMP(6) WITH TIME ZONE'
when 'TIMESTAMP_S' then 'DATE' else data_type end as data_type,
case when data_type like 'DECIMAL%' then numeric_precision when data_type = 'BIGINT' then 18 end as data_precision,
case when data_type like 'DECIMAL%' then numeric_scale when data_type = 'BIGINT' then 0 end as data_scale,
case when is_nullable then 'Y' else 'N' end as nullable from duckdb_columns();
create view all_tables as select schema_name as owner, table_name, 'NO' as nested, 'N' as secondary, 'NO' as dropped
from duckdb_tables();
create view all_tab_comments as select schema_name as owner, table_name, comment as comments from duckdb_tables();
create view all_constraints as select schema_name as owner, table_name, 'PK_' || table_oid as constraint_name,
'P' as constraint_type from duckdb_constraints() where constraint_type = 'PRIMARY KEY';
create view all_cons_columns as select schema_name as owner, table_name, 'PK_' || table_oid as constraint_name,
unnest(constraint_column_names) as column_name, generate_subscripts(constraint_column_names, 1) as position
from duckdb_constraints() where constraint_type = 'PRIMARY KEY';
create view dual as select 'X' as dummy;
"""
_DESCRIBED = re.compile(r"dm_exec_describe_first_result_set\(N'((?:[^']|'')*)'")
_WORDS = {"BIGINT": "bigint", "DATE": "date", "VARCHAR": "nvarchar(40)", "HUGEINT": "decimal(38,0)"}


def tsql(sql: str, db: duckdb.DuckDBPyConnection) -> str:
    """Say in DuckDB's words what is said in SQL Server's."""
    described = _DESCRIBED.search(sql)
    if described:
        return _described(tsql(described[1].replace("''", "'"), db), db)
    plain = sql.replace(" collate Latin1_General_BIN2", "").replace(" + '+00:00'", " || '+00:00'")
    plain = plain.replace(" +00:00' as", "+00:00' as")
    return sqlglot.transpile(plain, read="tsql", write="duckdb")[0]


def _described(sql: str, db: duckdb.DuckDBPyConnection) -> str:
    try:
        found = db.sql(sql)
    except duckdb.Error as error:
        words = str(error).replace("'", "''")
        return f"select null as n, null as t, 0 as p, 0 as s, true as nullable, '{words}' as e"
    shown = []
    for name, kind in zip(found.columns, found.types, strict=True):
        bounds = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", str(kind))
        p, s = (bounds[1], bounds[2]) if bounds else ("0", "0")
        word = f"decimal({p},{s})" if bounds else _WORDS[str(kind)]
        shown.append(f"select '{name}' as n, '{word}' as t, {p} as p, {s} as s, true as nullable, null as e")
    return " union all ".join(shown)


def plsql(sql: str) -> str:
    """Say in DuckDB's words what is said in Oracle's."""
    fine = r"to_char\((.+?), 'S?YYYY-MM-DD HH24:MI:SS\.FF\d( TZH:TZM)?'\)"
    sql = re.sub(r"to_char\(([^,]+), 'TM9', '(?:[^']|'')*'\)", r"cast(\1 as varchar)", sql)
    sql = re.sub(r"to_char\((.+?), 'S?YYYY-MM-DD HH24:MI:SS'\)", r"strftime(\1, '%Y-%m-%d %H:%M:%S')", sql)
    sql = re.sub(fine, r"strftime(\1, '%Y-%m-%d %H:%M:%S.%f')", sql)
    sql = re.sub(r"to_(?:timestamp|date)\(('[^']*'), '[^']*'\)", r"timestamp \1", sql)
    sql = re.sub(r'"LAGOA"\.("[^"]+") as of scn (\d+)', r'"SCN \2".\1', sql)
    return re.sub(r"fetch first (\d+) rows only", r"limit \1", sql)


def _database() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    found.execute("set global TimeZone = 'UTC'")
    return found


class Failure(Exception):
    """What the drivers raise."""


class SqlServer(ModuleType):
    """mssql_python, as far as we use it; `said` holds what was said to it."""

    SQL_ATTR_LOGIN_TIMEOUT = 103

    def __init__(self, script: str) -> None:
        super().__init__("mssql_python")
        self.db = _database()
        self.db.execute(SQLSERVER_CATALOG)
        self.db.execute(f"use memory.dbo; {script}")
        self.said: list[str] = []
        self.connections: list[str] = []
        self.closed = 0

    def connect(
        self,
        connection_str: str = "",
        autocommit: bool = False,
        attrs_before: dict[int, Any] | None = None,
        timeout: int = 0,
    ) -> SqlServerConnection:
        """Connect."""
        assert autocommit
        assert timeout > 0
        assert attrs_before
        self.connections.append(connection_str)
        return SqlServerConnection(self)


class SqlServerConnection:
    """A connection."""

    def __init__(self, server: SqlServer) -> None:
        self.server, self.db = server, server.db.cursor()
        self.db.execute("use memory.dbo")

    def cursor(self) -> SqlServerCursor:
        """Open a cursor."""
        return SqlServerCursor(self)

    def close(self) -> None:
        """Close, and forget the transaction."""
        self.server.closed += 1
        self.db.close()


class SqlServerCursor:
    """A cursor."""

    def __init__(self, connection: SqlServerConnection) -> None:
        self.db, self.server = connection.db, connection.server
        self.description: list[tuple[str]] | None = None
        self._sql = ""

    def execute(self, operation: str) -> SqlServerCursor:
        """Run SQL."""
        self.server.said.append(operation)
        if operation.startswith("set transaction"):
            return self
        try:
            self._sql = "begin" if operation == "begin transaction" else tsql(operation, self.db)
            if self._sql == "begin":
                self.db.execute("begin")
            else:
                self.description = [(name,) for name in self.db.sql(self._sql).columns]
        except duckdb.Error as error:
            raise Failure(f"[Microsoft][SQL Server]{error}") from None
        return self

    def fetchall(self) -> list[Any]:
        """Give all rows."""
        return self.db.execute(self._sql).fetchall()

    def arrow_reader(self, batch_size: int = 8192) -> Any:
        """Give the rows as Arrow batches."""
        return self.db.sql(self._sql).to_arrow_reader(batch_size)

    def close(self) -> None:
        """Close."""


class Oracle(ModuleType):
    """oracledb, as far as we use it; `said` holds what was said to it."""

    def __init__(self, script: str) -> None:
        super().__init__("oracledb")
        self.db = _database()
        self.db.execute(ORACLE_CATALOG)
        self.db.execute(f'use memory."LAGOA"; {script}')
        self.said: list[str] = []
        self.connections: list[dict[str, Any]] = []
        self.closed = 0
        self.flashback = True

    def moment(self) -> str:
        """Keep the tables as they are, for queries as of this moment; say which it is, as SQL."""
        if not self.flashback:
            raise Failure('ORA-00904: "DBMS_FLASHBACK"."GET_SYSTEM_CHANGE_NUMBER": invalid identifier')
        scn, db = 4_000_000_000 + len(self.said), self.db.cursor()
        db.execute(f'create schema "SCN {scn}"')
        for (name,) in db.execute("select table_name from duckdb_tables() where schema_name = 'LAGOA'").fetchall():
            db.execute(f'create table "SCN {scn}"."{name}" as select * from "LAGOA"."{name}"')
        return f"select {scn} as scn"

    def connect(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        host: str | None = None,
        port: int | None = None,
        protocol: str | None = None,
        service_name: str | None = None,
        retry_count: int | None = None,
        tcp_connect_timeout: float | None = None,
    ) -> OracleConnection:
        """Connect."""
        self.connections.append({"user": user, "password": password, "host": host, "port": port, "name": service_name})
        return OracleConnection(self)


class OracleConnection:
    """A connection."""

    call_timeout = 0

    def __init__(self, server: Oracle) -> None:
        self.server, self.db = server, server.db.cursor()
        self.db.execute('use memory."LAGOA"')

    def cursor(self) -> OracleCursor:
        """Open a cursor."""
        return OracleCursor(self)

    def fetch_df_batches(
        self, statement: str, *, size: int | None = None, requested_schema: pa.Schema | None = None
    ) -> Iterator[pa.Table]:
        """Give the rows as data frames of the schema that was asked for; as documented, one that is empty for none."""
        assert requested_schema is not None
        assert size
        self.server.said.append(statement)
        try:
            reader: Any = self.db.sql(plsql(statement)).to_arrow_reader(size)
        except duckdb.Error as error:
            raise Failure(f"ORA-00904: {error}") from None
        for batch in reader:
            yield pa.Table.from_batches([batch]).rename_columns(requested_schema.names).cast(requested_schema)

    def cancel(self) -> None:
        """Stop what runs."""
        self.db.interrupt()

    def close(self) -> None:
        """Close, and forget the transaction."""
        self.server.closed += 1
        self.db.close()


class OracleCursor:
    """A cursor."""

    def __init__(self, connection: OracleConnection) -> None:
        self.db, self.server = connection.db, connection.server
        self.description: list[Any] = []

    def __enter__(self) -> OracleCursor:
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""

    def execute(self, statement: str) -> None:
        """Run SQL."""
        self.server.said.append(statement)
        if statement.startswith("alter session"):
            return
        if "dbms_flashback.get_system_change_number" in statement:
            statement = self.server.moment()
        try:
            self.db.execute("begin" if statement == "set transaction read only" else plsql(statement))
            if statement.startswith("select"):
                self.description = [_info(*found) for found in _fields(self.db, plsql(statement))]
                self.db.execute(plsql(statement))
        except duckdb.Error as error:
            raise Failure(f"ORA-00904: {error}") from None

    def fetchall(self) -> list[Any]:
        """Give all rows."""
        return self.db.fetchall()


def _fields(db: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[str, str]]:
    found = db.sql(sql)
    return [(name, str(kind)) for name, kind in zip(found.columns, found.types, strict=True)]


class _Info(SimpleNamespace):
    """FetchInfo: its attributes, and its name as the first of a sequence."""

    def __getitem__(self, place: int) -> Any:
        assert place == 0
        return self.name


def _info(name: str, kind: str) -> _Info:
    bounds = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    word = {"VARCHAR": "DB_TYPE_VARCHAR", "TIMESTAMP": "DB_TYPE_TIMESTAMP", "DATE": "DB_TYPE_DATE"}.get(kind)
    precision, scale = (int(bounds[1]), int(bounds[2])) if bounds else (0, 0 if word else -127)
    type_code = SimpleNamespace(name=word or "DB_TYPE_NUMBER")
    return _Info(name=name, type_code=type_code, precision=precision, scale=scale, null_ok=True)


KINDS = {"sqlserver": ("mssql_python", SqlServer), "oracle": ("oracledb", Oracle)}


def installed(kind: str, script: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a stand-in in its driver's place, with a database that a script has made."""
    module, made = KINDS[kind]
    found = made(script)
    monkeypatch.setattr(Failure, "__module__", f"{module}.exceptions")
    monkeypatch.setitem(sys.modules, module, found)
    return found


Failure.__module__ = "oracledb.exceptions"
