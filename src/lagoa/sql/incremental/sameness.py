"""Refuses what the same rows in another order, or equal values that differ, could make different."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from lagoa.sql.incremental.allowed import AGGREGATES, BY_ORDER, RANKS, summed
from lagoa.sql.incremental.analysis import Refused, exact
from lagoa.sql.incremental.reading import text
from lagoa.sql.incremental.scope import Scopes, own, plain_aggregates, sources, subqueries


def judge_rows(tree: exp.Query, scopes: Scopes) -> None:
    """Refuse a tree whose rows are not a function of its inputs' rows. Raises Refused."""
    for query in tree.find_all(exp.Query):
        if isinstance(query, exp.SetOperation):
            _set_operation(query, scopes)
        elif isinstance(query, exp.Select):
            _select(query, scopes)


def _set_operation(query: exp.SetOperation, scopes: Scopes) -> None:
    if isinstance(query, exp.Union) and not query.args.get("distinct"):
        return
    for select in (s for side in (query.left, query.right) for s in _branches(side)):
        scopes.exact(select, [_value(s) for s in select.selects], "it compares rows with")


def _branches(query: exp.Expr) -> list[exp.Select]:
    if isinstance(query, exp.Select):
        return [query]
    if isinstance(query, exp.Subquery):
        return _branches(query.this)
    if isinstance(query, exp.SetOperation):
        return [*_branches(query.left), *_branches(query.right)]
    raise Refused(f"{type(query).__name__.upper()} is not followed")


def _value(node: exp.Expr) -> exp.Expr:
    found: exp.Expr = node.this if isinstance(node, exp.Alias) else node
    return found


def _select(select: exp.Select, scopes: Scopes) -> None:
    if group := select.args.get("group"):
        scopes.exact(select, group.expressions, "it groups by")
    if select.args.get("distinct"):
        scopes.exact(select, [_value(s) for s in select.selects], "its DISTINCT compares")
    for aggregate in own(select, exp.AggFunc):
        if isinstance(aggregate, AGGREGATES):
            _aggregate(select, aggregate, scopes)
        elif not isinstance(aggregate, (*RANKS, *BY_ORDER)):
            raise Refused(f"{aggregate.sql_name().lower()}() depends on the order of rows")
    for window in own(select, exp.Window):
        scopes.exact(select, window.args.get("partition_by") or [], "it partitions a window by")
        _window(select, window, scopes)
    for found in subqueries(select):
        if isinstance(found, exp.Subquery):
            _scalar(found)


def _aggregate(select: exp.Select, aggregate: exp.AggFunc, scopes: Scopes) -> None:
    if isinstance(aggregate, (exp.Count, exp.CountIf, exp.LogicalAnd, exp.LogicalOr)):
        return
    value = aggregate.this
    values = value.expressions if isinstance(value, exp.Distinct) else [value]
    name = aggregate.sql_name().lower()
    for kind in scopes.types(select, [v for v in values if isinstance(v, exp.Expr)]):
        if isinstance(aggregate, (exp.Sum, exp.Avg)) and not summed(kind):
            raise Refused(f"{name}() of {kind} depends on the order of rows")
        if not exact(kind):
            raise Refused(f"{name}() of {kind}, whose equal values may differ")


def _scalar(subquery: exp.Subquery) -> None:
    select = subquery.this
    if not isinstance(select, exp.Select) or select.args.get("group") or not plain_aggregates(select):
        raise Refused("a scalar subquery may give several rows; let it aggregate")


def _window(select: exp.Select, window: exp.Window, scopes: Scopes) -> None:
    """Refuse a window whose values depend on the order of tied rows."""
    function, spec, order = window.this, window.args.get("spec"), window.args.get("order")
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        function = function.this
    if isinstance(function, RANKS):
        return
    if not isinstance(function, (*AGGREGATES, *BY_ORDER)):
        raise Refused(f"the window function {text(function)} is not followed")
    by_peers = spec is None or (order is not None and str(spec.args.get("kind")).upper() in ("RANGE", "GROUPS"))
    if isinstance(function, AGGREGATES) and by_peers:
        return
    ordered = [o.this for o in order.expressions] if order else []
    have = {text(x) for x in [*(window.args.get("partition_by") or []), *ordered]}
    if missing := sorted(_mentioned(select) - have):
        name = function.sql_name().lower()
        raise Refused(f"{name}() could choose among tied rows: its ORDER BY leaves out {', '.join(missing)}")
    scopes.exact(select, ordered, f"{function.sql_name().lower()}() is ordered by")


def _mentioned(select: exp.Select) -> set[str]:
    """Name everything in which two rows could differ for this SELECT, the subqueries in it included."""
    aliases = {s.alias for s in sources(select)}
    group: Sequence[exp.Expr] = select.args["group"].expressions if select.args.get("group") else ()
    if group:
        return {text(x) for x in group}
    parts = [p for name, value in select.args.items() if name not in ("from_", "joins") for p in _nodes(value)]
    parts += [j.args["on"] for j in select.args.get("joins") or [] if j.args.get("on")]
    return {text(c) for part in parts for c in part.find_all(exp.Column) if c.table in aliases}


def _nodes(value: object) -> list[exp.Expr]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, exp.Expr)]
