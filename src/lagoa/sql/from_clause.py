"""What FROM brings: tables, subqueries, joins, VALUES, unnested lists and table functions, each a relation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from lagoa.sql.expression import QUERIES, Expressions, Trace
from lagoa.sql.lineage import Origin, Schema
from lagoa.sql.pivot import pivoted
from lagoa.sql.relation import CONSTANT, Relation, Rest, Rows, Value, joined
from lagoa.sql.scope import FromItem, Scope

_ONE_COLUMN = {"generate_series": "generate_series", "range": "range", "unnest": "unnest"}


class FromClause:
    """Fills a scope from FROM and JOIN."""

    def __init__(self, schema: Schema, expressions: Expressions, trace: Trace) -> None:
        self._schema = {name.lower(): columns for name, columns in schema.items()}
        self._expressions, self._trace = expressions, trace

    def into(self, node: Any, scope: Scope) -> None:
        """Add the sources of a SELECT to its scope, and what its joins decide to its rows."""
        from_ = node.args.get("from_")
        if from_ is not None:
            self._add(from_.this, scope)
        self._laterals(node, scope)
        for join in node.args.get("joins") or ():
            self._join(join, scope)

    def _laterals(self, node: Any, scope: Scope) -> None:
        for lateral in node.args.get("laterals") or ():
            self._add(lateral, scope)

    def alone(self, node: Any, scope: Scope) -> Relation:
        """Follow what stands for a query without SELECT: VALUES, a table, PIVOT as a statement."""
        self._add(node, scope)
        return _together(scope)

    # ------------------------------------------------------------ sources
    def _add(self, node: Any, scope: Scope) -> None:
        for source in self._sources(node, scope):
            scope.sources.append(source)
            scope.rows |= source.relation.rows
        for join in (node.args.get("joins") or ()) if not isinstance(node, exp.Subquery) else ():
            self._join(join, scope)

    def _sources(self, node: Any, scope: Scope) -> list[FromItem]:
        alias, names = _alias(node)
        pivots = node.args.get("pivots")
        found = [] if pivots else self._parenthesised(node, scope, alias)
        if found:
            return found
        relation = self._relation(node, scope).named(names)
        for pivot in pivots or ():
            relation = pivoted(pivot, FromItem(alias or _last(node), relation, _path(node)), scope, self._expressions)
            alias, names = _alias(pivot) if _alias(pivot)[0] else (alias, [])
            relation = relation.named(names)
        path = () if pivots or node.args.get("alias") else _path(node)
        return [FromItem(alias or (path[-1] if path else ""), relation, path)]

    def _parenthesised(self, node: Any, scope: Scope, alias: str) -> list[FromItem]:
        """`from (a join b on …)`: its sources are as visible as if it had no parentheses."""
        if not isinstance(node, exp.Subquery) or isinstance(node.this, QUERIES) or alias:
            return []
        inner = Scope(scope.parent, scope.ctes, merged=scope.merged)
        self._add(node.this, inner)
        scope.rows |= inner.rows
        return [replace(s, relation=replace(s.relation, rows=Rows())) for s in inner.sources]

    def _relation(self, node: Any, scope: Scope) -> Relation:
        if isinstance(node, exp.Table):
            return self._function(node, scope) if isinstance(node.this, exp.Func) else self._table(node, scope)
        if isinstance(node, exp.Values):
            return self._values(node, scope)
        if isinstance(node, exp.Unnest):
            return self._unnest(node, scope)
        if isinstance(node, exp.Lateral):
            return self._relation(node.this, scope)
        if isinstance(node, exp.Pivot):
            inner = Scope(scope, scope.ctes)
            self._add(node.this, inner)
            return pivoted(
                node, FromItem(_last(node.this), _together(inner), _path(node.this)), scope, self._expressions
            )
        return self._nested(node, scope)

    def _nested(self, node: Any, scope: Scope) -> Relation:
        if isinstance(node, QUERIES) and not (isinstance(node, exp.Subquery) and not isinstance(node.this, QUERIES)):
            return self._trace(node, scope)
        if isinstance(node, exp.Subquery):
            inner = Scope(scope, scope.ctes)
            self._add(node.this, inner)
            return _together(inner)
        return Relation((), rest=Rest(f"`{node.key}` in FROM is not followed"))

    def _table(self, node: Any, scope: Scope) -> Relation:
        name = ".".join(part.name for part in node.parts).lower()
        if len(node.parts) == 1 and name in scope.ctes:
            return scope.ctes[name]
        columns = self._schema.get(name)
        if columns is None:
            rest = Rest(f"the columns of `{name}` are not known", (name,))
            return Relation((), tables=frozenset({name}), rest=rest)
        # a column is called as its table spells it
        known = [(c, Value({Origin(name, c): "copied"})) for c in columns]
        return Relation(known, tables=frozenset({name}))

    def _function(self, node: Any, scope: Scope) -> Relation:
        """`range(…)`, `json_each(…)`: whatever they give is made of their arguments."""
        value = joined(self._expressions.value(p, scope) for p in node.this.iter_expressions()).through("derived")
        name = str(node.this.meta.get("name") or node.this.key).lower()
        name = "range" if node.this.args.get("is_end_exclusive") else "generate_series" if "series" in name else name
        if name in _ONE_COLUMN:
            return Relation([(_ONE_COLUMN[name], value)], value.deciding())
        return Relation(
            (), value.deciding(), rest=Rest(f"`{name}(…)` names its columns itself", value=value, certain=True)
        )

    def _values(self, node: Any, scope: Scope) -> Relation:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        width = max((len(row) for row in rows), default=0)
        columns = []
        for i in range(width):
            cells = [self._expressions.value(row[i], scope) for row in rows if i < len(row)]
            columns.append((f"col{i}", joined(cells)))
        return Relation(columns)

    def _unnest(self, node: Any, scope: Scope) -> Relation:
        options = [p for p in node.expressions if isinstance(p, (exp.PropertyEQ, exp.Kwarg))]
        lists = [p for p in node.expressions if p not in options]
        values = [self._expressions.value(p, scope).through("derived") for p in lists]
        if options:
            reason = "`unnest` with options makes columns of the fields of structs"
            return Relation((), joined(values).deciding(), rest=Rest(reason, value=joined(values)))
        columns = [("unnest", value) for value in values]
        offset = node.args.get("offset")
        if offset:  # the parser takes its name out of `t(value, n)`
            columns.append((offset.name if isinstance(offset, exp.Identifier) else "ordinality", CONSTANT))
        return Relation(columns, joined(values).deciding())

    # ------------------------------------------------------------ joins
    def _join(self, join: Any, scope: Scope) -> None:
        kind, side = (join.kind or "").upper(), (join.side or "").upper()
        before = len(scope.sources)
        self._add(join.this, scope)
        right = scope.sources[before:]
        names = [identifier.name.lower() for identifier in join.args.get("using") or ()]
        if (join.method or "").upper() == "NATURAL":
            names = self._natural(scope, before)
        merged = {name: self._same(scope, before, name) for name in names}
        for a, b in merged.values():
            scope.rows |= a.deciding() | b.deciding()
        on = join.args.get("on")
        if on is not None:
            scope.rows |= self._expressions.rows(on, scope)
        if "SEMI" in (kind, side) or "ANTI" in (kind, side):
            del scope.sources[before:]
            return
        for name, (a, b) in merged.items():
            scope.merged[name] = joined((a, b)) if side == "FULL" else b if side == "RIGHT" else a
        shared = frozenset(merged)
        scope.sources[before:] = [replace(s, shared=s.shared | shared) for s in right]

    def _natural(self, scope: Scope, before: int) -> list[str]:
        left, right = scope.sources[:before], scope.sources[before:]
        if any(s.relation.rest for s in scope.sources):
            reason = "a natural join of tables whose columns are not known"
            scope.rows |= Rows(unknown=frozenset({reason}))
        here = {n.lower() for s in left for n, _ in s.relation.columns}
        return [n.lower() for s in right for n, _ in s.relation.columns if n.lower() in here]

    def _same(self, scope: Scope, before: int, name: str) -> tuple[Value, Value]:
        """Find a column of `using` on both sides."""
        left = Scope(None, scope.ctes, scope.sources[:before], scope.merged)
        right = Scope(None, scope.ctes, scope.sources[before:])
        return left.column([name]), right.column([name])


def _alias(node: Any) -> tuple[str, list[str]]:
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return "", []
    return alias.name.lower(), [column.name for column in alias.args.get("columns") or ()]


def _path(node: Any) -> tuple[str, ...]:
    if not isinstance(node, exp.Table) or isinstance(node.this, exp.Func):
        return ("unnest",) if isinstance(node, exp.Unnest) else ()
    return tuple(part.name.lower() for part in node.parts)


def _last(node: Any) -> str:
    """Give the name by which a source is called when it has no alias."""
    return (_path(node) or ("",))[-1]


def _together(scope: Scope) -> Relation:
    """Show all sources of a scope as one relation."""
    columns: list[tuple[str, Value]] = []
    rest: Rest | None = None
    for source in scope.sources:
        columns += [
            (n, scope.merged.get(n.lower(), v)) for n, v in source.relation.columns if n.lower() not in source.shared
        ]
        if source.relation.rest is not None:
            rest = source.relation.rest if rest is None else rest | source.relation.rest
    return Relation(columns, scope.rows, scope.tables, rest)
