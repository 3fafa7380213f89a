"""Which columns a query joins by: pairs that it holds equal, so that rows can be found that belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from lagoa.sql.lineage import Origin
from lagoa.sql.tree import DIALECT


def equal(text: str) -> list[tuple[Origin, Origin]]:
    """List the pairs of columns of two tables that a query holds equal; none when it cannot be followed."""
    try:
        scopes = traverse_scope(sqlglot.parse_one(text, dialect=DIALECT))
    except (SqlglotError, RecursionError):
        return []
    found = {(a, b) for scope in scopes for a, b in _pairs(scope) if a is not None and b is not None and a != b}
    return sorted(found)


def _pairs(scope: Scope) -> Iterator[tuple[Origin | None, Origin | None]]:
    for same in scope.find_all(exp.EQ, exp.NullSafeEQ):
        yield _column(same.this, scope), _column(same.expression, scope)
    for among in scope.find_all(exp.In):
        query = among.args.get("query")
        inner = next((s for s in scope.subquery_scopes if query is not None and s.expression is query.this), None)
        if inner is not None and (shown := _shown(inner)):
            yield _column(among.this, scope), _column(shown[0], inner)
    for join in scope.find_all(exp.Join):
        for name in join.args.get("using") or ():
            held = [_of(source, name.name) for source in _selected(scope)]
            yield from ((held[0], other) for other in held[1:])


def _column(node: Any, scope: Scope) -> Origin | None:
    """Find the table's column that an expression shows as it is, but for casts and text functions."""
    while isinstance(node, (exp.Alias, exp.Paren, exp.Cast, exp.Lower, exp.Upper, exp.Trim)):
        node = node.this
    if not isinstance(node, exp.Column):
        return None
    if node.table:
        at: Scope | None = scope
        while at is not None and node.table not in at.sources:
            at = at.parent  # a subquery that looks at the query around it
        return _of(at.sources[node.table], node.name) if at is not None else None
    sources = _selected(scope)
    return _of(sources[0], node.name) if len(sources) == 1 else None


def _shown(scope: Scope) -> list[Any]:
    return list(getattr(scope.expression, "selects", ()))


def _selected(scope: Scope) -> list[Any]:
    return [source for _, source in scope.selected_sources.values()]


def _of(source: Any, name: str) -> Origin | None:
    if isinstance(source, exp.Table):
        return Origin(f"{source.db}.{source.name}".lower(), name)
    if not isinstance(source, Scope):
        return None
    if source.set_operation_scopes:
        return _of(source.set_operation_scopes[0], name)
    for shown in _shown(source):
        if shown.output_name.lower() == name.lower():
            return _column(shown, source)
    sources = _selected(source)
    return _of(sources[0], name) if len(sources) == 1 and source.expression.is_star else None
