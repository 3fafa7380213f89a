"""Compares what the project declares with what the lake holds, and says what a run will do; it writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Literal

from lagoa.errors import LagoaError, LakeError, Place
from lagoa.ingest.definition import changes as changes_of_stream
from lagoa.ingest.definition import definition as definition_of_stream
from lagoa.lake.state import State
from lagoa.lake.table import Table
from lagoa.plan.estimate import estimated
from lagoa.plan.forecast import Forecast
from lagoa.plan.format import PlanForm
from lagoa.plan.news import News, news
from lagoa.plan.observe import Actual
from lagoa.plan.stamp import stamped
from lagoa.plan.step import WRITTEN, Action, Plan, Step
from lagoa.plan.through import own, through
from lagoa.ports import Session
from lagoa.project.model import Model, Project, StreamTable
from lagoa.spec.names import TableName
from lagoa.transform.append import not_only_added
from lagoa.transform.bind import tables_behind
from lagoa.transform.definition import changes, definition
from lagoa.transform.partitions import Built, Stretch, grain_of, partitions, stretch
from lagoa.transform.prospect import Prospect

_LOOKED_AT = 50
"""Of steps that are certain, and of the others, so many are looked at for how they will be followed: a plan must stay
quick."""
Sessions = Callable[[], AbstractContextManager[Session]]
"""Opens a session of the engine."""


@dataclass(frozen=True)
class Wish:
    """What the user asked for: which tables, and whether to rebuild or read again whatever the lake says."""

    selected: frozenset[TableName]
    full: bool = False
    reset_cursor: bool = False
    accept: bool = False
    ingest: bool = False
    drop: bool = False
    """Drop the tables that nothing makes any more."""
    removed: bool = False
    """Look for such tables: nothing was selected, so everything is meant."""
    span: Stretch | None = field(default=None, kw_only=True)
    """Rebuild partitions of time, all of the selected tables having some."""


def asked(saved: PlanForm) -> Wish:
    """Return what a recorded plan was asked for."""
    told = saved.asked
    selected = frozenset(TableName.parse(name) for name in told.tables)
    span = stretch(told.start, told.end) if told.start else None
    return Wish(selected, told.full, told.reset_cursor, told.accept, told.ingest, told.drop, told.removed, span=span)


def make(
    project: Project,
    actual: Actual,
    wish: Wish,
    sessions: Sessions | None = None,
    prospect: Prospect | None = None,
) -> Plan:
    """Make the plan: one step for each selected table, upstream first, then one for each that nothing makes.

    With `sessions`, steps say how columns change, and what cannot be built for it is blocked. With `prospect`, a step
    of an incremental model says whether it will be rebuilt in full, and why.
    """
    with Forecast(project, actual, sessions) as forecast:
        making = _Making(project, actual, wish, forecast, prospect)
        for name in project.graph.order:
            if name in wish.selected:
                making.steps[name] = own(making.step(name), actual.routes)
        for name, step in making.steps.items():
            if step.columns is not None and step.columns.lost:
                making.steps[name] = replace(step, felt=forecast.felt(name, step.columns.lost))
    steps = [*making.steps.values(), *(_left_step(actual, wish, name) for name in actual.removed)]
    return stamped(project, actual, wish, steps)


@dataclass
class _Making:
    """A plan on its way; `steps` are those of all that comes before the next table."""

    project: Project
    actual: Actual
    wish: Wish
    forecast: Forecast
    prospect: Prospect | None
    steps: dict[TableName, Step] = field(default_factory=dict)
    looked: Counter[bool] = field(default_factory=Counter)
    """How many steps were looked at, by whether they are conditional."""

    def step(self, name: TableName) -> Step:
        """Make the step of one table."""
        model = self.project.models.get(name)
        if deferred := through(self.project, name, self.actual.tables.get(name), self.actual.routes):
            return deferred
        if model is None:
            return _stream_step(self.project, name, self.actual, self.wish)
        if model.header.kind == "view":
            return self.forecast.foresee(model, Step(name, "view", "read where it is used", "view"), False, ())
        inputs = tables_behind(self.project, model.inputs)
        moved = self._moved(name, inputs)
        step, differs = self._model_step(model, inputs, moved)
        step = self.forecast.foresee(model, step, differs, moved)
        if step.status == "blocked":
            return step
        if model.header.kind == "incremental":
            step = self._foreseen(model, step, inputs, moved)
        step = replace(step, action=_action(step))
        if not step.full and _partly_built(model, self.actual.tables.get(name)):
            return step  # how much of it is not built is not known from statistics
        return estimated(step, inputs, moved, self.actual, self.steps)

    def _moved(self, name: TableName, inputs: Sequence[TableName]) -> list[News]:
        """Tell the news of the inputs of a table that is there."""
        found = self.actual.tables[name]
        if not isinstance(found, Table) or found.state is None:
            return []
        told = []
        for needed in inputs:
            table, taken = self.actual.tables[needed.guarded], _consumed(found, needed)
            if isinstance(table, Table) and table.exists and taken != self.actual.state_of(needed):
                told.append(news(needed, table, taken))
        return told

    def _model_step(self, model: Model, inputs: Sequence[TableName], moved: Sequence[News]) -> tuple[Step, bool]:
        """Make a model's step, and say whether its definition differs from the one that made the table."""
        name, kind, wish = model.name, model.header.kind, self.wish
        found = self.actual.tables[name]
        if lacking := self._lacking(inputs):
            return Step(name, "blocked", lacking, kind), False
        if isinstance(found, LakeError):
            if wish.full and kind != "scd2":
                return Step(name, "changed", f"rebuilt although {found.message}", kind, full=True), True
            if not wish.accept:
                return Step(name, "blocked", found.message, kind, error=found), False
            return Step(name, "new data", f"accepts it although {found.message}", kind), False
        if not found.exists or found.state is None:
            if wish.span is not None:
                return _span_step(model, "new", wish.span), True
            return Step(name, "new", "not built yet", kind, full=True), True
        return self._built_step(model, found.state, inputs, moved)

    def _built_step(
        self, model: Model, state: State, inputs: Sequence[TableName], moved: Sequence[News]
    ) -> tuple[Step, bool]:
        name, kind, wish = model.name, model.header.kind, self.wish
        said = changes(state.definition or {}, definition(self.project, model))
        if wish.span is not None:
            return _span_step(model, "changed", wish.span), bool(said)
        if lost := _history_lost(model, state, wish):
            return lost, False
        if wish.full:
            words = (
                "compared whole, as --full says; its history is kept" if kind == "scd2" else "rebuilt, as --full says"
            )
            return Step(name, "changed", "; ".join([words, *said]), kind, full=True), bool(said)
        if said:
            return Step(name, "changed", "; ".join(said), kind, full=True), True
        if _partly_built(model, self.actual.tables.get(name)):
            return Step(name, "new data", "partitions of it are not built yet", kind), False
        if model.header.kind == "append" and any(n.table == inputs[0] and n.more_than_added for n in moved):
            error = not_only_added(model, inputs[0])
            return Step(name, "blocked", error.message.replace("`", ""), kind, error=error), False
        return self._news_step(name, kind, inputs, moved), False

    def _news_step(self, name: TableName, kind: str, inputs: Sequence[TableName], moved: Sequence[News]) -> Step:
        there = {n.table for n in moved}
        behind = [(i, s) for i in inputs if (s := self.steps.get(i.guarded)) is not None]
        written = [i for i, s in behind if s.writes and i not in there]
        if moved or written:
            said = [*map(str, moved), *(f"{i} will be written" for i in written)]
            certain = moved or any(self._changes_rows(i.guarded) for i in written)
            return Step(name, "new data", "; ".join(said), kind, conditional=not certain)
        if maybe := [i for i, s in behind if s.conditional]:
            return Step(name, "up to date", f"from {', '.join(map(str, maybe))}", kind, conditional=True)
        return Step(name, "up to date", "nothing that it reads has changed", kind)

    def _changes_rows(self, name: TableName) -> bool:
        """Say whether a step that writes is sure to change rows: touched keys, or no rows, may come out as before."""
        step, found = self.steps[name], self.actual.tables.get(name)
        whole = step.full or step.kind == "table"
        return whole and not (isinstance(found, Table) and found.exists and found.rows == 0)

    def _foreseen(self, model: Model, step: Step, inputs: Sequence[TableName], moved: Sequence[News]) -> Step:
        """Add to an incremental model's step which way it will be brought up to date."""
        found = self.actual.tables[model.name]
        if step.full or step.span is not None or self.prospect is None or not isinstance(found, Table):
            return step
        if not (step.status == "new data" or step.conditional):
            return step
        behind = {i: s for i in inputs if (s := self.steps.get(i.guarded)) is not None and (s.writes or s.conditional)}
        rebuilt = [i for i, s in behind.items() if s.full or s.kind in ("table", "replace")]
        if self.looked[step.conditional] >= _LOOKED_AT:
            return replace(step, reason=f"{step.reason}; which rows was not looked at")
        self.looked[step.conditional] += 1
        news_of = list(dict.fromkeys([*(n.table for n in moved), *behind]))
        outlook = self.prospect.foresee(model, found, self.actual.pinned, news_of, rebuilt, settled=not behind)
        action: Action = "rebuild" if outlook.in_full else "recompute"
        return replace(step, reason=f"{step.reason}; {outlook.words}", action=action)

    def _lacking(self, inputs: Sequence[TableName]) -> str | None:
        """Say which input cannot be read: damaged, or absent and not about to be made."""
        for name in (i.guarded for i in inputs):
            step, found = self.steps.get(name), self.actual.tables.get(name)
            if step is not None and step.status == "blocked":
                return f"{name} is blocked"
            if step is None and isinstance(found, LakeError):
                return f"{name} cannot be read: {found.message}"
            if step is None and not (isinstance(found, Table) and found.exists):
                return f"{name} is not built yet and not selected"
        return None


def _partly_built(model: Model, found: Table | LakeError | None) -> bool:
    """Say whether a table holds some of its partitions of time, and lacks others."""
    state = found.state if isinstance(found, Table) else None
    return model.header.time is not None and state is not None and bool(Built.read(state.cursor).missing())


def _span_step(model: Model, status: Literal["new", "changed"], span: Stretch) -> Step:
    grain = grain_of(model.header)
    number = len(partitions(span.low, span.high, grain)) if span.low and span.high else 0
    said = f"rebuilds {number:,} partition{'s' if number != 1 else ''} of a {grain}, {span}, as --start says"
    return Step(model.name, status, said, model.header.kind, span=span)


def _history_lost(model: Model, state: State, wish: Wish) -> Step | None:
    """Block what would drop a history, unless --full says so."""
    if (state.definition or {}).get("kind") != "scd2" or model.header.kind == "scd2" or wish.full:
        return None
    message = f"`{model.name}` holds a history, which `kind: {model.header.kind}` would drop"
    hint = f"`lagoa run --full -s {model.name}` drops it; or give the model another name"
    error = LagoaError("LG-505", message, place=Place(model.file, 1), hint=hint)
    return Step(model.name, "blocked", message.replace("`", ""), model.header.kind, error=error)


def _action(step: Step) -> Action:
    """Say what a run does with a model, when the columns and the news do not say it already."""
    if step.action != "none" or not (step.status in WRITTEN or step.conditional):
        return step.action
    kinds: dict[str, Action] = {"append": "append", "incremental": "recompute", "scd2": "recompute"}
    return "rebuild" if step.full else kinds.get(step.kind, "rebuild")


def _stream_step(project: Project, name: TableName, actual: Actual, wish: Wish) -> Step:
    entry = project.graph.streams[name]
    found, kind = actual.tables[name], entry.spec.mode
    place = f"{entry.source}.{entry.stream}"
    if isinstance(found, LakeError):
        if not (wish.full or wish.accept):
            return Step(name, "blocked", found.message, kind, error=found)
        reason = f"{'rebuilds' if wish.full else 'accepts'} it although {found.message}"
        return Step(name, "read", reason, kind, conditional=True, full=wish.full, action="read")
    if not found.exists or found.state is None:
        reason = f"reads {place} for the first time"
        return Step(name, "new", reason, kind, conditional=True, full=True, action="read")
    if wish.full:
        reason = f"asks {place} for everything, as --full says"
        return Step(name, "read", reason, kind, conditional=True, full=True, action="read")
    return Step(name, "read", _asks(project, found, entry, wish), kind, conditional=True, action="read")


def _asks(project: Project, found: Table, entry: StreamTable, wish: Wish) -> str:
    """Say what a source is asked for, and why."""
    then = found.state.definition if found.state else None
    asks = f"asks {entry.source}.{entry.stream} for"
    if then is None:
        return f"{asks} everything, to add what the rows that were accepted lack"
    said = changes_of_stream(then, definition_of_stream(entry.spec, project.deciding(entry.name)))
    whole = entry.spec.mode == "replace" or wish.reset_cursor
    reason = f"{asks} {'everything' if whole else 'news'}" + (", as --reset-cursor says" if wish.reset_cursor else "")
    if said:
        partly = not whole and said != ["its checks changed"]
        reason += f"; {', '.join(said)}" + (" (for new rows; --full does it for all)" if partly else "")
    return reason


def _left_step(actual: Actual, wish: Wish, name: TableName) -> Step:
    """Make the step of a table that nothing makes: kept, unless it is to be dropped and is as we left it."""
    found = actual.tables[name]
    if isinstance(found, LakeError):
        if wish.drop:
            return Step(name, "blocked", f"is not dropped: {found.message}", "removed", error=found)
        return Step(name, "removed", f"nothing makes it; kept ({found.message})", "removed", action="keep")
    if wish.drop:
        return Step(name, "removed", "nothing makes it any more: dropped, as --drop says", "removed", action="drop")
    return Step(name, "removed", "nothing makes it any more; kept, --drop drops it", "removed", action="keep")


def _consumed(found: Table, name: TableName) -> int | None:
    taken = found.state.inputs.get(str(name)) if found.state else None
    return taken.state if taken else None
