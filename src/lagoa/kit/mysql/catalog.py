"""Asks the catalog of MySQL or MariaDB what a table or a query gives."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.database.whole import Listed, listed
from lagoa.kit.mysql.columns import Found, literal, quote

Ask = Callable[[str], list[dict[str, Any]]]
"""Runs a query that answers with few rows."""
_QUOTED = re.compile(r'`((?:[^`]|``)+)`|"((?:[^"]|"")+)"')
_OWN = "('information_schema', 'mysql', 'performance_schema', 'sys')"
_MOST = 5000  # names that are compared to find what was meant
_BINARY = 63  # the number of the character set of bytes
_UNSIGNED, _NOT_NULL = 32, 1  # flags of a field packet
_CODES = {
    0: "decimal",
    1: "tinyint",
    2: "smallint",
    3: "int",
    4: "float",
    5: "double",
    7: "timestamp",
    8: "bigint",
    9: "mediumint",
    10: "date",
    11: "time",
    12: "datetime",
    13: "year",
    16: "bit",
    245: "json",
    246: "decimal",
    255: "geometry",
}
"""Types of field packets; source: enum_field_types of the client protocol. Others are texts, or bytes."""


@dataclass(frozen=True)
class Relation:
    """A table or view. `walk` is the whole-number column by which it can be read in windows, if it has one."""

    schema: str
    name: str
    walk: str | None

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quote(self.schema)}.{quote(self.name)}"


def find_relation(ask: Ask, written: str, database: str) -> Relation:
    """Find the table that a user wrote as `table`, `schema.table` or with quoted parts. Raises SourceError LG-203."""
    schema, name = _parts(written)
    schema = schema or database
    rows = ask(
        "select table_schema as s, table_name as n, engine as e, @@lower_case_table_names as folded "
        f"from information_schema.tables where table_schema = {literal(schema)} and table_name = {literal(name)}"
    )
    exact = [row for row in rows if (row["s"], row["n"]) == (schema, name)]
    row = next(iter(exact or [row for row in rows if row["folded"]]), None)
    if row is None:
        raise SourceError("LG-203", f"there is no table {written}", hint=_meant(ask, written, name))
    found = Relation(row["s"], row["n"], None)
    return replace(found, walk=_walk(ask, found)) if row["e"] else found


def _walk(ask: Ask, table: Relation) -> str | None:
    rows = ask(
        "select k.column_name as c, c.data_type as t from information_schema.statistics k "
        "join information_schema.columns c using (table_schema, table_name, column_name) "
        f"where {_of(table, 'k.')} and {_of(table, 'c.')} and k.index_name = 'PRIMARY'"
    )
    whole = ("tinyint", "smallint", "mediumint", "int", "bigint")
    return str(rows[0]["c"]) if len(rows) == 1 and rows[0]["t"] in whole else None


def _of(table: Relation, alias: str = "") -> str:
    """Mean this table alone: the catalog compares names without regard to case."""
    pairs = ((f"{alias}table_schema", table.schema), (f"{alias}table_name", table.name))
    return " and ".join(f"{c} = {literal(v)} and cast({c} as binary) = x'{v.encode().hex()}'" for c, v in pairs)


def _parts(written: str) -> tuple[str | None, str]:
    head, rest = _part(written.strip())
    return (head, _part(rest)[0] if _QUOTED.fullmatch(rest) else rest) if rest else (None, head)


def _part(text: str) -> tuple[str, str]:
    quoted = _QUOTED.match(text)
    if quoted:
        name = quoted[1].replace("``", "`") if quoted[1] else quoted[2].replace('""', '"')
        return name, text[quoted.end() :].removeprefix(".")
    head, _, rest = text.partition(".")
    return head, rest


def _meant(ask: Ask, written: str, name: str) -> str:
    rows = ask(
        "select table_schema as s, table_name as n from information_schema.tables "
        f"where table_schema not in {_OWN} order by 1, 2 limit {_MOST}"
    )
    known = {f"{r['s']}.{r['n']}": r["n"] for r in rows}
    close = [full for full, short in known.items() if short.casefold() == name.casefold()]
    close += difflib.get_close_matches(written, known, n=3)
    close += [full for full, short in known.items() if short in difflib.get_close_matches(name, [short], n=1)]
    if close:
        return f"did you mean `{close[0]}`?"
    return "the user sees " + (", ".join(f"`{n}`" for n in list(known)[:8]) or "no table at all")


def table_columns(ask: Ask, relation: Relation) -> list[Found]:
    """Describe a table's columns, in order."""
    rows = ask(
        "select column_name as n, data_type as t, column_type as full, numeric_precision as p, numeric_scale as s, "
        "is_nullable as nullable, column_comment as comment from information_schema.columns "
        f"where {_of(relation)} order by ordinal_position"
    )
    return [
        Found(
            name=row["n"],
            type=row["t"].lower(),
            unsigned="unsigned" in row["full"],
            precision=int(row["p"] or 0),
            scale=int(row["s"] or 0),
            required=row["nullable"] == "NO",
            comment=row["comment"] or None,
        )
        for row in rows
    ]


def tables_of(ask: Ask, schema: str) -> list[Listed]:
    """List the tables of a schema, without its views, each with its primary key and its comment."""
    exact = f"{literal(schema)} and (cast(t.table_schema as binary) = x'{schema.encode().hex()}'"
    return listed(
        ask(
            "select t.table_name as n, t.table_comment as c, k.column_name as k from information_schema.tables t "
            "left join information_schema.statistics k on k.table_schema = t.table_schema "
            "and cast(k.table_name as binary) = cast(t.table_name as binary) and k.index_name = 'PRIMARY' "
            f"where t.table_schema = {exact} or @@lower_case_table_names > 0) "
            "and t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED') "
            "order by cast(t.table_name as binary), k.seq_in_index"
        )
    )


def query_columns(fields: Sequence[Any]) -> list[Found]:
    """Describe a query's columns from the driver's field packets."""
    return [_field(field) for field in fields]


def _field(field: Any) -> Found:
    kind = _CODES.get(field.type_code)
    unsigned = bool(field.flags & _UNSIGNED)
    precision, scale = 0, 0
    if kind == "decimal":
        scale = field.scale
        precision = field.length - (scale > 0) - (not unsigned)
    elif kind == "bit":
        precision = field.length
    elif kind is None:
        kind = "varbinary" if field.charsetnr == _BINARY else "varchar"
    return Found(field.name, kind, unsigned, precision, scale, bool(field.flags & _NOT_NULL))
