"""A small project in a folder that a test writes, runs and looks at, as short as the test's thought."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lagoa.app import Project
from lagoa.errors import LagoaError
from lagoa.kit.stop import Stop
from lagoa.observe.events import Event
from lagoa.plan.step import Step
from lagoa.ports import OWN, SOURCE, Batch, Portion, Reading, Source
from lagoa.run.report import Result, Run
from lagoa.spec.names import TableName

Row = tuple[Any, ...]


class Impatient(Stop):
    """Makes the pauses before retries short."""

    def wait(self, seconds: float) -> None:
        """Sleep a moment."""
        super().wait(min(seconds, 0.01))


class Raft:
    """A project that floats in a scratch folder. `events` are those of the last run."""

    def __init__(self, root: Path, **files: str) -> None:
        self.root = root
        self.events: list[Event] = []
        self.tamper: Callable[[Project], None] = lambda project: None  # noqa: ARG005  # nothing to tamper with
        self.write("lagoa.yml", "name: raft\ntargets: {local: {threads: 2, memory: 1GB}}\n")
        for name, text in files.items():
            self.write(name, text)

    def write(self, name: str, text: str | bytes) -> None:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def parquet(self, name: str, **columns: Any) -> None:
        """Write a Parquet file of Arrow arrays or lists."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)

    def source(self, name: str, streams: str, **options: str) -> None:
        """Declare a `files` source over the folder of its name; `streams` is YAML of the streams."""
        head = "".join(f"{key}: {value}\n" for key, value in {"type": "files", "path": name, **options}.items())
        lines = "".join(f"  {line}\n" for line in streams.strip("\n").splitlines())
        self.write(f"sources/{name}.yml", f"{head}streams:\n{lines}")

    def script(self, stream: str, reads: Callable[[Reading], Iterator[Batch]]) -> None:
        """Declare a source `toy` with a stream `s`, whose keys are YAML, that delivers what `reads` says."""
        self.source("toy", f"s: {{{stream}}}")

        def tamper(project: Project) -> None:
            entry = project.project.sources["toy"]
            source = Scripted(type="scripted", streams=entry.source.streams, reads=reads)
            project.project = replace(project.project, sources={"toy": replace(entry, source=source)})

        self.tamper = tamper

    def model(self, table: str, text: str, header: str = "") -> None:
        """Write a SQL model, `silver.x`, with the YAML of its header."""
        layer, _, name = table.partition(".")
        self.write(f"models/{layer}/{name}.sql", f"/*\n{header.strip()}\n*/\n{text}" if header else text)

    def python(self, table: str, body: str, inputs: str = "", header: str = "") -> None:
        """Write a Python model: its header's inputs, and the code below the docstring."""
        layer, _, name = table.partition(".")
        self.write(f"models/{layer}/{name}.py", f'"""x\n---\ninputs: {{{inputs}}}\n{header}\n"""\n{body}')

    def open(self) -> Project:
        """Open the project as its files are now."""
        project = Project.open(self.root)
        self.tamper(project)
        return project

    def run(self, *select: str, **wish: Any) -> Run:
        """Run, and keep the events."""
        self.events = []
        with self.open() as project:
            return project.run(select, listeners=[self.events.append], stop=Impatient(), **wish)

    def ok(self, *select: str, **wish: Any) -> dict[str, Result]:
        """Run, insist that all went well, and give the results by table."""
        run = self.run(*select, **wish)
        assert run.ok, [(str(r.table), r.status, r.error or r.reason) for r in run.results if r.error or r.reason]
        return {str(r.table): r for r in run.results}

    def fails(self, *select: str, **wish: Any) -> dict[str, LagoaError]:
        """Run, insist that something failed, and give the errors by table."""
        run = self.run(*select, **wish)
        found = {str(r.table): r.error for r in run.results if isinstance(r.error, LagoaError)}
        assert found, "nothing failed"
        return found

    def plan(self, *select: str, **wish: Any) -> dict[str, Step]:
        """Plan, and give the steps by table."""
        with self.open() as project:
            return {str(s.table): s for s in project.plan(select, **wish).selected}

    def rows(self, sql: str) -> list[Row]:
        """Query the lake; a bare table name gives its rows without Lagoa's own columns, sorted."""
        if re.fullmatch(r"[a-z_0-9.]+", sql):
            own = ", ".join(OWN) if sql.startswith("bronze.") else ""
            sql = f"select * {f'exclude ({own})' if own else ''} from {sql} order by all"
        with self.open() as project:
            return [tuple(row.values()) for row in project.query(sql).read_all().to_pylist()]

    def refused(self, table: str) -> list[str]:
        """Give the reasons for which rows of a table were set aside, sorted."""
        name = TableName.parse(table).quarantine
        with self.open() as project:
            if not project.table(str(name)).exists:
                return []
            rows = project.query(f"select _reason from {name} order by 1").read_all().to_pylist()
        return [row["_reason"] for row in rows]

    def version(self, table: str) -> int:
        """Give the newest version of a table."""
        with self.open() as project:
            return project.table(table).version

    def notes(self) -> list[str]:
        """Give what the last run told people."""
        return [event.data["text"] for event in self.events if event.kind == "note"]

    def kinds(self, table: str) -> list[str]:
        """Give the kinds of the last run's events of a table, in order."""
        return [event.kind for event in self.events if event.table == table]


class Scripted(Source):
    """A source that gives what a test says: `reads` is called for each reading."""

    reads: Callable[[Reading], Iterator[Batch]]

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Give what the test says."""
        return self.reads(reading)


def batch(*portions: pa.Table, cursor: Any = None, overlap: str | None = None) -> Batch:
    """Make a batch of Arrow tables, one for each portion, and the cursor after it."""
    tables = [t.append_column(SOURCE, pa.array([f"toy:{i}" for i in range(t.num_rows)])) for t in portions]
    return Batch((Portion(t.to_reader(), label="toy") for t in tables), portions[0].schema, lambda: cursor, overlap)
