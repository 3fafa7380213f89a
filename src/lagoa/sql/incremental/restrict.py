"""Restricts a query to keys of its output: the filter goes down to the inputs as far as it is surely the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from lagoa.sql.incremental.analysis import NEAR, Leaf
from lagoa.sql.incremental.reading import quote, text
from lagoa.sql.incremental.scope import (
    Scopes,
    Source,
    conjuncts,
    covered,
    expression,
    locality,
    nullable,
    one_row,
    outputs,
    sources,
)

Place = tuple[str, str]
"""A source's alias and a column of it."""


@dataclass(frozen=True)
class Pair:
    """An expression and the column of the keys that it must equal."""

    node: exp.Expr
    key: str


class Restriction:
    """Filters by semi-joins with the relation `keys`; gives inputs that it filters names of their own, in `leaves`."""

    def __init__(self, scopes: Scopes, keys: str, leaves: list[Leaf] | None = None) -> None:
        self._scopes, self._keys, self._leaves = scopes, keys, leaves

    def query(self, query: exp.Expr, columns: Sequence[tuple[str, str]]) -> int:
        """Filter a query in place by its columns, given with those of the keys; say by how many of them at least."""
        if isinstance(query, exp.Subquery):
            return self.query(query.this, columns)
        if isinstance(query, exp.SetOperation):
            names = query.left.named_selects
            sides = (query.left, query.right)
            return min(self.query(s, [(s.named_selects[names.index(c)], k) for c, k in columns]) for s in sides)
        if not isinstance(query, exp.Select):
            return 0
        given, local = outputs(query), locality(query)
        pairs = [
            Pair(given[c], k)
            for c, k in columns
            if not given[c].find(exp.Query) and (local is None or covered(given[c], local))
        ]
        if pairs:
            self.select(query, pairs)
        return len(pairs)

    def select(self, select: exp.Select, pairs: Sequence[Pair]) -> None:
        """Filter a SELECT in place, and its sources where an equality says the same of them."""
        found = sources(select)
        told = known(self._scopes, select, found, pairs)
        touched = self.exists([(text(p.node), p.key) for p in pairs])
        if one_row(select):
            select.having(touched, copy=False)  # WHERE would take its rows and leave it
        else:
            select.where(touched, copy=False)
        for source in found:
            fits = [(column, key) for (alias, column), key in told.items() if alias == source.alias]
            if not fits:
                continue
            if isinstance(source.node, exp.Table):
                self._filter_input(source, fits)
            else:
                self.query(source.node.this, fits)

    def exists(self, pairs: Sequence[tuple[str, str]]) -> exp.Expr:
        """Write the condition that expressions equal columns of the keys."""
        where = " AND ".join(f"__k.{quote(k)} IS NOT DISTINCT FROM ({e})" for e, k in pairs)
        return expression(f"EXISTS(SELECT 1 FROM {self._keys} AS __k WHERE {where or 'TRUE'})")

    def _filter_input(self, source: Source, fits: Sequence[tuple[str, str]]) -> None:
        table = source.node.copy()
        if self._leaves is not None:
            name, _, number = table.name.partition("@")
            self._leaves.append(Leaf(f"{name}{NEAR}{number}", name, dict(fits)))
            table.set("this", exp.to_identifier(self._leaves[-1].relation, quoted=True))
        table.set("alias", exp.TableAlias(this=exp.to_identifier("__t", quoted=True)))
        rows = exp.select("*").from_(table).where(self.exists([(f"__t.{quote(c)}", k) for c, k in fits]))
        alias = exp.TableAlias(this=exp.to_identifier(source.alias, quoted=True))
        source.node.replace(exp.Subquery(this=rows, alias=alias))


def known(scopes: Scopes, select: exp.Select, found: Sequence[Source], pairs: Sequence[Pair]) -> dict[Place, str]:
    """Name the columns that equal a column of the keys in every row that the filter lets through."""
    index = {s.alias: i for i, s in enumerate(found)}
    optional = nullable(found)
    told = {
        (p.node.table, p.node.name): p.key
        for p in pairs
        if isinstance(p.node, exp.Column) and p.node.table in index and index[p.node.table] not in optional
    }
    links = list(_Links(select, found, index, optional).all())
    before = -1
    while before != len(told):
        before = len(told)
        for a, b in links:
            if a in told and b not in told and _alike(scopes, found, index, a, b):
                told[b] = told[a]
    return told


def _alike(scopes: Scopes, found: Sequence[Source], index: dict[str, int], a: Place, b: Place) -> bool:
    first, second = (scopes.columns_of(found[index[alias]]).get(column) for alias, column in (a, b))
    return first is not None and first == second


@dataclass(frozen=True)
class _Links:
    """The equalities of a SELECT by which what is known of one column is known of another."""

    select: exp.Select
    found: Sequence[Source]
    index: dict[str, int]
    optional: set[int]

    def all(self) -> Iterator[tuple[Place, Place]]:
        """Give each link from the column that must be known to the one that it tells of."""
        where = conjuncts(self.select.args["where"].this) if self.select.args.get("where") else []
        for condition, join in [(c, None) for c in where] + [(c, i) for i, s in enumerate(self.found) for c in s.on]:
            if not isinstance(condition, exp.EQ):
                continue
            sides = condition.this, condition.expression
            if not all(isinstance(s, exp.Column) and s.table in self.index for s in sides):
                continue
            for a, b in (sides, sides[::-1]):
                if self._tells(self.index[a.table], self.index[b.table], join):
                    yield (a.table, a.name), (b.table, b.name)

    def _tells(self, a: int, b: int, join: int | None) -> bool:
        """Inner joins tell both ways; a LEFT JOIN tells its optional side what the other side must be."""
        if a not in self.optional and b not in self.optional and (join is None or self.found[join].side == "INNER"):
            return True
        if join is None or join != b or self.found[b].side != "LEFT" or a in self.optional or a >= b:
            return False
        return all(s.side not in ("RIGHT", "FULL") for s in self.found[b + 1 :])
