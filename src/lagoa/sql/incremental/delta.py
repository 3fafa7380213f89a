"""Writes SQL for what a change of one input can touch: a superset of the rows that differ between two versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlglot import exp

from lagoa.sql.incremental.analysis import CHANGED, NEW, OLD, Refused
from lagoa.sql.incremental.reading import at, quote, text
from lagoa.sql.incremental.restrict import Pair, Restriction
from lagoa.sql.incremental.scope import (
    Scopes,
    Source,
    bare,
    conjuncts,
    covered,
    expression,
    locality,
    nullable,
    outputs,
    sources,
    subqueries,
)

_COMPARED = (exp.EQ, exp.GT, exp.LT, exp.GTE, exp.LTE)
_UNLINKED = "a change of it may touch every key: no condition of a join ties it to the key"


def reads(node: exp.Expr, occurrence: int) -> bool:
    """Say whether an input is read at this place inside a node."""
    return any(t.name.endswith(f"@{occurrence}") for t in node.find_all(exp.Table))


class Delta:
    """Follows one occurrence of an input up to columns of the query's output."""

    def __init__(self, scopes: Scopes, occurrence: int) -> None:
        self._scopes, self._occurrence = scopes, occurrence

    def columns_of(self, source: Source) -> Mapping[str, str]:
        """Return the type of each column of a source."""
        return self._scopes.columns_of(source)

    def of(self, query: exp.Expr, columns: Sequence[str]) -> str:
        """Write SQL for the values of `columns` in every output row that a change may add or take. Raises Refused."""
        while isinstance(query, exp.Subquery):
            query = query.this
        if isinstance(query, exp.SetOperation):
            return self._of_branches(query, columns)
        if not isinstance(query, exp.Select):
            raise Refused(f"{type(query).__name__.upper()} is not followed")
        given, local = outputs(query), locality(query)
        wanted = [given[c] for c in columns]
        if local is None or all(covered(e, local) for e in wanted):
            if any(e.find(exp.Query) for e in wanted):
                raise Refused("its key is computed by a subquery")
            return self.rows(query, wanted, columns)
        return self._of_groups(query, list(local.values()), columns)

    def _of_branches(self, query: exp.SetOperation, columns: Sequence[str]) -> str:
        """A row changes only if it does in a branch, whatever the set operation."""
        names, parts = query.left.named_selects, []
        for branch in (query.left, query.right):
            if not reads(branch, self._occurrence):
                continue
            inner = [branch.named_selects[names.index(c)] for c in columns]
            shown = ", ".join(f"{quote(i)} AS {quote(c)}" for i, c in zip(inner, columns, strict=True))
            parts.append(f"SELECT {shown or '1 AS __one'} FROM ({self.of(branch, inner)})")
        return " UNION ALL ".join(parts)

    def _of_groups(self, query: exp.Select, local: Sequence[exp.Expr], columns: Sequence[str]) -> str:
        """Evaluate the groups that are touched in both versions: a wanted column is computed over each."""
        if any(e.find(exp.Query) for e in local):
            raise Refused("it groups by a subquery")
        names = [f"k{i}" for i in range(len(local))]
        name = f"__g{next(self._scopes.numbers)}"
        touched = self.rows(query, local, names)
        restricted = query.copy()
        Restriction(self._scopes, name).select(restricted, [Pair(e, n) for e, n in zip(local, names, strict=True)])
        shown = ", ".join(quote(c) for c in columns) or "1 AS __one"
        return (
            f"SELECT * FROM (WITH {name} AS MATERIALIZED (SELECT DISTINCT * FROM ({touched})) "
            f"SELECT {shown} FROM ({at(restricted, OLD)}) UNION ALL SELECT {shown} FROM ({at(restricted, NEW)}))"
        )

    def rows(self, select: exp.Select, wanted: Sequence[exp.Expr], names: Sequence[str]) -> str:
        """Write SQL for the rows of FROM and WHERE that may have changed, projected to `wanted` as `names`."""
        found = sources(select)
        index = {s.alias: i for i, s in enumerate(found)}
        for source in found:
            if any(not _is_local(c, index) for c in source.on):
                raise Refused("a subquery, or an outer column, in the ON of a join")
        conditions = conjuncts(select.args["where"].this) if select.args.get("where") else []
        from_ = _From(found, index, nullable(found), [list(s.on) for s in found], [])
        from_.add(c for c in [*conditions, *(c for s in found if s.side == "INNER" for c in s.on)])
        driver = next((i for i, s in enumerate(found) if reads(s.node, self._occurrence)), None)
        subquery = None
        if driver is None:
            driver, subquery = len(found), self._subquery(select, from_, conditions)
        keys = set().union(*(from_.used(e) for e in wanted)) if wanted else set()
        parts = [
            self._witness(from_, driver, subquery, keys - set(absent), set(absent), wanted, names)
            for size in range(len(keys & from_.optional) + 1)
            for absent in combinations(sorted(keys & from_.optional), size)
        ]
        return " UNION ALL ".join(parts)

    def _subquery(self, select: exp.Select, from_: _From, conditions: list[exp.Expr]) -> str:
        found = next((e for e in subqueries(select) if reads(e, self._occurrence)), None)
        if found is None:
            raise Refused("it is read in a place that is not followed")
        sql, ties = _Subquery(self, found, from_.index, found in conditions).touched()
        tied = set().union(*(from_.used(c) for c in ties)) if ties else set()
        if not tied:
            raise Refused("a change of it may touch every key: its subquery is tied to no row")
        if tied & from_.optional:
            raise Refused("its subquery is tied to the optional side of an outer join")
        from_.ties.append(ties)
        return sql

    def _witness(
        self,
        from_: _From,
        driver: int,
        subquery: str | None,
        present: set[int],
        absent: set[int],
        wanted: Sequence[exp.Expr],
        names: Sequence[str],
    ) -> str:
        """Join a changed row of the driver to the sources of the wanted columns, by true conditions alone.

        The columns of `absent`, optional sources, are null: so rows that an outer join fills up are found.
        """
        kept, ties = from_.path(driver, present)
        # before anything is told from the driver, which may be absent itself
        wanted = [self._without(from_, absent, e) for e in wanted]
        if subquery is None:
            wanted, kept, ties = self._sideways(from_, driver, wanted, kept, ties)
        shown = [f"{text(e)} AS {quote(n)}" for e, n in zip(wanted, names, strict=True)]
        ties = ties + [f for f in from_.filters if from_.used(f) <= kept]
        parts = []
        for number in sorted(kept):
            if number == len(from_.sources):
                parts.append(f"({subquery}) AS __e")
                continue
            source = from_.sources[number]
            rows = self._scopes.united(source) if number != driver else self._changed(source, [*wanted, *ties])
            parts.append(f"{rows} AS {quote(source.alias)}")
        where = " AND ".join(f"({c})" for c in dict.fromkeys(text(c) for c in ties))
        return f"SELECT {', '.join(shown) or '1 AS __one'} FROM {', '.join(parts)}" + (
            f" WHERE {where}" if where else ""
        )

    def _sideways(
        self,
        from_: _From,
        driver: int,
        wanted: Sequence[exp.Expr],
        kept: set[int],
        ties: list[exp.Expr],
    ) -> tuple[Sequence[exp.Expr], set[int], list[exp.Expr]]:
        """Take from the driver what equals a column of another source, so that this one need not be read.

        What is left out could only have said that some of these keys are not touched after all.
        """
        same = self._same_as(from_, driver, ties)
        used = {(c.table, c.name) for e in wanted for c in e.find_all(exp.Column)} & same.keys()
        told = [_replaced(e, same) for e in wanted]
        try:
            fewer, left = from_.path(driver, set().union(*(from_.used(e) for e in told)))
        except Refused:
            return wanted, kept, ties
        if not used or not (fewer <= kept and {id(t) for t in left} <= {id(t) for t in ties}):
            return wanted, kept, ties
        return told, fewer, [*left, *(expression(f"{text(same[place])} IS NOT NULL") for place in sorted(used))]

    def _same_as(self, from_: _From, driver: int, ties: Sequence[exp.Expr]) -> dict[tuple[str, str], exp.Column]:
        """Find, by alias and name, the columns that equal one of the driver's in every row that fulfils the ties."""
        alias = from_.sources[driver].alias
        links = [(bare(t.this), bare(t.expression)) for t in ties if isinstance(t, exp.EQ)]
        pairs = [(a, b) for a, b in links if isinstance(a, exp.Column) and isinstance(b, exp.Column)]
        found: dict[tuple[str, str], exp.Column] = {}
        before = -1
        while before != len(found):
            before = len(found)
            for a, b in [*pairs, *((b, a) for a, b in pairs)]:
                told = a if a.table == alias else found.get((a.table, a.name))
                if told is not None and b.table != alias and self._kind(from_, a) == self._kind(from_, b):
                    found.setdefault((b.table, b.name), told)
        return found

    def _kind(self, from_: _From, column: exp.Column) -> str | None:
        number = from_.index.get(column.table)
        return None if number is None else self._scopes.columns_of(from_.sources[number]).get(column.name)

    def _changed(self, source: Source, used: Sequence[exp.Expr]) -> str:
        if source.input is not None:
            return quote(source.input + CHANGED)
        needed = {c.name for e in used for c in e.find_all(exp.Column) if c.table == source.alias}
        return f"({self.of(source.node.this, [n for n in source.node.this.named_selects if n in needed])})"

    def _without(self, from_: _From, absent: set[int], node: exp.Expr) -> exp.Expr:
        """Write nulls for the columns of absent sources."""
        root = exp.Paren(this=node.copy())
        for column in list(root.find_all(exp.Column)):
            number = from_.index.get(column.table)
            if number in absent:
                kind = self._scopes.columns_of(from_.sources[number])[column.name]
                column.replace(expression(f"CAST(NULL AS {kind})"))
        return root


@dataclass
class _From:
    """The sources of a SELECT, and conditions: `ties` between sources, by the last one; `filters` of one source."""

    sources: Sequence[Source]
    index: dict[str, int]
    optional: set[int]
    ties: list[list[exp.Expr]]
    filters: list[exp.Expr]

    def used(self, node: exp.Expr) -> set[int]:
        """Number the sources whose columns a node uses."""
        return {self.index[c.table] for c in node.find_all(exp.Column) if c.table in self.index}

    def add(self, conditions: Iterable[exp.Expr]) -> None:
        """Take conditions that hold for every row: none of an optional source, which a witness may show unfilled."""
        for condition in conditions:
            used = self.used(condition) if _is_local(condition, self.index) else set()
            if used and not used & self.optional:
                (self.ties[max(used)] if len(used) > 1 else self.filters).append(condition)

    def path(self, driver: int, present: set[int]) -> tuple[set[int], list[exp.Expr]]:
        """Find the sources and conditions that link the driver to `present`, newest join first.

        In this order the path stays inside the part of the join in which the change happens.
        """
        open_, kept, used = {driver} | present, {driver} | present, list[exp.Expr]()
        while len(open_) > 1:
            newest = max(open_)
            needed = set().union(*(self.used(c) for c in self.ties[newest])) - {newest} if self.ties[newest] else set()
            if not needed:
                raise Refused(_UNLINKED)
            if any(not self._rejects_null(newest, optional) for optional in needed & self.optional):
                raise Refused("a join's condition may hold for a row that an outer join filled with nulls")
            open_, kept, used = (open_ - {newest}) | needed, kept | needed, used + self.ties[newest]
        return kept, used

    def _rejects_null(self, newest: int, optional: int) -> bool:
        return any(
            isinstance(side, exp.Column) and self.index.get(side.table) == optional
            for tie in self.ties[newest]
            if isinstance(tie, _COMPARED)
            for side in (bare(tie.this), bare(tie.expression))
        )


def _replaced(node: exp.Expr, same: Mapping[tuple[str, str], exp.Column]) -> exp.Expr:
    root = exp.Paren(this=node.copy())
    for column in list(root.find_all(exp.Column)):
        if (told := same.get((column.table, column.name))) is not None:
            column.replace(told.copy())
    found: exp.Expr = root.this
    return found


def _is_local(node: exp.Expr, index: dict[str, int]) -> bool:
    return not node.find(exp.Query) and all(c.table in index for c in node.find_all(exp.Column))


class _Subquery:
    """A subquery in an expression as one more source: its touched rows, tied to the rows that see them."""

    def __init__(self, delta: Delta, node: exp.Expr, index: dict[str, int], must_hold: bool) -> None:
        self._delta, self._node, self._index = delta, node, index
        self._must_hold = must_hold
        body = node.args["query"] if isinstance(node, exp.In) else node.this
        while isinstance(body, exp.Subquery):
            body = body.this
        self._body: exp.Query = body

    def touched(self) -> tuple[str, list[exp.Expr]]:
        """Return SQL for the touched rows, and the conditions that tie `__e` to the sources around it."""
        node, body = self._node, self._body
        free = [c for c in body.find_all(exp.Column) if not self._bound(c)]
        if any(c.table not in self._index for c in free):
            raise Refused("a subquery uses a column from more than one level above")
        if isinstance(node, exp.In) and isinstance(node.this, exp.Tuple):
            raise Refused("IN with several columns is not followed")
        if isinstance(node, exp.In) and node.this.find(exp.AggFunc, exp.Window):
            raise Refused("IN of a query's values with one that is computed over rows is not followed")
        if not free:
            if not isinstance(node, exp.In):
                return "SELECT 1 AS __one", []
            name = body.named_selects[0]
            return self._delta.of(body, [name]), [self._equal(name)]
        if not isinstance(body, exp.Select):
            raise Refused("a correlated set operation is not followed")
        return self._correlated(body, free)

    def _correlated(self, body: exp.Select, free: Sequence[exp.Expr]) -> tuple[str, list[exp.Expr]]:
        around = {id(c) for c in free}
        for source in sources(body):
            if any(id(c) in around for part in (source.node, *source.on) for c in part.find_all(exp.Column)):
                raise Refused("a subquery uses an outer column in its FROM")
        inside = {s.alias for s in sources(body)}
        wanted: list[exp.Expr] = []
        ties: list[exp.Expr] = []
        for condition in conjuncts(body.args["where"].this) if body.args.get("where") else []:
            if condition.find(exp.Query) or all(id(c) not in around for c in condition.find_all(exp.Column)):
                continue
            tie = exp.Paren(this=condition.copy())
            for column in list(tie.find_all(exp.Column)):
                if column.table in inside:
                    column.replace(exp.column(f"c{_place(wanted, column)}", table="__e", quoted=True))
            ties.append(tie)
        if isinstance(self._node, exp.In) and locality(body) is None:
            value = outputs(body)[body.named_selects[0]]
            if not value.find(exp.Query) and all(c.table in inside for c in value.find_all(exp.Column)):
                wanted.append(value.copy())
                ties.append(self._equal(f"c{len(wanted) - 1}"))
        return self._delta.rows(body, wanted, [f"c{i}" for i in range(len(wanted))]), ties

    def _equal(self, name: str) -> exp.Expr:
        """Tie by the value of IN. A null on either side matters where IN may be false and still count."""
        equal = f"({text(self._node.this)}) = __e.{quote(name)}"
        return expression(equal if self._must_hold else f"({equal}) IS NOT FALSE")

    def _bound(self, column: exp.Column) -> bool:
        """Say whether a column is of a source inside. Raises Refused where an alias of a source around hides that."""
        for node in _upwards(column):
            if isinstance(node, exp.Select):
                source = next((s for s in sources(node) if s.alias == column.table), None)
                if source is not None and column.name not in self._delta.columns_of(source):
                    raise Refused(f"a subquery gives {column.table} as alias, and uses the one around it")
                if source is not None:
                    return True
            if node is self._body:
                return False
        return False


def _upwards(node: exp.Expr | None) -> Iterator[exp.Expr]:
    while node is not None:
        yield node
        node = node.parent


def _place(wanted: list[exp.Expr], column: exp.Expr) -> int:
    """Find a column among the wanted ones, or add it."""
    for number, known in enumerate(wanted):
        if text(known) == text(column):
            return number
    wanted.append(column.copy())
    return len(wanted) - 1
