"""Asks SQL Server's catalog what a table, a view or a query gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.database.judged import Found
from lagoa.kit.database.whole import Listed, listed
from lagoa.kit.sqlserver.columns import quote
from lagoa.kit.text import literal

Ask = Callable[[str], list[dict[str, Any]]]
"""Runs a query that answers with few rows."""
_PART = re.compile(r'\[((?:[^\]]|\]\])+)\]|"((?:[^"]|"")+)"|([^.\["]+)')
_BOUNDS = re.compile(r"\(.*\)")


def find_relation(ask: Ask, written: str) -> tuple[str, int]:
    """Find what a user wrote as `table` or `schema.table`: its quoted name and number. Raises SourceError LG-203."""
    rows = ask(
        "select s.name as s, o.name as n, o.object_id as i from sys.objects o "
        "join sys.schemas s on s.schema_id = o.schema_id where o.type in ('U', 'V') order by 1, 2"
    )
    parts = [_name(found) for found in _PART.finditer(written.strip())]
    schema, name = (parts[0], ".".join(parts[1:])) if len(parts) > 1 else ("dbo", "".join(parts))
    found = next((r for r in rows if (r["s"], r["n"]) == (schema, name)), None)
    found = found or next((r for r in rows if (r["s"].lower(), r["n"].lower()) == (schema.lower(), name.lower())), None)
    if found is None:
        known = [f"{r['s']}.{r['n']}" for r in rows]
        sees = "the user sees " + (", ".join(f"`{n}`" for n in known[:8]) or "no table at all")
        said = f"there is no table {written}"
        raise SourceError("LG-203", said, hint=did_you_mean(f"{schema}.{name}", known) or sees)
    return f"{quote(found['s'])}.{quote(found['n'])}", int(found["i"])


def _name(found: re.Match[str]) -> str:
    if found[1]:
        return found[1].replace("]]", "]")
    return found[2].replace('""', '"') if found[2] else found[3]


def table_columns(ask: Ask, number: int) -> list[Found]:
    """Describe a table's columns, in order; a type of the user's own is the one that it stands for."""
    rows = ask(
        "select c.name as n, coalesce(b.name, u.name) as t, c.precision as p, c.scale as s, c.is_nullable as nullable "
        "from sys.columns c join sys.types u on u.user_type_id = c.user_type_id "
        "left join sys.types b on b.user_type_id = c.system_type_id "
        f"where c.object_id = {number} order by c.column_id"
    )
    return [Found(r["n"], r["t"].lower(), int(r["p"]), int(r["s"]), required=not r["nullable"]) for r in rows]


def primary_key(ask: Ask, number: int) -> list[str]:
    """Name the columns of a table's primary key, in order."""
    rows = ask(
        "select k.name as k from sys.indexes i "
        "join sys.index_columns x on x.object_id = i.object_id and x.index_id = i.index_id "
        "join sys.columns k on k.object_id = x.object_id and k.column_id = x.column_id "
        f"where i.is_primary_key = 1 and i.object_id = {number} order by x.key_ordinal"
    )
    return [str(row["k"]) for row in rows]


def tables_of(ask: Ask, schema: str) -> list[Listed]:
    """List the tables of a schema that the user may see, without its views, each with its primary key and description.

    The description is the extended property `MS_Description`, which the server's own tools write.
    """
    return listed(
        ask(
            "select o.name as n, cast(p.value as nvarchar(4000)) as c, k.name as k from sys.objects o "
            "join sys.schemas s on s.schema_id = o.schema_id "
            "left join sys.extended_properties p on p.class = 1 and p.major_id = o.object_id and p.minor_id = 0 "
            "and p.name = 'MS_Description' "
            "left join sys.indexes i on i.object_id = o.object_id and i.is_primary_key = 1 "
            "left join sys.index_columns x on x.object_id = i.object_id and x.index_id = i.index_id "
            "left join sys.columns k on k.object_id = x.object_id and k.column_id = x.column_id "
            f"where s.name = N{literal(schema)} and o.type = 'U' and o.is_ms_shipped = 0 order by o.name, x.key_ordinal"
        )
    )


def query_columns(ask: Ask, query: str) -> list[Found]:
    """Describe a query's columns without running it. Raises SourceError LG-202."""
    rows = ask(
        "select name as n, system_type_name as t, precision as p, scale as s, is_nullable as nullable, "
        f"error_message as e from sys.dm_exec_describe_first_result_set(N{literal(query)}, null, 0) "
        "order by column_ordinal"
    )
    for row in rows:
        if row["e"]:
            raise SourceError("LG-202", f"the query cannot be described: {row['e']}", hint="mend the stream's `query:`")
        if not row["n"]:
            raise SourceError("LG-206", "a column of the query has no name", hint="give it one with `as`")
    return [
        Found(r["n"], _BOUNDS.sub("", r["t"] or "").lower(), int(r["p"]), int(r["s"]), required=not r["nullable"])
        for r in rows
    ]
