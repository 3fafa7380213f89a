"""Random projects live through random histories: each table is what its query gives, and each plan was true."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from tests.projects.history_models import SHAPES, Kind
from tests.projects.history_world import Tally, live

from lagoa.adapters.engines.duckdb import DuckDBSession
from lagoa.lake import changes
from lagoa.lake.merge import SIDE
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.run import model, partitions
from lagoa.sql.incremental.analysis import Analysis
from lagoa.sql.incremental.scope import locality
from lagoa.transform.history import Timeline
from lagoa.transform.partitions import joined

SOAK = bool(os.environ.get("SOAK"))
HISTORIES = 80 if SOAK else 2
"""How many histories each worker lives through."""
SEED = os.environ.get("SEED") or (str(random.randrange(1 << 32)) if SOAK else "lagoa")
"""SEED=… lives through the same histories again: each is named by it and by its number."""


@pytest.mark.slow
@pytest.mark.parametrize("worker", [1, 2, 3, 4])
def test_random_histories_equal_their_rebuilds_and_their_plans(worker: int, tmp_path: Path) -> None:
    tally = Tally()
    for number in range(HISTORIES):
        live(tmp_path, f"{SEED}-{worker}-{number}", tally)
    assert tally.wrong == []
    logging.getLogger("soak").warning("histories %s-%d: %s", SEED, worker, tally.told())
    assert tally.steps == 6 * HISTORIES
    missed = [f"{shape}: {why}" for shape, why in tally.refused if shape in SHAPES]
    assert missed == [], "what must be recomputed by keys was rebuilt in full"
    assert tally.share >= 0.8


@pytest.mark.slow
def test_every_shape_is_recomputed_by_keys_after_each_arrival(tmp_path: Path) -> None:
    tally = Tally()
    while tally.histories < 12 and (left := [s for s in SHAPES if not tally.followed[s]]):
        live(tmp_path, f"{SEED}-shapes-{tally.histories}", tally, left[:4], ["arrive", "pile"])
        assert tally.wrong == []
    assert tally.refused == []
    assert tally.followed.keys() == SHAPES.keys()


# ---------------------------------------------------------------- planted bugs
DELTA = "lagoa.sql.incremental.delta"
Plant = Callable[[pytest.MonkeyPatch], None]


def _no_absent(planted: pytest.MonkeyPatch) -> None:
    """Forget the rows that an outer join fills with nulls."""
    planted.setattr(f"{DELTA}.combinations", lambda found, size: combinations(found, size) if size == 0 else ())


def _no_windows(planted: pytest.MonkeyPatch) -> None:
    """Forget that a window's rows depend on each other."""
    planted.setattr(f"{DELTA}.locality", lambda s: locality(s) if s.args.get("group") else None)


def _one_path(planted: pytest.MonkeyPatch) -> None:
    """Follow only the first place where a changed input is joined to the key."""
    true = Analysis.touched
    planted.setattr(Analysis, "touched", lambda a, found: true(replace(a, occurrences=a.occurrences[:1]), found))


def _no_removed(planted: pytest.MonkeyPatch) -> None:
    """Forget the rows as they were before they changed or vanished."""
    true = DuckDBSession.bind

    def bind(session: DuckDBSession, name: str, rows: Any) -> None:
        if name.endswith("__sides"):
            true(session, f"all{name}", rows)
            rows = f"from all{name} where {SIDE} = 'new'"
        true(session, name, rows)

    planted.setattr(DuckDBSession, "bind", bind)


def _last_only(planted: pytest.MonkeyPatch) -> None:
    """Forget all but the last of several changes since a version was consumed."""
    true = changes._read
    planted.setattr(changes, "_read", lambda lake, table, added, sides: true(lake, table, added[:1], sides[:1]))


def _unclosed(planted: pytest.MonkeyPatch) -> None:
    """Forget that a key which the query no longer gives ends its version."""
    true = Timeline._closings
    planted.setattr(Timeline, "_closings", lambda line: f"(from {true(line)} limit 0)")


def _all_again(planted: pytest.MonkeyPatch) -> None:
    """Append what an input holds in place of what it gained."""
    true = changes.changed

    def changed(lake: Lake, table: Table, since: int | None) -> changes.Changed:
        found = true(lake, table, since)
        return replace(found, added=table.fileset()) if found.kind == "appended" else found

    planted.setattr(model, "changed", changed)


def _one_partition(planted: pytest.MonkeyPatch) -> None:
    """Rebuild but one of the touched partitions of time."""
    planted.setattr(partitions, "joined", lambda starts, grain: joined(sorted(starts, key=str)[:1], grain))


BUGS: dict[str, tuple[Plant, list[str], list[str], list[Kind]]] = {
    "no_absent": (_no_absent, ["full", "left", "right", "full"], ["arrive"] * 3, []),
    "no_windows": (_no_windows, ["best"] * 4, ["arrive"] * 3, []),
    "one_path": (_one_path, ["inner", "left", "group_join", "union"], ["arrive"] * 3, []),
    "no_removed": (_no_removed, ["project", "inner", "group", "union"], ["arrive"] * 3, []),
    "last_only": (_last_only, ["project", "inner", "group"], ["pile"] * 3, []),
    "unclosed": (_unclosed, ["alive", "project"], ["arrive"] * 3, ["scd2"] * 2),
    "all_again": (_all_again, ["project", "inner"], ["arrive"] * 3, ["append"] * 2),
    "one_partition": (_one_partition, ["daily", "left"], ["arrive"] * 3, ["dated"] * 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, shapes, ways, kinds = BUGS[name]
    plant(monkeypatch)
    tally = Tally()
    for number in range(6):
        live(tmp_path, f"bug-{number}", tally, shapes, ways, kinds=kinds)
        if tally.wrong:
            return
    pytest.fail(f"{name} went unnoticed: {tally.told()}")
