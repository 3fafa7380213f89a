"""Follows a query's columns to the tables that it reads: CTEs, joins, set operations and all that decides rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lagoa.sql.expression import QUERIES, Expressions
from lagoa.sql.from_clause import FromClause
from lagoa.sql.lineage import ColumnLineage, OtherColumns, QueryLineage, Schema
from lagoa.sql.projection import project
from lagoa.sql.relation import Relation, Rest, Rows, Value, joined, stacked
from lagoa.sql.scope import Scope, open_rest
from lagoa.sql.tree import DIALECT

_ROUNDS = 20


def trace(text: str, schema: Schema) -> QueryLineage:
    """Follow one query; what cannot be read or followed is one unknown with its reason."""
    try:
        root = sqlglot.parse_one(text, dialect=DIALECT)
        return _told(_Tracer(schema).query(root, Scope(None, {})))
    except SqlglotError:
        return _unread("the query cannot be read")
    except RecursionError:
        return _unread("the query is nested too deeply")


def _unread(reason: str) -> QueryLineage:
    return QueryLineage(others=OtherColumns(reason), rows_unknown=reason)


def _told(relation: Relation) -> QueryLineage:
    columns = tuple(_column(name, value, relation.rows) for name, value in relation.columns)
    rest, rows = relation.rest, relation.rows
    others = (
        OtherColumns(rest.reason, rest.tables, dict(sorted(rest.value.origins.items())), rest.hidden) if rest else None
    )
    return QueryLineage(columns, tuple(sorted(rows.origins)), others, _reason(rows.unknown))


def _column(name: str, value: Value, rows: Rows) -> ColumnLineage:
    deciding = rows | value.rows
    return ColumnLineage(
        name,
        dict(sorted(value.origins.items())),
        tuple(sorted(value.rows_of)),
        tuple(sorted(deciding.origins)),
        _reason(value.unknown),
        _reason(deciding.unknown),
    )


def _reason(reasons: frozenset[str]) -> str | None:
    return "; ".join(sorted(reasons)) or None


class _Tracer:
    def __init__(self, schema: Schema) -> None:
        self._expressions = Expressions(self.query)
        self._from = FromClause(schema, self._expressions, self.query)

    def query(self, node: Any, outer: Scope) -> Relation:
        """Follow a query in the scope that it stands in."""
        scope = Scope(outer, self._ctes(node, outer))
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, scope)
        if isinstance(node, exp.Subquery) and isinstance(node.this, QUERIES):
            return self._limited(node, self.query(node.this, scope), scope)
        return self._from.alone(node, scope)

    # ------------------------------------------------------------ with
    def _ctes(self, node: Any, outer: Scope) -> Mapping[str, Relation]:
        with_ = node.args.get("with_")
        if with_ is None:
            return outer.ctes
        found = dict(outer.ctes)
        for cte in with_.expressions:
            name, names = cte.alias.lower(), [c.name for c in cte.args["alias"].args.get("columns") or ()]
            if with_.args.get("recursive") and isinstance(cte.this, exp.SetOperation):
                found[name] = self._recursive(cte.this, Scope(outer, found), name, names)
            else:
                found[name] = self.query(cte.this, Scope(outer, found)).named(names)
        return found

    def _recursive(self, node: Any, scope: Scope, name: str, names: Sequence[str]) -> Relation:
        """Begin with the first part and add what each round brings, until nothing is new."""
        known = self.query(node.this, scope).named(names)
        for _ in range(_ROUNDS):
            inside = Scope(scope.parent, {**scope.ctes, name: known})
            grown = stacked(known, self.query(node.expression, inside).named(names))
            if grown == known:
                break
            known = grown
        if node.args.get("distinct"):
            known = replace(known, rows=known.rows | known.everything().deciding())
        return known

    # ------------------------------------------------------------ set operations
    def _set_operation(self, node: Any, scope: Scope) -> Relation:
        left, right = self.query(node.this, scope), self.query(node.expression, scope)
        if isinstance(node, exp.Union):
            found = stacked(left, right, bool(node.args.get("by_name")))
        else:
            # what is on the right decides which rows of the left are there
            rows = left.rows | right.rows | left.everything().deciding() | right.everything().deciding()
            found = replace(left, rows=rows)
        if node.args.get("distinct"):
            found = replace(found, rows=found.rows | found.everything().deciding())
        return self._limited(node, found, scope)

    def _limited(self, node: Any, found: Relation, scope: Scope) -> Relation:
        """Apply the order and limit of a set operation or of a query in parentheses."""
        inner = Scope(scope.parent, scope.ctes, aliases={n.lower(): v for n, v in found.columns})
        rows = self._limit(node, inner, [v for _, v in found.columns], found.rest)
        return replace(found, rows=found.rows | rows)

    # ------------------------------------------------------------ select
    def _select(self, node: Any, scope: Scope) -> Relation:
        self._from.into(node, scope)
        scope.windows = {w.name.lower(): w for w in node.args.get("windows") or ()}
        given = project(self._expressions, node.expressions, scope)
        values = [value for _, value in given.columns]
        rows = scope.rows
        for key in ("where", "having", "qualify"):
            part = node.args.get(key)
            if part is not None:
                rows |= self._expressions.rows(part.this, scope)
        rows |= self._group(node, scope, values) | self._distinct(node, scope, values)
        rows |= self._limit(node, scope, values, given.rest)
        return Relation(given.columns, rows, scope.tables, given.rest)

    def _group(self, node: Any, scope: Scope, values: list[Value]) -> Rows:
        group = node.args.get("group")
        if group is None:
            return Rows()
        found = Rows()
        if group.args.get("all") or any(_is_all(part) for part in group.expressions):
            for projection, value in zip(node.expressions, values, strict=False):
                if not _aggregates(projection):
                    found |= value.deciding()
            if len(node.expressions) != len(values):
                found |= joined(values).deciding()
            return found
        for part in group.iter_expressions():
            found |= self._by(part, scope, values)
        return found

    def _by(self, part: Any, scope: Scope, values: list[Value], alias_first: bool = False) -> Rows:
        """Read an expression of GROUP BY or ORDER BY, where a number is a place in the SELECT list."""
        inner = part.this if isinstance(part, exp.Ordered) else part
        if isinstance(inner, exp.Literal) and not inner.is_string and inner.name.isdigit():
            place = int(inner.name)
            if 0 < place <= len(values):
                return values[place - 1].deciding()
            return Rows(unknown=frozenset({f"{place} counts columns that are not known"}))
        if _is_all(inner):
            return joined(values).deciding()
        return self._expressions.rows(inner, scope, alias_first)

    def _distinct(self, node: Any, scope: Scope, values: list[Value]) -> Rows:
        distinct = node.args.get("distinct")
        if distinct is None:
            return Rows()
        on = distinct.args.get("on")
        if on is None:
            rest = open_rest(scope) if any(True for e in node.expressions if e.is_star) else None
            found = joined(values).deciding()
            return found if rest is None else found | Rows(unknown=frozenset({rest.reason}))
        found = Rows()
        for part in on.expressions if isinstance(on, exp.Tuple) else [on]:
            found |= self._by(part, scope, values)
        return found | self._ordered(node, scope, values)

    def _ordered(self, node: Any, scope: Scope, values: list[Value]) -> Rows:
        found = Rows()
        order = node.args.get("order")
        for part in order.expressions if order is not None else ():
            found |= self._by(part, scope, values, alias_first=True)
        return found

    def _limit(self, node: Any, scope: Scope, values: list[Value], rest: Rest | None) -> Rows:
        limits = [part for key in ("limit", "offset") if (part := node.args.get(key)) is not None]
        if not limits:
            return Rows()
        found = self._ordered(node, scope, values)
        if rest is not None and node.args.get("order") is not None and _is_all(node.args["order"].expressions[0].this):
            found |= Rows(unknown=frozenset({rest.reason}))
        for part in limits:
            for inner in part.iter_expressions():
                found |= self._expressions.rows(inner, scope)
        return found


def _is_all(node: Any) -> bool:
    return isinstance(node, exp.Var) and node.name.lower() == "all"


def _aggregates(node: Any) -> bool:
    """Say whether an expression gathers rows: GROUP BY ALL leaves it out."""
    return any(not _inside(found, node) for found in node.find_all(exp.AggFunc, exp.Filter))


def _inside(node: Any, top: Any) -> bool:
    """Say whether a node belongs to a window or to a query of its own below `top`."""
    at = node
    while at is not top and at is not None:
        above = at.parent
        if isinstance(above, QUERIES) or (isinstance(above, exp.Window) and above.this is at):
            return True
        at = above
    return False
