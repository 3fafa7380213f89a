"""A project that lives through a random history, and what must hold after each of its steps."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from tests.projects.history_models import REFUSED, SHAPES, VALUES, Chain, Kind, Model

from lagoa.errors import LakeError
from lagoa.plan.step import Plan
from lagoa.ports import OWN
from lagoa.run.report import Run
from lagoa.testing.raft import Raft

MODES = {"t1": "merge", "t2": "merge", "t3": "append", "r": "replace"}
SHAPE_OF = {"t1": "id a b v s gone", "t2": "id a m gone", "t3": "id b v", "r": "a s"}
TYPES = {"id": "BIGINT", "v": "INTEGER", "s": "VARCHAR", "m": "DECIMAL(12,2)", "gone": "BOOLEAN", "w": "INTEGER"}
IDS = 40
WAYS = {"arrive": 10, "pile": 3, "compact": 3, "kill": 2, "widen": 1, "restore": 1, "foreign": 1, "edit": 1}
"""What may happen in a step, and how often beside the others."""


@dataclass
class Tally:
    """What was found: `eligible` steps of models could be recomputed by keys, `followed` ones were."""

    histories: int = 0
    steps: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    eligible: Counter[str] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Shape and reason of each eligible step that was not."""
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of the eligible steps that were recomputed by keys."""
        return self.followed.total() / max(1, self.eligible.total())

    def told(self) -> str:
        """Say it in a line."""
        return (
            f"{self.histories} histories, {self.steps} steps ({dict(self.ways)}): {self.followed.total()} of "
            f"{self.eligible.total()} eligible steps of models by keys ({self.share:.0%})"
        )


@dataclass
class World:
    """One project, its streams' files, and its history so far. `shapes` are those of its first models."""

    root: Path
    seed: str
    tally: Tally
    shapes: Sequence[str] = ()
    length: int = 6

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.raft = Raft(self.root)
        self.files = 0
        self.kind = self.rng.choice(list(VALUES))
        self.columns = {t: {c: TYPES.get(c, self.kind) for c in names.split()} for t, names in SHAPE_OF.items()}
        for extra in self.rng.sample(["s", "m", "v"], 2):
            self.columns[self.rng.choice(["t1", "t2", "t3"])].setdefault(extra, TYPES[extra])
        self.told = dict.fromkeys(MODES, True)
        """Whether a stream's table is still what its files alone say."""
        lines = [f'{t}: {{path: "{t}_*.parquet", mode: {mode}{self._key(mode)}}}' for t, mode in MODES.items()]
        self.raft.source("land", "\n".join(lines))
        self.chain = self._chain()
        for model in self.chain.models:
            self._write(model)
        self.arrive(list(MODES), 25)

    def _key(self, mode: str) -> str:
        return ", key: id" if mode == "merge" else ""

    def _chain(self) -> Chain:
        rng, chain = self.rng, Chain(self.rng, self.kind)
        for t, columns in self.columns.items():
            chain.read(f"bronze.land_{t}", columns, 40)
        chain.grow("alive")
        for shape in self.shapes or [rng.choice(list(SHAPES if rng.random() < 0.92 else REFUSED)) for _ in range(5)]:
            kind: Kind = "incremental" if self.shapes or rng.random() < 0.85 else rng.choice(["table", "view"])
            chain.grow(shape, kind)
        return chain

    def _write(self, model: Model) -> None:
        self.raft.model(model.name, model.query, model.header)

    # ------------------------------------------------------------ what happens
    def arrive(self, streams: Sequence[str], most: int) -> None:
        """Let a file of each stream arrive."""
        for stream in streams:
            self.files += 1
            rows = self._rows(stream, self.rng.randint(1, most))
            name = f"{stream}_1" if MODES[stream] == "replace" else f"{stream}_{self.files:03}"
            shown = ", ".join(
                f"{v}::{k} as {c}" for (c, k), v in zip(self.columns[stream].items(), rows[0], strict=True)
            )
            values = " union all select ".join([shown, *(", ".join(row) for row in rows[1:])])
            path = self.root / f"land/{name}.parquet"
            path.parent.mkdir(exist_ok=True)
            duckdb.execute(f"copy (select {values}) to '{path}'")

    def _rows(self, stream: str, count: int) -> list[list[str]]:
        rng, merged = self.rng, MODES[stream] == "merge"
        ids = rng.sample(range(IDS), count) if merged else [rng.randrange(IDS) for _ in range(count)]
        return [[str(i) if c == "id" else self._value(c) for c in self.columns[stream]] for i in ids]

    def _value(self, column: str) -> str:
        rng = self.rng
        if column == "gone":
            return "true" if rng.random() < 0.2 else "false"
        if rng.random() < 0.12:
            return "null"
        if column in "ab":
            return rng.choice(VALUES[self.kind])
        return {"s": rng.choice(["'x'", "'y'", "''"]), "m": f"{rng.randint(-9, 99)}.25"}.get(
            column, str(rng.randint(0, 4))
        )

    def some(self) -> list[str]:
        """Choose streams that have news; a replaced one seldom, since its readers cannot follow it."""
        return [t for t in ("t1", "t2", "t3") if self.rng.random() < 0.5] or ["t1"]

    def _news(self) -> set[str]:
        streams = self.some() + (["r"] if self.rng.random() < 0.1 else [])
        self.arrive(streams, self.rng.choice([2, 5, 20]))
        return {"bronze.land_r"} & {f"bronze.land_{t}" for t in streams}

    def step(self, way: str) -> None:
        """Let something happen, run, and judge."""
        lost: set[str] = set()
        wish: dict[str, Any] = {}
        if way == "pile":
            lost |= self._news()
            self.run(lost, select=[f"bronze.land_{t}" for t in MODES])
        elif way == "compact":
            with self.raft.open() as project:
                project.maintain(keep=self.rng.choice([timedelta(0), timedelta(7)]))
        elif way == "widen":
            lost |= self._widened()
        elif way == "restore":
            lost |= self._restored()
        elif way == "foreign":
            lost |= self._foreign()
            wish = {"accept": True}
        elif way == "edit":
            lost |= self._edited()
        lost |= self._news()
        if way == "kill":
            self._killed()
        else:
            self.run(lost, **wish)
        self.judge(way)

    def _widened(self) -> set[str]:
        stream = self.rng.choice(["t1", "t2", "t3"])
        if "w" in self.columns[stream]:
            self.columns[stream]["v" if "v" in self.columns[stream] else "w"] = "BIGINT"
        self.columns[stream].setdefault("w", "INTEGER")
        self.arrive([stream], 5)
        return {f"bronze.land_{stream}"}

    def _restored(self) -> set[str]:
        name = self.rng.choice([f"bronze.land_{t}" for t in MODES if t != "r"] + [m.name for m in self._tables()])
        with self.raft.open() as project:
            version = self.rng.randrange(project.table(name).version + 1)
            try:
                project.restore(name, version)
            except LakeError as error:
                assert error.code == "LG-307", error
        return {name}

    def _foreign(self) -> set[str]:
        """Let somebody else add or delete rows; nothing that reads them runs until they are accepted."""
        stream = self.rng.choice(["t1", "t2", "t3"])
        name, path = f"bronze.land_{stream}", self.root / f"lake/bronze/land_{stream}"
        rows = pa.table(DeltaTable(str(path)).to_pyarrow_table())
        if self.rng.random() < 0.5 and rows.num_rows:
            DeltaTable(str(path)).delete(f"id = {rows.column('id')[0].as_py()}")
        else:
            write_deltalake(str(path), rows.slice(0, 2), mode="append")
        self.told[stream] = False
        readers = {str(t) for t in self._readers(name)}
        with self.raft.open() as project:
            assert name in {str(s.table) for s in project.plan().blocked}
            stopped = {str(r.table) for r in project.run().results if r.status in ("failed", "blocked")}
        assert stopped == {name} | readers, self.said(f"{name} was written by somebody else, and {stopped} stopped")
        return {name}

    def _readers(self, name: str) -> set[str]:
        found = {name}
        for model in self.chain.models:
            found |= {model.name} if found & set(model.inputs) else set()
        return found - {name, *(m.name for m in self.chain.models if m.kind == "view")}

    def _edited(self) -> set[str]:
        number = self.rng.randrange(len(self.chain.models))
        model = self.chain.models[number]
        relation = next(r for r in self.chain.relations if r.name == model.name)
        condition = self.chain.condition("e", relation)
        query = f"select {', '.join(relation.columns)} from ({model.query}) e where {condition}"
        self.chain.models[number] = replace(model, query=query)
        self._write(self.chain.models[number])
        return {model.name}

    def _killed(self) -> None:
        """Kill a run at a random moment and resume it: it ends where a twin does that nothing disturbs."""
        twin = Raft.__new__(Raft)
        shutil.copytree(self.root, self.root.with_name(f"{self.root.name}-twin"))
        twin.__dict__.update(self.raft.__dict__, root=self.root.with_name(f"{self.root.name}-twin"))
        began = time.monotonic()
        assert twin.run().ok
        whole, log = time.monotonic() - began, self.root / ".lagoa/runs"
        before = set(log.glob("*.jsonl"))
        command = [sys.executable, "-m", "lagoa", "run", "-C", str(self.root)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not set(log.glob("*.jsonl")) - before:
            time.sleep(0.005)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.rng.uniform(0, whole))
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.run(None)
        for name in [*(f"bronze.land_{t}" for t in MODES), *(m.name for m in self._tables())]:
            assert rows(self.root, name) == rows(twin.root, name), self.said(f"{name} differs from its twin's")
        shutil.rmtree(twin.root)

    # ------------------------------------------------------------ what must hold
    def run(self, lost: Collection[str] | None, select: Sequence[str] = (), **wish: Any) -> None:
        """Plan, run and plan again. `lost` are tables whose readers cannot tell what changed; None: not known."""
        self.raft.events = []
        with self.raft.open() as project:
            plan = project.plan(select, **wish)
            run = project.run(select, listeners=[self.raft.events.append], **wish)
            assert run.ok, self.said(str([(str(r.table), r.status, r.error) for r in run.results if r.error]))
            self._as_planned(plan, run)
            left = project.plan(select).steps
        assert left == [], self.said(f"a plan after a run is not empty: {[s.to_json() for s in left]}")
        if lost is not None:
            self._counted(set(lost), run)

    def _as_planned(self, plan: Plan, run: Run) -> None:
        written = {str(r.table) for r in run.published}
        certain = {str(s.table) for s in plan.selected if s.writes}
        maybe = {str(s.table) for s in plan.selected if s.conditional}
        assert certain <= written, self.said(f"was planned and not written: {certain - written}")
        assert written <= certain | maybe, self.said(f"was written and not planned: {written - certain - maybe}")

    def _counted(self, lost: set[str], run: Run) -> None:
        """Count what was recomputed by keys among what could be: its inputs tell what changed, and it itself stands."""
        written = {str(r.table) for r in run.published}
        full = {
            e.table: e.data["text"]
            for e in self.raft.events
            if e.kind == "note" and "rebuilt in full" in e.data["text"]
        }
        for model in self.chain.models:
            if model.kind == "view":
                lost |= {model.name} if lost & {model.name, *model.inputs} else set()
            if model.kind == "view" or model.name not in written:
                continue
            if model.kind == "table" or lost & {model.name, *model.inputs}:
                lost.add(model.name)
                continue
            self.tally.eligible[model.shape] += 1
            if model.name in full:
                lost.add(model.name)
                self.tally.refused.append((model.shape, self.said(f"{full[model.name]}\n  {model.query}")))
            else:
                self.tally.followed[model.shape] += 1

    def judge(self, way: str) -> None:
        """Rebuild all with nothing but DuckDB over the streams' tables; each table must be that, as a multiset."""
        con = duckdb.connect(config={"threads": 1})
        for schema in ("bronze", "silver", "gold", "is"):
            con.execute(f'create schema "{schema}"')
        for stream in MODES:
            con.register("came", published(self.root, f"bronze.land_{stream}"))
            con.execute(f"create table bronze.land_{stream} as select * exclude ({', '.join(OWN)}) from came")
            if self.told[stream]:
                differ = differing(con, f"bronze.land_{stream}", self._landed(stream), self.columns[stream])
                self.found(differ, f"after {way}, bronze.land_{stream} is not what its files say")
        for model in self.chain.models:
            con.execute(f"create {'view' if model.kind == 'view' else 'table'} {model.name} as {model.query}")
            if model.kind != "view":
                con.register("came", published(self.root, model.name))
                names = [c for c, *_ in con.execute(f"describe {model.name}").fetchall()]
                differ = differing(con, "came", f"from {model.name}", names)
                self.found(differ, f"after {way}, {model.name} ({model.shape}) is not its query\n  {model.query}")
        con.close()

    def found(self, rows: int, text: str) -> None:
        """Note that something is wrong."""
        if rows:
            self.tally.wrong.append(self.said(f"{text} ({rows} rows)"))

    def said(self, text: str) -> str:
        """Say what is wrong, with what it takes to see it again."""
        return f"{text}\n  history {self.seed}, in {self.root}"

    def _landed(self, stream: str) -> str:
        read = f"read_parquet('{self.root}/land/{stream}_*.parquet', union_by_name = true, filename = true)"
        if MODES[stream] != "merge":
            return f"from {read}"
        return f"from {read} qualify row_number() over (partition by id order by filename desc) = 1"

    def _tables(self) -> list[Model]:
        return [m for m in self.chain.models if m.kind != "view"]


def live(
    folder: Path, seed: str, tally: Tally, shapes: Sequence[str] = (), ways: Sequence[str] = (), length: int = 6
) -> None:
    """Let a project live through a history; `ways` are what happens, at random when there are none."""
    world = World(folder / f"history-{seed}", seed, tally, shapes, length)
    world.run(None)
    world.judge("the first run")
    for number in range(len(ways) or length):
        way = ways[number] if ways else world.rng.choices(list(WAYS), list(WAYS.values()))[0]
        world.step(way)
        tally.steps += 1
        tally.ways[way] += 1
        if tally.wrong:
            return
    tally.histories += 1
    shutil.rmtree(world.root)


def published(root: Path, name: str) -> pa.Table:
    """Read a table as anybody may, by its Delta log."""
    return DeltaTable(str(root / "lake" / name.replace(".", "/"))).to_pyarrow_table()


def rows(root: Path, name: str) -> list[str]:
    """Give a table's rows without what differs from run to run, sorted."""
    found = published(root, name)
    kept = found.drop_columns([c for c in OWN if c in found.schema.names])
    return sorted(str(row) for row in kept.to_pylist())


def differing(con: duckdb.DuckDBPyConnection, one: str, other: str, names: Collection[str]) -> int:
    """Count the rows in which two tables differ, as multisets."""
    shown = ", ".join(names)
    a, b = f"select {shown} from {one}", f"select {shown} from ({other})"
    differ = f"(({a}) except all ({b})) union all (({b}) except all ({a}))"
    (found,) = con.execute(f"select count(*) from ({differ})").fetchall()
    return int(found[0])
