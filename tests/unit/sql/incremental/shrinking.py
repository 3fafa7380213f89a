"""Makes a query smaller while it still does what is wrong, so that a person can see why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

_CLAUSES = {"where", "having", "qualify", "group", "distinct", "with_", "on", "alias"}
_STRUCTURE = (exp.Table, exp.TableAlias, exp.Identifier, exp.Column, exp.From, exp.Where, exp.Join, exp.CTE)


def shrunk(query: str, wrong: Callable[[str], bool], tries: int = 400) -> str:
    """Return the smallest query found that is still `wrong`."""
    seen, again = {query}, True
    while again:
        again = False
        for smaller in _smaller(query):
            if len(smaller) >= len(query) or smaller in seen or len(seen) > tries:
                continue
            seen.add(smaller)
            if wrong(smaller):
                query, again = smaller, True
                break
    return query


def _smaller(query: str) -> Iterator[str]:
    tree = parse_one(query, dialect="duckdb")
    if isinstance(tree, exp.SetOperation):
        yield tree.left.sql("duckdb")
        yield tree.right.sql("duckdb")
    for number in range(len(list(tree.walk()))):
        yield from _without(tree, number)


def _without(tree: exp.Expr, number: int) -> Iterator[str]:
    """Drop the node of a number, or put one of those below it in its place."""
    node = list(tree.walk())[number]
    if node.parent is None:
        return
    if node.arg_key in _CLAUSES or isinstance(node.parent.args.get(node.arg_key or ""), list):
        yield from _written(tree, number, None)
    if isinstance(node, _STRUCTURE):
        return
    for place, below in enumerate(node.iter_expressions()):
        if isinstance(below, exp.Query) or not isinstance(node, (exp.Query, exp.Subquery)):
            yield from _written(tree, number, place)


def _written(tree: exp.Expr, number: int, below: int | None) -> Iterator[str]:
    copy = tree.copy()
    node = list(copy.walk())[number]
    if below is None:
        node.pop()
    else:
        node.replace(list(node.iter_expressions())[below].copy())
    try:
        yield copy.sql("duckdb")
    except SqlglotError:
        return
