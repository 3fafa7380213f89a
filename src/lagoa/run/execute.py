"""Carries out a plan: the graph in parallel, retries for what can heal, and a failed table stops only its readers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from random import Random

from lagoa.errors import Conflict, LagoaError, SourceError, Stopped
from lagoa.lake.drop import drop
from lagoa.lake.files import is_refused, unwritable
from lagoa.lake.quarantine import follow
from lagoa.lake.restore import accept
from lagoa.lake.table import Table
from lagoa.plan.step import Plan, Step
from lagoa.run.context import Context
from lagoa.run.model import build
from lagoa.run.report import Result
from lagoa.run.stream import Stream, ingest
from lagoa.run.write import Written
from lagoa.spec.names import TableName
from lagoa.transform.bind import tables_behind

TRIES = 4
"""How often a step is tried when what went wrong can heal."""
FIRST_WAIT = 1.0
"""Seconds before the second try; each later wait is three times as long, with up to half of it added at random."""


class Executor:
    """Carries out one plan once; `results()` has one result for each selected table, upstream first."""

    def __init__(self, context: Context, plan: Plan, reset_cursor: bool = False) -> None:
        self._context, self._plan, self._reset = context, plan, reset_cursor
        self._steps: Mapping[TableName, Step] = {s.table: s for s in plan.selected if s.action != "keep"}
        self._results: dict[TableName, Result] = {}
        self._random = Random()  # noqa: S311  # jitter, not a secret

    def results(self) -> list[Result]:
        """Carry out the plan and return what became of each table."""
        waiting = {name: self._waits_for(step) for name, step in self._steps.items()}
        running: dict[Future[Result], TableName] = {}
        workers = max(2, self._context.threads)
        with ThreadPoolExecutor(workers, thread_name_prefix="step") as pool:
            while waiting or running:
                for name in [n for n, needs in waiting.items() if needs <= self._results.keys()]:
                    del waiting[name]
                    running[pool.submit(self._result, self._steps[name])] = name
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    self._results[running.pop(future)] = future.result()
        return [self._results[name] for name in self._steps]

    def _needs(self, step: Step) -> set[TableName]:
        """Name the steps whose tables this one is made of."""
        model = self._context.project.models.get(step.table)
        return self._behind(step, model.inputs) if model is not None else set()

    def _waits_for(self, step: Step) -> set[TableName]:
        """Name the steps that must have ended before this one may begin: its inputs, and what its checks read.

        A table is dropped after all else: what was made of it is made of something else by then.
        """
        if step.kind == "removed":
            return {name for name, other in self._steps.items() if other.kind != "removed"}
        return self._behind(step, self._context.project.graph.waits_for(step.table))

    def _behind(self, step: Step, names: Sequence[TableName]) -> set[TableName]:
        found = {i.guarded for i in tables_behind(self._context.project, names)}
        return (found & self._steps.keys()) - {step.table}

    def _result(self, step: Step) -> Result:
        began = time.monotonic()
        name = str(step.table)
        events = self._context.events
        if step.status in ("view", "deferred"):
            return Result(step.table, "view" if step.status == "view" else "deferred", step.reason)
        if because := self._unmet(step):
            events.emit("step.blocked", name, because=because)
            return Result(step.table, "blocked", because, error=step.error)
        if self._context.stop.event.is_set():
            events.emit("step.skipped", name, because="the run was stopped")
            return Result(step.table, "skipped", "the run was stopped")
        done = self._dropped if step.status == "removed" else self._done
        try:
            return done(step, began)
        except Stopped:
            events.emit("step.skipped", name, because="the run was stopped")
            return Result(step.table, "skipped", "the run was stopped", seconds=time.monotonic() - began)
        except LagoaError as error:
            events.emit("step.failed", name, code=error.code, message=error.message)
            return Result(step.table, "failed", error.message, seconds=time.monotonic() - began, error=error)
        except Exception as error:  # noqa: BLE001  # one table's bug must not take the others down
            bug = _told(name, error)
            events.emit("step.failed", name, code=bug.code, message=bug.message)
            return Result(step.table, "failed", bug.message, seconds=time.monotonic() - began, error=bug)

    def _done(self, step: Step, began: float) -> Result:
        events, name = self._context.events, str(step.table)
        self._catch_up(step)
        if self._nothing_moved(step):
            events.emit("step.unchanged", name, because=step.reason)
            return self._unchanged(step, began)
        events.emit("step.started", name)
        written = self._tried(step)
        if written is None or not written.changed:
            events.emit("step.unchanged", name, because="nothing new")
            return self._unchanged(step, began)
        return Result(
            step.table,
            "published",
            step.reason,
            written.rows,
            written.table.rows,
            written.quarantined,
            time.monotonic() - began,
            written.table.version,
        )

    def _unchanged(self, step: Step, began: float) -> Result:
        table = self._context.pinned.get(step.table)
        total, version = (table.rows, table.version) if table is not None and table.exists else (0, None)
        return Result(step.table, "unchanged", step.reason, 0, total, 0, time.monotonic() - began, version)

    def _unmet(self, step: Step) -> str | None:
        if step.status == "blocked":
            return step.reason
        if step.status == "removed":
            return self._unmet_drop()
        for name in sorted(self._needs(step)):
            result = self._results[name]
            if result.status in ("failed", "blocked", "skipped"):
                return f"{name} {'failed' if result.status == 'failed' else 'was not built'}"
        return None

    def _unmet_drop(self) -> str | None:
        """Keep what is to be dropped while a table that was made of it may not have been made anew."""
        done = [r for name, r in self._results.items() if self._steps[name].kind != "removed"]
        bad = next((r for r in done if r.status in ("failed", "blocked", "skipped")), None)
        return f"kept, because {bad.table} was not built" if bad else None

    def _dropped(self, step: Step, began: float) -> Result:
        context = self._context
        context.events.emit("step.started", str(step.table))
        table = context.pin(step.table)
        rows = drop(context.lake, table, context.folder, context.run)
        context.events.emit("step.dropped", str(step.table), rows=rows)
        return Result(step.table, "dropped", step.reason, rows, 0, 0, time.monotonic() - began)

    def _catch_up(self, step: Step) -> None:
        """Let the quarantine follow what a run published that was killed before it could see to that."""
        table = self._context.pinned.get(step.table)
        if table is not None and table.state is not None and table.state.bad_at is not None:
            follow(self._context.lake, step.table)

    def _nothing_moved(self, step: Step) -> bool:
        """Say, without opening anything, that a model need not run: nothing upstream was published in this run."""
        if step.status != "up to date":
            return False
        return not any(self._results[n].status == "published" for n in self._needs(step))

    def _tried(self, step: Step) -> Written | None:
        """Carry out the step, again after a failure that can heal and after a rival's publish."""
        stream = self._stream(step)
        for attempt in range(1, TRIES + 1):
            try:
                return self._carried_out(step, stream, attempt)
            except Conflict as error:
                if attempt == TRIES or self._context.exact:
                    raise
                self._context.unpin(step.table)
                self._retry(step, attempt, 0, error)
            except SourceError as error:
                if not error.retry or attempt == TRIES:
                    raise
                jitter = 1 + self._random.random() / 2
                self._retry(step, attempt, FIRST_WAIT * 3 ** (attempt - 1) * jitter, error)
        raise AssertionError("the loop returns or raises")

    def _retry(self, step: Step, attempt: int, seconds: float, error: LagoaError) -> None:
        told = {"attempt": attempt, "wait_s": round(seconds, 1), "error": error.message}
        self._context.events.emit("step.retry", str(step.table), **told)
        self._context.stop.wait(seconds)

    def _stream(self, step: Step) -> Stream | None:
        entry = self._context.project.graph.streams.get(step.table)
        return Stream(self._context, step, entry, self._reset) if entry is not None else None

    def _carried_out(self, step: Step, stream: Stream | None, attempt: int) -> Written | None:
        context = self._context
        folder = context.folder / f"{step.table}-{attempt}"
        folder.mkdir(parents=True)
        taken = self._accepted(step) if context.accept and not step.full else None
        if step.status == "new" and (made := context.lake.open(step.table, trust=True)).exists:
            if context.exact:
                raise Conflict("LG-305", f"another run made {step.table} since it was planned", hint="plan again")
            context.move(made)  # a rival made it since the plan was made
            step = replace(step, full=False)
        if stream is None:
            written = build(context, step, context.project.models[step.table], folder)
        else:
            stream.step = step
            written = ingest(stream, folder)
        if taken is not None and (written is None or not written.changed):
            return Written(taken, 0, 0, changed=True)
        return written

    def _accepted(self, step: Step) -> Table | None:
        """Take the table as somebody else left it: a version of its own. One that is as we left it stays as it is."""
        found = self._context.lake.open(step.table, trust=True)
        if not found.exists:
            return None
        taken = accept(self._context.lake, step.table, self._context.run)
        self._context.move(taken)
        if taken.version == found.version:
            return None
        said = f"taken as it is, with {taken.rows:,} rows, as version {taken.version}"
        self._context.events.emit("note", str(step.table), text=said)
        return taken


def _told(table: str, error: Exception) -> LagoaError:
    """Say what no step expected: a disk that takes no more, or a bug."""
    if isinstance(error, OSError) and is_refused(error):
        return unwritable(table, error)
    bug = LagoaError("LG-605", f"{type(error).__name__}: {error}")
    bug.__cause__ = error
    return bug
