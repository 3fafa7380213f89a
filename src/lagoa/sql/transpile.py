"""Turns a query of another dialect into DuckDB's, and says what was changed by it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError

from lagoa.sql.incremental.allowed import judge
from lagoa.sql.incremental.analysis import Refused
from lagoa.sql.tree import DIALECT

DIALECTS = ("bigquery", "databricks", "duckdb", "mysql", "postgres", "redshift", "snowflake", "spark", "trino", "tsql")
"""Dialects that are read."""
_TEXTS = frozenset(("TEXT", "VARCHAR", "STRING"))
_CLAUSES = (exp.Query, exp.With, exp.CTE, exp.From, exp.Join, exp.Where, exp.Having, exp.Group, exp.Order, exp.Qualify)
"""What only holds other parts: a change inside it is told by the part."""


class Unreadable(Exception):
    """The text is not SQL of that dialect; `line` counts from 1."""

    def __init__(self, words: str, line: int) -> None:
        super().__init__(words)
        self.line = line


@dataclass(frozen=True)
class Change:
    """A part of a query before and after; `line` counts from 1 in the text that was read."""

    line: int
    before: str
    after: str


@dataclass(frozen=True)
class Transpiled:
    """A query in DuckDB's dialect; `doubts` is what has no equal there."""

    text: str
    changes: tuple[Change, ...]
    doubts: tuple[str, ...]


def transpile(text: str, dialect: str) -> Transpiled:
    """Turn a query into DuckDB's dialect; DuckDB's own stays letter by letter. Raises Unreadable."""
    tree = _tree(text, dialect)
    if dialect == DIALECT:
        return Transpiled(text, (), ())
    writer = Dialect.get_or_raise(DIALECT).generator(pretty=True, unsupported_level=ErrorLevel.IGNORE)
    written = writer.generate(tree.copy())
    return Transpiled(written, tuple(_changes(tree, dialect)), tuple(dict.fromkeys(writer.unsupported_messages)))


def expression(text: str, dialect: str) -> str:
    """Turn an expression, such as a condition, into DuckDB's dialect. Raises Unreadable."""
    if dialect == DIALECT:
        return text
    return _tree(text, dialect).sql(dialect=DIALECT)


def in_dialect(text: str, dialect: str) -> str:
    """Write an expression of DuckDB's in another dialect."""
    return text if dialect == DIALECT else sqlglot.parse_one(text, dialect=DIALECT).sql(dialect=dialect)


def tables_renamed(text: str, dialect: str, names: Mapping[str, str]) -> str:
    """Return a query in which tables, found by their parts in lower case joined by dots, are called otherwise."""
    tree = _tree(text, dialect)
    for table in list(tree.find_all(exp.Table)):
        name = names.get(".".join(part.name.lower() for part in table.parts))
        if name is not None:
            new = exp.to_table(name)
            alias = table.args.get("alias")
            new.set("alias", alias if alias is not None else exp.TableAlias(this=exp.to_identifier(table.name)))
            table.replace(new)
    return tree.sql(dialect=dialect, pretty=True)


def tables_in(text: str, dialect: str) -> list[tuple[str, ...]]:
    """Name the tables of a query by their parts, as they are spelled; each once. Raises Unreadable."""
    tables = (t for t in _tree(text, dialect).find_all(exp.Table) if isinstance(t.this, exp.Identifier))
    return list(dict.fromkeys(tuple(part.name for part in table.parts) for table in tables))


def tables_replaced(text: str, dialect: str, names: Mapping[str, str]) -> str:
    """Do what `tables_renamed` does, and leave the rest letter by letter where every such table has an alias."""
    tables = (t for t in _tree(text, dialect).find_all(exp.Table) if ".".join(p.name.lower() for p in t.parts) in names)
    if not all(table.alias for table in tables):
        return tables_renamed(text, dialect, names)
    for written, name in names.items():
        parts = r"[`\"\]]?\.[`\"\[]?".join(map(re.escape, written.split(".")))
        text = re.sub(rf"(?<![\w.`\"])[`\"\[]?{parts}(?!\w)[`\"\]]?", name, text, flags=re.IGNORECASE)
    return text


def refusal(text: str) -> str | None:
    """Say why a query in DuckDB's dialect is never followed incrementally, as far as the text alone tells."""
    try:
        judge(sqlglot.parse_one(text, dialect=DIALECT), resolved=False)
    except Refused as refused:
        return str(refused)
    return None


def strange_functions(text: str, known: Collection[str]) -> list[tuple[str, int]]:
    """Name the functions of a query in DuckDB's dialect that are not known, with their lines."""
    found = []
    for call in sqlglot.parse_one(text, dialect=DIALECT).find_all(exp.Anonymous):
        if call.name.lower() not in known:
            line = next((n for n, said in enumerate(text.lower().split("\n"), 1) if call.name.lower() in said), 1)
            found.append((call.name.lower(), line))
    return list(dict.fromkeys(found))


def _tree(text: str, dialect: str) -> exp.Expr:
    try:
        tree = sqlglot.parse_one(text, dialect=dialect)
    except SqlglotError as error:
        raise _unreadable(error) from None
    for kind in tree.find_all(exp.DataType):
        if any(size.name.upper() == "MAX" for size in kind.expressions):
            kind.set("expressions", [])  # varchar(max): DuckDB's texts have no greatest length
    return tree


def _unreadable(error: SqlglotError) -> Unreadable:
    details = getattr(error, "errors", None) or [{}]
    near = details[0].get("highlight")
    words = f"the SQL cannot be read near `{near}`" if near else "the SQL cannot be read"
    return Unreadable(words, details[0].get("line") or 1)


def _changes(tree: exp.Expr, dialect: str) -> Iterator[Change]:
    """Find the smallest parts that are written otherwise, from the first line to the last."""
    found = [Change(_line(node), *_both(node, dialect)) for node in _smallest(tree, dialect)]
    yield from sorted(dict.fromkeys(found), key=lambda change: change.line)


def _smallest(node: exp.Expr, dialect: str) -> list[exp.Expr]:
    before, after = _both(node, dialect)
    if before.lower() == after.lower() or (before in _TEXTS and after in _TEXTS):
        return []
    smaller = [part for child in node.iter_expressions() for part in _smallest(child, dialect)]
    for part in smaller:
        before = before.replace(*_both(part, dialect), 1)
    explained = before.lower() == after.lower() or isinstance(node, _CLAUSES)
    return smaller if smaller and explained else [node]


def _both(node: exp.Expr, dialect: str) -> tuple[str, str]:
    before, after = (
        node.sql(dialect=written, comments=False, unsupported_level=ErrorLevel.IGNORE) for written in (dialect, DIALECT)
    )
    return before, after


def _line(node: exp.Expr) -> int:
    lines = [n.meta["line"] for n in node.walk() if "line" in n.meta]
    return min(lines, default=1)
