"""One SELECT of a query: its sources, the groups that its rows depend on, and the types of its expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

import sqlglot
from sqlglot import exp

from lagoa.sql.incremental.analysis import NEW, OLD, UNITED, Describe, Refused, exact
from lagoa.sql.incremental.reading import at, quote, text
from lagoa.sql.tree import DIALECT

N = TypeVar("N", bound=exp.Expr)
Locality = dict[str, exp.Expr]
"""Expressions by their SQL: an output row depends only on the input rows that are equal in all of them."""


def expression(sql: str) -> exp.Expr:
    """Parse an expression of ours."""
    found: exp.Expr = sqlglot.parse_one(sql, dialect=DIALECT)
    return found


def conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    """Split a condition at its ANDs."""
    node = bare(node) if node is not None else None
    if node is None:
        return []
    if isinstance(node, exp.And):
        return [c for part in (node.this, node.expression) for c in conjuncts(part)]
    return [node]


def bare(node: exp.Expr) -> exp.Expr:
    """Take the parentheses off."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def own(select: exp.Expr, kind: type[N]) -> list[N]:
    """Find nodes in a SELECT's own expressions, not in the queries inside it."""

    def walk(node: exp.Expr, top: bool) -> Iterator[N]:
        if isinstance(node, exp.Query) and not top:
            return
        if isinstance(node, kind):
            yield node
        for child in node.iter_expressions():
            yield from walk(child, False)

    return list(walk(select, True))


def subqueries(select: exp.Expr) -> list[exp.Expr]:
    """Find the subqueries in a SELECT's expressions: IN, EXISTS and scalar ones, not its sources."""
    found: list[exp.Expr] = []

    def walk(node: exp.Expr) -> None:
        if isinstance(node, exp.In) and node.args.get("query") is not None:
            found.append(node)
            walk(node.this)
        elif isinstance(node, (exp.Exists, exp.Subquery)):
            found.append(node)
        else:
            for child in node.iter_expressions():
                walk(child)

    for name, value in select.args.items():
        for part in value if isinstance(value, list) else [value]:
            if name == "joins" and part.args.get("on") is not None:
                walk(part.args["on"])
            elif name not in ("from_", "joins", "with_") and isinstance(part, exp.Expr):
                walk(part)
    return found


def outputs(select: exp.Query) -> dict[str, exp.Expr]:
    """Give a SELECT's expressions by the names of its columns."""
    return {x.alias_or_name: (x.this if isinstance(x, exp.Alias) else x) for x in select.selects}


def plain_aggregates(select: exp.Expr) -> list[exp.AggFunc]:
    """Find a SELECT's aggregates, those of its windows aside."""

    def windowed(node: exp.Expr) -> bool:
        parent = node.parent
        while isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
            parent = parent.parent
        return isinstance(parent, exp.Window) and not _inside(node, parent, ("partition_by", "order"))

    return [a for a in own(select, exp.AggFunc) if not windowed(a)]


def _inside(node: exp.Expr, parent: exp.Expr, names: Iterable[str]) -> bool:
    parts = [p for n in names for p in _listed(parent.args.get(n))]
    return any(node is inner for part in parts for inner in part.walk())


def _listed(value: object) -> list[exp.Expr]:
    found = value if isinstance(value, list) else [value]
    return [f for f in found if isinstance(f, exp.Expr)]


def locality(select: exp.Query) -> Locality | None:
    """Find what a SELECT's rows are computed over; None when each comes from one row of its sources."""
    group, found = select.args.get("group"), None
    if group:
        found = {text(x): x for x in group.expressions}
    elif plain_aggregates(select) or select.args.get("having"):
        found = {}
    for window in own(select, exp.Window):
        parts = {text(x): x for x in window.args.get("partition_by") or []}
        found = parts if found is None else {k: v for k, v in found.items() if k in parts}
    return found


def one_row(select: exp.Expr) -> bool:
    """Say whether a SELECT gathers all its rows into one, which is there also when they are none."""
    return not select.args.get("group") and bool(plain_aggregates(select) or select.args.get("having"))


def covered(node: exp.Expr, local: Locality) -> bool:
    """Say whether an expression is made of nothing but the locality."""
    if text(node) in local:
        return True
    if isinstance(node, (exp.Column, exp.AggFunc, exp.Window, exp.Query, exp.Subquery)):
        return False
    return all(covered(child, local) for child in node.iter_expressions())


@dataclass(frozen=True)
class Source:
    """One source of a FROM; `side` is how it is joined: FROM, INNER, LEFT, RIGHT or FULL."""

    alias: str
    node: exp.Expr
    side: str
    on: Sequence[exp.Expr]

    @property
    def input(self) -> str | None:
        """The input that it is, None when it is a query."""
        return self.node.name.split("@")[0] if isinstance(self.node, exp.Table) else None


def sources(select: exp.Expr) -> list[Source]:
    """List a SELECT's sources in their order. Raises Refused."""
    first = select.args.get("from_")
    if first is None:
        raise Refused("a SELECT without FROM")
    found = [Source(first.this.alias_or_name, first.this, "FROM", ())]
    for join in select.args.get("joins") or []:
        side = str(join.side or "").upper() or "INNER"
        found.append(Source(join.this.alias_or_name, join.this, side, conjuncts(join.args.get("on"))))
    for source in found:
        if not isinstance(source.node, (exp.Table, exp.Subquery)):
            raise Refused(f"it reads from {type(source.node).__name__.upper()}, which is not followed")
        if isinstance(source.node, exp.Subquery) and not isinstance(source.node.this, exp.Query):
            raise Refused("a join in parentheses is not followed")
    if len({s.alias for s in found}) != len(found):
        raise Refused("two sources have one alias")
    return found


def nullable(found: Sequence[Source]) -> set[int]:
    """Number the sources whose columns an outer join may make null."""
    optional: set[int] = set()
    for number, source in enumerate(found):
        if source.side in ("LEFT", "FULL"):
            optional.add(number)
        if source.side in ("RIGHT", "FULL"):
            optional |= set(range(number))
    return optional


class Scopes:
    """Answers what takes the engine's word: the types of expressions and sources, asked once each."""

    def __init__(self, columns: Mapping[str, Mapping[str, str]], describe: Describe) -> None:
        self._columns, self._describe = columns, describe
        self._known: dict[str, Mapping[str, str]] = {}
        self.numbers = count()

    def columns_of(self, source: Source) -> Mapping[str, str]:
        """Return the type of each column of a source."""
        return self._columns[source.input] if source.input is not None else self.asked(at(source.node.this, ""))

    def asked(self, query: str) -> Mapping[str, str]:
        """Ask for the columns of a query over the bare inputs."""
        if query not in self._known:
            self._known[query] = self._describe(query)
        return self._known[query]

    def types(self, select: exp.Expr, nodes: Sequence[exp.Expr]) -> list[str]:
        """Return the types of expressions that stand in a SELECT. Raises Refused when the engine does not say."""
        if not nodes:
            return []
        copy = select.copy()
        for clause in ("where", "group", "having", "qualify", "distinct", "order"):
            copy.set(clause, None)
        aliases = {s.alias for s in sources(select)}
        shown = [exp.alias_(self._settled(n, aliases, select), f"c{i}", quoted=True) for i, n in enumerate(nodes)]
        copy.set("expressions", shown)
        found = self.asked(at(copy, ""))
        return [found[f"c{i}"] for i in range(len(nodes))]

    def _settled(self, node: exp.Expr, aliases: set[str], select: exp.Expr) -> exp.Expr:
        """Write typed nulls for the columns of enclosing queries."""
        root = exp.Paren(this=node.copy())
        for column in list(root.find_all(exp.Column)):
            if column.table in aliases:
                continue
            outer = select.find_ancestor(exp.Select)
            while outer is not None and column.table not in {s.alias for s in sources(outer)}:
                outer = outer.find_ancestor(exp.Select)
            if outer is None:
                raise Refused(f"the type of {text(column)} is not known")
            source = next(s for s in sources(outer) if s.alias == column.table)
            column.replace(expression(f"CAST(NULL AS {self.columns_of(source)[column.name]})"))
        return root

    def exact(self, select: exp.Expr, nodes: Sequence[exp.Expr], what: str) -> None:
        """Refuse expressions of a type whose equal values may differ."""
        for kind in self.types(select, nodes):
            if not exact(kind):
                raise Refused(f"{what} {kind}, whose equal values may differ")

    # ------------------------------------------------------------ both versions at once
    def united(self, source: Source) -> str:
        """Write a superset of a source's rows in both versions."""
        if source.input is not None:
            return quote(source.input + UNITED)
        body = source.node.this
        if self._monotone(body):
            return f"({at(body, UNITED)})"
        return f"({at(body, OLD)} UNION ALL {at(body, NEW)})"

    def _monotone(self, query: exp.Expr) -> bool:
        """Say whether more rows in can only mean more rows out."""
        for part in query.find_all(exp.Query):
            if isinstance(part, (exp.Except, exp.Intersect)):
                return False
            if isinstance(part, exp.Select) and not self._monotone_select(part):
                return False
        return True

    def _monotone_select(self, select: exp.Select) -> bool:
        if locality(select) is not None or subqueries(select):
            return False
        return all(s.side in ("FROM", "INNER") for s in sources(select))
