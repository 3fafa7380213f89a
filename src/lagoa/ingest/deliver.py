"""Stages a source's batch: its portions in parallel, every physical record accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.ingest.drift import Drift
from lagoa.ingest.shape import shaped, table_schema
from lagoa.kit.stop import Stop
from lagoa.lake.quarantine import SCHEMA
from lagoa.ports import Batch, Engine, Portion, Reject, Session, Settled, StagedFile
from lagoa.spec.stream import Stream


@dataclass(frozen=True)
class Landing:
    """Where a batch lands: the engine, a scratch folder, and who is asking."""

    engine: Engine
    folder: Path
    run: str
    at: datetime
    stop: Stop
    tell: Callable[[str, int, int], None] = lambda *said: None  # noqa: ARG005  # nobody listens
    """Told after each portion: its label, rows, bytes of input."""


@dataclass
class Delivered:
    """Staged rows (those with a `_reason` included) and records that never became rows."""

    staged: list[StagedFile] = field(default_factory=list)
    rejects: list[StagedFile] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many physical records were read."""
        return sum(f.rows for f in self.staged) + sum(f.rows for f in self.rejects)


def deliver(batch: Batch, drift: Drift, stream: Stream, table: str, to: Landing) -> Delivered:
    """Stage every portion of the batch. Raises SourceError LG-205 when records are missing."""
    done = Delivered()
    rejects: list[Reject] = []
    for staged, settled in _in_parallel(batch.portions, drift, stream, table, to):
        done.staged += staged
        rejects += settled.rejects
    if rejects:
        done.rejects = _stage_rejects(rejects, to)
    return done


def _in_parallel(
    portions: Iterator[Portion], drift: Drift, stream: Stream, table: str, to: Landing
) -> Iterator[tuple[list[StagedFile], Settled]]:
    """Keep as many portions in flight as the engine has threads, never more: memory and scratch stay bounded."""
    waiting: set[Future[tuple[list[StagedFile], Settled]]] = set()
    taken = 0
    with ThreadPoolExecutor(to.engine.threads, thread_name_prefix="portion") as pool:
        try:
            for portion in portions:
                into = to.folder / f"portion-{taken}"
                taken += 1
                waiting.add(pool.submit(_stage, portion, drift, stream, table, into, to))
                if len(waiting) >= to.engine.threads:
                    ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (f.result() for f in ready)
            yield from (f.result() for f in waiting)
        except BaseException:
            for left in waiting:
                left.cancel()
            raise


def _stage(
    portion: Portion, drift: Drift, stream: Stream, table: str, into: Path, to: Landing
) -> tuple[list[StagedFile], Settled]:
    try:
        with to.engine.session() as session, to.stop.watch(session):
            staged = _stage_rows(session, portion, drift, stream, into, to)
            settled = portion.settle(sum(f.rows for f in staged), session.rows)
    finally:
        portion.close()
    if isinstance(settled, Portion):
        for file in staged:
            file.path.unlink()
        return _stage(settled, drift, stream, table, into.with_name(into.name + "-again"), to)
    rows = sum(f.rows for f in staged)
    if settled.read is not None and rows + len(settled.rejects) != settled.read:
        raise SourceError(
            "LG-205",
            f"{table}: {portion.label or 'the source'} holds {settled.read} records, but {rows} were loaded "
            f"and {len(settled.rejects)} refused",
            hint="nothing was published; look at the file's quotes and delimiter",
        )
    to.tell(portion.label, rows, portion.size or 0)
    return staged, settled


def _stage_rows(
    session: Session, portion: Portion, drift: Drift, stream: Stream, into: Path, to: Landing
) -> list[StagedFile]:
    rows: Any = portion.rows
    if not isinstance(rows, str):
        session.bind("portion", rows)
        rows = "select * from portion"
    query = shaped(rows, session.schema(rows), drift, stream, to.run, to.at)
    return session.stage(query, into, table_schema(drift))


def _stage_rejects(rejects: list[Reject], to: Landing) -> list[StagedFile]:
    count = len(rejects)
    rows = pa.table(
        [
            [f"{r.file}:{r.line}" if r.line else r.file for r in rejects],
            [r.reason for r in rejects],
            [r.raw for r in rejects],
            [to.run] * count,
            [to.at] * count,
        ],
        schema=SCHEMA,
    )
    with to.engine.session() as session, to.stop.watch(session):
        return session.stage(rows.to_reader(), to.folder / "rejects", SCHEMA)
