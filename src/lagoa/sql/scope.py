"""What a name means where it stands: columns of the sources, aliases of the query, names of the queries around."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lagoa.sql.relation import CONSTANT, Relation, Rest, Rows, Value, joined


@dataclass(frozen=True)
class FromItem:
    """A relation of FROM under its alias; `path` is its written name, in lower case: silver, orders."""

    alias: str
    relation: Relation
    path: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()
    """Columns that a `using` shows once, with those of an earlier source."""

    def is_called(self, parts: Sequence[str]) -> bool:
        """Say whether written parts name it: orders, or silver.orders."""
        return tuple(parts) == (self.alias,) or (bool(self.path) and tuple(parts) == self.path[-len(parts) :])


@dataclass
class Scope:
    """The names of one SELECT, inside those of the queries around it."""

    parent: Scope | None
    ctes: Mapping[str, Relation]
    sources: list[FromItem] = field(default_factory=list)
    merged: dict[str, Value] = field(default_factory=dict)
    """Columns that `using` or `natural` made one of two."""
    aliases: dict[str, Value] = field(default_factory=dict)
    windows: dict[str, Any] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    shadows: list[frozenset[str]] = field(default_factory=list)
    """Parameters of the lambdas around."""

    @property
    def tables(self) -> frozenset[str]:
        """The tables whose rows are read here."""
        return frozenset(t for source in self.sources for t in source.relation.tables)

    def column(self, parts: Sequence[str], alias_first: bool = False) -> Value:
        """Find what a written name means: `total`, `o.total`, `silver.orders.total`, `o.address.city`."""
        names = [part.lower() for part in parts]
        if any(names[0] in shadow for shadow in self.shadows):
            return CONSTANT  # its value comes in by the list that the lambda goes through
        if alias_first and len(names) == 1 and names[0] in self.aliases:
            return self.aliases[names[0]]
        at: Scope | None = self
        while at is not None:
            found = at._own(names)
            if found is not None:
                return found
            at = at.parent
        return CONSTANT.doubtful(f"no table that is read here has a column `{'.'.join(parts)}`")

    def _own(self, names: list[str]) -> Value | None:
        for count in range(min(len(names) - 1, 3), 0, -1):
            source = self.source(names[:count])
            if source is not None and (found := _in(source.relation, names[count])) is not None:
                return found if count + 1 == len(names) else found.through("derived")
        found = self._bare(names[0])
        if found is not None and len(names) > 1:
            return found.through("derived")  # a field of a struct
        if found is None and len(names) == 1 and (whole := self.source(names)) is not None:
            return whole.relation.everything().through("derived")  # a row as one value
        return found

    def source(self, names: Sequence[str]) -> FromItem | None:
        """Find the source that is called so; the last one when there are several."""
        return next((s for s in reversed(self.sources) if s.is_called(names)), None)

    def _bare(self, name: str) -> Value | None:
        if name in self.merged:
            return self.merged[name]
        sure = [v for s in self.sources if (v := s.relation.find(name)) is not None]
        if len(sure) > 1:
            return joined(sure).doubtful(f"`{name}` is a column of several tables")
        if sure:
            return sure[0]
        maybe = [
            (s.alias, v) for s in self.sources if s.relation.rest and (v := s.relation.rest.find(name)) is not None
        ]
        if name in self.aliases:
            alias = self.aliases[name]
            if not maybe:
                return alias
            return joined([alias, *(v for _, v in maybe)]).doubtful(
                f"`{name}` is an alias, or a column of {_either(maybe)}, whose columns are not known"
            )
        if len(maybe) > 1:
            reason = f"`{name}` may be a column of {_either(maybe)}, whose columns are not known"
            return joined(v for _, v in maybe).doubtful(reason)
        return maybe[0][1] if maybe else None


def _in(relation: Relation, name: str) -> Value | None:
    found = relation.find(name)
    return relation.rest.find(name) if found is None and relation.rest is not None else found


def _either(maybe: Sequence[tuple[str, Value]]) -> str:
    return " or ".join(f"`{alias}`" for alias, _ in maybe)


def open_rest(scope: Scope) -> Rest | None:
    """Join the unknown columns of all sources."""
    found: Rest | None = None
    for source in scope.sources:
        if source.relation.rest is not None:
            found = source.relation.rest if found is None else found | source.relation.rest
    return found
