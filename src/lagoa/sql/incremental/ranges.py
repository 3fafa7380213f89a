"""Restricts a query to a range of a time among its columns: the range goes down to the inputs' own times."""

from __future__ import annotations

from sqlglot import exp

from lagoa.sql.incremental.analysis import NEAR, NEW, Ranged, Reach
from lagoa.sql.incremental.reading import at
from lagoa.sql.incremental.restrict import Pair, Place, known
from lagoa.sql.incremental.scope import Scopes, Source, bare, covered, locality, outputs, sources

_DAYS = {"SECOND": 0, "MINUTE": 0, "HOUR": 0, "DAY": 0, "WEEK": 7, "MONTH": 31, "QUARTER": 92, "YEAR": 366}
"""How far beyond the end of a range of whole days a time may lie whose beginning of a unit lies in it."""
_TARGETS = {"DATE", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ"}
_TIMES = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
"""DuckDB's types that these casts and beginnings of units order as they are, sessions being in UTC."""


def ranged(tree: exp.Query, scopes: Scopes, time: str) -> Ranged:
    """Let each input be read for a range of `time` alone where its own column surely lies in that range."""
    names = {name.lower(): name for name in tree.named_selects}
    restricted, ranges = tree.copy(), _Ranges(scopes)
    ranges.query(restricted, names[time.lower()], 0)
    return Ranged(at(restricted, NEW), ranges.reaches)


class _Ranges:
    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self.reaches: list[Reach] = []

    def query(self, query: exp.Expr, column: str, days: int) -> None:
        """Filter what a query reads, in place; its rows in the range of `column` stay exactly the same."""
        if isinstance(query, exp.Subquery):
            self.query(query.this, column, days)
        elif isinstance(query, exp.SetOperation):
            number = query.left.named_selects.index(column)
            for side in (query.left, query.right):
                self.query(side, side.named_selects[number], days)
        elif isinstance(query, exp.Select):
            node, local = outputs(query)[column], locality(query)
            if local is None or covered(node, local):
                self._select(query, node, days)

    def _select(self, select: exp.Select, node: exp.Expr, days: int) -> None:
        base, more = _base(node)
        found = sources(select)
        told = known(self._scopes, select, found, [Pair(base, "")])
        for source in found:
            place = next((p for p in told if p[0] == source.alias), None)
            if place is None:
                continue
            if isinstance(source.node, exp.Table):
                self._filter(source, place, days + more)
            else:
                self.query(source.node.this, place[1], days + more)

    def _filter(self, source: Source, place: Place, days: int) -> None:
        if self._scopes.columns_of(source).get(place[1]) not in _TIMES:
            return
        name, _, number = source.node.name.partition("@")
        reach = Reach(f"{name}{NEAR}{number}", name, place[1], days)
        self.reaches.append(reach)
        source.node.set("this", exp.to_identifier(reach.relation, quoted=True))


def _base(node: exp.Expr) -> tuple[exp.Expr, int]:
    """Take off what only finds the day or another unit in which a time lies; say how many days that may hide."""
    days = 0
    while True:
        node = bare(node)
        if isinstance(node, (exp.Cast, exp.TryCast)) and node.args["to"].this.name in _TARGETS:
            node = node.this
        elif isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)) and node.text("unit").upper() in _DAYS:
            days += _DAYS[node.text("unit").upper()]
            node = node.this
        elif isinstance(node, exp.TsOrDsToDate) and not any(v for k, v in node.args.items() if k != "this"):
            node = node.this
        else:
            return node, days
