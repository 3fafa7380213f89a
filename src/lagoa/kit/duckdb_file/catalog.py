"""Asks a DuckDB file's catalog where a table or view is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.database.whole import Listed, listed
from lagoa.kit.text import literal, quote

Ask = Callable[[str], list[dict[str, Any]]]
"""Runs a query that answers with few rows."""
_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


def find_relation(ask: Ask, written: str) -> tuple[str, bool]:
    """Find what a user wrote as `table` or `schema.table`: its quoted name, and whether it is a table with row numbers.

    Raises SourceError LG-203.
    """
    rows = ask(
        "select table_schema as s, table_name as n, table_type as k from information_schema.tables "
        "where table_catalog = 'file' order by 1, 2"
    )
    parts = [m[1].replace('""', '"') if m[1] else m[2] for m in _PART.finditer(written.strip())]
    schema, name = (parts[0], ".".join(parts[1:])) if len(parts) > 1 else ("main", written.strip().strip('"'))
    found = next((r for r in rows if (r["s"], r["n"]) == (schema, name)), None)
    found = found or next((r for r in rows if (r["s"].lower(), r["n"].lower()) == (schema.lower(), name.lower())), None)
    if found is None:
        known = [f"{r['s']}.{r['n']}" for r in rows]
        hint = did_you_mean(f"{schema}.{name}", known) or "it has " + (
            ", ".join(f"`{n}`" for n in known[:8]) or "no table"
        )
        raise SourceError("LG-203", f"there is no table {written}", hint=hint)
    return f"file.{quote(found['s'])}.{quote(found['n'])}", found["k"] == "BASE TABLE"


def tables_of(ask: Ask, schema: str) -> list[Listed]:
    """List the tables of a schema, without its views, each with its primary key and its comment."""
    return listed(
        ask(
            "select t.table_name as n, t.comment as c, k.part as k from duckdb_tables() t left join "
            "(select table_oid, unnest(constraint_column_names) as part, "
            "generate_subscripts(constraint_column_names, 1) as place from duckdb_constraints() "
            "where database_name = 'file' and constraint_type = 'PRIMARY KEY') k on k.table_oid = t.table_oid "
            f"where t.database_name = 'file' and t.schema_name = {literal(schema)} "
            "order by t.table_name, k.place"
        )
    )
