"""REST APIs: lists of records that come in pages, read patiently, resumed where they stopped, and within bounds."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pydantic import Field, model_validator

from lagoa.errors import SourceError, did_you_mean
from lagoa.kit.bundle import Noted
from lagoa.kit.delimited.dialect import Dialect
from lagoa.kit.delimited.read import Delimited, Text
from lagoa.kit.http.auth import Auth
from lagoa.kit.http.client import Client
from lagoa.kit.http.guard import Guard
from lagoa.kit.http.limits import Limits, Spent
from lagoa.kit.http.mark import Mark
from lagoa.kit.http.stream import HttpStream
from lagoa.kit.http.sweep import Step, Sweep
from lagoa.kit.http.url import Address
from lagoa.kit.json_records.read import JsonRecords
from lagoa.kit.landing import Found
from lagoa.kit.patience import Patience, Pump
from lagoa.kit.pieces import Scratch
from lagoa.kit.spelled import shaped
from lagoa.ports import Batch, Json, Reading, Source
from lagoa.spec.duration import Duration
from lagoa.spec.secret import Secret

_BYTES, _SECONDS = 64 << 20, 60.0
"""How much is read at most between two commits of a stream that can go on where it stopped."""
_JSON_BYTES, _LINES_BYTES = 64 << 20, 4 << 30
"""How large an answer may be: a JSON document is taken apart in memory, lines are not."""


class Rest(Source):
    """An HTTP server that gives lists of records: JSON, lines of JSON, or CSV."""

    url: str
    """Where the API is: https://api.example.com/v1."""
    auth: Auth | None = None
    """Who is asking: bearer, basic, api_key or oauth2. Sent to the host and port of `url:` alone."""
    headers: Mapping[str, Secret] = Field(default_factory=dict)
    """More headers, sent to the host and port of `url:` alone."""
    parallel: int = Field(4, ge=1, le=64)
    """How many requests may be under way at once, of numbered pages and of the rows of another stream."""
    rate: float | None = Field(None, gt=0)
    """How many requests a second are made at most."""
    connect_timeout: Duration = timedelta(seconds=10)
    """How long to wait for a connection."""
    read_timeout: Duration = timedelta(minutes=1)
    """How long the server may send nothing."""
    total_timeout: Duration = timedelta(minutes=10)
    """How long one request may take in all."""
    retries: int = Field(5, ge=0, le=20)
    """How often a request is repeated that may heal: cut, silent, or answered with 408, 425, 429, 500 or 502 to 504."""
    longest_wait: Duration = timedelta(minutes=5)
    """How long a server may ask to be left alone (`Retry-After`) before the reading is given up."""
    max_requests: int = Field(100_000, ge=1)
    """How many requests one reading of a stream may make. An append or a merge goes on with the next run."""
    max_bytes: int | None = Field(None, ge=1)
    """How many bytes one reading of a stream may receive; without a bound when left out."""
    page_bytes: int | None = Field(None, ge=1)
    """How large one unpacked answer may be: 64 MB of JSON, 4 GB of other formats when left out."""
    commit_pages: int = Field(500, ge=1)
    """After how many pages a merge, or an append with a key, is committed; 64 MB or a minute is enough, too."""
    allow_private: bool = False
    """Whether servers of this machine and of private networks are asked."""
    streams: Mapping[str, HttpStream] = Field(default_factory=dict)
    """What is read from it, by name; each lands in bronze.<source>_<stream>."""

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        try:
            Address.parse(self.url)
            if self.auth and self.auth.oauth2:
                Address.parse(self.auth.oauth2.token_url)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        for name in self.streams:
            self._refuse_circles(name)
        return self

    def _refuse_circles(self, name: str) -> None:
        seen, parent = [name], self.streams[name].parent
        while parent is not None:
            if parent not in self.streams:
                hint = did_you_mean(parent, self.streams) or ""
                raise ValueError(
                    f"{seen[-1]}: its path names `{parent}`, which is no stream of this source {hint}".strip()
                )
            if parent in seen:
                raise ValueError(f"{name}: its path leads back to itself")
            if self.streams[parent].format == "csv":
                raise ValueError(f"{seen[-1]}: its path names `{parent}`, whose records are csv and not looked into")
            seen.append(parent)
            parent = self.streams[parent].parent

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read what is new, page by page; see the port. The cursor is {cursor, value, kind} and maybe {sweep}."""
        work = _Work(self, reading)
        try:
            yield from work.batches()
        finally:
            work.client.close()

    def check(self, stream: str, project: Path) -> None:
        """Ask for the stream's first page, of a child for its parent's. Raises SourceError."""
        work = _Work(self, Reading(stream, None, project, project, stream))
        while (parent := self.streams[stream].parent) is not None:
            stream = parent
        try:
            work.look(stream)
        finally:
            work.client.close()

    def limits(self, format: str) -> Limits:
        """Return what one reading of a stream may take."""
        return Limits(
            connect=self.connect_timeout.total_seconds(),
            silence=self.read_timeout.total_seconds(),
            total=self.total_timeout.total_seconds(),
            retries=self.retries,
            longest_wait=self.longest_wait.total_seconds(),
            requests=self.max_requests,
            bytes=self.max_bytes,
            page=self.page_bytes or (_JSON_BYTES if format == "json" else _LINES_BYTES),
            rate=self.rate,
        )


@dataclass
class _Group:
    """Pages that one commit makes true; `at` is where reading goes on after them, None: all was read."""

    steps: list[Step] = field(default_factory=list)
    size: int = 0
    began: float = field(default_factory=time.monotonic)
    at: Mapping[str, Any] | None = None
    top: Mark | None = None
    notes: list[str] = field(default_factory=list)

    def add(self, step: Step) -> None:
        step.page.whole = None
        self.steps.append(step)
        self.size += step.page.found.size if step.page.found else 0

    def files(self) -> list[Found]:
        return [step.page.found for step in self.steps if step.page.found is not None]

    def clear(self) -> None:
        for file in self.files():
            file.path.unlink()

    def is_full(self, pages: int) -> bool:
        late = time.monotonic() - self.began > _SECONDS
        return self.steps[-1].at is not None and (len(self.steps) >= pages or self.size >= _BYTES or late)

    def safe(self) -> bool:
        """Leave out the pages after the last one from which reading can go on; say whether any are left."""
        while self.steps and self.steps[-1].at is None:
            self.steps.pop()
        return bool(self.steps)


class _Work:
    """One reading of one stream."""

    def __init__(self, source: Rest, reading: Reading) -> None:
        self.reading, self.stream = reading, source.streams[reading.stream]
        hosts = [source.url, *((source.auth.oauth2.token_url,) if source.auth and source.auth.oauth2 else ())]
        guard = Guard(source.allow_private, frozenset(Address.parse(url).host for url in hosts))
        limits = source.limits(self.stream.format)
        self.pages = source.commit_pages
        self.goes_on = self.stream.mode == "merge" or (self.stream.mode == "append" and bool(self.stream.key))
        self.client = Client(source.url, guard, limits, reading.stopped, source.auth, source.headers)
        self.sweep = Sweep(self.client, source.url, source.streams, reading.folder, source.parallel)
        self.sign = self.sweep.identity(reading.stream)
        self.noted, self.schema = Noted(), reading.held
        self.format = self._format()
        self.since, self.at, self.top = self._state()
        self.written: Json = reading.since

    def look(self, stream: str) -> None:
        """Read one page, and throw it away."""
        for step in self.sweep.steps(stream, None):
            if step.page.found is not None:
                step.page.found.path.unlink()
            return

    # ------------------------------------------------------------ how far it was read
    def _state(self) -> tuple[Mark | None, Mapping[str, Any] | None, Mark | None]:
        """Return the cursor's value, where the last run stopped, and the highest value that it had seen."""
        held, name = self.reading.since or {}, self.stream.cursor
        since = _mark(held)
        if held.get("cursor") != name and since is not None:
            raise SourceError(
                "LG-207",
                f"{self.reading.table} was read up to `{held['cursor']}` = {since.text}; the cursor is now `{name}`",
                hint="`lagoa run --reset-cursor` reads the stream from its beginning",
            )
        left = held.get("sweep") or {}
        if left.get("of") != self.sign:
            return since, None, since
        return since, left["at"], _mark(left) or since

    def _json(self, mark: Mark | None, at: Mapping[str, Any] | None = None) -> Json:
        found: dict[str, Any] = {"cursor": self.stream.cursor}
        if at is None:
            return found | _spoken(mark)
        return found | _spoken(self.since) | {"sweep": {"of": self.sign, "at": dict(at), **_spoken(mark)}}

    # ------------------------------------------------------------ batches
    def batches(self) -> Iterator[Batch]:
        """Yield a batch for each group of pages; of a stream that cannot go on in the middle, one.

        While a batch is staged and published, the pages of the next one are asked for.
        """
        patience = Patience(self.reading.stopped, math.inf, lambda: TimeoutError())
        groups: Pump[_Group] = Pump(self._groups, patience, self.client.close, lambda error: error)
        try:
            for group in groups:
                replaced = self.stream.mode == "replace"
                state = None if replaced else self._json(group.top, group.at)
                # an earlier run may have stopped after the last rows: that all was read must be said even so
                news = self.written not in (None, state) and self.schema is not None
                if group.at is not None or replaced or group.files() or news:
                    yield self._batch(group, state)
                group.clear()
        finally:
            groups.close()

    def _groups(self) -> Iterator[_Group]:
        goes_on, group = self.goes_on, _Group()
        try:
            for step in self.sweep.steps(self.reading.stream, self.since, self.at if goes_on else None):
                group.add(step)
                self._rise(step)
                if goes_on and group.is_full(self.pages):
                    yield self._closed(group, step.at)
                    group = _Group()
        except Spent as spent:
            if not goes_on or not group.safe():
                raise SourceError(
                    "LG-202",
                    f"{self.reading.table}: the budget is used up after {spent}, before all pages were read",
                    hint="raise it; only `merge`, and `append` with `key:`, go on with the next run",
                ) from None
            self.sweep.notes.append(f"the budget is used up after {spent}; the next run goes on from here")
            yield self._closed(group, group.steps[-1].at)
            return
        yield self._closed(group, None)

    def _closed(self, group: _Group, at: Mapping[str, Any] | None) -> _Group:
        group.at, group.top, group.notes = at, self.top, [*self.sweep.notes]
        self.sweep.notes.clear()
        if passed := sum(step.page.passed for step in group.steps):
            group.notes.append(f"{passed:,} records older than the cursor were passed over")
        return group

    def _rise(self, step: Step) -> None:
        top = step.page.top
        if top is not None and top.above(self.top, self.stream.cursor or ""):
            self.top = top

    def _batch(self, group: _Group, state: Json) -> Batch:
        self.written = state
        if not (files := group.files()):
            schema = self.schema if self.schema is not None else pa.schema([])
            return Batch(iter(()), schema, lambda: state, notes=self._notes(group), apart=self.goes_on)
        arrive = self.format.schema(files)
        shape, missing = shaped(arrive, self.stream, self.stream)
        self.noted.notes += [f"column {name} is declared, but no record has it" for name in missing]
        self.schema = shape.schema
        bound = self.since.less(self.stream.lag).overlap(self.stream.cursor or "") if self.since else None
        again = "true" if self.at is not None else None

        def portions() -> Iterator[Any]:
            yield from self.format.portions(files, shape)

        return Batch(portions(), shape.schema, lambda: state, bound or again, self._notes(group), self.goes_on)

    def _notes(self, group: _Group) -> list[str]:
        found = [*group.notes, *self.noted.notes]
        self.noted.notes.clear()
        return found

    def _format(self) -> JsonRecords | Delimited:
        stream, scratch = self.stream, Scratch(self.reading.folder)
        if stream.format == "csv":
            dialect = Dialect(delimiter=stream.delimiter or ",", quote='"', escape='"')
            text = Text(dialect, stream.encoding or "auto", (), stream.rename, stream.null_values, stream.trim)
            return Delimited(text, scratch, self.noted)
        ask = _ask(self.reading.threads)
        found = JsonRecords(scratch, self.noted, ask, encoding="utf-8", rename=dict(stream.rename), carries=True)
        found.proven = stream.format == "json"
        return found


def _mark(said: Mapping[str, Any]) -> Mark | None:
    return Mark(said["value"], said["kind"]) if said.get("value") is not None else None


def _spoken(mark: Mark | None) -> dict[str, Any]:
    return {} if mark is None else {"value": mark.text, "kind": mark.kind}


def _ask(threads: int) -> Any:
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    return lambda sql: connection.execute(sql).fetchall()


Adapter = Rest
