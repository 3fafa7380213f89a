"""Computes models over a test's rows in a lake of their own, by the very path of a run: what is tested is what runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from lagoa.errors import StepError
from lagoa.kit.stop import Stop
from lagoa.kit.text import columns, quote
from lagoa.lake.store import Lake
from lagoa.lake.table import Table, bind
from lagoa.observe.events import Events
from lagoa.observe.log import new_run_id
from lagoa.plan.make import Wish, make
from lagoa.plan.observe import observe
from lagoa.ports import Engine, Session
from lagoa.project.model import Model, Project
from lagoa.run.context import Context
from lagoa.run.execute import Executor
from lagoa.run.trial.stage import trimmed
from lagoa.run.write import Mode, Work, write
from lagoa.spec.names import TableName
from lagoa.transform.bind import bind_tables
from lagoa.transform.incremental import VANISHED

_OLD, _NEW = "_old", "_new"
_COUNTED = "_copies"


class TrialLake:
    """A lake in a scratch folder, with the tables that a test gives and the models that it expects."""

    def __init__(self, project: Project, models: Sequence[Model], folder: Path) -> None:
        self._project, self._folder = trimmed(project, models), folder
        self._lake = Lake(folder / "lake")
        self._names = frozenset(model.name for model in models)
        self._round = 0

    def run(self, given: Mapping[TableName, pa.Table], engine: Engine, at: datetime) -> None:
        """Write what is given, then bring the models up to date. Raises the error of the first that fails."""
        self._round += 1
        context = self._context(engine, at)
        for name, rows in given.items():
            folder = context.folder / "given" / str(name)
            with engine.session() as session:
                _feed(context, session, name, rows, folder)
        plan = make(self._project, observe(self._project, self._lake, self._names), Wish(self._names))
        for result in Executor(self._context(engine, at), plan).results():
            if result.error is not None:
                raise result.error
            if result.status in ("blocked", "skipped"):
                raise StepError("LG-501", f"`{result.table}` could not be built: {result.reason}")

    def rows(self, session: Session, name: TableName) -> pa.Table:
        """Read the rows that a table or a view gives now."""
        bind_tables(session, self._project, [name], self._lake.open)
        return session.arrow(f"from {name}").read_all().cast(session.schema(f"from {name}"))

    def _context(self, engine: Engine, at: datetime) -> Context:
        run = new_run_id(datetime.now(UTC))
        folder = self._folder / f"{self._round}-{run}"
        folder.mkdir(parents=True)
        return Context(
            project=self._project,
            lake=self._lake,
            start=lambda: engine,
            threads=engine.threads,
            events=Events(run, str),
            stop=Stop(),
            run=run,
            at=at,
            folder=folder,
            verify=True,
        )


def _feed(context: Context, session: Session, name: TableName, rows: pa.Table, folder: Path) -> None:
    """Let a table hold these rows from now on: added ones are appended, others merged, as a stream would do it."""
    table = context.lake.open(name)
    session.bind(_NEW, rows)
    if not table.exists:
        _write(context, session, table, "replace", rows.schema, f"from {_NEW}", folder)
        return
    bind(session, _OLD, table)
    every = columns(rows.schema.names)
    gone = f"(select {every} from {_OLD}) except all (select {every} from {_NEW})"
    if not session.rows(f"select 1 from ({gone}) limit 1"):
        came = f"(select {every} from {_NEW}) except all (select {every} from {_OLD})"
        _write(context, session, table, "append", rows.schema, came, folder)
        return
    _merge(context, session, table, rows.schema, folder)


def _merge(context: Context, session: Session, table: Table, schema: pa.Schema, folder: Path) -> None:
    """Merge by whole rows: those of which there are more or fewer copies now are written again, or vanish."""
    every = columns(schema.names)
    old, new = (f"(select {every}, count(*) as {_COUNTED} from {side} group by all)" for side in (_OLD, _NEW))
    same = " and ".join(f"o.{quote(n)} is not distinct from n.{quote(n)}" for n in schema.names)
    again = f"from {new} as n anti join {old} as o on {same} and o.{_COUNTED} = n.{_COUNTED}"
    rows = f"select {every} from (select *, unnest(range({_COUNTED})) from ({again}))"
    gone = f"select {every}, true as {VANISHED} from {old} as o anti join {new} as n on {same}"
    marked = pa.schema([*schema, (VANISHED, pa.bool_())])
    vanished = session.stage(gone, folder / "vanished", marked)
    staged = session.stage(rows, folder / "rows", schema)
    work = Work(table, "merge", schema, staged, "given", key=schema.names, vanished=vanished)
    write(context, session, work, folder)


def _write(
    context: Context, session: Session, table: Table, mode: Mode, schema: pa.Schema, rows: str, folder: Path
) -> None:
    staged = session.stage(rows, folder / "rows", schema)
    write(context, session, Work(table, mode, schema, staged, "given"), folder)
