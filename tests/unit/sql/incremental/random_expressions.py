"""Writes random expressions over the sources that a random query has."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LITERALS = {
    "I": ["0", "1", "2", "3", "10", "NULL::INTEGER"],
    "S": ["'x'", "'y'", "'a'", "''", "NULL::VARCHAR"],
    "D": ["DATE '2020-01-01'", "DATE '2021-05-05'", "NULL::DATE"],
    "T": ["TIMESTAMP '2020-01-01'", "TIMESTAMP '2020-01-01 12:00:00'", "NULL::TIMESTAMP"],
    "B": ["true", "false", "NULL::BOOLEAN"],
}

BY_ORDER = ["row_number()", "lag({0})", "lead({0})", "first_value({0})", "last_value({0})"]
FRAMES = [*[""] * 4, " range between 1 preceding and current row", " groups between 1 preceding and 1 following"]


class Dead(Exception):
    """A query that came to an end where nothing fits."""


@dataclass(frozen=True)
class Item:
    """A source of a FROM as its columns are named, with the class of each."""

    alias: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Scope:
    """What an expression may name: the sources around it, and those around the query in which it stands."""

    items: Sequence[Item] = ()
    shared: Sequence[str] = ()
    """Columns that USING made one."""
    outer: Scope | None = None
    whole: bool = False
    """Whether columns must be named with their source, as in a join, where more sources may follow."""

    def named(self, wanted: str) -> list[str]:
        """Write every column of a class, also without its source where that is clear."""
        count: dict[str, int] = {}
        for item in () if self.whole else self.items:
            for name in item.columns:
                count[name.lower()] = count.get(name.lower(), 0) + 1
        return [
            shown
            for item in self.items
            for name, kind in item.columns.items()
            if kind == wanted
            for shown in (f"{item.alias}.{name}", *([name] if count.get(name.lower()) == 1 else []))
        ]


def class_of(kind: str) -> str:
    """Give the class of a DuckDB type in which values may be compared."""
    if kind in ("VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN"):
        return {"VARCHAR": "S", "DATE": "D", "TIMESTAMP": "T", "BOOLEAN": "B"}[kind]
    return "I" if "INT" in kind or kind.startswith("DECIMAL") else "O"


def quoted(name: str) -> str:
    """Quote a name where it needs that."""
    return name if name.replace("_", "").isalnum() else f'"{name}"'


@dataclass
class Expressions(ABC):
    """Writes expressions, and conditions with queries inside."""

    rng: random.Random

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    @abstractmethod
    def subquery(self, scope: Scope) -> str:
        """Write a condition with a query inside, mostly tied to the rows around it."""

    def column(self, kind: str, scope: Scope) -> str:
        if scope.outer is not None and self.often(0.03):
            scope = scope.outer
        found = scope.named(kind)
        if not found:
            return self.rng.choice(LITERALS[kind])
        name = self.rng.choice(found)
        return name.upper() if self.often(0.03) else name

    def expression(self, kind: str, scope: Scope, depth: int = 0) -> str:
        pick = self.rng.random()
        if depth > 2 or pick < 0.55:
            return self.column(kind, scope)
        inner = [self.expression(kind, scope, depth + 1) for _ in range(2)]
        if pick < 0.62:
            return self.rng.choice(LITERALS[kind])
        if pick < 0.75:
            return f"{self.rng.choice(['coalesce', 'coalesce', 'nullif'])}({inner[0]}, {inner[1]})"
        if pick < 0.85:
            return f"case when {self.predicate(scope, self.rng.choice([1, 2, 2]))} then {inner[0]} else {inner[1]} end"
        if kind == "I":
            return self.rng.choice(
                ["({0} + {1})", "({0} * 2)", "coalesce({0}, 0) % 2", "cast({0} as decimal(9,2))"]
            ).format(*inner)
        if kind == "S":
            other = self.rng.choice(list("ISDT"))
            return self.rng.choice(
                ["upper({0})", "{0} || {1}", f"cast({self.column(other, scope)} as varchar)"]
            ).format(*inner)
        return {"D": "cast({0} as date)", "T": "date_trunc('day', {0})", "B": "not {0}"}[kind].format(inner[0])

    def predicate(self, scope: Scope, depth: int = 0) -> str:
        pick = self.rng.random()
        if depth < 2 and pick < 0.2:
            sides = [self.predicate(scope, depth + 1) for _ in range(2)]
            return f"({sides[0]} {self.rng.choice(['or', 'and'])} {sides[1]})"
        if pick < 0.28:
            return f"not ({self.predicate(scope, depth + 1)})"
        if depth < 2 and pick < 0.5:
            return self.subquery(scope)
        kinds = [k for k in LITERALS if scope.named(k)] or ["I"]
        kind = self.rng.choice(kinds)
        values = [self.column(kind, scope), self.expression(kind, scope, 2), self.rng.choice(LITERALS[kind])]
        shape = self.rng.choice(
            ["{0} = {2}", "{0} = {1}", "{0} <> {2}", "{0} > {2}", "{0} <= {1}", "{0} is null", "{0} is not null",
             "{0} in ({1}, {2})", "{0} not in ({1}, {2})", "{0} is distinct from {1}", "{0} between {2} and {1}"]
        )  # fmt: skip
        return shape.format(*values)

    def aggregate(self, scope: Scope) -> str:
        value = self.expression("I", scope, 2)
        shape = self.rng.choice(["count(*)", "count({0})", "sum({0})", "max({0})", "min({0})", "count(distinct {0})"])
        more = f" filter (where {self.predicate(scope, 2)})" if self.often(0.08) else ""
        return shape.format(value) + more

    def window(self, scope: Scope, parts: Sequence[str]) -> str:
        partition = self.rng.sample(parts, min(len(parts), self.rng.choice([1, 1, 2])))
        within = f"partition by {', '.join(partition)}" if self.often(0.97) else ""
        value, desc = self.column("I", scope), self.rng.choice(["", " desc", " nulls first"])
        function = self.rng.choice([*["rank()", "dense_rank()", "sum({0})", "count(*)", "max({0})"] * 2, *BY_ORDER])
        if function in BY_ORDER:
            every = [f"{i.alias}.{name}" for i in scope.items for name in i.columns]
            return f"{function.format(value)} over ({within} order by {', '.join(every)}{desc})"
        if "rank" in function or self.often(0.4):
            within += f" order by {self.column('I', scope)}{desc}{self.rng.choice(FRAMES)}"
        return f"{function.format(value)} over ({within})"
