"""Where the world plugs in: the classes that an adapter implements, and the values that cross the border."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

from pydantic import model_validator

from lagoa.errors import Place
from lagoa.spec.declared import Declared
from lagoa.spec.stream import Stream

if TYPE_CHECKING:
    import pyarrow as pa

Json = Any
"""A value that `json` writes and reads back unchanged."""

SOURCE = "_source"
"""Where a bronze row comes from: file:line, or stream and cursor. Every portion's rows carry it (text)."""
RUN = "_run"
"""Which run loaded a bronze row (text)."""
LOADED_AT = "_loaded_at"
"""When a bronze row was loaded (UTC)."""
OWN = (RUN, LOADED_AT, SOURCE)
"""The columns that every bronze table ends with."""
REASON = "_reason"
"""Why a row cannot be loaded, else null. A portion's rows carry it when rows may be refused."""
RAW = "_raw"
"""The refused row as it came, without dropped columns, else null. Goes with `_reason`."""


# ---------------------------------------------------------------- sources
@dataclass(frozen=True)
class Reject:
    """A physical record that did not become a row: where it stands, why, and its text without dropped columns."""

    file: str
    line: int | None
    reason: str
    raw: str | None


@dataclass(frozen=True)
class Settled:
    """What became of a portion once its rows are staged.

    `read` is how many physical records the source counted by itself; the run refuses to publish unless
    staged rows + len(rejects) == read. None: the source has no count of its own (a database's result).
    """

    rejects: Sequence[Reject] = ()
    read: int | None = None


@dataclass
class Portion:
    """One unit of reading, staged in one go; many may be staged at once.

    `rows` is SQL in DuckDB's dialect over local files, or a reader of Arrow batches. Its columns are the stream's
    (dropped ones absent), then `_source`, then, when rows may be refused, `_reason` and `_raw`. `settle` is called
    after its rows are staged, with their number (refused ones included) and a way to ask the same session (for
    rejects that the engine kept); it may return another Portion, which is staged instead of all files of this one.
    """

    rows: str | pa.RecordBatchReader
    settle: Callable[[int, Callable[[str], list[tuple[Any, ...]]]], Settled | Portion] = field(
        default=lambda *_: Settled()
    )
    label: str = ""
    """What is being read, for progress: a file, a range."""
    size: int | None = None
    """Bytes of input, for progress."""
    close: Callable[[], None] = lambda: None
    """Called once when the portion is done with, staged or not.

    Raises what kept its rows from being read, since an engine that reads Arrow knows an error's text alone.
    """


@dataclass
class Batch:
    """Portions that become true together, by one commit, and the cursor that then holds.

    `overlap` is set when rows that the table already has are read again (ties and late rows of an append): the
    predicate, in SQL over the table's columns, of the table's rows among which the batch's rows may already be.
    """

    portions: Iterator[Portion]
    schema: pa.Schema
    """The stream's columns as they arrive, in order, without dropped ones and without `_source`, `_reason`, `_raw`."""
    cursor: Callable[[], Json] = lambda: None
    """The cursor to remember, asked once every portion is staged. None keeps the old one."""
    overlap: str | None = None
    notes: Sequence[str] = ()
    """What a person should know of how this was read: 'read vendas.csv as cp1252'."""
    apart: bool = False
    """Publish it by itself also when the table is new, so that a killed run goes on after it. Its cursor must tell
    where to go on."""
    again: Callable[[], bool] = lambda: False
    """Asked once every portion is staged, before `cursor`. True: its rows were more than the schema holds. What was
    staged is thrown away, and `schema` and `portions`, which are new now, take its place."""
    keys: Batch | None = None
    """Of a stream that says `deletes: compare`: every key that the source holds as this batch sees it, and nothing
    but the key's columns and `_source`. The table's rows with another key are removed by the same commit."""


@dataclass(frozen=True)
class Reading:
    """What a source is told when it is asked to read a stream."""

    stream: str
    since: Json | None
    """The cursor that the table holds, as the source gave it; None: everything."""
    folder: Path
    """A private scratch folder; removed afterwards."""
    project: Path
    """The project's folder, for relative paths."""
    table: str
    """Name of the table in which it lands, for messages."""
    threads: int = 2
    held: pa.Schema | None = None
    """The table's columns now, without Lagoa's own; None when there is no table yet."""
    stopped: Event = field(default_factory=Event)
    """Set when the run must stop: a source that waits looks at it."""


_Kind = type[Declared]


class Source(Declared, ABC):
    """An external system that is read. The class is its own configuration: fields are the keys of `sources/*.yml`.

    A subclass lives in one file, whose name is the `type:`, and is bound there to the name `Adapter`.
    """

    type: str
    """Which source this is: the adapter's name."""
    description: str | None = None
    """What the system is, in a sentence."""
    owner: str | None = None
    """Who answers for it."""
    tags: tuple[str, ...] = ()
    """Words to select and search by; its streams inherit them."""
    streams: Mapping[str, Stream]
    """What is read from it, by name; each lands in bronze.<source>_<stream>."""
    guarantee: ClassVar[Literal["exactly once", "at least once"]] = "exactly once"
    """What readings that go on where others ended add up to: every row, and an append repeats none of them. With 'at
    least once' it may: `mode: merge` takes repeats away by key."""
    lists_keys: ClassVar[bool] = False
    """Whether it gives `Batch.keys`, so that its streams may say `deletes: compare`."""
    whole: ClassVar[_Kind | None] = None
    """What `streams: {"*": …}` takes, where a whole schema can be taken at once; None: it cannot."""

    @model_validator(mode="after")
    def _can_compare(self) -> Self:
        for name, stream in self.streams.items():
            if stream.deletes is not None and stream.deletes.compare and not self.lists_keys:
                raise ValueError(f"{name}: this source cannot list its keys; mark deleted rows by a column instead")
        return self

    @abstractmethod
    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read what is new since `reading.since`, as batches that are published one after the other.

        No batch means no news. A `replace` stream yields exactly one batch. Raises SourceError.
        """

    def completed(self, project: Path, at: Callable[[tuple[str | int, ...]], Place]) -> Self:
        """Return the source with what other files of the project say of it; as it is by default.

        `at` points at one of its keys. Raises ProjectError, ProjectErrors.
        """
        del project, at
        return self

    def discover(self, whole: Any, project: Path) -> Mapping[str, Mapping[str, Any]]:
        """Say which streams `"*"` stands for, by name, each with its keys as a user would write them (as JSON).

        `whole` is of the class `self.whole`. Raises SourceError.
        """
        raise TypeError(f"{type(self).__name__} takes no whole schema, so nothing of {whole} in {project}")

    def schemas(self, project: Path) -> Sequence[str]:
        """Name the schemas that hold tables and that `discover` may be asked for; none by default.

        Raises SourceError.
        """
        del project
        return ()

    def check(self, stream: str, project: Path) -> None:
        """Say whether the stream can be reached, without reading it. Raises SourceError. Does nothing by default."""


# ---------------------------------------------------------------- engines
@dataclass(frozen=True)
class ColumnStats:
    """What a Parquet file's footer says of one top-level column, as exact text; None where it cannot be trusted."""

    nulls: int | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class StagedFile:
    """A Parquet file that no table names yet. `partition` holds values as text, None for null."""

    path: Path
    rows: int
    size: int
    stats: Mapping[str, ColumnStats]
    partition: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Say whether a row of it carries a `_reason`, or may."""
        reasons = self.stats.get(REASON)
        return reasons is not None and reasons.nulls != self.rows


@dataclass(frozen=True)
class FileSet:
    """Parquet files read as one relation of exactly `schema`: a file without a column gives null.

    `partitions` gives, by path, the values (as text) of columns that are not in the file itself.
    """

    schema: pa.Schema
    paths: Sequence[str]
    partitions: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)


class Session(Protocol):
    """A private place of an engine: names bound here are seen nowhere else. Times are UTC. Not for two threads.

    Every method raises StepError when the engine refuses the SQL, Stopped after `interrupt()`.
    """

    def bind(self, name: str, rows: FileSet | pa.Table | pa.RecordBatchReader | str) -> None:
        """Give rows (or SQL, as a view) a name: `x`, or `silver.orders`; an older meaning of the name is replaced.

        A FileSet's relation also has the hidden-from-star column `_file` when asked for through `files_of`.
        """

    def files_of(self, name: str) -> str:
        """Return SQL for the rows of a bound FileSet with one more column, `_file`: the path of each row's file."""

    def schema(self, sql: str) -> pa.Schema:
        """Return the columns that a query gives, as types that Delta can hold, without running it."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query that answers with few rows."""

    def arrow(self, sql: str) -> pa.RecordBatchReader:
        """Run a query and stream its rows."""

    def run(self, sql: str) -> None:
        """Run a statement (create temp table …) for its effect in this session."""

    def stage(
        self,
        rows: str | pa.RecordBatchReader,
        into: Path,
        schema: pa.Schema | None = None,
        partition_by: Sequence[str] = (),
        rows_per_file: int | None = None,
    ) -> list[StagedFile]:
        """Stream rows into Parquet files under `into`, cast to `schema` by name when given. Empty files are left out.

        Columns beyond `schema` are refused, but for `_reason` and `_raw`, which are kept as text. `rows_per_file` asks
        for files of about so many rows; without it, or with partitions, the engine knows what is large enough.
        """

    def casting(self, sql: str, schema: pa.Schema, partition_by: Sequence[str] = ()) -> str:
        """Return the query that `stage` would run: `sql` cast to `schema`."""

    def relation(self, name: str) -> Any:
        """Return what a Python model gets for a bound name: a DuckDB relation."""

    def interrupt(self) -> None:
        """Make what runs in this session raise Stopped soon; safe to call from another thread."""


class Engine(Protocol):
    """What executes SQL. `name` is the adapter's; built with the target's threads and memory and a scratch folder."""

    name: ClassVar[str]
    threads: int

    def session(self) -> AbstractContextManager[Session]:
        """Open a session; closing it forgets all its names."""

    def close(self) -> None:
        """Free everything."""


# ---------------------------------------------------------------- checks
@dataclass(frozen=True)
class Asked:
    """Where a check looks: quoted SQL of its column, and of the table as it would become after publishing.

    `table` is usable only when the check's `reads` is 'table'. `tables` maps other tables' names to relations.
    """

    column: str | None
    table: str
    tables: Mapping[str, str] = field(default_factory=dict)
    column_type: str = ""
    """The column's DuckDB type, such as DECIMAL(12,2)."""
    staged: str = ""
    """The staged rows alone: a rule over the whole table looks only at what they touch."""
    at: str = "now()"
    """The run's time, as SQL."""
    where: str = "true"
    """The rows to which the check is limited; what it judges beyond the row itself is limited to them, too."""


class Check(Declared, ABC):
    """A rule that rows must fulfil. One file each; the file's name is the kind; the class is bound to `Adapter`.

    `value` is what stands after the kind in YAML. Subclasses narrow its type and so validate it.
    """

    reads: ClassVar[Literal["row", "table"]] = "row"
    """'row': decided by the row alone. 'table': needs the table as it would become."""
    place: ClassVar[Literal["column", "table", "both"]] = "column"
    """Where it may be declared: beside a column, or under the table's `checks:`."""
    value: Any = None

    def tables(self) -> Sequence[str]:
        """Name the other tables that it reads. None by default."""
        return ()

    def breaks(self, asked: Asked) -> str:
        """Return a boolean SQL expression over a row, true when the row breaks the rule (column checks)."""
        raise TypeError(f"{type(self).__name__} does not judge rows, so nothing of {asked.column}")

    def violations(self, asked: Asked) -> str:
        """Return a query over `asked.table` that gives one row for each violation (table checks)."""
        raise TypeError(f"{type(self).__name__} does not judge tables, so not {asked.table}")


# ---------------------------------------------------------------- secrets
class SecretStore(Protocol):
    """Where `${secret:name}` is looked for."""

    def find(self, name: str) -> str | None:
        """Return the secret, or None when this store does not have it."""

    def where(self, name: str) -> str:
        """Say in words where it looked, for the error: 'environment variable ERP_URL'."""
