"""The switch that stops a run reaches what computes, whenever it is set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from lagoa.errors import Stopped
from lagoa.kit.stop import Stop
from lagoa.ports import Engine
from lagoa.registry import adapter

ENDLESS = "select sum(hash(a.range)) from range(10000000) a, range(10000000) b"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made: Engine = adapter("engines", "duckdb")(1, "1GB", tmp_path)
    yield made
    made.close()


def test_a_switch_set_between_two_statements_stops_the_next_one(engine: Engine) -> None:
    stop = Stop()
    with engine.session() as session, stop.watch(session):
        session.rows("select 1")
        stop.set()
        time.sleep(0.2)
        began = time.monotonic()
        with pytest.raises(Stopped):
            session.rows(ENDLESS)
    assert time.monotonic() - began < 5


def test_a_switch_set_while_a_statement_runs_stops_it(engine: Engine) -> None:
    stop = Stop()
    with engine.session() as session, stop.watch(session):
        later = Timer(0.2, stop.set)
        later.start()
        with pytest.raises(Stopped):
            session.rows(ENDLESS)
        later.join()


def test_nothing_begins_after_the_switch_is_set(engine: Engine) -> None:
    stop = Stop()
    stop.set()
    with engine.session() as session, pytest.raises(Stopped), stop.watch(session):
        pytest.fail("it began")


def test_a_session_that_is_let_go_is_interrupted_no_more(engine: Engine) -> None:
    stop = Stop()
    with engine.session() as session:
        with stop.watch(session):
            stop.set()
        for _ in range(20):
            assert session.rows("select count(*) from range(1000000)") == [(1_000_000,)]
            time.sleep(0.01)
