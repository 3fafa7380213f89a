"""Composition root: opens a Project on a Target and wires lake, engine, plan, run and queries together."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lagoa import registry
from lagoa.catalog.exposed import exposed
from lagoa.errors import CommandError, LakeError
from lagoa.kit.redact import Redactor
from lagoa.kit.stop import Stop
from lagoa.lake.maintain import checkpoint
from lagoa.lake.restore import restore
from lagoa.lake.staging import Staging, live, sweep
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.lake.upkeep import Cared, look_after
from lagoa.lake.verify import Finding, verify
from lagoa.observe.events import Event, Events
from lagoa.observe.log import RunLog, RunRecord, came_to, last_runs, new_run_id, runs_folder, started
from lagoa.plan.make import Wish, asked, make
from lagoa.plan.observe import Actual, observe
from lagoa.plan.routes import Routes, routes
from lagoa.plan.span import Day, span_of
from lagoa.plan.stamp import Recorded, hold, recorded
from lagoa.plan.standing import standing
from lagoa.plan.step import Plan
from lagoa.ports import Engine, Session
from lagoa.project import model as declared
from lagoa.project.load import load
from lagoa.project.select import select as choose
from lagoa.run.context import Context
from lagoa.run.execute import Executor
from lagoa.run.report import Result, Run
from lagoa.run.trial.tests import Tests
from lagoa.serve.diff import before_last, diff, side
from lagoa.serve.difference import Diff
from lagoa.serve.query import read
from lagoa.spec.names import TableName
from lagoa.transform.prospect import Prospect

if TYPE_CHECKING:
    import pyarrow as pa

CHECKPOINT_EVERY = 10
"""Commits between two checkpoints of a table."""
Listener = Callable[[Event], None]

KEEP = timedelta(days=7)
"""How long `maintain` keeps what no version needs any more, so that time travel and slow readers go on working."""


class Project:
    """A project on a target: what the commands, a notebook and a scheduler use.

    >>> with Project.open("shop") as shop:
    ...     shop.run()
    ...     shop.query("select * from gold.revenue").read_all()
    """

    def __init__(self, loaded: declared.Project) -> None:
        self.project = loaded
        self.redact = Redactor(loaded.secrets)
        self._engine_folder: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def open(cls, root: Path | str = ".", target: str | None = None, *, fresh: bool = False) -> Self:
        """Load the project in a folder. Raises ProjectErrors with all that is wrong with it.

        `fresh` asks sources that take a whole schema (`streams: {"*": …}`) for its tables, as a run should.
        """
        return cls(load(Path(root), target, fresh=fresh))

    def __repr__(self) -> str:
        return f"<lagoa.Project {self.name} on {self.target_name}>"

    @property
    def name(self) -> str:
        """The project's name."""
        return self.project.file.name

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.root

    @property
    def target_name(self) -> str:
        """The target in use."""
        return self.project.target_name

    @cached_property
    def engine(self) -> Engine:
        """What executes SQL; started when it is first needed."""
        target = self.project.target
        self._engine_folder = tempfile.TemporaryDirectory(prefix="lagoa-", ignore_cleanup_errors=True)
        built: Engine = registry.adapter("engines", target.engine)(
            threads=target.threads, memory=target.memory, folder=Path(self._engine_folder.name)
        )
        return built

    @cached_property
    def routes(self) -> Routes:
        """Where each table is read; each plan and each run looks again."""
        return routes(self.project)

    @cached_property
    def lake(self) -> Lake:
        """The lake as this target sees it: of a target that defers, what does not differ is the other target's."""
        return Lake(self.project.lake, self.routes.elsewhere)

    def _route(self, select: Collection[TableName] = (), ingest: bool = False) -> None:
        """Look again at what differs from the other target, and let the chosen streams be loaded here."""
        if ingest and self.project.defer is None:
            hint = f"`lagoa run -t {self.target_name}` asks the sources anyway"
            words = f"--ingest is for a target that defers; {self.target_name} does not"
            raise CommandError("LG-601", words, hint=hint)
        self.__dict__["routes"] = routes(self.project, select if ingest else ())
        self.__dict__.pop("lake", None)

    def plan(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        full: bool = False,
        accept: bool = False,
        reset_cursor: bool = False,
        ingest: bool = False,
        drop: bool = False,
        start: Day | None = None,
        end: Day | None = None,
    ) -> Plan:
        """Say what a run would do and why; writes nothing and asks no source."""
        wish = self._wish(select, exclude, full, reset_cursor, accept, ingest, drop)
        wish = replace(wish, span=span_of(self.project, wish.selected, start, end))
        return make(self.project, self._observed(wish), wish, self._sessions, self._prospect)

    def _observed(self, wish: Wish) -> Actual:
        self._route(wish.selected, wish.ingest)
        return observe(self.project, self.lake, wish.selected, self.routes, wish.removed)

    def run(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        full: bool = False,
        accept: bool = False,
        reset_cursor: bool = False,
        verify: bool = False,
        ingest: bool = False,
        drop: bool = False,
        start: Day | None = None,
        end: Day | None = None,
        plan: Recorded | None = None,
        listeners: Sequence[Listener] = (),
        stop: Stop | None = None,
    ) -> Run:
        """Carry out the plan; events go to the run's log and the listeners. Raises only when nothing can run.

        `start` and `end` rebuild the partitions of `time:` between them. `plan` is one that was made before: exactly
        that is done, whatever else is asked for. Raises LagoaError LG-507 when it no longer holds.
        """
        saved = recorded(plan) if plan is not None else None
        wish = self._wish(select, exclude, full, reset_cursor, accept, ingest, drop) if saved is None else asked(saved)
        if saved is None:
            wish = replace(wish, span=span_of(self.project, wish.selected, start, end))
        began, at = time.monotonic(), datetime.now(UTC)
        run = new_run_id(at)
        events, stop = Events(run, self.redact), stop or Stop()
        self.lake.root.mkdir(parents=True, exist_ok=True)
        sweep(self.lake.root)
        with Staging(self.lake.root, run) as staging, ExitStack() as stack:
            actual = self._observed(wish)
            made = make(self.project, actual, wish, self._sessions)
            if saved is not None:
                hold(saved, made)
            log = stack.enter_context(RunLog(runs_folder(self.root), run))
            events.listen(log)
            for listener in listeners:
                events.listen(listener)
            events.emit("run.started", target=self.target_name, select=list(select), full=wish.full)
            events.emit("plan.made", steps=[s.to_json() for s in made.selected])
            context = self._context(events, stop, at, staging.folder, actual)
            context.accept, context.verify, context.exact = wish.accept, verify, saved is not None
            results = Executor(context, made, wish.reset_cursor).results()
            _checkpointed(self.lake, results)
            done = Run(run, results, time.monotonic() - began, stop.event.is_set())
            events.emit("run.finished", status=_status(done), seconds=round(done.seconds, 3))
        self._forget()
        return done

    def _forget(self) -> None:
        for known in ("routes", "lake"):
            self.__dict__.pop(known, None)  # what was loaded here is this target's own from now on

    def _context(self, events: Events, stop: Stop, at: datetime, folder: Path, actual: Actual) -> Context:
        threads = self.project.target.threads or os.cpu_count() or 1
        pinned = {name: found for name, found in actual.tables.items() if isinstance(found, Table)}
        return Context(
            self.project,
            self.lake,
            lambda: self.engine,
            threads,
            events,
            stop,
            events.run,
            at,
            folder,
            pinned=pinned,
        )

    def _sessions(self) -> AbstractContextManager[Session]:
        return self.engine.session()

    @property
    def _prospect(self) -> Prospect:
        return Prospect(self.project, self.lake, self._sessions)

    def _wish(self, select: Sequence[str], exclude: Sequence[str], *flags: bool) -> Wish:
        """Return what is asked for; `flags` are those of Wish, in its order."""
        wish = replace(Wish(frozenset(self.chosen(select, exclude)), *flags), removed=not select)
        if wish.drop and not wish.removed:
            hint = "say it without -s: the plan names each of them"
            raise CommandError(
                "LG-601", "--drop drops every table that nothing makes, and none that is selected", hint=hint
            )
        return wish

    def chosen(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> set[TableName]:
        """Return the tables that selectors choose. `state:` looks into the lake, `result:` at the last run's log."""
        standings = cache(lambda: standing(self.project, observe(self.project, self.lake, self.project.graph.nodes)))

        def facts(method: str, value: str) -> set[TableName]:
            if method == "state":
                return {name for name, said in standings().items() if value in said}
            return set(map(TableName.parse, came_to(self._last_run(), value)))

        return choose(self.project.graph, list(select), list(exclude), facts)

    def _last_run(self) -> RunRecord:
        runs = (run for run in last_runs(runs_folder(self.root), 100) if run.target == self.target_name)
        if (found := next(runs, None)) is None:
            hint = "`lagoa run` writes one"
            raise CommandError("LG-601", f"no run on {self.target_name} is logged, so there is no result", hint=hint)
        return found

    @property
    def tests(self) -> Tests:
        """The tests of `tests/`: `run()` them, or `record()` one from rows of the lake."""
        return Tests(self.project, self.lake, self.engine, self.chosen)

    def table(self, name: str) -> Table:
        """Open a table's newest version."""
        return self.lake.open(TableName.parse(name))

    def restore(self, name: str, version: int) -> Table:
        """Put a table's rows and state back to an earlier version, in one commit."""
        return restore(self.lake, TableName.parse(name), version, new_run_id(datetime.now(UTC)))

    def query(self, sql: str, at: str | int | datetime | None = None) -> pa.RecordBatchReader:
        """Stream the rows of one SELECT over the project's tables, each pinned; `at` is a version or a time."""
        return read(self.project, self.lake, self.engine, sql, at)

    def diff(
        self,
        name: str,
        other: str | None = None,
        versions: tuple[int | datetime, int | datetime] | None = None,
        *,
        key: Sequence[str] = (),
        rows: int = 5,
    ) -> Diff:
        """Compare a table with that of another target, or two of its versions; `rows` of each sort are shown.

        Named neither, it is compared with the target to which this one defers, or with the version before.
        """
        table = TableName.parse(name)
        other = other or (self.project.defer.target if self.project.defer and versions is None else None)
        if other is not None:
            with type(self).open(self.root, other) as there:
                before, after = side(there.project, there.lake, table), side(self.project, self.lake, table)
        else:
            after = side(self.project, self.lake, table, versions[1] if versions else None)
            before = side(self.project, self.lake, table, versions[0] if versions else before_last(after))
        with self.engine.session() as session:
            return diff(self.project, session, before, after, key, rows)

    def maintain(
        self, select: Sequence[str] = (), exclude: Sequence[str] = (), *, keep: timedelta = KEEP
    ) -> list[Cared]:
        """Compact small files, remove what no version younger than `keep` needs, write checkpoints.

        A table that is stopped is left alone, with its error; the others are looked after.
        """
        run = new_run_id(datetime.now(UTC))
        with Staging(self.lake.root, run) as staging:
            sweep(self.lake.root)
            lakes = (self.lake.root, *self.project.deferring)  # their runs read here, too
            oldest = started(min(run for lake in lakes for run in live(lake)))
            names = self.held(select, exclude)
            return [look_after(self.lake, self._sessions, n, staging.folder, run, keep, oldest) for n in names]

    def doctor(self, select: Sequence[str] = (), exclude: Sequence[str] = (), *, deep: bool = False) -> list[Finding]:
        """Look for damage and for what could become damage; `deep` reads every byte. Changes nothing."""
        names = self.built(select, exclude)
        damage = [finding for name in names for finding in verify(self.lake, name, deep)]
        return [*damage, *exposed(self.project, self.lake, names)]

    def built(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[TableName]:
        """List the chosen tables that the lake holds, with their quarantines; no words choose all that there are."""
        names = self.lake.names()
        if not select and not exclude:
            return names
        wanted = self.chosen(select, exclude)
        return [n for n in names if n.guarded in wanted]

    def held(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[TableName]:
        """List those of the built tables that this target holds itself, and so may look after."""
        return [name for name in self.built(select, exclude) if name.guarded not in self.lake.elsewhere]

    def close(self) -> None:
        """Free the engine and its scratch folder."""
        if "engine" in self.__dict__:
            self.engine.close()
        if self._engine_folder is not None:
            self._engine_folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _status(done: Run) -> str:
    return "stopped" if done.stopped else "done" if done.ok else "failed"


def _checkpointed(lake: Lake, results: Sequence[Result]) -> None:
    """Let published tables have a checkpoint every few commits, so that opening them stays quick."""
    for result in results:
        if result.status == "published":
            with suppress(LakeError):  # what is published is true without it; `doctor` says what is wrong
                checkpoint(lake, result.table, every=CHECKPOINT_EVERY)
