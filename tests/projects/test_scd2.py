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

from lagoa.testing.raft import Raft

SOAK = bool(os.environ.get("SOAK"))
HISTORIES = 30 if SOAK else 3
STEPS = 10 if SOAK else 6
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
Version = tuple[int, str | None, datetime, datetime | None, bool]
Observed = Sequence[tuple[int, datetime, str | None]]
PEOPLE = "select id, {}value from bronze.land_people where value is distinct from 'gone'"


def day(number: int) -> datetime:
    return BEGINNING + timedelta(days=number)


class Oracle:
    """Keeps a history the plain way: a list of events for each key, put in order again at each run."""

    def __init__(self) -> None:
        self.versions: dict[int, list[tuple[datetime, datetime | None, str | None]]] = {}

    def run(self, given: Observed, at: datetime, dated: bool) -> None:
        keys = {k for k, _, _ in given} | self.versions.keys()
        for key in keys:
            rows = {t: v for k, t, v in given if k == key}
            held = self.versions.get(key, [])
            events: dict[datetime, tuple[bool, str | None]] = {}
            for (_, end, _), after in zip(held, [*held[1:], None], strict=False):
                if end is not None and (after is None or after[0] != end):
                    events[end] = (True, None)
            events |= {begin: (False, value) for begin, _, value in held}
            if dated:
                events |= {t: (False, v) for t, v in rows.items()}
            elif rows:
                events[at] = (False, next(iter(rows.values())))
            last = max(events)
            now = max(at, last + timedelta(microseconds=1))
            if not rows and not events[last][0]:
                events[now] = (True, None)
            if rows and events[last][0]:
                events[now] = (False, rows[max(rows)])
            self.versions[key] = _versions(events)

    def rows(self) -> list[Version]:
        return [(k, v, b, e, e is None) for k, held in self.versions.items() for b, e, v in held]


def _versions(
    events: Mapping[datetime, tuple[bool, str | None]],
) -> list[tuple[datetime, datetime | None, str | None]]:
    kept: list[tuple[datetime, bool, str | None]] = []
    for moment, (gone, value) in sorted(events.items()):
        before = kept[-1] if kept else (moment, True, None)
        if (gone, value) != before[1:]:
            kept.append((moment, gone, value))
    ends = [moment for moment, _, _ in kept[1:]] + [None]
    return [(b, e, v) for (b, gone, v), e in zip(kept, ends, strict=True) if not gone]


class World:
    """A project with one history, rows that come, change and go, and the plain history beside it."""

    def __init__(self, root: Path, header: str, stream: str = "mode: replace, allow_empty: true") -> None:
        self.raft, self.oracle, self.dated = Raft(root), Oracle(), "time:" in header
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
        self.oracle.run([row for row in given if row[2] != "gone"], began, self.dated)

    def history(self) -> list[Version]:
        """Give the versions that the lake holds, where a run's time is the moment at which the test began it."""
        rows = self.raft.rows("select id, value, valid_from, valid_to, is_current from silver.people")
        return sorted(((i, v, self._moment(b), e and self._moment(e), c) for i, v, b, e, c in rows), key=str)

    def _moment(self, moment: datetime) -> datetime:
        return next((began for began, ended in self.runs if began <= moment <= ended), moment)

    def expected(self) -> list[Version]:
        return sorted(self.oracle.rows(), key=str)


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
