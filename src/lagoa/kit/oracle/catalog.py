"""Asks Oracle's catalog what a table, a view or a query gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.database.judged import Found
from lagoa.kit.database.whole import Listed, listed
from lagoa.kit.text import literal, quote

Ask = Callable[[str], list[dict[str, Any]]]
"""Runs a query that answers with few rows."""
_PART = re.compile(r'"([^"]+)"|([^."]+)')
_FRACTION = re.compile(r"timestamp\((\d+)\)")
_BOUNDS = re.compile(r"\(\d+\)")
_DRIVERS = {
    "DB_TYPE_NUMBER": "number",
    "DB_TYPE_VARCHAR": "varchar2",
    "DB_TYPE_NVARCHAR": "nvarchar2",
    "DB_TYPE_TIMESTAMP_TZ": "timestamp with time zone",
    "DB_TYPE_TIMESTAMP_LTZ": "timestamp with local time zone",
    "DB_TYPE_INTERVAL_YM": "interval year to month",
    "DB_TYPE_INTERVAL_DS": "interval day to second",
    "DB_TYPE_LONG_RAW": "long raw",
    "DB_TYPE_LONG_NVARCHAR": "long",
}
"""The driver's names of types that are not the catalog's word in capitals."""


def find_relation(ask: Ask, written: str) -> tuple[str, str, str]:
    """Find what a user wrote as `table` or `schema.table`: owner, name, quoted name. Raises SourceError LG-203."""
    parts = [m[1] or m[2] for m in _PART.finditer(written.strip())]
    rows = ask(
        "select owner as s, object_name as n, sys_context('USERENV', 'CURRENT_SCHEMA') as mine from all_objects "
        "where object_type in ('TABLE', 'VIEW', 'MATERIALIZED VIEW') "
        f"and upper(object_name) = upper({literal(parts[-1] if parts else '')})"
    )
    schema = parts[0] if len(parts) > 1 else None
    mine = [r for r in rows if (schema or r["mine"]).upper() == r["s"].upper()]
    for name in (parts[-1], parts[-1].upper()) if parts else ():
        if exact := [r for r in mine if r["n"] == name]:
            owner = exact[0]["s"]
            return owner, name, f"{quote(owner)}.{quote(name)}"
    raise SourceError("LG-203", f"there is no table {written}", hint=_meant(ask, written))


def _meant(ask: Ask, written: str) -> str:
    rows = ask(
        "select owner as s, object_name as n from all_objects where object_type in ('TABLE', 'VIEW') "
        "and owner = sys_context('USERENV', 'CURRENT_SCHEMA') order by 1, 2 fetch first 5000 rows only"
    )
    known = [f"{r['s']}.{r['n']}" for r in rows]
    name = written.rpartition(".")[2].upper()
    close = did_you_mean(written.upper(), known) or did_you_mean(name, [r["n"] for r in rows])
    return close or "the user has " + (", ".join(f"`{n}`" for n in known[:8]) or "no table of its own")


def table_columns(ask: Ask, owner: str, name: str) -> list[Found]:
    """Describe a table's columns, in order."""
    rows = ask(
        "select column_name as n, data_type as t, data_precision as p, data_scale as s, nullable as nullable "
        f"from all_tab_columns where owner = {literal(owner)} and table_name = {literal(name)} order by column_id"
    )
    return [_found(r["n"], r["t"].lower(), r["p"], r["s"], r["nullable"] == "N") for r in rows]


def _found(name: str, type: str, precision: Any, scale: Any, required: bool) -> Found:
    fraction = _FRACTION.match(type)
    plain = _BOUNDS.sub("", type)
    if plain.startswith("timestamp"):
        return Found(name, plain, 0, int(fraction[1]) if fraction else int(scale or 0), required)
    if plain == "number" and precision is None and scale == 0:
        precision = 38  # what `integer` stands for
    return Found(name, plain, int(precision or 0), int(scale or 0), required)


def primary_key(ask: Ask, owner: str, name: str) -> list[str]:
    """Name the columns of a table's primary key, in order."""
    rows = ask(
        "select k.column_name as k from all_constraints p join all_cons_columns k "
        "on k.owner = p.owner and k.constraint_name = p.constraint_name and k.table_name = p.table_name "
        f"where p.constraint_type = 'P' and p.owner = {literal(owner)} and p.table_name = {literal(name)} "
        "order by k.position"
    )
    return [str(row["k"]) for row in rows]


def tables_of(ask: Ask, written: str | None) -> tuple[str, list[Listed]]:
    """List the tables of a schema that the user may read, without its views, each with its primary key and comment.

    Its name is taken as written, then in capitals; the session's schema when there is none. Returns the name, too.
    """
    mine = ask("select sys_context('USERENV', 'CURRENT_SCHEMA') as s from dual")[0]["s"]
    for schema in dict.fromkeys((written or mine, (written or mine).upper())):
        rows = ask(
            "select t.table_name as n, c.comments as c, k.column_name as k from all_tables t "
            "left join all_tab_comments c on c.owner = t.owner and c.table_name = t.table_name "
            "left join all_constraints p on p.owner = t.owner and p.table_name = t.table_name "
            "and p.constraint_type = 'P' left join all_cons_columns k on k.owner = p.owner "
            "and k.constraint_name = p.constraint_name and k.table_name = p.table_name "
            f"where t.owner = {literal(schema)} and t.nested = 'NO' and t.secondary = 'N' and t.dropped = 'NO' "
            "order by t.table_name, k.position"
        )
        if rows:
            return schema, listed(rows)
    return written or mine, []


def query_columns(fields: Sequence[Any]) -> list[Found]:
    """Describe a query's columns from the driver's `FetchInfo`."""
    return [_field(field) for field in fields]


def _field(field: Any) -> Found:
    name = field.type_code.name
    kind = _DRIVERS.get(name, name.removeprefix("DB_TYPE_").lower())
    precision, scale = field.precision, field.scale
    if kind == "number" and scale == -127:  # the driver's way to say that there is none
        precision, scale = 0, 0
    return Found(field.name, kind, int(precision or 0), int(scale or 0), required=not field.null_ok)
