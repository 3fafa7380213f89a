"""Any Airbyte connector, in an environment or a container of its own: its catalog our streams, its state our cursor."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, field_serializer, model_validator

from lagoa.errors import SourceError, Stopped, did_you_mean
from lagoa.kit.airbyte.catalog import AllStreams, Catalog, all_streams, can_follow
from lagoa.kit.airbyte.connector import Connector
from lagoa.kit.airbyte.environment import Environment
from lagoa.kit.airbyte.launch import Installed, Launch, contained
from lagoa.kit.airbyte.messages import BROKEN, counted, given_state, kept_state, record_line
from lagoa.kit.airbyte.spool import Spool
from lagoa.kit.airbyte.stream import AirbyteStream
from lagoa.kit.airbyte.types import TEXT, declared_types
from lagoa.kit.bundle import Noted
from lagoa.kit.column_names import column_names
from lagoa.kit.json_records.read import JsonRecords
from lagoa.kit.patience import Patience
from lagoa.kit.pieces import Scratch
from lagoa.kit.redact import Redactor
from lagoa.kit.shape import Shape
from lagoa.kit.spelled import shaped
from lagoa.ports import Batch, Json, Reading, Source
from lagoa.spec.column import StreamColumn
from lagoa.spec.duration import Duration
from lagoa.spec.secret import Secret
from lagoa.spec.stream import Names

_PREFIX = "airbyte-"
_IMAGE = re.compile(r"(?P<name>[a-z0-9][\w.-]*(?::\d+(?=/))?(?:/[\w.-]+)*)(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?")


class Airbyte(Source):
    """Whatever an Airbyte connector reads, be it a Python package or a container image."""

    connector: str | None = None
    """The package, as pip takes it: airbyte-source-faker==7.2.1. It is installed in an environment of its own."""
    image: str | None = None
    """The container image, with its version: airbyte/source-faker:7.2.1. docker or podman runs it."""
    command: Names = ()
    """The program and its first words, when it is not called as the package; without `connector:`, one there is."""
    python: str | None = None
    """The interpreter of the environment, by name, path or version: 3.11. Lagoa's own when left out."""
    config: Mapping[str, Any] = Field(default_factory=dict)
    """What the connector must know, as its own documentation says; secrets as ${secret:name}."""
    idle_timeout: Duration = timedelta(minutes=10)
    """How long the connector may say nothing before the reading is given up."""
    streams: Mapping[str, AirbyteStream] = Field(default_factory=dict)
    """What is read, by the catalog's name; each lands in bronze.<source>_<stream>."""
    guarantee: ClassVar[Literal["exactly once", "at least once"]] = "at least once"
    whole: ClassVar[type[AllStreams]] = AllStreams
    _catalog: Catalog = PrivateAttr(default_factory=Catalog)

    @model_validator(mode="after")
    def _can_be_started(self) -> Self:
        if self.image is not None and (self.connector is not None or self.command or self.python is not None):
            raise ValueError("`image:` says all that is run: leave `connector:`, `command:` and `python:` out")
        if self.image is not None and not _IMAGE.fullmatch(self.image):
            raise ValueError("image: must be an image such as airbyte/source-faker:7.2.1")
        if self.image is None and self.connector is None and not self.command:
            raise ValueError("say `connector:`, a package such as airbyte-source-faker==7.2.1, or `image:`")
        if self.connector is not None and self.connector.startswith("-"):
            raise ValueError("connector: must be a package such as airbyte-source-faker==7.2.1, not an option")
        if self.connector is None and self.python is not None:
            raise ValueError("`python:` goes with `connector:`")
        return self

    @field_serializer("config")
    def _hidden(self, config: Mapping[str, Any]) -> Any:
        return _settings(config, hide=True)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read what is new; see the port. The cursor is {connector, stream, state}."""
        yield from _Work(self, reading).batches()

    def discover(self, whole: AllStreams, project: Path) -> dict[str, dict[str, Any]]:
        """List the streams of the connector's catalog. Raises SourceError."""
        with tempfile.TemporaryDirectory(prefix="lagoa-") as folder:
            reading = Reading("*", None, Path(folder), project, "the catalog of `*`")
            connector = _connector(self, reading)
            return all_streams(whole, self.catalog(connector, reading.stopped, anew=True))

    def check(self, stream: str, project: Path) -> None:
        """Let the connector check its configuration, and find the stream in its catalog. Raises SourceError."""
        with tempfile.TemporaryDirectory(prefix="lagoa-") as folder:
            work = _Work(self, Reading(stream, None, Path(folder), project, stream))
            work.connector.check()
            work.described(anew=True)

    def catalog(self, connector: Connector, stopped: Event, anew: bool) -> list[dict[str, Any]]:
        """Return the catalog's streams, which all streams of a run share. Raises SourceError, Stopped."""
        return self._catalog.streams(connector.catalog, stopped, anew)

    def package(self) -> str:
        """Return what the connector is called, without its version; a package and its image are called alike."""
        if self.image is not None and (found := _IMAGE.fullmatch(self.image)):
            return "-".join(found["name"].split("/")[-2:])
        if self.connector is None:
            return Path(self.command[-1]).name
        name = self.connector
        if "/" in name and "@" not in name:  # the path of a wheel
            name = Path(name).name.partition("-")[0]
        for mark in "=<>~![ ;@":
            name = name.partition(mark)[0]
        return name


def _settings(value: Any, hide: bool = False) -> Any:
    """Return a configuration as plain values, its secrets told or as ***."""
    if isinstance(value, Secret):
        return str(value) if hide else value.reveal()
    if isinstance(value, Mapping):
        return {key: _settings(inside, hide) for key, inside in value.items()}
    return [_settings(inside, hide) for inside in value] if isinstance(value, list | tuple) else value


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, Mapping | list | tuple):
        for inside in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets(inside)


def _connector(source: Airbyte, reading: Reading) -> Connector:
    launch, home = _launch(source, reading)
    seconds = source.idle_timeout.total_seconds()
    return Connector(
        f"{reading.table}: {source.package()}",
        launch,
        home,
        reading.folder,
        _settings(source.config),
        Redactor(_secrets(source.config)),
        lambda late: Patience(reading.stopped, seconds, late),
    )


def _launch(source: Airbyte, reading: Reading) -> tuple[Launch, Path]:
    """Say how the connector is started, and where; make ready what that needs. Raises SourceError LG-201, Stopped."""
    if source.image is not None:
        found = contained(source.image)
        found.fetch(reading.project, reading.stopped)
        return found, reading.folder
    program = list(source.command or [source.package().removeprefix(_PREFIX)])
    if source.connector is not None:
        places = Environment(reading.project, source.connector, source.python).programs(reading.stopped)
        return Installed([str(places.absolute() / program[0]), *program[1:]]), reading.folder
    own = reading.project / program[0]
    program[0] = str(own.absolute()) if own.is_file() else shutil.which(program[0]) or program[0]
    return Installed(program), reading.project


@dataclass(frozen=True)
class _AsJsonSpells:
    """How the values of JSON are written; a column may say otherwise."""

    date_format: str | None = None
    timestamp_format: str | None = None
    decimal: str | None = None
    thousands: str | None = None


class _Work:
    """One reading of one stream."""

    def __init__(self, source: Airbyte, reading: Reading) -> None:
        self.source, self.reading = source, reading
        self.stream = source.streams[reading.stream]
        self.name = self.stream.name or reading.stream
        self.connector = _connector(source, reading)
        self.noted = Noted()
        self._chunks, self._since_state = 0, 0
        self.follows = False

    # ------------------------------------------------------------ the catalog
    def described(self, anew: bool = False) -> dict[str, Any]:
        """Return what the catalog says of the stream. Raises SourceError LG-203 when it is not there."""
        streams = self.source.catalog(self.connector, self.reading.stopped, anew)
        for one in streams:
            if one["name"] == self.name and self.stream.namespace in (None, one.get("namespace")):
                return one
        names = [one["name"] for one in streams]
        said = f"has no stream `{self.name}`"
        hint = did_you_mean(self.name, names) or f"its catalog has {', '.join(names) or 'none'}"
        raise self.connector.error("LG-203", said, hint)

    def _configured(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return the stream as the connector is asked for it."""
        stream, mode = self.stream, self.stream.mode
        able = can_follow(one)
        if mode == "append" and not able:
            said = f"cannot tell what is new in `{self.name}`, so an append would add everything each time"
            raise self.connector.error("LG-207", said, "use `mode: replace`, or `merge` with `key:`")
        self.follows = able and mode != "replace"
        own = one.get("source_defined_cursor") or not self.follows
        cursor = [stream.cursor] if stream.cursor else one.get("default_cursor_field") or []
        if not own and not cursor:
            raise self.connector.error("LG-207", f"must be told the cursor of `{self.name}`", "say `cursor:`")
        return {
            "stream": one,
            "sync_mode": "incremental" if self.follows else "full_refresh",
            "destination_sync_mode": {"merge": "append_dedup", "append": "append"}.get(mode, "overwrite"),
            "cursor_field": cursor,
            "primary_key": [[name] for name in stream.key] or one.get("source_defined_primary_key") or [],
            "generation_id": 0,
            "minimum_generation_id": 0,
            "sync_id": 0,
        }

    def _state(self) -> dict[str, Any] | None:
        held = self.reading.since
        if held is None or not self.follows:
            return None
        mine = {"connector": self.source.package(), "stream": self.name}
        if not isinstance(held, dict) or {key: held.get(key) for key in mine} != mine:
            said = f"{self.reading.table} was read by another connector or stream, whose state is no use here"
            raise SourceError("LG-207", said, hint="`lagoa run --reset-cursor` reads the stream from its beginning")
        state: dict[str, Any] = held["state"]
        return state

    # ------------------------------------------------------------ batches
    def batches(self) -> Iterator[Batch]:
        """Yield a batch for each stretch of records that a state ends; of what is read anew each time, one."""
        one = self.described()
        configured, namespace = self._configured(one), one.get("namespace") or None
        self.types = declared_types(one.get("json_schema") or {})
        state = self._state()
        self.format = self._format()
        spool = self._spool()
        said = self.connector.read(configured, None if state is None else given_state(state))
        try:
            for kind, message in said:
                if kind != "STATE":
                    self._take(spool, kind, message)
                elif self.follows and self._passed(spool, message, namespace) and spool.is_full():
                    spool.cut()
                    yield self._batch(spool)
                    spool.remove()
                    state, spool = spool.state, self._spool()
            if spool.rows or not self.follows or spool.state not in (None, state):
                yield self._batch(spool)
        except Stopped:
            raise
        except SourceError:
            if self.follows and spool.safe_rows:  # what a state vouches for is kept
                spool.cut()
                yield self._batch(spool)
            raise
        finally:
            said.close()  # type: ignore[attr-defined]  # a generator: closing it ends the program
            spool.remove()

    def _take(self, spool: Spool, kind: str, message: Any) -> None:
        if kind not in ("RECORD", BROKEN):
            return
        line = message if kind == BROKEN else record_line(message)
        if line is None:
            raise self.connector.error(
                "LG-202", "sent a record without data", "report it to whoever makes the connector"
            )
        spool.add(line)
        self._since_state += 1

    def _passed(self, spool: Spool, message: dict[str, Any], namespace: str | None) -> bool:
        """Mark a state; say whether it is one of this stream. Raises SourceError LG-205 when records are missing."""
        state = kept_state(message, self.name, namespace)
        if state is None:
            return False
        told = counted(message)
        if told is not None and told > self._since_state:
            said = f"says that it sent {told:,} records, of which {self._since_state:,} arrived"
            raise self.connector.error("LG-205", said, "run again: it goes on after the last state that was published")
        self._since_state = 0
        spool.mark(state)
        return True

    def _spool(self) -> Spool:
        self._chunks += 1
        return Spool(self.reading.folder / f"{self.reading.stream}-{self._chunks}.ndjson")

    def _batch(self, spool: Spool) -> Batch:
        files = spool.found()
        arrive = self.format.schema(files) if files else {}
        shape = self._shape(list(arrive))
        state = spool.state if self.follows else None
        cursor: Json = state and {"connector": self.source.package(), "stream": self.name, "state": state}
        notes = [*self.connector.notes, *self.noted.notes]
        self.connector.notes.clear()
        self.noted.notes.clear()
        return Batch(self.format.portions(files, shape), shape.schema, lambda: cursor, notes=notes, apart=self.follows)

    def _shape(self, arrive: list[str]) -> Shape:
        """Give the catalog's columns their types, and text to those that it does not name."""
        names = column_names(list(self.types), self.name, self.stream.rename)
        types = dict(zip(names, self.types.values(), strict=True))
        types |= {name: TEXT for name in arrive if name not in types}
        columns = {
            name: self.stream.columns.get(name, StreamColumn()).model_copy(
                update={"type": self.stream.columns[name].type or kind}
                if name in self.stream.columns
                else {"type": kind}
            )
            for name, kind in types.items()
        }
        known = self.stream.model_copy(update={"columns": {**self.stream.columns, **columns}})
        return shaped(dict.fromkeys(types), known, _AsJsonSpells())[0]

    def _format(self) -> JsonRecords:
        import duckdb

        connection = duckdb.connect(config={"threads": self.reading.threads})
        return JsonRecords(
            Scratch(self.reading.folder),
            self.noted,
            lambda sql: connection.execute(sql).fetchall(),
            encoding="utf-8",
            rename=dict(self.stream.rename),
            carries=True,
        )


Adapter = Airbyte
