"""Asks SQLite's catalog what a table, a view or a query gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.database.judged import Found
from lagoa.kit.database.whole import Listed, listed
from lagoa.kit.sqlite.columns import bounds
from lagoa.kit.text import literal, quote

Ask = Callable[[str], list[dict[str, Any]]]
"""Runs a query that answers with few rows."""
_NUMBERS = ("rowid", "_rowid_", "oid")
_LOOKED = 1000
"""How many values tell what a column holds."""
_HIDDEN = 1  # a hidden column of a virtual table; 2 and 3 are generated ones
_DESCENDING = re.compile(r"primary\s+key\s+desc", re.IGNORECASE)


@dataclass(frozen=True)
class Relation:
    """A table or view: `place` is SQL for the number of a row, as text, where there is one."""

    sql: str
    columns: list[Found]
    place: str | None = None


def find_relation(ask: Ask, written: str) -> Relation:
    """Find the table or view that a user named. Raises SourceError LG-203."""
    name = written.strip().removeprefix('"main".')
    name = name[1:-1].replace('""', '"') if name[:1] == name[-1:] == '"' and len(name) > 1 else name
    known = ask("select name, type, sql from main.sqlite_master where type in ('table', 'view')")
    found = next((row for row in known if row["name"] == name), None)
    found = found or next((row for row in known if row["name"].casefold() == name.casefold()), None)
    if found is None:
        names = [row["name"] for row in known]
        hint = did_you_mean(name, names) or "it has " + (", ".join(f"`{n}`" for n in names[:8]) or "no table at all")
        raise SourceError("LG-203", f"there is no table {written}", hint=hint)
    return _relation(ask, found)


def tables_of(ask: Ask) -> list[Listed]:
    """List the tables of the file, without its views, each with its primary key.

    What a full-text or spatial index keeps in tables of its own is left out: its table has the rows.
    """
    try:
        known = ask("select name from pragma_table_list where schema = 'main' and type = 'shadow'")
    except SourceError:  # SQLite before 3.37 does not tell them apart
        known = []
    shadows = {row["name"] for row in known}
    tables = listed(
        ask(
            "select m.name as n, null as c, p.name as k from main.sqlite_master m "
            "left join pragma_table_info(m.name) p on p.pk > 0 "
            "where m.type = 'table' and m.name not like 'sqlite@_%' escape '@' order by m.name, p.pk"
        )
    )
    return [table for table in tables if table.name not in shadows]


def numbered_times(ask: Ask, table: str) -> dict[str, str]:
    """Say of columns that are declared as times, and of which the first values are all numbers, of which type they are.

    SQLite has no times: programs keep seconds, days or texts under such a declaration.
    """
    found: dict[str, str] = {}
    for row in ask(f"select name, type from pragma_table_xinfo({literal(table)}, 'main')"):
        if not row["type"].upper().startswith(("DATE", "TIME")):
            continue
        name = quote(row["name"])
        some = f"select {name} as v from main.{quote(table)} where {name} is not null limit {_LOOKED}"
        kinds = {kind["k"] for kind in ask(f"select distinct typeof(v) as k from ({some})")}
        if kinds and kinds <= {"integer", "real"}:
            found[row["name"]] = "bigint" if kinds == {"integer"} else "double"
    return found


def _relation(ask: Ask, row: dict[str, Any]) -> Relation:
    rows = ask(f"select * from pragma_table_xinfo({literal(row['name'])}, 'main')")
    source = f"main.{quote(row['name'])}"
    taken = {r["name"].casefold() for r in rows}
    numbered = row["type"] == "table" and _is_numbered(ask, source)
    word = next((w for w in _NUMBERS if w not in taken), None) if numbered else None
    alias = _alias(rows, row["sql"] or "") if numbered else None
    return Relation(source, _found(rows, alias), None if word is None else f"cast(t.{word} as text)")


def _is_numbered(ask: Ask, source: str) -> bool:
    try:
        ask(f"select _rowid_ from {source} limit 0")
    except SourceError:
        return False
    return True


def _alias(rows: list[dict[str, Any]], sql: str) -> str | None:
    """Name the column that is the row's number, and so a whole number that is never null."""
    keys = [r for r in rows if r["pk"]]
    is_alias = len(keys) == 1 and keys[0]["type"].upper() == "INTEGER" and not _DESCENDING.search(sql)
    return keys[0]["name"] if is_alias else None


def query_columns(ask: Ask) -> list[Found]:
    """Describe the columns of the query that has a name of its own."""
    return _found(ask("select * from pragma_table_xinfo('lagoa_query', 'temp')"), None)


def _found(rows: list[dict[str, Any]], alias: str | None) -> list[Found]:
    return [
        Found(r["name"], r["type"], *bounds(r["type"]), required=r["name"] == alias)
        for r in rows
        if r["hidden"] != _HIDDEN
    ]
