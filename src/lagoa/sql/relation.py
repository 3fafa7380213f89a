"""Values and relations as lineage sees them: sets of input columns that can be joined, weakened and renamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lagoa.sql.lineage import Flow, Origin

_STRENGTH: tuple[Flow, ...] = ("copied", "derived", "counted")


def weaker(a: Flow, b: Flow) -> Flow:
    """Compose two steps on one way: a copy of a derived value is derived."""
    return max(a, b, key=_STRENGTH.index)


def stronger(a: Flow, b: Flow) -> Flow:
    """Join two ways to one place: what comes as a copy and as a count is there as a copy."""
    return min(a, b, key=_STRENGTH.index)


@dataclass(frozen=True)
class Rows:
    """The columns that decide which rows there are, and why they are not all known."""

    origins: frozenset[Origin] = frozenset()
    unknown: frozenset[str] = frozenset()

    def __or__(self, other: Rows) -> Rows:
        if not (self.origins or self.unknown):
            return other
        return Rows(self.origins | other.origins, self.unknown | other.unknown)


@dataclass(frozen=True)
class Value:
    """What a value is made of; nothing at all is a constant."""

    origins: Mapping[Origin, Flow] = field(default_factory=dict)
    rows: Rows = Rows()
    """What decides which rows go into it, beyond what decides those of its query."""
    rows_of: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    def through(self, flow: Flow) -> Value:
        """Give the value after a step of that kind."""
        if flow == "copied" or not self.origins:
            return self
        return replace(self, origins={o: weaker(f, flow) for o, f in self.origins.items()})

    def deciding(self) -> Rows:
        """Give what decides rows when this value does."""
        return Rows(frozenset(self.origins) | self.rows.origins, self.unknown | self.rows.unknown)

    def with_rows(self, rows: Rows) -> Value:
        """Let more columns decide which rows go into it."""
        return replace(self, rows=self.rows | rows)

    def doubtful(self, reason: str) -> Value:
        """Say that it cannot be known for certain."""
        return replace(self, unknown=self.unknown | {reason})


CONSTANT = Value()


def joined(values: Iterable[Value]) -> Value:
    """Join what several ways bring to one place."""
    found = [v for v in values if v is not CONSTANT]
    if len(found) < 2:
        return found[0] if found else CONSTANT
    origins: dict[Origin, Flow] = {}
    rows, rows_of, unknown = Rows(), frozenset[str](), frozenset[str]()
    for value in found:
        for origin, flow in value.origins.items():
            origins[origin] = stronger(origins[origin], flow) if origin in origins else flow
        rows, rows_of, unknown = rows | value.rows, rows_of | value.rows_of, unknown | value.unknown
    return Value(origins, rows, rows_of, unknown)


@dataclass(frozen=True)
class Rest:
    """Columns whose names are not known."""

    reason: str
    tables: tuple[str, ...] = ()
    """The tables whose columns they are; a name that is asked for is one of theirs."""
    value: Value = CONSTANT
    """Of what they may be made when they are no table's."""
    certain: bool = False
    """Whatever their names: they are made of `value`."""
    hidden: frozenset[str] = frozenset()
    """Names that are not among them."""

    def find(self, name: str) -> Value | None:
        """Say what a column of that name would be made of; None when it cannot be among them."""
        if name in self.hidden:
            return None
        if self.certain:
            return self.value
        found = joined([*(Value({Origin(t, name): "copied"}) for t in self.tables), self.value])
        return found if len(self.tables) == 1 and not self.value.origins else found.doubtful(self.reason)

    def __or__(self, other: Rest | None) -> Rest:
        if other is None or other == self:
            return self
        reasons = dict.fromkeys((*self.reason.split("; "), *other.reason.split("; ")))
        tables = tuple(dict.fromkeys((*self.tables, *other.tables)))
        value = joined((self.value, other.value))
        return Rest("; ".join(reasons), tables, value, self.certain and other.certain, self.hidden & other.hidden)


Columns = Sequence[tuple[str, Value]]


@dataclass(frozen=True)
class Relation:
    """Rows with columns: a table, a subquery, what stands behind an alias."""

    columns: Columns
    rows: Rows = Rows()
    tables: frozenset[str] = frozenset()
    """The tables whose rows it is made of."""
    rest: Rest | None = None

    def find(self, name: str) -> Value | None:
        """Find a column that is surely there; `name` is in lower case."""
        return next((value for known, value in self.columns if known.lower() == name), None)

    def everything(self) -> Value:
        """Give what all its columns together are made of."""
        found = joined(value for _, value in self.columns)
        if self.rest is not None:
            found = joined((found, self.rest.value)).doubtful(self.rest.reason)
        return found

    def named(self, names: Sequence[str]) -> Relation:
        """Rename its first columns, as `t(a, b)` does."""
        if not names:
            return self
        if self.rest is not None and not self.columns:
            value = self.rest.value if self.rest.certain else self.rest.value.doubtful(self.rest.reason)
            return replace(self, columns=[(n, value) for n in names], rest=None if self.rest.certain else self.rest)
        kept = [(names[i] if i < len(names) else old, value) for i, (old, value) in enumerate(self.columns)]
        return replace(self, columns=kept)


def stacked(left: Relation, right: Relation, by_name: bool = False) -> Relation:
    """Put one relation below another, as a union does: by position, or by name."""
    rows, tables = left.rows | right.rows, left.tables | right.tables
    rest = left.rest | right.rest if left.rest is not None else right.rest
    names = [name for name, _ in left.columns]
    if by_name or rest is not None:
        known = {name.lower() for name in names}
        names += [name for name, _ in right.columns if name.lower() not in known]
        columns = [(n, joined(v for v in (_in(left, n), _in(right, n)) if v is not None)) for n in names]
        if rest is not None and not by_name:
            columns = [(n, v.doubtful(f"by position: {rest.reason}")) for n, v in columns]
    else:
        pairs = zip(left.columns, right.columns, strict=False)
        columns = [(name, joined((a, b))) for (name, a), (_, b) in pairs]
    return Relation(columns, rows, tables, rest)


def _in(relation: Relation, name: str) -> Value | None:
    found = relation.find(name.lower())
    return relation.rest.find(name.lower()) if found is None and relation.rest is not None else found
