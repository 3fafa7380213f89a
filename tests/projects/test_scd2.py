"""Histories in a whole project: every version of a row, in order, whatever came, went and came late."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.projects.history_truths import Version, Versions

from lagoa.errors import ProjectErrors
from lagoa.run import write as writing
from lagoa.testing.raft import Raft
from lagoa.transform.follower import Follower, Touch

SOAK = bool(os.environ.get("SOAK"))
HISTORIES = 30 if SOAK else 3
STEPS = 10 if SOAK else 6
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
Observed = Sequence[tuple[int, datetime, str | None]]
PEOPLE = "select id, {}value from bronze.land_people where value is distinct from 'gone'"


def day(number: int) -> datetime:
    return BEGINNING + timedelta(days=number)


class World:
    """A project with one history, rows that come, change and go, and the plain history beside it."""

    def __init__(self, root: Path, header: str, stream: str = "mode: replace, allow_empty: true") -> None:
        self.raft, self.truth, self.dated = Raft(root), Versions(), "time:" in header
        self.raft.source("land", f'people: {{path: "people*.parquet", {stream}}}')
        query = PEOPLE.format("since, " if self.dated else "")
        self.raft.model("silver.people", query, f"kind: scd2\nkey: id\n{header}")
        self.runs: list[tuple[datetime, datetime]] = []

    def deliver(self, rows: Observed, file: str = "people") -> None:
        ids, times, values = (list(c) for c in zip(*rows, strict=True)) if rows else ([], [], [])
        schema = pa.schema([("id", pa.int64()), ("since", pa.timestamp("us", "UTC")), ("value", pa.string())])
        path = self.raft.root / f"land/{file}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"id": ids, "since": times, "value": values}, schema=schema), path)

    def run(self, given: Observed, **wish: Any) -> None:
        began = datetime.now(UTC)
        self.raft.ok(**wish)
        self.runs.append((began, datetime.now(UTC)))
        self.truth.run([row for row in given if row[2] != "gone"], began, self.dated)

    def history(self) -> list[Version]:
        """Give the versions that the lake holds, where a run's time is the moment at which the test began it."""
        rows = self.raft.rows("select id, value, valid_from, valid_to, is_current from silver.people")
        return sorted(((i, v, self._moment(b), e and self._moment(e), c) for i, v, b, e, c in rows), key=str)

    def _moment(self, moment: datetime) -> datetime:
        return next((began for began, ended in self.runs if began <= moment <= ended), moment)

    def expected(self) -> list[Version]:
        return sorted(self.truth.rows(), key=str)


def present(rng: random.Random, size: int = 12) -> list[tuple[int, datetime, str | None]]:
    keys = rng.sample(range(size), rng.randint(0, size))
    return [(k, day(rng.randint(0, 9)), rng.choice(["a", "b", None])) for k in keys]


@pytest.mark.parametrize("header", ["", "time: since"])
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_a_history_of_present_rows_is_the_plain_one_after_every_run(tmp_path: Path, seed: int, header: str) -> None:
    rng, world = random.Random(seed), World(tmp_path, header)
    for _ in range(STEPS):
        given = present(rng)
        world.deliver(given)
        world.run(given)
        assert world.history() == world.expected()
        assert world.raft.ok("silver.people")["silver.people"].status == "unchanged"
        assert world.raft.ok("silver.people", full=True)["silver.people"].status == "unchanged"


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_dated_rows_that_come_late_are_put_in_order(tmp_path: Path, seed: int) -> None:
    rng, world = random.Random(seed), World(tmp_path, "time: since", "mode: append")
    given: dict[tuple[int, datetime], str | None] = {}
    for step in range(STEPS):
        news = {(k, t): v for k, t, v in present(rng) if (k, t) not in given} or {(99, day(step)): "x"}
        world.deliver([(k, t, v) for (k, t), v in news.items()], f"people_{step}")
        given |= news
        world.run([(k, t, v) for (k, t), v in given.items()])
        assert world.history() == world.expected()


@pytest.mark.parametrize("header", ["", "time: since"])
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_following_the_inputs_gives_the_same_history(tmp_path: Path, seed: int, header: str) -> None:
    rng, world = random.Random(seed), World(tmp_path, header, "mode: merge, key: id")
    given: dict[int, tuple[int, datetime, str | None]] = {}
    for step in range(STEPS):
        news = [(k, t, rng.choice(["a", "b", "gone"])) for k, t, _ in present(rng)] or [(1, day(1), "a")]
        world.deliver(news, f"people_{step}")
        given |= {row[0]: row for row in news}
        world.run(list(given.values()))
        assert world.history() == world.expected()


def test_a_key_that_comes_back_with_older_rows_is_reopened_by_the_newest(tmp_path: Path) -> None:
    world = World(tmp_path, "time: since")
    both: list[tuple[int, datetime, str | None]] = [(1, day(2), "b"), (1, day(1), "a"), (2, day(1), "c")]
    for given in (both, both[2:], both):
        world.deliver(given)
        world.run(given)
        assert world.history() == world.expected()
    current = world.raft.rows("select id, value from silver.people where is_current order by id")
    assert current == [(1, "b"), (2, "c")]


# ---------------------------------------------------------------- one history
NOW = "select id, who, city from bronze.land_people"
VERSIONS = "select id, who, city, is_current from silver.people order by id, valid_from"


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """Two people, as they are now."""
    made = Raft(tmp_path)
    made.source("land", "people: {path: people.parquet}")
    people(made, {1: ("Ana", "SP"), 2: ("Bia", "RJ")})
    made.model("silver.people", NOW, "kind: scd2\nkey: id")
    made.ok()
    return made


def people(raft: Raft, rows: Mapping[int | None, tuple[str | None, str]]) -> None:
    names, cities = zip(*rows.values(), strict=True)
    raft.parquet("land/people.parquet", id=list(rows), who=list(names), city=list(cities))


def test_a_version_ends_where_the_next_begins(raft: Raft) -> None:
    people(raft, {1: ("Ana", "BA"), 2: ("Bia", "RJ")})
    assert raft.ok()["silver.people"].rows == 2
    rows = raft.rows("select city, valid_from, valid_to, is_current from silver.people where id = 1 order by 2")
    assert [r[0] for r in rows] == ["SP", "BA"]
    assert rows[0][2] == rows[1][1]
    assert [r[3] for r in rows] == [False, True]


def test_unchanged_people_are_not_written_again(raft: Raft) -> None:
    people(raft, {1: ("Ana", "SP"), 2: ("Bia", "RJ"), **dict.fromkeys(range(3, 1000), ("x", "y"))})
    assert raft.ok()["silver.people"].rows == 997
    assert raft.ok()["silver.people"].status == "unchanged"


def test_a_key_that_is_null_or_not_alone_is_told(raft: Raft) -> None:
    people(raft, {1: ("Ana", "SP"), None: ("?", "SP")})
    error = raft.fails()["silver.people"]
    assert (error.code, error.message) == ("LG-505", "`silver.people`: 1 row of its query has no id")
    people(raft, {1: ("Ana", "SP"), 3: ("Bia", "RJ")})
    raft.model("silver.people", NOW.replace("id,", "id % 2 as id,"), "kind: scd2\nkey: id")
    error = raft.fails()["silver.people"]
    assert error.message == "`silver.people`: 1 of its keys has several rows (id)"
    assert "group by id having count(*) > 1" in str(error.hint)
    assert raft.rows("select count(*) from silver.people") == [(2,)]


def test_two_rows_of_a_key_that_differ_at_one_time_are_told(tmp_path: Path) -> None:
    world = World(tmp_path, "time: since", "mode: append")
    world.deliver([(1, day(1), "a"), (1, day(1), "a"), (1, day(2), "b")])
    world.run([(1, day(1), "a"), (1, day(2), "b")])
    assert world.history() == world.expected()
    world.deliver([(1, day(2), "c")], "people_2")
    assert "several rows that differ at one time" in world.raft.fails()["silver.people"].message


def test_rows_that_are_set_aside_end_no_version(raft: Raft) -> None:
    header = "kind: scd2\nkey: id\ncolumns: {who: {checks: [{not_null: true, on_fail: quarantine}]}}"
    raft.model("silver.people", NOW, header)
    people(raft, {1: (None, "BA"), 2: ("Bia", "BA")})
    raft.ok()
    expected = [(1, "Ana", "SP", True), (2, "Bia", "RJ", False), (2, "Bia", "BA", True)]
    assert raft.rows(VERSIONS) == expected
    assert len(raft.refused("silver.people")) == 1
    raft.ok(full=True)
    assert (raft.rows(VERSIONS), len(raft.refused("silver.people"))) == (expected, 1)


def test_checks_judge_versions(raft: Raft) -> None:
    header = "kind: scd2\nkey: id\ncolumns: {id: {checks: [{unique: true, where: is_current}]}}"
    raft.model("silver.people", NOW, header)
    people(raft, {1: ("Ana", "BA"), 2: ("Bia", "RJ")})
    raft.ok()
    raft.model("silver.people", NOW, header.replace(", where: is_current", ""))
    people(raft, {1: ("Ana", "CE"), 2: ("Bia", "RJ")})
    assert raft.fails()["silver.people"].code == "LG-401"


def test_columns_that_come_and_go_change_no_version_of_the_past(raft: Raft) -> None:
    raft.model("silver.people", "select id, who, 1 as level from bronze.land_people", "kind: scd2\nkey: id")
    raft.ok()
    rows = raft.rows("select id, city, level, is_current from silver.people order by id, valid_from")
    assert rows == [(1, "SP", None, False), (1, None, 1, True), (2, "RJ", None, False), (2, None, 1, True)]
    raft.model("silver.people", "select id, who from bronze.land_people", "kind: scd2\nkey: id")
    assert raft.ok()["silver.people"].rows == 0
    assert raft.rows("select id, city, level, is_current from silver.people order by id, valid_from") == rows


def test_a_dated_version_keeps_the_columns_that_the_query_gives_no_more(tmp_path: Path) -> None:
    world = World(tmp_path, "time: since", "mode: append")
    raft, header = world.raft, "kind: scd2\nkey: id\ntime: since"
    raft.model("silver.people", "select id, since, value, value || '!' as old from bronze.land_people", header)
    world.deliver([(1, day(1), "a"), (1, day(5), "b")])
    raft.ok()
    raft.model("silver.people", "select id, since, value from bronze.land_people", header)
    world.deliver([(1, day(3), "c")], "people_2")
    raft.ok()
    rows = raft.rows("select value, old from silver.people order by valid_from")
    assert rows == [("a", "a!"), ("c", None), ("b", "b!")]


def test_a_wider_type_widens_the_history_and_another_is_told(raft: Raft) -> None:
    raft.model("silver.people", "select id, who, id::smallint as n from bronze.land_people", "kind: scd2\nkey: id")
    raft.ok()
    raft.model("silver.people", "select id, who, id::bigint as n from bronze.land_people", "kind: scd2\nkey: id")
    assert raft.ok()["silver.people"].rows == 0
    assert raft.rows("select count(*), typeof(any_value(n)) from silver.people") == [(4, "BIGINT")]
    raft.model("silver.people", "select id, who, who as n from bronze.land_people", "kind: scd2\nkey: id")
    assert "VARCHAR now, and BIGINT in its history" in raft.fails()["silver.people"].message


def test_a_history_is_dropped_by_full_alone_and_kept_by_full_as_long_as_it_is_one(raft: Raft) -> None:
    people(raft, {1: ("Ana", "BA"), 2: ("Bia", "RJ")})
    raft.ok()
    assert "history is kept" in raft.plan("silver.people", full=True)["silver.people"].reason
    raft.ok(full=True)
    assert raft.rows("select count(*) from silver.people") == [(3,)]
    raft.model("silver.people", NOW)
    error = raft.fails()["silver.people"]
    assert (error.code, "holds a history" in error.message) == ("LG-505", True)
    raft.ok(full=True)
    assert raft.rows("silver.people") == [(1, "Ana", "BA"), (2, "Bia", "RJ")]
    raft.model("silver.people", NOW, "kind: scd2\nkey: id")
    raft.ok()
    assert raft.rows("select count(*), count(valid_to) from silver.people") == [(2, 0)]


def test_another_key_does_not_go_on_with_a_history(raft: Raft) -> None:
    raft.model("silver.people", NOW, "kind: scd2\nkey: who")
    assert "its history is kept by id" in raft.fails()["silver.people"].message


def test_columns_of_the_names_that_a_history_adds_are_told(raft: Raft) -> None:
    raft.model("silver.people", "select *, true as is_current from bronze.land_people", "kind: scd2\nkey: id")
    assert "adds the column `is_current` itself" in raft.fails()["silver.people"].message
    raft.model("silver.people", "select id, true as Valid_To from bronze.land_people", "kind: scd2\nkey: id")
    with pytest.raises(ProjectErrors, match="adds the column `Valid_To` itself"):
        raft.open()


def test_a_python_model_keeps_a_history(raft: Raft) -> None:
    (raft.root / "models/silver/people.sql").unlink()
    body = "def model(p):\n    return p.select('id, city')\n"
    raft.python("silver.people", body, "p: bronze.land_people", "kind: scd2\nkey: id")
    raft.ok(full=True)
    people(raft, {2: ("Bia", "BA")})
    raft.ok()
    rows = raft.rows("select id, city, is_current from silver.people order by id, valid_from")
    assert rows == [(1, "SP", False), (2, "RJ", False), (2, "BA", True)]


def test_a_run_that_is_killed_before_it_publishes_is_done_again(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    people(raft, {1: ("Ana", "BA")})
    raft.ok("bronze.land_people")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(writing, "publish", killed)
        raft.run("silver.people")
    raft.ok()
    raft.ok()
    assert raft.rows(VERSIONS) == [(1, "Ana", "SP", False), (1, "Ana", "BA", True), (2, "Bia", "RJ", False)]


# ---------------------------------------------------------------- what is followed
@pytest.fixture
def merged(tmp_path: Path) -> Raft:
    """Two people in a stream whose changes are followed."""
    raft = Raft(tmp_path)
    raft.source("land", 'people: {path: "people*.parquet", mode: merge, key: id}')
    people(raft, {1: ("Ana", "SP"), 2: ("Bia", "RJ")})
    raft.model("silver.people", NOW + " where who <> 'gone'", "kind: scd2\nkey: id")
    raft.ok()
    return raft


def newer(raft: Raft, file: int, rows: Mapping[int, tuple[str, str]]) -> None:
    names, cities = zip(*rows.values(), strict=True)
    raft.parquet(f"land/people_{file}.parquet", id=list(rows), who=list(names), city=list(cities))


def test_verify_compares_what_is_followed_with_a_look_at_all_keys(
    merged: Raft, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer(merged, 2, {1: ("Ana", "BA"), 2: ("gone", "RJ")})
    merged.ok(verify=True)
    assert merged.notes() == ["silver.people: its versions are those that a look at all keys gives"]
    held = merged.rows(VERSIONS)
    assert held == [(1, "Ana", "SP", False), (1, "Ana", "BA", True), (2, "Bia", "RJ", False)]
    newer(merged, 3, {1: ("Ana", "CE"), 2: ("Bia", "RJ")})
    with monkeypatch.context() as planted:
        planted.setattr(Follower, "touched", lambda *_: Touch(0))
        error = merged.fails(verify=True)["silver.people"]
    assert (error.code, "in 3 rows; nothing was published" in error.message) == ("LG-605", True)
    assert merged.rows(VERSIONS) == held


def test_verify_says_what_it_cannot_compare(raft: Raft) -> None:
    people(raft, {1: ("Ana", "BA"), 2: ("Bia", "RJ")})
    raft.model("silver.people", NOW + " where id < 9", "kind: scd2\nkey: id")
    raft.ok(verify=True)
    said = "silver.people: all of its keys were compared, and nothing else could tell its versions"
    assert raft.notes() == [said]


def test_a_query_that_may_not_be_empty_closes_no_version_when_it_is(merged: Raft) -> None:
    merged.model("silver.people", NOW + " where who <> 'gone'", "kind: scd2\nkey: id\nallow_empty: false")
    merged.ok()
    newer(merged, 2, {1: ("gone", "SP"), 2: ("gone", "RJ")})
    assert "gave no row" in merged.fails()["silver.people"].message
    assert merged.rows("select count(*) from silver.people where is_current") == [(2,)]
