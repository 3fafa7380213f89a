"""Asks PostgreSQL's catalog what a table or a query gives."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.database.whole import Listed, listed
from lagoa.kit.postgres.columns import Found
from lagoa.kit.text import literal, quote

Ask = Callable[[str], list[dict[str, Any]]]
"""Runs a query that answers with few rows."""

_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_RELATIONS = "c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
_MOST = 5000  # names that are compared to find what was meant


@dataclass(frozen=True)
class Relation:
    """A table or view: `pages` of `page` bytes each; `plain` says that it can be read by ranges of pages."""

    oid: int
    schema: str
    name: str
    plain: bool
    pages: int
    page: int
    comment: str | None

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    def bytes(self, low: int, high: int | None) -> int:
        """Say how large a range of pages is; without an upper end it goes to the last page."""
        return ((self.pages if high is None else high) - low) * self.page


def find_relation(ask: Ask, written: str) -> Relation:
    """Find the table that a user wrote as `table`, `schema.table` or with quoted parts. Raises SourceError LG-203.

    Unquoted names are taken as they stand, upper case included: nothing is folded.
    """
    schema, name = _parts(written)
    place = "pg_table_is_visible(c.oid)" if schema is None else f"n.nspname = {literal(schema)}"
    rows = ask(
        "select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind = 'r' as plain, "
        "case when c.relkind in ('r', 'm') then pg_relation_size(c.oid) else 0 end as bytes, "
        "current_setting('block_size')::int8 as page, obj_description(c.oid, 'pg_class') as comment "
        "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        f"where c.relname = {literal(name)} and {place} and c.relkind in ('r', 'p', 'v', 'm', 'f')"
    )
    if not rows:
        raise SourceError("LG-203", f"there is no table {written}", hint=_meant(ask, written, name))
    row = rows[0]
    return Relation(
        row["oid"],
        row["schema"],
        row["name"],
        row["plain"],
        row["bytes"] // row["page"],
        row["page"],
        row["comment"],
    )


def _parts(written: str) -> tuple[str | None, str]:
    head, rest = _part(written.strip())
    if not rest:
        return None, head
    quoted = _QUOTED.fullmatch(rest)
    return head, _unquoted(quoted[1]) if quoted else rest


def _part(text: str) -> tuple[str, str]:
    quoted = _QUOTED.match(text)
    if quoted:
        return _unquoted(quoted[1]), text[quoted.end() :].removeprefix(".")
    head, _, rest = text.partition(".")
    return head, rest


def _unquoted(text: str) -> str:
    return text.replace('""', '"')


def _meant(ask: Ask, written: str, name: str) -> str:
    rows = ask(
        "select n.nspname::text as schema, c.relname::text as name from pg_class c "
        f"join pg_namespace n on n.oid = c.relnamespace where {_RELATIONS} order by 1, 2 limit {_MOST}"
    )
    known = {f"{r['schema']}.{r['name']}": r["name"] for r in rows}
    close = [full for full, short in known.items() if short.casefold() == name.casefold()]
    close += difflib.get_close_matches(written, known, n=3)
    close += [full for full, short in known.items() if short in difflib.get_close_matches(name, [short], n=1)]
    if close:
        return f"did you mean `{close[0]}`?"
    return "the user sees " + (", ".join(f"`{n}`" for n in list(known)[:8]) or "no table at all")


def schemas_of(ask: Ask) -> list[str]:
    """Name the schemas, but the server's own, in which the user may read tables."""
    rows = ask(
        "select distinct n.nspname::text as s from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        f"where {_RELATIONS} and c.relkind in ('r', 'p') and has_schema_privilege(n.oid, 'usage') "
        "and has_any_column_privilege(c.oid, 'select') order by 1"
    )
    return [row["s"] for row in rows]


def tables_of(ask: Ask, schema: str) -> list[Listed]:
    """List the tables of a schema that the user may read, each with its primary key and its comment.

    Views are left out, and so are partitions, and tables that inherit another one's columns and add none: the table
    that they are parts of has their rows. One that adds columns has them nowhere else.
    """
    return listed(
        ask(
            "select c.relname::text as n, obj_description(c.oid, 'pg_class') as c, a.attname::text as k "
            "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "left join pg_index i on i.indrelid = c.oid and i.indisprimary "
            "left join lateral unnest(i.indkey) with ordinality as u(num, pos) on true "
            "left join pg_attribute a on a.attrelid = c.oid and a.attnum = u.num "
            f"where n.nspname = {literal(schema)} and c.relkind in ('r', 'p') "
            "and not (exists (select from pg_inherits h where h.inhrelid = c.oid) and (c.relispartition or not exists "
            "(select from pg_attribute o where o.attrelid = c.oid and o.attnum > 0 and not o.attisdropped "
            "and o.attinhcount = 0))) "
            "and has_any_column_privilege(c.oid, 'select') order by 1, u.pos"
        )
    )


def table_columns(ask: Ask, relation: Relation) -> list[Found]:
    """Describe a table's columns, in order."""
    given = (
        "select a.attnum::int8 as num, a.attname::text as name, a.atttypid as oid, a.atttypmod as mod, "
        "a.attnotnull as required, a.attndims::int8 as dims, col_description(a.attrelid, a.attnum) as comment "
        f"from pg_attribute a where a.attrelid = {relation.oid}::oid and a.attnum > 0 and not a.attisdropped"
    )
    return _resolved(ask, given)


def query_columns(ask: Ask, query: str, fields: Sequence[tuple[str, int]]) -> list[Found]:
    """Describe a query's columns from their names and typmods, which the driver told.

    `pg_typeof` of a null still tells the type, so the query is planned and never run.
    """
    if not fields:
        return []
    asked = ", ".join(f"pg_typeof(q.{quote(name)})::oid::int8 as c{i}" for i, (name, _) in enumerate(fields))
    types = ask(f"select {asked} from (select 1) as one left join (select * from {query} as i limit 0) as q on true")[0]
    rows = ", ".join(
        f"({i}::int8, {literal(name)}, {types[f'c{i}']}::oid, {mod}, false, 1::int8, null)"
        for i, (name, mod) in enumerate(fields)
    )
    return _resolved(ask, f"select * from (values {rows}) as v(num, name, oid, mod, required, dims, comment)")


def _resolved(ask: Ask, given: str) -> list[Found]:
    rows = ask(
        f"with recursive given as ({given}), base(num, oid, mod) as ("
        "select num, oid, mod from given union all "
        "select b.num, t.typbasetype, case when b.mod >= 0 then b.mod else t.typtypmod end "
        "from base b join pg_type t on t.oid = b.oid where t.typtype = 'd') "
        "select g.name, t.typname::text as type, b.mod::int8 as mod, "
        "t.typtype = 'b' and n.nspname = 'pg_catalog' as builtin, "
        "case when t.typlen = -1 and t.typcategory = 'A' then case when m.nspname = 'pg_catalog' and e.typtype = 'b' "
        "then e.typname::text else 'other' end end as element, g.dims, g.required, g.comment "
        "from given g join base b on b.num = g.num join pg_type t on t.oid = b.oid and t.typtype <> 'd' "
        "join pg_namespace n on n.oid = t.typnamespace left join pg_type e on e.oid = t.typelem "
        "left join pg_namespace m on m.oid = e.typnamespace order by g.num"
    )
    return [_found(row) for row in rows]


def _found(row: Mapping[str, Any]) -> Found:
    element = row["element"] if row["type"].startswith("_") else None
    return Found(
        name=row["name"],
        type=row["type"],
        modifier=row["mod"],
        builtin=row["builtin"] or element is not None,
        element=element,
        dimensions=row["dims"],
        required=row["required"],
        comment=row["comment"],
    )


def money_scale(ask: Ask) -> int:
    """Say how many decimals a `money` has here; it follows the database's lc_monetary."""
    scale: int = ask("select scale(0::int4::money::numeric)::int8 as scale")[0]["scale"]
    return scale
