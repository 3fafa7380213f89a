"""Follows columns through PIVOT and UNPIVOT: what is kept, what is spread over columns, what is stacked."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from lagoa.sql.expression import Expressions
from lagoa.sql.relation import CONSTANT, Relation, Rest, Rows, Value, joined
from lagoa.sql.scope import FromItem, Scope


def pivoted(node: Any, item: FromItem, scope: Scope, expressions: Expressions) -> Relation:
    """Give the relation that a pivot makes of one whose columns are known; of others nobody knows the names."""
    relation = item.relation
    found = None
    if relation.rest is None:
        inner = Scope(scope, scope.ctes, [item])
        make = _unpivot if node.args.get("unpivot") else _pivot
        found = make(node, relation, inner, expressions)
    return found or _unknown(relation, bool(node.args.get("unpivot")))


def _pivot(node: Any, relation: Relation, scope: Scope, expressions: Expressions) -> Relation | None:
    on = node.args.get("fields") or node.expressions
    using = node.args.get("using") or (node.expressions if node.args.get("fields") else [])
    values = [expressions.value(u.unalias(), scope) for u in using] or [Value(rows_of=relation.tables)]
    decide = joined(expressions.value(o.this if isinstance(o, exp.In) else o, scope) for o in on).deciding()
    value = joined(v.through("derived") for v in values).with_rows(decide)
    kept = _grouped(node, relation, [*on, *using])
    if kept is None:
        return None
    groups = [(name, v) for name, v in relation.columns if name.lower() in kept]
    rows = relation.rows | joined(v for _, v in groups).deciding()
    spread = _spread(on, using)
    if spread is not None:
        return Relation([*groups, *((name, value) for name in spread)], rows, relation.tables)
    rest = Rest("a pivot makes its columns from values", value=value, certain=True)
    return Relation(groups, rows, relation.tables, rest)


def _grouped(node: Any, relation: Relation, used: list[Any]) -> set[str] | None:
    """Name the columns that stay: those of GROUP BY, or all that the pivot does not speak of."""
    group = node.args.get("group")
    if group is None:
        spoken = {column.name.lower() for part in used for column in part.find_all(exp.Column)}
        return {name.lower() for name, _ in relation.columns} - spoken
    if not all(isinstance(part, exp.Column) for part in group.expressions):
        return None
    return {part.name.lower() for part in group.expressions}


def _spread(on: list[Any], using: list[Any]) -> list[str] | None:
    """Name the columns that one list of plain values and one aggregate make; None when they are more than that."""
    if len(on) != 1 or not isinstance(on[0], exp.In) or len(using) != 1:
        return None
    after = f"_{using[0].alias}" if using[0].alias else ""
    plain = (exp.Literal, exp.PivotAlias)
    if not on[0].expressions or not all(isinstance(e, plain) for e in on[0].expressions):
        return None
    return [f"{e.alias or e.name}{after}" for e in on[0].expressions]


def _unpivot(node: Any, relation: Relation, scope: Scope, expressions: Expressions) -> Relation | None:
    fields, into = node.args.get("fields"), node.args.get("into")
    stacked = fields[0].expressions if fields else node.expressions
    named = (fields[0].this, *node.expressions) if fields else (into.this, *into.expressions) if into else ()
    if not all(isinstance(column, exp.Column) for column in stacked) or len(named) not in (0, 2):
        return None
    name, value = (part.name for part in named) if named else ("name", "value")
    taken = {column.name.lower() for column in stacked}
    found = joined(expressions.value(column, scope) for column in stacked)
    kept = [(n, v) for n, v in relation.columns if n.lower() not in taken]
    rows = relation.rows if node.args.get("include_nulls") else relation.rows | found.deciding()
    return Relation([*kept, (name, CONSTANT), (value, found)], rows, relation.tables)


def _unknown(relation: Relation, unpivot: bool) -> Relation:
    """Give up on names: a pivot makes its columns of values, and its reverse values of columns."""
    word = "an unpivot" if unpivot else "a pivot"
    value = joined(v for _, v in relation.columns).through("derived")
    rest = Rest(f"{word} makes its columns from {'columns' if unpivot else 'values'}", value=value)
    found = rest
    rows = relation.rows | value.deciding()
    if relation.rest is not None:
        more = relation.rest
        found = rest | Rest(more.reason, value=more.value, hidden=more.hidden)
        rows |= Rows(unknown=frozenset({more.reason}))
    return Relation((), rows, relation.tables, found)
