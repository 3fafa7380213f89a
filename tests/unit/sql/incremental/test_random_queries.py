"""Random queries live through random histories: what is recomputed by keys equals the full rebuild at each step."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb
import pytest
from tests.unit.sql.incremental.random_expressions import Dead
from tests.unit.sql.incremental.random_queries import Queries
from tests.unit.sql.incremental.shrinking import shrunk
from tests.unit.sql.incremental.test_histories import SOAK, Tally, World, recomputed

from lagoa.sql.incremental import delta, reading
from lagoa.sql.incremental.analysis import NEW, Analysis, Refused, analyse
from lagoa.sql.incremental.reading import at

WORLDS, SECONDS = 2, 600.0 if SOAK else 0.0
"""At least so many worlds, and in a soak so much CPU time; the seed that it prints may be given as SEED."""
QUERIES, STEPS, MOST = 40, 4, 200_000
UNSURE = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.OutOfMemoryException)
"""A text that is no number: whether it is met depends on the order in which DuckDB asks conditions. And a product of
products that is larger than a world may be."""
BROKEN = (duckdb.InternalException, duckdb.FatalException)
"""DuckDB met a bug of its own; nothing more can be asked of that world."""
Key = tuple[str, ...]
BUGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "optional": lambda planted: planted.setattr(delta, "nullable", lambda _: set()),
    "new": lambda planted: planted.setattr(delta, "CHANGED", "__new"),
}
"""Taking every source for one that is always there; forgetting rows that went."""


@dataclass
class Case:
    """A query that is followed by a key, in a world that a seed makes."""

    query: str
    key: Key
    found: Analysis
    read: str
    """What the analysis takes the query for: over the newest version of each input it must give the same rows."""


@dataclass
class Count(Tally):
    """What random queries found, and how many there were."""

    said: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def world_of(seed: int) -> World:
    return World(duckdb.connect(config={"threads": 1, "memory_limit": "1GB"}), random.Random(seed))


def described(world: World, query: str) -> Mapping[str, str]:
    try:
        return world.describe(query)
    except BROKEN:
        raise
    except duckdb.Error as error:
        raise Dead from error


def cases(world: World, rng: random.Random, count: Count) -> list[Case]:
    """Write queries for a world; those that DuckDB takes and the analysis follows are worth a history."""
    found = []
    for _ in range(QUERIES):
        count.said["written"] += 1
        try:
            query = Queries(rng, world.columns, lambda q: described(world, q)).whole()
            columns = list(described(world, query))
        except Dead:
            continue
        count.said["valid"] += 1
        case = next(filter(None, (followed(world, query, chosen(rng, columns), count) for _ in range(2))), None)
        if case is not None:
            count.said["followed"] += 1
            found.append(case)
    return found


def chosen(rng: random.Random, columns: list[str]) -> Key:
    return tuple(rng.sample(columns, min(len(columns), rng.choice([1, 1, 1, 2, 2, 3]))))


def followed(world: World, query: str, key: Key, count: Count) -> Case | None:
    try:
        question = world.question(query, key)
        found, read = analyse(question, world.describe), at(reading.read(question, world.describe), NEW)
    except Refused as refused:
        count.reasons[str(refused)] += 1
        return None
    if all(o.keys is None for o in found.occurrences):
        count.reasons.update(str(o.why) for o in found.occurrences[:1])
        return None
    return Case(query, key, found, read)


def lived(world: World, living: list[Case], count: Count) -> list[Case]:
    """Let queries live through one history; return those of which a result was wrong."""
    wrong, alive = [], dict(enumerate(living))
    for number, case in list(alive.items()):
        if not built(world, number, case):
            alive.pop(number)
    for _ in range(STEPS):
        changed = world.step()
        for number, case in list(alive.items()):
            same = stepped(world, number, case, changed, count)
            if not same:
                alive.pop(number)
            if same is False:
                wrong.append(case)
    return wrong


def built(world: World, number: int, case: Case) -> bool:
    try:
        rows(world, case.query)
        world.con.execute(f"create or replace table r{number} as {case.query}")
    except UNSURE:
        return False
    return True


def stepped(world: World, number: int, case: Case, changed: set[str], count: Count) -> bool | None:
    """Say whether a result is what a rebuild gives; None when it has none."""
    try:
        rebuilt = rows(world, case.query)
        if rebuilt != rows(world, case.read):
            return False
        if not recomputed(world, case.found, case.key, changed, count, f"r{number}"):
            return built(world, number, case) or None
    except UNSURE:
        return None
    except BROKEN:
        raise
    except duckdb.Error:
        return False
    count.steps += 1
    return rebuilt == rows(world, f"from r{number}")


def rows(world: World, query: str) -> Counter[tuple[object, ...]]:
    """Give the rows of a query. Raises duckdb.OutOfMemoryException when there are very many."""
    found = world.con.execute(f"select * from ({query}) limit {MOST}").fetchall()
    if len(found) == MOST:
        raise duckdb.OutOfMemoryException(query)  # what is fetched counts for no limit
    return Counter(found)


def is_wrong(query: str, key: Key, seeds: list[int]) -> bool:
    """Say whether a query alone is wrong in one of these worlds."""
    for seed in seeds:
        world, count = world_of(seed), Count()
        try:
            case = followed(world, query, key, count)
            if case is not None and lived(world, [case], count):
                return True
        except duckdb.Error:
            return False
        finally:
            world.con.close()
    return False


def explored(seed: int, worlds: int, seconds: float = 0.0, shrinking: bool = True) -> Count:
    """Let random queries live in so many worlds, and until so much CPU time is gone, or one of them is wrong."""
    count, rng = Count(), random.Random(seed)
    end = time.process_time() + seconds
    while (worlds > 0 or time.process_time() < end) and not count.wrong:
        worlds, number = worlds - 1, rng.randrange(1 << 50)
        world = world_of(number)
        try:
            wrong = lived(world, cases(world, rng, count), count)
        except BROKEN:
            count.said["worlds that DuckDB broke"] += 1
            wrong = []
        for case in wrong:
            smaller = smallest(case, number) if shrinking else case.query
            count.wrong.append(f"key {', '.join(case.key)} of {smaller}\n  in world {number}: {case.query}")
        world.con.close()
    return count


def smallest(case: Case, number: int) -> str:
    seeds = [number, *range(12)]
    return shrunk(case.query, lambda query: is_wrong(query, case.key, seeds))


def test_random_queries_that_are_followed_equal_their_rebuild() -> None:
    seed = int(os.environ.get("SEED", "0" if SOAK else "3")) or time.time_ns() % 1_000_000_000
    count = explored(seed, WORLDS, SECONDS)
    said = f"SEED={seed}: {dict(count.said)}, {count.steps} steps compared, {count.touched} keys touched"
    print(said)  # noqa: T201  # a soak says what it did
    assert not count.wrong, said + "\n" + "\n".join(count.wrong)
    assert count.said["followed"] >= 0.6 * count.said["valid"], (said, count.reasons.most_common(5))
    assert count.steps >= 2 * count.said["followed"]
    assert count.touched >= count.said["followed"]


@pytest.mark.parametrize("name", BUGS)
def test_random_queries_find_a_planted_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)
    assert explored(5, 12, shrinking=False).wrong


def test_a_query_is_made_smaller_while_it_stays_wrong() -> None:
    query = (
        "with c as (select a, b from s.t2 where b > 1) select x.a as k, sum(x.v) as n from s.t1 x join c on c.a = x.a"
    )
    query += (
        " where x.v in (1, 2) and not (x.s = 'y') group by x.a having count(*) > 1 union all select id, 0 from s.t3"
    )
    smaller = shrunk(query, lambda q: "SUM(" in q and "s.t1" in q)
    assert smaller == "SELECT SUM(x.v) FROM s.t1"
