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
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from tests.projects.history_models import LOGGED, REFUSED, SHAPES, TIMES, VALUES, Chain, Kind, Model, Relation
from tests.projects.history_truths import Truths, steady

from lagoa.errors import LakeError
from lagoa.plan.step import Plan
from lagoa.ports import OWN
from lagoa.run.report import Run
from lagoa.testing.raft import Raft

MODES = {"t1": "merge", "t2": "merge", "t3": "append", "r": "replace"}
SHAPE_OF = {"t1": "id a b v s d gone", "t2": "id a m gone", "t3": "id b v d", "r": "a s"}
TYPES = {"id": "BIGINT", "v": "INTEGER", "s": "VARCHAR", "m": "DECIMAL(12,2)", "gone": "BOOLEAN", "w": "INTEGER"}
IDS = 40
WAYS = {"arrive": 10, "pile": 3, "compact": 3, "kill": 2, "widen": 1, "restore": 1, "foreign": 1, "edit": 1, "fill": 1}
"""What may happen in a step, and how often beside the others."""
KINDS: dict[Kind, int] = {"incremental": 10, "dated": 3, "scd2": 3, "append": 2, "table": 1, "view": 1}
"""How often models are of a kind beside the others."""


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
    judged: Counter[str] = field(default_factory=Counter)
    """How often a model of a kind was compared with its truth."""
    wrong: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of the eligible steps that were recomputed by keys."""
        return self.followed.total() / max(1, self.eligible.total())

    def told(self) -> str:
        """Say it in a line."""
        return (
            f"{self.histories} histories, {self.steps} steps ({dict(self.ways)}): {self.followed.total()} of "
            f"{self.eligible.total()} eligible steps of models by keys ({self.share:.0%}); "
            f"compared {dict(self.judged)}"
        )


@dataclass
class World:
    """One project, its streams' files, and its history so far.

    `shapes` are those of its models, with `kinds` beside them; without kinds all are incremental.
    """

    root: Path
    seed: str
    tally: Tally
    shapes: Sequence[str] = ()
    kinds: Sequence[Kind] = ()
    length: int = 6

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.raft = Raft(self.root)
        self.files, self.began = 0, datetime.now(UTC)
        self.kind = self.rng.choice(list(VALUES))
        types = {**TYPES, "d": self.rng.choice(list(TIMES))}
        self.columns = {t: {c: types.get(c, self.kind) for c in names.split()} for t, names in SHAPE_OF.items()}
        for extra in self.rng.sample(["s", "m", "v"], 2):
            self.columns[self.rng.choice(["t1", "t2", "t3"])].setdefault(extra, TYPES[extra])
        self.told = dict.fromkeys(MODES, True)
        """Whether a stream's table is still what its files alone say."""
        lines = [f'{t}: {{path: "{t}_*.parquet", mode: {mode}{self._key(mode)}}}' for t, mode in MODES.items()]
        self.raft.source("land", "\n".join(lines))
        self.truths = Truths()
        self.anew: set[str] = set()
        """Logs that were built anew in this step, and so are what their queries give."""
        self.chain = self._chain()
        for model in self.chain.models:
            self._write(model)
        self.arrive(list(MODES), 25)

    def _key(self, mode: str) -> str:
        return ", key: id" if mode == "merge" else ""

    def _chain(self) -> Chain:
        rng, chain = self.rng, Chain(self.rng, self.kind)
        for t, columns in self.columns.items():
            chain.read(Relation(f"bronze.land_{t}", columns, 40, MODES[t] == "append"))
        chain.grow("alive")
        for number, shape in enumerate(self.shapes):
            chain.grow(shape, self.kinds[number] if self.kinds else "incremental")
        for _ in range(0 if self.shapes else 5):
            kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
            able = LOGGED if kind == "append" else list(SHAPES if kind == "dated" or rng.random() < 0.92 else REFUSED)
            chain.grow(rng.choice(able), kind)
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
        if column == "d":
            return rng.choice([*TIMES[self.columns["t1"]["d"]], "null"])
        if column == "gone":
            return "true" if rng.random() < 0.3 else "false"
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
        self.began, self.anew = datetime.now(UTC), set()
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
            lost |= self._edited(self.rng.choice(self.chain.models))
        elif way == "fill":
            lost |= self._filled()
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
                self.truths.restore(name, version)
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

    def _edited(self, model: Model) -> set[str]:
        relation = next(r for r in self.chain.relations if r.name == model.name)
        condition = self.chain.condition("e", relation)
        query = f"select {', '.join(relation.columns)} from ({model.query}) e where {condition}"
        edited = replace(model, query=query)
        self.chain.models[self.chain.models.index(model)] = edited
        self._write(edited)
        self.anew |= self._meaning(model.name)
        return {model.name}

    def _meaning(self, name: str) -> set[str]:
        """Name a model and those that read it as a view: an edit of it is one of theirs."""
        found = {name}
        for model in self.chain.models:
            views = {m.name for m in self.chain.models if m.kind == "view"} & found
            found |= {model.name} if views & set(model.inputs) else set()
        return found

    def _filled(self) -> set[str]:
        """Rebuild a stretch of time of a model, edited or not, before what arrives is followed."""
        able = [m for m in self.chain.models if m.kind == "dated"]
        if not able:
            return set()
        model, lost = self.rng.choice(able), self._news()
        edited = self._edited(model) if self.rng.random() < 0.4 else set()
        self.run(lost, select=[f"bronze.land_{t}" for t in MODES])
        first, last = sorted(self.rng.sample(range(1, 10), 2))
        with self.raft.open() as project:
            run = project.run([model.name], start=date(2024, first, 1), end=date(2024, last, 1))
        assert run.ok, self.said(str([r.error for r in run.results]))
        return lost | edited

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
            mine, theirs = (steady(rows(root, name), self.began) for root in (self.root, twin.root))
            assert mine == theirs, self.said(f"{name} differs from its twin's")
        shutil.rmtree(twin.root)

    # ------------------------------------------------------------ what must hold
    def run(self, lost: Collection[str] | None, select: Sequence[str] = (), **wish: Any) -> None:
        """Plan, run and plan again. `lost` are tables whose readers cannot tell what changed; None: not known."""
        self.raft.events = []
        lost = None if lost is None else set(lost)
        with self.raft.open() as project:
            plan = project.plan(select, **wish)
            sure = self.rng.random() < 0.1
            run = project.run(select, listeners=[self.raft.events.append], verify=sure, **wish)
            stuck = self._stuck(run, lost or set())
            errors = [(str(r.table), r.status, r.error) for r in run.results if r.error]
            assert run.ok or stuck, self.said(str(errors))
            self._as_planned(plan, run)
            if lost is not None:
                self._counted(lost, run)
            for name in stuck:
                assert project.run([name], full=True).ok
        if stuck:
            self.anew |= stuck
            return self.run(None if lost is None else lost | stuck, select)
        with self.raft.open() as project:
            left = project.plan(select).steps
        assert left == [], self.said(f"a plan after a run is not empty: {[s.to_json() for s in left]}")
        return None

    def _stuck(self, run: Run, lost: Collection[str]) -> set[str]:
        """Name the logs that a run could not go on with: their first inputs have not only gained rows."""
        failed = {str(r.table) for r in run.results if r.error}
        logs = {m.name: m.inputs[0] for m in self.chain.models if m.kind == "append"}
        told = {str(r.table) for r in run.results if "appends, but rows of" in str(r.error)}
        return failed if all(logs.get(n) in lost and n in told for n in failed) else set()

    def _as_planned(self, plan: Plan, run: Run) -> None:
        written = {str(r.table) for r in run.published}
        certain = {str(s.table) for s in plan.selected if s.writes}
        maybe = {str(s.table) for s in plan.selected if s.conditional}
        unable = {str(r.table) for r in run.results if r.status in ("failed", "blocked")}
        assert certain <= written | unable, self.said(f"was planned and not written: {certain - written}")
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
            if model.kind == "scd2" or (model.kind == "append" and model.name not in self.anew):
                continue  # what reads it can follow it, whatever its own inputs did
            if model.kind in ("table", "append") or lost & {model.name, *model.inputs}:
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
        self.truths.moments.append((self.began, datetime.now(UTC)))
        con = duckdb.connect(config={"threads": 1})
        con.execute("set timezone = 'UTC'")
        for schema in ("bronze", "silver", "gold", "is"):
            con.execute(f'create schema "{schema}"')
        for stream in MODES:
            con.register("came", published(self.root, f"bronze.land_{stream}"))
            con.execute(f"create table bronze.land_{stream} as select * exclude ({', '.join(OWN)}) from came")
            if self.told[stream]:
                differ = differing(con, f"bronze.land_{stream}", self._landed(stream), self.columns[stream])
                self.found(differ, f"after {way}, bronze.land_{stream} is not what its files say")
        for model in self.chain.models:
            self.tally.judged[model.kind] += 1
            if model.kind == "view":
                con.execute(f"create view {model.name} as {model.query}")
                continue
            differ = self._judged(con, model)
            self.found(differ, f"after {way}, {model.name} ({model.kind}, {model.shape}) is not right\n  {model.query}")
            if model.name in self.truths.now:
                self.truths.settle(model.name, DeltaTable(self._at(model.name)).version())
        con.close()

    def _judged(self, con: duckdb.DuckDBPyConnection, model: Model) -> int:
        """Make a model's table as it must be, and count the rows in which the lake's differs."""
        came = published(self.root, model.name)
        con.register("came", came)
        if model.kind == "scd2":
            (key, *_), time = model.key, model.time
            true = Counter(self.truths.history(con, model.name, model.query, key, time))
            held = Counter(self.truths.told(came, key, time))
            con.execute(f"create table {model.name} as from came")
            return ((true - held) + (held - true)).total()
        if model.kind == "append":
            anew = model.name in self.anew
            wrong = self.truths.log(con, model.name, model.inputs[0], model.query, anew)
            self.found(1 if wrong else 0, str(wrong))
        else:
            con.execute(f"create table {model.name} as {model.query}")
        names = [c for c, *_ in con.execute(f"describe {model.name}").fetchall()]
        return differing(con, "came", f"from {model.name}", names)

    def _at(self, name: str) -> Path:
        return self.root / "lake" / name.replace(".", "/")

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
    folder: Path,
    seed: str,
    tally: Tally,
    shapes: Sequence[str] = (),
    ways: Sequence[str] = (),
    length: int = 6,
    kinds: Sequence[Kind] = (),
) -> None:
    """Let a project live through a history; `ways` are what happens, at random when there are none."""
    world = World(folder / f"history-{seed}", seed, tally, shapes, kinds, length)
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


def rows(root: Path, name: str) -> list[dict[str, Any]]:
    """Give a table's rows without what Lagoa adds to them."""
    found = published(root, name)
    given: list[dict[str, Any]] = found.drop_columns([c for c in OWN if c in found.schema.names]).to_pylist()
    return given


def differing(con: duckdb.DuckDBPyConnection, one: str, other: str, names: Collection[str]) -> int:
    """Count the rows in which two tables differ, as multisets."""
    shown = ", ".join(names)
    a, b = f"select {shown} from {one}", f"select {shown} from ({other})"
    differ = f"(({a}) except all ({b})) union all (({b}) except all ({a}))"
    (found,) = con.execute(f"select count(*) from ({differ})").fetchall()
    return int(found[0])
