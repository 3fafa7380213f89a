"""One pinned version of a table: cheap to open, and guarded again before any of its rows is read or
replaced."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lagoa.errors import LakeError
from lagoa.kit.text import columns, quote
from lagoa.lake import log, schema
from lagoa.lake.partition import as_text
from lagoa.lake.rust import asked
from lagoa.lake.state import Input, State
from lagoa.ports import FileSet, Session
from lagoa.spec.names import TableName

_Value = TypeVar("_Value")
_HANDLE_FEATURES = {"deletionVectors", "columnMapping"}


@dataclass(frozen=True)
class DataFile:
    """A live file: its path below the table's folder, and what the log says of its top-level columns."""

    path: str
    size: int
    rows: int
    partition: Mapping[str, str | None]
    low: Mapping[str, Any] = field(default_factory=dict)
    high: Mapping[str, Any] = field(default_factory=dict)
    nulls: Mapping[str, int | None] = field(default_factory=dict)
    logged: str = ""
    """The path as the log writes it, URL-encoded."""


class _Pinned:
    """What is read from the log only when it is asked for, once, whichever thread asks first."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.values: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], _Value]) -> _Value:
        with self.lock:
            if name not in self.values:
                self.values[name] = make()
            value: _Value = self.values[name]
            return value


@dataclass(frozen=True)
class Table:
    """A table at one version. `state` is ours that the version selects; None when there is none, or it is
    lost."""

    name: TableName
    path: Path
    version: int = -1
    state: State | None = None
    selected: int | None = None
    """The id of the state that the version selects, even when its file is lost."""
    distrust: LakeError | None = None
    """Why an ordinary opening would have refused this version; None when all is well."""
    trusted: bool = False
    """Opened to be mended: the guards of `handle` are left out."""
    broken: bool = False
    """The log itself is damaged: nothing can be committed on top of it."""
    _pinned: _Pinned = field(default_factory=_Pinned, repr=False, compare=False)

    @property
    def exists(self) -> bool:
        """Say whether there is such a table."""
        return self.version >= 0

    @property
    def handle(self) -> DeltaTable | None:
        """The DeltaTable at exactly this version, with the guards that need it applied. Raises LakeError."""
        return self._pinned.once("handle", self._load) if self.exists else None

    @property
    def live(self) -> DeltaTable:
        """The handle of a table that exists. Raises LakeError LG-103 when it does not."""
        handle = self.handle
        if handle is None:
            raise LakeError("LG-103", f"{self.name} has not been built yet", hint=f"lagoa run -s {self.name}")
        return handle

    def _load(self) -> DeltaTable:
        with asked(self.name):
            handle = DeltaTable(str(self.path), version=self.version)
        if not self.trusted and (doubt := self._doubt(handle)) is not None:
            raise doubt
        return handle

    def doubt(self) -> LakeError | None:
        """Say why this version is not to be trusted, from its opening or from its rows; None when all
        is well."""
        if self.distrust is not None or not self.exists:
            return self.distrust
        try:
            handle = self.live  # which has looked for doubts by itself, unless it is trusted
            return self._doubt(handle) if self.trusted else None
        except LakeError as error:
            return error

    def _doubt(self, handle: DeltaTable) -> LakeError | None:
        """Find rows or columns that are not those that our commit left: a lost commit shows here."""
        state = self.state
        if log.FORGETFUL in handle.metadata().configuration:
            return log.forgetful(self.name)
        if state is None or self.distrust is not None:
            return None
        rows = counted(handle, self._actions(handle))
        if rows is not None and rows != state.rows:
            said = f"it holds {rows} rows where its state says {state.rows}: a commit was lost or changed"
            return log.damaged(self.name, said)
        if state.table and not schema.same_json(handle.schema().to_json(), state.table):
            return log.damaged(self.name, "its columns are not those that its state names: a commit was lost")
        return None

    def _actions(self, handle: DeltaTable) -> pa.Table:
        return self._pinned.once("actions", lambda: pa.table(handle.get_add_actions()))

    @property
    def files(self) -> Mapping[str, DataFile]:
        """The live files by path relative to the table; none when it is broken."""
        return self._pinned.once("files", self._read_files)

    def _read_files(self) -> Mapping[str, DataFile]:
        if not self.exists or self.broken:
            return {}
        try:
            return _files(self._actions(self.live))
        except LakeError:
            if not self.trusted:
                raise
            return {}  # whoever rebuilds it needs none of them

    @property
    def schema(self) -> pa.Schema:
        """The columns, partition columns among them; no columns when there is no table."""
        if not self.exists or self.broken:
            return pa.schema([])
        if self.state is not None and self.state.table and not self.trusted:
            return schema.from_json(self.state.table)
        return self._pinned.once("schema", lambda: schema.from_delta(self.live.schema()))

    @property
    def partition_by(self) -> Sequence[str]:
        """The columns that are folders."""
        if self.state is not None and self.state.table and not self.trusted:
            return tuple(self.state.partition_by)
        return tuple(self.live.metadata().partition_columns) if self.exists and not self.broken else ()

    @property
    def table_id(self) -> str | None:
        """Delta's id of the table; a recreated table has another one."""
        return str(self.live.metadata().id) if self.exists else None

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        if self.state is not None and not self.trusted:
            return self.state.rows
        return sum(f.rows for f in self.files.values())

    @property
    def mapped(self) -> bool:
        """Say whether column mapping, by somebody else, gives its files other column names than the
        table has."""
        config = self.live.metadata().configuration if self.exists else {}
        return config.get("delta.columnMapping.mode", "none") != "none"

    @property
    def plain(self) -> bool:
        """Say whether its rows are simply those of its files: no deletion vectors, mapped columns or
        files elsewhere."""
        return self._pinned.once("plain", self._is_plain)

    def _is_plain(self) -> bool:
        if not self.exists:
            return True
        protocol = self.live.protocol()
        features = set(protocol.reader_features or [])
        if features & _HANDLE_FEATURES or protocol.min_reader_version == 2:
            return False
        return not any("://" in f or f.startswith("/") for f in self.files)

    def fileset(self, paths: Iterable[str] | None = None) -> FileSet:
        """Return its files, or those of the given relative paths, for an engine to read.

        Raises LakeError LG-304 when the files alone would be read wrongly: use `bind`.
        """
        if not self.plain:
            raise LakeError(
                "LG-304",
                f"{self.name} has deletion vectors or mapped columns: its files alone would be read wrongly",
                hint=f"`lagoa run --full -s {self.name}` rewrites it",
            )
        chosen = self.files if paths is None else {p: self.files[p] for p in paths}
        partitions = {f"{self.path}/{p}": f.partition for p, f in chosen.items() if f.partition}
        return FileSet(self.schema, [f"{self.path}/{p}" for p in chosen], partitions)

    def bounds(self, names: Sequence[str]) -> dict[str, dict[str, tuple[Any, Any]]]:
        """Return, by absolute path and column, the least and greatest value of a file; absent when
        not known."""
        found: dict[str, dict[str, tuple[Any, Any]]] = {}
        for path, file in self.files.items():
            known = {n: (file.low[n], file.high[n]) for n in names if file.low.get(n) is not None}
            found[f"{self.path}/{path}"] = {n: b for n, b in known.items() if b[1] is not None}
        return found

    def consumed(self) -> Input:
        """Return what a reader of this version records: our data state, or a foreign table's id and
        data version."""
        if self.state is not None:
            return Input(state=self.state.data)
        return Input(table_id=self.table_id, version=self._data_version() if self.exists else None)

    def _data_version(self) -> int:
        found = log.listing(self.path)
        for version, _, actions in log.times(found, self.version, self.name) if found else ():
            if log.changes_data(actions):
                return version
        return self.version


def bind(session: Session, name: str, table: Table) -> None:
    """Give a table's rows a name in a session. What its files alone would show wrongly is read by
    delta-rs instead."""
    if not table.exists:
        raise LakeError("LG-103", f"{table.name} has not been built yet", hint=f"lagoa run -s {table.name}")
    if table.plain:
        session.bind(name, table.fileset())
        return
    with asked(table.name):
        rows = pa.RecordBatchReader.from_stream(table.live.scan())
    once, kept = f"scan_{secrets.token_hex(4)}", f"kept_{secrets.token_hex(4)}"
    session.bind(once, rows)  # a reader gives its rows once; a query may want them twice
    session.run(f"create temp table {kept} as select {columns(table.schema.names)} from {quote(once)}")
    session.bind(name, f"select {columns(table.schema.names)} from {kept}")


def counted(handle: DeltaTable, actions: pa.Table) -> int | None:
    """Return the number of rows by the log's statistics; None when somebody's files lack them or hide
    rows."""
    features = set(handle.protocol().reader_features or [])
    if "num_records" not in actions.column_names:
        return 0 if not actions.num_rows else None
    records = actions.column("num_records")
    if records.null_count or "deletionVectors" in features:
        return None
    return int(pc.sum(records).as_py() or 0)


def _files(actions: pa.Table) -> Mapping[str, DataFile]:
    found = {}
    for row in actions.to_pylist():
        path = unquote(row["path"])
        found[path] = DataFile(
            path,
            row["size_bytes"],
            row.get("num_records") or 0,
            {n: as_text(v) for n, v in (row.get("partition") or {}).items()},
            row.get("min") or {},
            row.get("max") or {},
            row.get("null_count") or {},
            row["path"],
        )
    return found
