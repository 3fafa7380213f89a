"""The columns of a SELECT: stars with exclude, replace and rename, COLUMNS(…), aliases and names without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from lagoa.sql.expression import Expressions
from lagoa.sql.relation import CONSTANT, Rest, Value, joined
from lagoa.sql.scope import FromItem, Scope
from lagoa.sql.tree import DIALECT

_FILTERED_STARS = (exp.Like, exp.ILike, exp.Glob, exp.SimilarTo, exp.RegexpLike, exp.RegexpFullMatch, exp.Not)


@dataclass
class Projected:
    """What a SELECT list gives; `rest` are columns whose names are not known."""

    columns: list[tuple[str, Value]]
    rest: Rest | None = None

    def add(self, other: Projected) -> None:
        """Append more columns."""
        self.columns += other.columns
        if other.rest is not None:
            self.rest = other.rest if self.rest is None else self.rest | other.rest


def project(expressions: Expressions, nodes: Iterable[Any], scope: Scope) -> Projected:
    """Follow a SELECT list from left to right; each alias is a name for what comes after it."""
    found = Projected([])
    for node in nodes:
        found.add(_one(expressions, node, scope))
    return found


def _one(expressions: Expressions, node: Any, scope: Scope) -> Projected:
    inner = node.this if isinstance(node, exp.Alias) else node
    if isinstance(inner, exp.Star):
        return _star(expressions, inner, scope, scope.sources)
    if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star):
        return _named_star(expressions, inner, scope)
    if isinstance(inner, _FILTERED_STARS) and any(True for _ in inner.find_all(exp.Star)) and _bare_star(inner):
        return _unknown(joined(v for _, v in _all(scope)), "a star with a condition on the names of the columns")
    if (found := inner.find(exp.Columns)) is not None:
        return _columns_call(expressions, node, found, scope)
    if isinstance(inner, (exp.Explode, exp.Unnest)):
        value = expressions.value(inner, scope)
        scope.rows |= value.deciding()  # a row for each element
        if inner is node or len(list(inner.iter_expressions())) > 1:
            return _unknown(value, "`unnest` makes one column of a list, and of a struct one for each field")
    if isinstance(inner, exp.PositionalColumn):
        return _positional(node, inner, scope)
    value, name = expressions.value(node, scope), _name(node)
    if isinstance(node, exp.Alias):
        scope.aliases.setdefault(name.lower(), value)
    return Projected([(name, value)])


def _name(node: Any) -> str:
    """Name a column as DuckDB does, as far as that is plain: its alias, its own name, or its text."""
    name = str(node.output_name) if isinstance(node, (exp.Alias, exp.Column)) else ""
    return name or str(node.sql(dialect=DIALECT, comments=False)).lower()


def _unknown(value: Value, reason: str) -> Projected:
    return Projected([], Rest(reason, value=value.through("derived")))


def _bare_star(node: Any) -> bool:
    at = node
    while isinstance(at, _FILTERED_STARS):
        at = at.this
    return isinstance(at, exp.Star)


def _positional(node: Any, inner: Any, scope: Scope) -> Projected:
    place, known = int(inner.this.name), _all(scope)
    if any(s.relation.rest for s in scope.sources) or not 0 < place <= len(known):
        reason = f"`#{place}` counts columns that are not known"
        return Projected([(node.alias or f"#{place}", joined(v for _, v in known).doubtful(reason))])
    name, value = known[place - 1]
    return Projected([(node.alias or name, value)])


# ---------------------------------------------------------------- stars
def _all(scope: Scope) -> list[tuple[str, Value]]:
    """List the columns that a plain star gives; those that `using` merged stand once, where the first one is."""
    found = []
    for source in scope.sources:
        for name, value in source.relation.columns:
            if name.lower() not in source.shared:
                found.append((name, scope.merged.get(name.lower(), value)))
    return found


def _star(expressions: Expressions, star: Any, scope: Scope, sources: list[FromItem]) -> Projected:
    whole = sources is scope.sources
    rest: Rest | None = None
    for source in sources:
        if source.relation.rest is not None:
            rest = source.relation.rest if rest is None else rest | source.relation.rest
    columns = _all(scope) if whole else [c for s in sources for c in s.relation.columns]
    found, hidden = _chosen(expressions, star, scope, columns, rest)
    if rest is not None:
        rest = replace(rest, hidden=rest.hidden | hidden)
    return Projected(found, rest)


def _chosen(
    expressions: Expressions, star: Any, scope: Scope, columns: list[tuple[str, Value]], rest: Rest | None
) -> tuple[list[tuple[str, Value]], frozenset[str]]:
    """Apply exclude, replace and rename; name also what no longer is among the unknown columns."""
    gone = {_last(node) for node in star.args.get("except_") or ()}
    instead = {a.alias.lower(): expressions.value(a.this, scope) for a in star.args.get("replace") or ()}
    renamed = {_last(a.this): a.alias for a in star.args.get("rename") or ()}
    found = []
    for name, value in columns:
        key = name.lower()
        if key not in gone:
            found.append((renamed.get(key, name), instead.get(key, value)))
    if rest is not None:
        known = {name.lower() for name, _ in columns}
        found += [(name, value) for name, value in instead.items() if name not in known]
        found += [(a, rest.find(old) or CONSTANT) for old, a in renamed.items() if old not in known]
    return found, frozenset({*gone, *instead, *renamed})


def _last(node: Any) -> str:
    return str(node.name).lower()


def _named_star(expressions: Expressions, node: Any, scope: Scope) -> Projected:
    parts = [part.name for part in node.parts[:-1]]
    source = scope.source([part.lower() for part in parts])
    if source is not None:
        return _star(expressions, node.this, scope, [source])
    value = scope.column(parts)
    return _unknown(value, f"`{'.'.join(parts)}.*` gives the fields of a struct, whose names are not known here")


# ---------------------------------------------------------------- COLUMNS(…)
def _columns_call(expressions: Expressions, node: Any, call: Any, scope: Scope) -> Projected:
    """`min(columns(*))` is the expression once for each column; a lambda or a list of names stays unknown."""
    chosen = _matching(expressions, call, scope)
    if call.args.get("unpack"):  # `coalesce(*columns(…))`: all of them in one call
        known = chosen or Projected(_all(scope))
        several = joined([*(v for _, v in known.columns), *([known.rest.value] if known.rest else [])])
        return Projected([(_name(node), _wrapping(expressions, node, call, scope)(several))])
    if chosen is None:
        return _unknown(joined(v for _, v in _all(scope)), "`columns(…)` with a condition chooses columns")
    wrap = _wrapping(expressions, node, call, scope)
    columns = [(node.alias or name, wrap(value)) for name, value in chosen.columns]
    rest = chosen.rest
    if rest is not None and node is not call and node.this is not call:
        rest = replace(rest, tables=(), value=wrap(rest.value))  # each is named after the expression
    return Projected(columns, rest)


def _wrapping(expressions: Expressions, node: Any, call: Any, scope: Scope) -> Callable[[Value], Value]:
    if node is call:
        return lambda value: value

    def wrap(value: Value) -> Value:
        inside = Scope(scope, scope.ctes, scope.sources, scope.merged, {"_column": value}, scope.windows)
        copy = node.copy()
        copy.find(exp.Columns).replace(exp.column("_column"))
        return expressions.value(copy, inside, alias_first=True)

    return wrap


def _matching(expressions: Expressions, call: Any, scope: Scope) -> Projected | None:
    inner = call.this
    if isinstance(inner, exp.Star):
        return _star(expressions, inner, scope, scope.sources)
    if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star):
        return _named_star(expressions, inner, scope)
    if isinstance(inner, exp.Literal) and inner.is_string:
        everything = _star(expressions, exp.Star(), scope, scope.sources)
        try:
            pattern = re.compile(inner.name)
        except re.error:
            return None
        return Projected([c for c in everything.columns if pattern.search(c[0])], everything.rest)
    return None
