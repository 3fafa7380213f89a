"""Of what an expression's value is made: each kind of node that passes on more or less than its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from lagoa.sql.relation import CONSTANT, Relation, Rows, Value, joined
from lagoa.sql.scope import Scope

Trace = Callable[[Any, Scope], Relation]
"""Follows a query inside an expression."""
QUERIES = (exp.Query, exp.Values)
_NUMBERING = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.CumeDist, exp.PercentRank, exp.Ntile)
_NUMBERING_NAMES = {"row_number", "rank", "dense_rank", "cume_dist", "percent_rank", "ntile", "count_star"}
_COUNTING = (exp.Count, exp.CountIf, exp.ApproxDistinct)
_SAME = (exp.Paren, exp.Alias, exp.Cast, exp.TryCast)
_LEAVES = (exp.Literal, exp.Identifier, exp.Var, exp.DataType, exp.Null, exp.Boolean, exp.Placeholder)


class Expressions:
    """Follows expressions in a scope; `trace` follows the queries inside them."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def value(self, node: Any, scope: Scope, alias_first: bool = False) -> Value:
        """Give what an expression's value is made of."""
        if isinstance(node, exp.Column):
            if isinstance(node.this, exp.Star):
                return joined(s.relation.everything() for s in scope.sources).through("derived")
            return scope.column([part.name for part in node.parts], alias_first)
        if isinstance(node, _SAME):
            return self.value(node.this, scope, alias_first)
        if isinstance(node, _LEAVES):
            return CONSTANT
        if isinstance(node, QUERIES):
            return self._subquery(node, scope)
        special = _SPECIAL.get(type(node).__name__)
        if special is not None:
            return special(self, node, scope)
        return self._parts(node, scope, alias_first)

    def rows(self, node: Any, scope: Scope, alias_first: bool = False) -> Rows:
        """Give what decides rows when an expression does."""
        return self.value(node, scope, alias_first).deciding()

    def _parts(self, node: Any, scope: Scope, alias_first: bool = False) -> Value:
        if isinstance(node, _NUMBERING):
            return Value(rows_of=scope.tables)
        if isinstance(node, _COUNTING):
            return self._count(node, scope)
        return joined(self.value(part, scope, alias_first) for part in node.iter_expressions()).through("derived")

    def _count(self, node: Any, scope: Scope) -> Value:
        found = Value(rows_of=scope.tables)
        told = [p for p in node.iter_expressions() if not isinstance(p, exp.Star) and not _is_star(p)]
        return joined([found, *(self.value(part, scope).through("counted") for part in told)])

    def _subquery(self, node: Any, scope: Scope) -> Value:
        relation = self._trace(node, scope)
        return relation.everything().with_rows(relation.rows)

    def _exists(self, node: Any, scope: Scope) -> Value:
        if not isinstance(node.this, QUERIES):
            return self._parts(node, scope)
        relation = self._trace(node.this, scope)
        return Value(rows=relation.rows, rows_of=relation.tables)

    def _filter(self, node: Any, scope: Scope) -> Value:
        return self.value(node.this, scope).with_rows(self.rows(node.expression, scope))

    def _order(self, node: Any, scope: Scope) -> Value:
        """`string_agg(x order by y)`: y says only in which order."""
        value = self.value(node.this, scope) if node.this is not None else CONSTANT
        return value.with_rows(self._all_rows(node.expressions, scope))

    def _within_group(self, node: Any, scope: Scope) -> Value:
        """`mode() within group (order by x)`: x is the value."""
        ordered = [self.value(part, scope) for part in node.expression.expressions]
        return joined([self.value(node.this, scope), *ordered]).through("derived")

    def _best(self, node: Any, scope: Scope) -> Value:
        """`arg_max(x, y)`: y decides of which row x is."""
        value = self.value(node.this, scope).through("derived")
        return value.with_rows(self.rows(node.expression, scope))

    def _window(self, node: Any, scope: Scope) -> Value:
        value = self.value(node.this, scope).through("derived")
        return value.with_rows(self._over(node, scope, 0))

    def _over(self, node: Any, scope: Scope, depth: int) -> Rows:
        """Give what a window's partition, order and frame decide; it may begin as a named one."""
        found = self._all_rows(node.args.get("partition_by") or (), scope)
        for key in ("order", "spec"):
            part = node.args.get(key)
            if part is not None:
                found |= self._all_rows(list(part.iter_expressions()), scope)
        for named in (node.args.get("alias"), node.args.get("first")):
            above = scope.windows.get(named.name.lower()) if isinstance(named, exp.Expr) else None
            if above is not None and depth < len(scope.windows) + 1:
                found |= self._over(above, scope, depth + 1)
        return found

    def _all_rows(self, nodes: Any, scope: Scope) -> Rows:
        found = Rows()
        for node in nodes:
            if isinstance(node, exp.Expr):
                found |= self.rows(node, scope)
        return found

    def _is(self, node: Any, scope: Scope) -> Value:
        value = self.value(node.this, scope)
        return value.through("counted") if isinstance(node.expression, exp.Null) else value.through("derived")

    def _lambda(self, node: Any, scope: Scope) -> Value:
        """`x -> x + y`, or a list comprehension: x is of the list that it goes through, y of a table."""
        names = [p for p in (*node.expressions, node.args.get("expression")) if p is not None]
        scope.shadows.append(frozenset(name.name.lower() for name in names))
        body = [self.value(p, scope) for p in (node.this, node.args.get("condition")) if p is not None]
        scope.shadows.pop()
        through = node.args.get("iterator")
        return joined([*body, *([self.value(through, scope)] if through is not None else [])]).through("derived")

    def _star(self, node: Any, scope: Scope) -> Value:
        del node
        return joined(s.relation.everything() for s in scope.sources).through("derived")

    def _columns(self, node: Any, scope: Scope) -> Value:
        """`where columns(…) > 0`: some of all columns."""
        return self._star(node, scope).doubtful("`columns(…)` chooses columns")

    def _anonymous(self, node: Any, scope: Scope) -> Value:
        if str(node.name).lower() in _NUMBERING_NAMES:
            return Value(rows_of=scope.tables)
        return joined(self.value(part, scope) for part in node.expressions).through("derived")


def _is_star(node: Any) -> bool:
    return isinstance(node, exp.Column) and isinstance(node.this, exp.Star)


_SPECIAL: dict[str, Callable[[Expressions, Any, Scope], Value]] = {
    "Exists": Expressions._exists,
    "Filter": Expressions._filter,
    "Order": Expressions._order,
    "WithinGroup": Expressions._within_group,
    "ArgMax": Expressions._best,
    "ArgMin": Expressions._best,
    "Window": Expressions._window,
    "Is": Expressions._is,
    "Lambda": Expressions._lambda,
    "Comprehension": Expressions._lambda,
    "Star": Expressions._star,
    "Columns": Expressions._columns,
    "Anonymous": Expressions._anonymous,
}
