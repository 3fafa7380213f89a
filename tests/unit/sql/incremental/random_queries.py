"""Writes random queries over the tables of a world, so that also what nobody thought of is asked of the analysis."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.unit.sql.incremental.random_expressions import LITERALS, Dead, Expressions, Item, Scope, class_of, quoted

NAMES = ["k", "m", "n", "id", "a", "v", "s", "b", '"K k"', "Ab"]
ALIASES = ["x", "y", "z", "q", "t1", "t2", "v", "a", '"X y"', "Q"]


@dataclass
class Queries(Expressions):
    """Writes queries; `describe` gives the columns of one, or raises Dead."""

    tables: Mapping[str, Mapping[str, str]]
    describe: Callable[[str], Mapping[str, str]]
    ctes: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def whole(self) -> str:
        """Write a query with its CTEs."""
        self.ctes, depth = [], self.rng.choice([0, 1, 2, 2])
        for _ in range(self.rng.choice([0, 0, 0, 1, 1, 2]) if depth < 2 else 0):
            body, name = self.query(1, Scope()), self.rng.choice(["c", "d", "t1", "t3", "x"])
            if all(name != known for known, _, _ in self.ctes):
                self.ctes.append((name, body, self.columns(body)))
        return self.prefix() + self.query(depth, Scope())

    def prefix(self) -> str:
        shown = (f"{n} as {self.rng.choice(['', '', '', 'materialized '])}({b})" for n, b, _ in self.ctes)
        return f"with {', '.join(shown)} " if self.ctes else ""

    def columns(self, query: str) -> Mapping[str, str]:
        """Ask for the classes of a query's columns."""
        return {quoted(n): class_of(k) for n, k in self.describe(self.prefix() + query).items()}

    def query(self, depth: int, outer: Scope, classes: Sequence[str] | None = None) -> str:
        """Write a SELECT, or a set operation of some."""
        if depth < 3 and self.often(0.12):
            wanted = classes or [self.kind() for _ in range(self.rng.choice([1, 2, 3]))]
            operation = self.rng.choice(
                ["union all", "union all", "union", "except", "intersect", "except all", "intersect all"]
            )
            sides = [self.query(depth + 1, outer, wanted) for _ in range(2)]
            if self.often(0.3):
                sides[1] = f"({sides[1]})"
            by_name = " by name" if "union" in operation and self.often(0.15) else ""
            return f"{sides[0]} {operation}{by_name} {sides[1]}"
        return self.select(depth, outer, classes)

    def kind(self) -> str:
        return self.rng.choice(["I", "S", class_of(self.tables["t1"]["id"]), class_of(self.tables["t1"]["a"])])

    # ------------------------------------------------------------ FROM
    def source(self, depth: int) -> tuple[str, Item]:
        pick, alias = self.rng.random(), self.rng.choice(ALIASES)
        if self.ctes and pick < 0.4:
            name, _, columns = self.rng.choice(self.ctes)
            return (name, Item(name, columns)) if self.often(0.4) else (f"{name} as {alias}", Item(alias, columns))
        if depth < 2 and pick < 0.6:
            body = self.query(depth + 1, Scope()) if self.often(0.9) else self.nested(depth + 1)
            return f"({body}) as {alias}", Item(alias, self.columns(body))
        table = self.rng.choice(list(self.tables))
        columns = {c: class_of(k) for c, k in self.tables[table].items()}
        shown = f"s.{table}"
        return (shown, Item(table, columns)) if self.often(0.2) else (f"{shown} {alias}", Item(alias, columns))

    def nested(self, depth: int) -> str:
        """Write a query with a CTE of its own, that may hide one of the CTEs around it."""
        around, name, body = self.ctes, self.rng.choice(["c", "t1", "x"]), self.query(depth, Scope())
        columns = self.columns(body)
        self.ctes = [(name, "", columns)]
        found = f"with {name} as ({body}) {self.query(2, Scope())}"
        self.ctes = around
        return found

    def sources(self, depth: int, outer: Scope) -> tuple[str, Scope]:
        sql, first = self.source(depth)
        items, shared = [first], list[str]()
        kinds = ["join", "left join", "left join"]
        kinds += ["right join", "full join"] if self.often(0.5) else ["semi join", "anti join"]
        for _ in range(self.rng.choice([0, 0, 0, 1, 1, 1, 2, 2])):
            more, item = self.source(depth)
            if item.alias.lower() in {i.alias.lower() for i in items}:
                continue
            left, right = Scope(items, shared, outer, True), Scope([item], (), outer, True)
            how = self.rng.choice(kinds)
            common = [c for c in item.columns if sum(c in i.columns for i in items) == 1]
            if self.often(0.05):
                sql += f", {more}" if self.often(0.7) else f" cross join {more}"
            elif common and "i join" not in how and (" full " not in sql and " right " not in sql) and self.often(0.2):
                using = self.rng.sample(common, min(len(common), self.rng.choice([1, 1, 2])))
                natural = self.often(0.05)
                sql += f" natural {how} {more}" if natural else f" {how} {more} using ({', '.join(using)})"
                shared = [*shared, *(common if natural else using)]
            else:
                sql += f" {how} {more} on {self.on(left, right)}"
                if "i join" in how:
                    continue
            items.append(item)
        return sql, Scope(items, shared, outer)

    def on(self, left: Scope, right: Scope) -> str:
        kinds = [k for k in LITERALS if left.named(k) and right.named(k)]
        parts: list[str] = []
        for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3])):
            pick = self.rng.random()
            if kinds and (pick < 0.8 or not parts):
                kind = self.rng.choice(kinds)
                sides = [self.rng.choice(left.named(kind)), self.rng.choice(right.named(kind))]
                if self.often(0.1):
                    sides[0] = self.expression(kind, left, 1)
                if self.often(0.06):
                    sides[1] = self.expression(kind, right, 1)
                self.rng.shuffle(sides)
                parts.append(
                    self.rng.choice(["=", "=", "=", "=", "=", "<", ">=", "is not distinct from"]).join(
                        f" {s} " for s in sides
                    )
                )
            else:
                both = Scope([*left.items, *right.items], whole=True)
                parts.append(self.predicate(self.rng.choice([left, right, both]), 2))
        return " and ".join(parts) if self.often(0.95) else " or ".join(parts)

    def select(self, depth: int, outer: Scope, classes: Sequence[str] | None) -> str:
        sql, scope = self.sources(depth, outer)
        kinds = list(classes or [self.kind() for _ in range(self.rng.choice([1, 2, 2, 3, 3, 4]))])
        where = f" where {self.conjunction(scope, depth)}" if self.often(0.5) else ""
        pick = self.rng.random()
        if pick < 0.3:
            return self.grouped(sql + where, scope, kinds)
        if pick < 0.42:
            return self.windowed(sql + where, scope, kinds)
        if pick < 0.5 and classes is None:
            return f"select {self.star(scope)} from {sql}{where}"
        if pick < 0.53:
            having = f" having {self.aggregate(scope)} > 1" if self.often(0.4) else ""
            shown, _ = self.shown([self.aggregate(scope) if k == "I" else self.rng.choice(LITERALS[k]) for k in kinds])
            return f"select {shown} from {sql}{where}{having}"
        values = [self.expression(k, scope, self.rng.choice([0, 2, 2, 3])) for k in kinds]
        if classes is None and self.often(0.1):
            values.append(f"({self.correlated(scope)})")
        distinct = "distinct " if self.often(0.12) else ""
        shown, names = self.shown(values)
        if where and kinds[0] == "I" and self.often(0.06):
            where += f" and {names[0]} < 3"
        return f"select {distinct}{shown} from {sql}{where}"

    def correlated(self, scope: Scope) -> str:
        sql, inside = self.sources(3, scope)
        kind = self.rng.choice([k for k in LITERALS if inside.named(k)])
        return self.scalar(inside, sql, f"{self.rng.choice(inside.named(kind))} = {self.column(kind, scope)}")

    def conjunction(self, scope: Scope, depth: int) -> str:
        return " and ".join(self.predicate(scope, min(depth, 2)) for _ in range(self.rng.choice([1, 1, 2, 3])))

    def shown(self, values: Sequence[str]) -> tuple[str, list[str]]:
        """Name the columns of a SELECT; a lateral alias, or the name of another column, is as good as any."""
        names = self.rng.sample(NAMES, len(values))
        shown = [
            v if self.often(0.15) and re.fullmatch(r"\w+[.]\w+", v) else f"{v} as {n}"
            for v, n in zip(values, names, strict=True)
        ]
        if self.often(0.04):
            shown.append(f"{names[0]} as l")
        return ", ".join(shown), names

    def star(self, scope: Scope) -> str:
        item = self.rng.choice(scope.items)
        name, kind = self.rng.choice(list(item.columns.items()))
        if kind not in LITERALS:
            raise Dead
        one = f"{item.alias}.*" if len(scope.items) > 1 or self.often(0.5) else "*"
        value = self.expression(kind, scope, 2)
        more = ["", "", f" exclude ({name})", f" replace ({value} as {name})", f" rename ({name} as kk)"]
        return one + self.rng.choice(more)

    def grouped(self, sql: str, scope: Scope, kinds: Sequence[str]) -> str:
        deep = [self.rng.choice([2, 3, 3, 3]) for _ in kinds]
        plain = [self.expression(k, scope, d) for k, d in zip(kinds, deep, strict=True)]
        groups = self.rng.sample(plain, max(1, len(plain) - self.rng.choice([0, 0, 1])))
        values = [p if p in groups or k != "I" else self.aggregate(scope) for p, k in zip(plain, kinds, strict=True)]
        groups = [p for p in plain if p in values]
        if not groups:
            raise Dead
        distinct = "distinct " if self.often(0.05) else ""
        if kinds[-1] == "I" and values[-1] not in groups and self.often(0.2):
            values[-1] = (
                f"{self.rng.choice(['rank()', 'sum(count(*))'])} over (partition by {groups[0]} order by count(*))"
            )
        shown, names = self.shown(values)
        return f"select {distinct}{shown} from {sql} group by {self.by(groups, values, names)}" + (
            f" having {self.having(scope, groups, names)}" if self.often(0.25) else ""
        )

    def by(self, groups: Sequence[str], values: Sequence[str], names: Sequence[str]) -> str:
        """Write what to group by: expressions, positions, names, or all."""
        places = [i for i, v in enumerate(values) if v in groups]
        shapes = [", ".join(groups), ", ".join(str(i + 1) for i in places), ", ".join(names[i] for i in places), "all"]
        return self.rng.choice([shapes[0], *shapes])

    def having(self, scope: Scope, groups: Sequence[str], names: Sequence[str]) -> str:
        """Write a condition on groups, also one that names a column of the SELECT or asks another query."""
        more = self.rng.choice(["1", "0", "2"])
        kind = self.rng.choice([k for k in LITERALS if scope.named(k)] or ["I"])
        conditions = [
            f"{self.aggregate(scope)} > {more}",
            f"{self.rng.choice(names)} is not null",
            f"{self.rng.choice([*groups, self.aggregate(scope)])} in ({self.query(3, Scope(), [kind])})",
        ]
        return " and ".join(self.rng.sample(conditions, self.rng.choice([1, 1, 2])))

    def windowed(self, sql: str, scope: Scope, kinds: Sequence[str]) -> str:
        values = [self.expression(k, scope, 3) for k in kinds]
        window, compared = self.window(scope, values), self.rng.choice(["= 1", "> 1", "<= 2"])
        if self.often(0.4):
            return f"select {self.shown(values)[0]} from {sql} qualify {window} {compared}"
        place = self.rng.randrange(len(values))
        if kinds[place] == "I":
            values[place] = window
        shown, names = self.shown(values)
        qualify = f" qualify {names[place]} {compared}" if values[place] == window and self.often(0.3) else ""
        return f"select {shown} from {sql}{qualify}"

    # ------------------------------------------------------------ queries in expressions
    def subquery(self, scope: Scope) -> str:
        """Write a condition with a query inside, mostly tied to the rows around it."""
        kind = self.rng.choice([k for k in LITERALS if scope.named(k)] or ["I"])
        outer = self.column(kind, scope)
        pick = self.rng.random()
        if pick < 0.35:
            return f"{outer} {self.rng.choice(['in', 'not in'])} ({self.query(2, scope, [kind])})"
        sql, inside = self.sources(3, scope)
        found = inside.named(kind)
        if not found:
            raise Dead
        inner = self.rng.choice(found)
        tie = f"{inner} {self.rng.choice(['=', '=', '=', '>', 'is not distinct from'])} {outer}"
        where = f"{tie} and {self.predicate(inside, 2)}" if self.often(0.4) else tie
        if pick < 0.7:
            more = f" group by {inner} having count(*) > 1" if self.often(0.1) else ""
            return f"{self.rng.choice(['', 'not '])}exists (select 1 from {sql} where {where}{more})"
        if pick < 0.8:
            return f"{outer} {self.rng.choice(['in', 'not in'])} (select {inner} from {sql} where {where})"
        return f"{self.column('I', scope)} {self.rng.choice(['=', '>', '<='])} ({self.scalar(inside, sql, where)})"

    def scalar(self, inside: Scope, sql: str, where: str) -> str:
        return f"select {self.aggregate(inside)} from {sql} where {where}"
