"""The macros of dbt_utils that ask a table for its columns, written anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lagoa.propose.dbt.relations import Column, Relation, Unrenderable
from lagoa.sql.transpile import in_dialect

Columns = Callable[[Any], list[Column]]


class Written:
    """Writes DuckDB's SQL in the project's dialect; `{0}` and so on stand for SQL that is in it already."""

    def __init__(self, dialect: str, columns: Columns) -> None:
        self.dialect, self.columns = dialect, columns

    def __call__(self, template: str, *arguments: Any) -> str:
        """Fill a template in."""
        marks = [f"lagoa__{number}" for number in range(len(arguments))]
        text = in_dialect(template.format(*marks), self.dialect)
        for mark, argument in zip(marks, arguments, strict=True):
            text = text.replace(mark, str(argument))
        return text

    def quoted(self, identifier: str) -> str:
        """Write a name in quotes."""
        return self('"{0}"', identifier)


def _lower(names: Sequence[str] | None) -> set[str]:
    return {str(name).lower() for name in names or ()}


def _filtered(write: Written, *arguments: Any, **named: Any) -> list[str]:
    given = {**dict(zip(("from", "except"), arguments, strict=False)), **named}
    left_out = _lower(given.get("except"))
    return [c.name for c in write.columns(given["from"]) if c.name.lower() not in left_out]


def _star(write: Written, *arguments: Any, **named: Any) -> str:
    """Write every column but some; a star does where no column is renamed, and what comes later is in it, too."""
    names = ("from", "relation_alias", "except", "prefix", "suffix", "quote_identifiers")
    given = {**dict(zip(names, arguments, strict=False)), **named}
    alias = f"{given['relation_alias']}." if given.get("relation_alias") else ""
    prefix, suffix = given.get("prefix") or "", given.get("suffix") or ""
    if prefix or suffix:
        found = _filtered(write, given["from"], given.get("except"))
        return ",\n".join(f"{alias}{write.quoted(n)} as {write.quoted(prefix + n + suffix)}" for n in found)
    left_out = ", ".join(str(name) for name in given.get("except") or ())
    word = "except" if write.dialect in ("bigquery", "databricks", "spark") else "exclude"
    return f"{alias}* {word} ({left_out})" if left_out else f"{alias}*"


def _union_relations(write: Written, relations: Sequence[Relation], *more: Any, **named: Any) -> str:
    names = ("column_override", "include", "exclude", "source_column_name", "where")
    how = {**dict(zip(names, more, strict=False)), **named}
    source = how.get("source_column_name", "_dbt_source_relation")
    where = f" where {how['where']}" if how.get("where") else ""
    tag = "" if source is None else "'{0}' as {1}, "
    if write.dialect == "duckdb" and not (how.get("include") or how.get("exclude") or how.get("column_override")):
        return "\nunion all by name\n".join(f"select {tag.format(r, source)}* from {r}{where}" for r in relations)
    kept = _kept(write, relations, how)
    found = []
    for relation in relations:
        there = {column.name.lower() for column in write.columns(relation)}
        cells = ", ".join(
            f"cast({write.quoted(n) if n.lower() in there else 'null'} as {kind}) as {write.quoted(n)}"
            for n, kind in kept.items()
        )
        found.append(f"select {tag.format(relation, source)}{cells} from {relation}{where}")
    return "\nunion all\n".join(found)


def _kept(write: Written, relations: Sequence[Relation], how: Mapping[str, Any]) -> dict[str, str]:
    include, exclude = _lower(how.get("include")), _lower(how.get("exclude"))
    kept: dict[str, str] = {}
    for column in (column for relation in relations for column in write.columns(relation)):
        name = column.name.lower()
        if name not in exclude and (not include or name in include):
            kept.setdefault(column.name, (how.get("column_override") or {}).get(column.name, column.data_type))
    return kept


def _unpivot(write: Written, relation: Relation, cast_to: str = "varchar", **how: Any) -> str:
    exclude, remove = how.get("exclude") or [], _lower(how.get("remove"))
    named, valued = how.get("field_name", "field_name"), how.get("value_name", "value")
    kept = "".join(f"{column}, " for column in exclude)
    names = [c.name for c in write.columns(relation) if c.name.lower() not in remove | _lower(exclude)]
    if not names:
        raise Unrenderable("`unpivot` leaves no column to unpivot")
    quoted = write.quoted if how.get("quote_identifiers") else str
    return "\nunion all\n".join(
        f"select {kept}{write('cast({0} as varchar)', repr(name))} as {named}, "
        f"cast({quoted(name)} as {cast_to}) as {valued} from {relation}"
        for name in names
    )


def _nullcheck(_write: Written, cols: Sequence[Column]) -> str:
    return ", ".join(f"nullif({c.name}, '') as {c.name}" if c.is_string() else c.name for c in cols)


def _nullcheck_table(write: Written, relation: Relation) -> str:
    return f"select {_nullcheck(write, write.columns(relation))} from {relation}"


def slug(_write: Written, string: str) -> str:
    """Write a name in small letters, digits and underscores, as `slugify` does."""
    plain = re.sub(r"[^a-z0-9_]+", "", re.sub(r"[ -]+", "_", str(string).lower()))
    return re.sub(r"^[0-9]", f"_{plain[:1]}", plain)


COLUMN_MACROS: Mapping[str, Callable[..., Any]] = {
    "star": _star,
    "get_filtered_columns_in_relation": _filtered,
    "union_relations": _union_relations,
    "unpivot": _unpivot,
    "nullcheck": _nullcheck,
    "nullcheck_table": _nullcheck_table,
    "slugify": slug,
    "_is_relation": lambda _write, *_: "",
    "_is_ephemeral": lambda _write, *_: "",
}
"""By name; the first argument of each is what writes."""
