"""The database dies, the network cuts or stalls: each ends soon, says what happened, and a retry works."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest

from lagoa import registry
from lagoa.errors import LagoaError, SourceError, Stopped
from lagoa.ports import Portion, Reading, Source
from lagoa.testing.postgres import INSTALL, PASSWORD, PostgresServer, find_binaries, running_postgres
from lagoa.testing.proxy import FaultyProxy

ROWS = 60_000
MIDWAY = 8 << 20  # bytes: after the catalog and the first batch, before the end of the first range
CANARIES = (PASSWORD, quote(PASSWORD, safe=""), "c4n@ry", "c4n%40ry")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if find_binaries() is None:
        pytest.skip(f"needs PostgreSQL's server: {INSTALL}")
    with running_postgres() as server:
        server.sql(
            f"create table t as select g as id, repeat(md5(g::text), 20) as pad from generate_series(1, {ROWS}) g"
        )
        yield server


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(server.port) as proxy:
        yield proxy


def postgres(uri: str, **stream: Any) -> Source:
    found: Source = registry.adapter("sources", "postgres")(
        type="postgres",
        connection=uri,
        idle_timeout="2s",
        connect_timeout="2s",
        streams={"t": stream or {"table": "t"}},
    )
    return found


def read(
    source: Source, folder: Path, midway: Callable[[], object] = lambda: None, stopped: Event | None = None
) -> int:
    """Read everything, calling `midway` after the first batch; what a portion's close raises comes through."""
    rows = 0
    called = False
    reading = Reading("t", None, folder, folder, "bronze.erp_t", stopped=stopped or Event())
    with contextlib.closing(source.read(reading)) as batches:  # type: ignore[type-var] # a generator
        for batch in batches:
            for portion in batch.portions:
                for part in parts(portion):
                    rows += part.num_rows
                    if not called:
                        called = True
                        midway()
    return rows


def parts(portion: Portion) -> Iterator[pa.RecordBatch]:
    assert not isinstance(portion.rows, str)
    try:
        yield from portion.rows
    except (pa.ArrowException, LagoaError):
        portion.close()  # says what it was; a run learns it here too, since an engine knows the text alone
        raise
    portion.close()


def assert_it_may_be_retried(error: SourceError) -> None:
    assert (error.code, error.retry) == ("LG-201", True)
    assert error.hint
    assert [s for s in CANARIES if s in f"{error!r}{error}{error.hint}"] == []


def test_a_killed_server_is_a_clear_error_and_a_retry_works(server: PostgresServer, tmp_path: Path) -> None:
    source = postgres(server.uri())
    try:
        with pytest.raises(SourceError, match="the connection broke") as caught:
            read(source, tmp_path, midway=server.kill)
        assert_it_may_be_retried(caught.value)
        with pytest.raises(SourceError, match="cannot be reached") as caught:
            read(source, tmp_path)
        assert_it_may_be_retried(caught.value)
    finally:
        server.start()
    assert read(source, tmp_path) == ROWS


def test_a_terminated_session_may_be_retried(server: PostgresServer, tmp_path: Path) -> None:
    source = postgres(server.uri())
    end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lagoa'"
    with pytest.raises(SourceError) as caught:
        read(source, tmp_path, midway=lambda: server.sql(end))
    assert_it_may_be_retried(caught.value)


def test_a_cut_connection_is_a_clear_error_and_a_retry_works(
    server: PostgresServer, proxy: FaultyProxy, tmp_path: Path
) -> None:
    source = postgres(server.uri(port=proxy.port))
    with pytest.raises(SourceError, match="the connection broke") as caught:
        read(source, tmp_path, midway=lambda: proxy.fail("cut", MIDWAY))
    assert proxy.faults
    assert_it_may_be_retried(caught.value)
    proxy.heal()
    assert read(source, tmp_path) == ROWS


def test_a_stalled_connection_ends_in_bounded_time_and_a_retry_works(
    server: PostgresServer, proxy: FaultyProxy, tmp_path: Path
) -> None:
    source = postgres(server.uri(port=proxy.port))
    began = time.monotonic()
    with pytest.raises(SourceError, match="sent nothing for 2 seconds") as caught:
        read(source, tmp_path, midway=lambda: proxy.fail("stall", MIDWAY))
    assert proxy.faults
    assert time.monotonic() - began < 10
    assert_it_may_be_retried(caught.value)
    proxy.heal()
    assert read(source, tmp_path) == ROWS


@pytest.mark.parametrize("after", [0, 400, 20_000, 200_000], ids=["greeting", "login", "types", "catalog"])
@pytest.mark.parametrize("how", ["cut", "stall"])
def test_every_step_before_the_first_row_may_fail_and_ends(
    how: Any, after: int, server: PostgresServer, proxy: FaultyProxy, tmp_path: Path
) -> None:
    proxy.fail(how, after)
    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        read(postgres(server.uri(port=proxy.port)), tmp_path)
    assert time.monotonic() - began < 10
    assert_it_may_be_retried(caught.value)


def test_a_stop_does_not_wait_for_a_stalled_connection(
    server: PostgresServer, proxy: FaultyProxy, tmp_path: Path
) -> None:
    stopped = Event()
    began = 0.0

    def stall() -> None:
        nonlocal began
        proxy.fail("stall", MIDWAY)
        began = time.monotonic()
        stopped.set()

    with pytest.raises(Stopped):
        read(postgres(server.uri(port=proxy.port)), tmp_path, stall, stopped)
    assert time.monotonic() - began < 5


def test_a_stop_ends_the_query_at_the_server(server: PostgresServer, tmp_path: Path) -> None:
    source = postgres(
        server.uri(), query="select g, pg_sleep(case when g > 1 then 600 end) from generate_series(1, 9) g"
    )
    stopped = Event()
    reading = Reading("t", None, tmp_path, tmp_path, "bronze.erp_t", stopped=stopped)
    batches = iter(source.read(reading))  # given up, it would close its connection
    portion = next(next(batches).portions)
    assert not isinstance(portion.rows, str)
    asleep = "select count(*) from pg_stat_activity where application_name = 'lagoa' and wait_event = 'PgSleep'"
    stop_when(stopped, lambda: server.sql(asleep).strip() == "1")
    with pytest.raises((pa.ArrowException, LagoaError)):
        portion.rows.read_all()
    with pytest.raises(Stopped):
        portion.close()
    assert eventually(lambda: server.sql(asleep).strip() == "0")


def stop_when(stopped: Event, ready: Callable[[], bool]) -> None:
    def watch() -> None:
        if eventually(ready):
            stopped.set()

    Thread(target=watch, daemon=True).start()


def eventually(ready: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return True
        Event().wait(0.05)
    return False
