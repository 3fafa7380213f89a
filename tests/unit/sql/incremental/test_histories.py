"""Random histories of random tables: what is recomputed by keys equals the full rebuild, as multisets, at each step."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import duckdb
import pytest

from lagoa.sql.incremental import delta, scope
from lagoa.sql.incremental.analysis import KEYS, Analysis, Question, Refused, analyse

SOAK = bool(os.environ.get("SOAK"))
ROUNDS = 40 if SOAK else 1
SEED = int(os.environ.get("SEED", "7"))
STEPS = 3
TEMPLATES = [Path(__file__).with_name(name) for name in ("templates.sql", "counterexamples.sql")]
KINDS = {
    "INTEGER": ["1", "2", "3", "4"],
    "BIGINT": ["10", "20", "30"],
    "VARCHAR": ["'a'", "'b'", "'B'", "''"],
    "DECIMAL(6,2)": ["1.00", "1.50", "2.00"],
    "TIMESTAMP": ["TIMESTAMP '2020-01-01'", "TIMESTAMP '2020-01-01 12:00:00'"],
    "DATE": ["DATE '2020-01-01'", "DATE '2020-01-02'", "DATE '2021-05-05'"],
}
SHAPES = {"t1": "id a b v s", "t2": "id a d v s", "t3": "id b d v"}
Row = tuple[str, ...]
TOGETHER = pytest.mark.xdist_group("tally")
"""Tests that look at the same histories run in the same process, so that these are lived through once."""


@dataclass(frozen=True)
class Template:
    """A query with places for random conditions, its key, and how it must be followed."""

    name: str
    key: tuple[str, ...]
    outcome: str
    query: str


def templates(paths: Sequence[Path] = TEMPLATES) -> list[Template]:
    text = "\n".join(path.read_text("utf-8") for path in paths)
    found = re.findall(r"^-- (\w+) \| ([\w,]+) \| (\S+)\n(.*?);$", text, re.M | re.S)
    return [Template(name, tuple(key.split(",")), outcome, query) for name, key, outcome, query in found]


@dataclass
class World:
    """Three small tables of random types and rows, in a DuckDB that holds every version of them."""

    con: duckdb.DuckDBPyConnection
    rng: random.Random
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kind = self.rng.choice(list(KINDS))
        known = {"v": "INTEGER", "s": "VARCHAR"}
        self.columns = {t: {c: known.get(c, self.kind) for c in names.split()} for t, names in SHAPES.items()}
        if self.rng.random() < 0.5:
            self.columns[self.rng.choice(list(SHAPES))]["w"] = "INTEGER"
        self.con.execute("create schema if not exists s")
        for table in SHAPES:
            self.rows[table] = self.some(table, self.rng.choice([0, 3, 8, 12]))
            self.load(f"s.{table}", table, self.rows[table])
            self.load(f"_i{table}", table, [])

    def value(self, column: str, null: float = 0.15) -> str:
        if self.rng.random() < null:
            return "NULL"
        if column in ("v", "w"):
            return str(self.rng.randint(0, 4))
        return self.rng.choice(["'x'", "'y'", "''"] if column == "s" else KINDS[self.kind])

    def some(self, table: str, count: int) -> list[Row]:
        return [tuple(self.value(c) for c in self.columns[table]) for _ in range(count)]

    def load(self, name: str, table: str, rows: list[Row]) -> None:
        columns = ", ".join(f"{c} {kind}" for c, kind in self.columns[table].items())
        self.con.execute(f"create or replace table {name} ({columns})")
        if rows:
            self.con.execute(f"insert into {name} values " + ",".join(f"({','.join(r)})" for r in rows))

    def condition(self, alias: str, table: str, depth: int = 0) -> str:
        rng = self.rng
        if depth < 2 and rng.random() < 0.25:
            sides = [self.condition(alias, table, depth + 1) for _ in range(2)]
            return f"({rng.choice([' or ', ' and ']).join(sides)})"
        if rng.random() < 0.1:
            return f"not ({self.condition(alias, table, depth + 1)})"
        c = rng.choice(list(self.columns[table]))
        one, other = self.value(c, 0), self.value(c, 0)
        shapes = ["= {0}", "<> {0}", "> {0}", "is null", "is not null", "in ({0}, {1})", "is distinct from {0}"]
        return f"{alias}.{c} " + rng.choice([*shapes, "not in ({0}, NULL)"]).format(one, other)

    def written(self, query: str) -> str:
        return re.sub(r"\{p:(\w+):(\w+)\}", lambda m: self.condition(m[1], m[2]), query)

    def step(self) -> set[str]:
        """Change some tables; return those whose rows are others than before."""
        hit = {t for t in SHAPES if self.rng.random() < 0.5} or {"t1"}
        for table in SHAPES:
            before = self.rows[table]
            self.load(f"_i{table}__old", table, before)
            self.rows[table] = self.mutated(table) if table in hit else before
            self.load(f"s.{table}", table, self.rows[table])
            name = f"_i{table}"
            for part, sql in (
                ("__new", f"from s.{table}"),
                ("__del", f"from {name}__old except all from {name}__new"),
                ("__chg", f"from {name}__del union all (from {name}__new except all from {name}__old)"),
                ("__u", f"from {name}__new union all from {name}__del"),
            ):
                self.con.execute(f"create or replace table {name}{part} as {sql}")
        return {t for t in hit if self.count(f"from _i{t}__chg")}

    def mutated(self, table: str) -> list[Row]:
        rng, rows = self.rng, list(self.rows[table])
        if rng.random() < 0.25:  # rows that are joined to each other vanish together
            rows = [r for r in rows if rng.random() < 0.5] + self.some(table, rng.choice([0, 0, 4]))
        for _ in range(rng.choice([1, 1, 2, 4])):
            kind = rng.random()
            if kind < 0.4 or not rows:
                rows += self.some(table, 1)
            elif kind < 0.6:
                rows.pop(rng.randrange(len(rows)))
            elif kind < 0.7:
                rows.append(rng.choice(rows))
            elif kind < 0.72:
                rows = []
            else:
                number, column = rng.randrange(len(rows)), rng.randrange(len(self.columns[table]))
                changed = list(rows[number])
                changed[column] = self.value(list(self.columns[table])[column])
                rows[number] = tuple(changed)
        return rows

    def question(self, query: str, key: tuple[str, ...]) -> Question:
        tables = {f"s.{t}": f"_i{t}" for t in SHAPES}
        return Question(query, key, tables, {f"_i{t}": dict(c) for t, c in self.columns.items()}, {})

    def describe(self, query: str) -> Mapping[str, str]:
        return {name.lower(): kind for name, kind, *_ in self.con.execute(f"describe {query}").fetchall()}

    def count(self, query: str) -> int:
        found = self.con.execute(f"select count(*) from ({query})").fetchone()
        return int(found[0]) if found else 0


@dataclass
class Tally:
    """What a round found."""

    steps: int = 0
    refused_steps: int = 0
    touched: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def live(template: Template, seed: int, con: duckdb.DuckDBPyConnection, tally: Tally) -> None:
    """Let one template live through a random history."""
    world = World(con, random.Random(seed))
    query = world.written(template.query)
    outcomes = tally.outcomes.setdefault(template.name, Counter())
    try:
        found = analyse(world.question(query, template.key), world.describe)
    except Refused:
        outcomes["refused"] += 1
        return
    followed = [o.keys is not None for o in found.occurrences]
    outcomes["all" if all(followed) else "some" if any(followed) else "none"] += 1
    con.execute(f"create or replace table result as {query}")
    for _ in range(STEPS):
        changed = world.step()
        con.execute(f"create or replace table rebuilt as {query}")
        if not recomputed(world, found, template.key, changed, tally):
            con.execute("create or replace table result as from rebuilt")
        differ = world.count("from result except all from rebuilt") + world.count("from rebuilt except all from result")
        if differ:
            tally.wrong.append(f"{template.name} {seed}: {query}")
            return
    tally.steps += STEPS


def recomputed(
    world: World, found: Analysis, key: tuple[str, ...], changed: set[str], tally: Tally, result: str = "result"
) -> bool:
    """Bring a table with the result of a query up to date as a run does it; False when it must be rebuilt."""
    con, read = world.con, {f"_i{t}" for t in changed} & {o.input for o in found.occurrences}
    if not read:
        return True
    try:
        touched = found.touched(sorted(read))
    except Refused:
        tally.refused_steps += 1
        return False
    con.execute(f"create or replace table {KEYS} as {touched}")
    tally.touched += world.count(f"from {KEYS}")
    for leaf in found.leaves:  # no more than what it wants, as if every other file were left out
        among = [
            f'exists (select 1 from {KEYS} k where k.{k} is not distinct from t."{c}")' for c, k in leaf.pairs.items()
        ]
        rows = f'select * from "{leaf.input}__new" t where {" and ".join(among)}'
        con.execute(f'create or replace view "{leaf.relation}" as {rows}')
    same = " and ".join(f'k.k{i} is not distinct from r."{k}"' for i, k in enumerate(key))
    kept = f"select * from {result} r where not exists (select 1 from {KEYS} k where {same})"
    con.execute(f"create or replace table {result} as {kept} union all select * from ({found.rows})")
    return True


def lived(wanted: str = "", rounds: int = ROUNDS, seed: int = SEED, until_wrong: bool = False) -> Tally:
    """Let every template of which the name matches live, some rounds of random histories each."""
    tally, con = Tally(), duckdb.connect(config={"threads": 1})
    for lap in range(rounds):
        for template in templates():
            number = random.Random(f"{seed} {lap} {template.name}").randrange(1 << 60)
            if re.search(wanted, template.name) and not (until_wrong and tally.wrong):
                live(template, number, con, tally)
    con.close()
    return tally


@pytest.fixture(scope="module")
def tally() -> Tally:
    return lived()


@TOGETHER
def test_what_is_recomputed_by_keys_equals_the_full_rebuild_after_every_step(tally: Tally) -> None:
    assert tally.wrong == []
    assert tally.steps >= 300 * ROUNDS
    assert tally.touched >= 300 * ROUNDS
    assert tally.refused_steps * 20 < tally.steps


@TOGETHER
def test_every_template_is_followed_as_far_as_it_says(tally: Tally) -> None:
    said = {t.name: t.outcome for t in templates()}
    assert {name: set(found) for name, found in tally.outcomes.items()} == {n: {o} for n, o in said.items()}


def test_at_least_four_of_five_templates_that_could_be_followed_are() -> None:
    common = templates(TEMPLATES[:1])  # the others are there because they once went wrong
    assert Counter(t.outcome for t in common)["all"] >= 0.8 * len(common)


# ---------------------------------------------------------------- planted bugs
def _no_absent(planted: pytest.MonkeyPatch) -> None:
    """Forget the rows that an outer join fills with nulls."""
    planted.setattr(delta, "combinations", lambda found, size: combinations(found, size) if size == 0 else ())


def _never_optional(planted: pytest.MonkeyPatch) -> None:
    """Take every source for one that is always there."""
    planted.setattr(delta, "nullable", lambda _: set())


def _no_windows(planted: pytest.MonkeyPatch) -> None:
    """Forget that a window's rows depend on each other."""
    true = scope.locality
    planted.setattr(delta, "locality", lambda s: true(s) if s.args.get("group") else None)


def _new_only(planted: pytest.MonkeyPatch) -> None:
    """Look for the partners of a changed row in the new version alone."""
    true = scope.Scopes.united
    planted.setattr(scope.Scopes, "united", lambda self, source: true(self, source).replace("__u", "__new"))


def _nulls_in_not_in(planted: pytest.MonkeyPatch) -> None:
    """Forget what a null does to NOT IN."""
    true = delta._Subquery.__init__

    def init(self: delta._Subquery, d: delta.Delta, node: object, index: dict[str, int], must_hold: bool) -> None:
        true(self, d, node, index, True)  # type: ignore[arg-type]  # the node is passed on as it came

    planted.setattr(delta._Subquery, "__init__", init)


def _null_told(planted: pytest.MonkeyPatch) -> None:
    """Take null for what the driver tells of another source, too."""
    true = delta.Delta._sideways

    def sideways(self: delta.Delta, from_: delta._From, driver: int, wanted: object, *rest: object) -> object:
        told, kept, ties = true(self, from_, driver, wanted, *rest)  # type: ignore[arg-type]  # passed on as they came
        return [self._without(from_, {driver}, e) for e in told] if told is not wanted else told, kept, ties

    planted.setattr(delta.Delta, "_sideways", sideways)


def _all_equal(planted: pytest.MonkeyPatch) -> None:
    """Take the driver's columns for equal to every other of their name."""

    def same_as(self: delta.Delta, from_: delta._From, driver: int, ties: object) -> object:
        alias, others = from_.sources[driver].alias, from_.sources
        told = self._scopes.columns_of(from_.sources[driver])
        return {
            (s.alias, c): scope.expression(f'"{alias}"."{c}"')
            for s in others
            if s.alias != alias
            for c in self._scopes.columns_of(s)
            if c in told
        }

    planted.setattr(delta.Delta, "_same_as", same_as)


BUGS = {
    "null_told": (_null_told, 6, "keytied"),
    "all_equal": (_all_equal, 6, "join|key|left|sides"),
    "no_absent": (_no_absent, 3, "left|full|right"),
    "never_optional": (_never_optional, 3, "left|full|right|corr"),
    "no_windows": (_no_windows, 6, "win|qualify"),
    "new_only": (_new_only, 12, "keys|two_sides|three_key|full_both|left_both"),
    "nulls_in_not_in": (_nulls_in_not_in, 8, "not_in|in_or|in_select"),
}


@contextmanager
def planting(bug: Callable[[pytest.MonkeyPatch], None]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as planted:
        bug(planted)
        yield


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str) -> None:
    bug, rounds, which = BUGS[name]
    with planting(bug):
        found = lived(which, rounds, 11, until_wrong=True)
    assert found.wrong
