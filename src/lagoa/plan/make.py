"""Compares what the project declares with what the lake holds, and says what a run will do; it writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from lagoa.errors import LakeError
from lagoa.ingest.definition import changes as changes_of_stream
from lagoa.ingest.definition import definition as definition_of_stream
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.plan.routes import Routes
from lagoa.plan.step import Plan, Step
from lagoa.plan.through import own, through
from lagoa.project.model import Model, Project, StreamTable
from lagoa.spec.names import TableName
from lagoa.transform.bind import consumed, tables_behind
from lagoa.transform.definition import changes, definition
from lagoa.transform.incremental import Prospect

_LOOKED_AT = 50
"""So many incremental models are looked at for how they will be followed; a plan must stay quick."""
Found = Table | LakeError
"""What opening a table gave."""


@dataclass
class Actual:
    """The lake as the plan saw it: every table that matters, pinned, or the reason why it cannot be read."""

    tables: dict[TableName, Found] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)

    def state_of(self, name: TableName) -> int | None:
        """Return what a reader of the table would consume now, None when there is nothing to be had."""
        found = self.tables.get(name.guarded)
        if not isinstance(found, Table):
            return None
        return consumed(name, lambda _: found)

    def pinned(self, name: TableName) -> Table:
        """Return the table as the plan saw it. Raises LakeError when it could not be opened."""
        found = self.tables[name.guarded]
        if isinstance(found, LakeError):
            raise found
        return found


@dataclass(frozen=True)
class Wish:
    """What the user asked for: which tables, and whether to rebuild or read again whatever the lake says."""

    selected: frozenset[TableName]
    full: bool = False
    reset_cursor: bool = False
    accept: bool = False


def observe(project: Project, lake: Lake, names: Iterable[TableName], routes: Routes | None = None) -> Actual:
    """Open the named tables and everything that they read, many at a time."""
    wanted = {n for name in names for n in (name, *_inputs(project, name)) if not _is_view(project, n)}
    order = sorted(wanted)

    def look(name: TableName) -> Found:
        try:
            return lake.open(name)
        except LakeError as error:
            return error

    if len(order) < 3:
        return Actual({name: look(name) for name in order}, routes or Routes())
    with ThreadPoolExecutor(8, thread_name_prefix="open") as pool:
        return Actual(dict(zip(order, pool.map(look, order), strict=True)), routes or Routes())


def make(project: Project, actual: Actual, wish: Wish, prospect: Prospect | None = None) -> Plan:
    """Make the plan: one step for each selected table, upstream first.

    With `prospect`, a step of an incremental model says whether it will be rebuilt in full, and why.
    """
    steps: dict[TableName, Step] = {}
    looked = 0
    for name in project.graph.order:
        if name not in wish.selected:
            continue
        model = project.models.get(name)
        if (there := through(project, name, actual.tables.get(name), actual.routes)) is not None:
            steps[name] = there
        elif model is None:
            steps[name] = _stream_step(project, name, actual, wish)
        elif model.header.kind == "view":
            steps[name] = Step(name, "view", "read where it is used", "view")
        else:
            steps[name] = _model_step(project, model, actual, wish, steps)
            if model.header.kind == "incremental" and prospect is not None and looked < _LOOKED_AT:
                looked += 1
                steps[name] = _foreseen(prospect, model, steps[name], actual, steps)
    return Plan(project.target_name, [own(step, actual.routes) for step in steps.values()])


def _stream_step(project: Project, name: TableName, actual: Actual, wish: Wish) -> Step:
    entry = project.graph.streams[name]
    found, kind = actual.tables[name], entry.spec.mode
    place = f"{entry.source}.{entry.stream}"
    if isinstance(found, LakeError):
        if not (wish.full or wish.accept):
            return Step(name, "blocked", found.message, kind, error=found)
        reason = f"{'rebuilds' if wish.full else 'accepts'} it although {found.message}"
        return Step(name, "read", reason, kind, conditional=True, full=wish.full)
    if not found.exists or found.state is None:
        return Step(name, "new", f"reads {place} for the first time", kind, conditional=True, full=True)
    if wish.full:
        return Step(name, "read", f"asks {place} for everything, as --full says", kind, conditional=True, full=True)
    return Step(name, "read", _asks(project, found, entry, wish), kind, conditional=True)


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


def _model_step(project: Project, model: Model, actual: Actual, wish: Wish, steps: Mapping[TableName, Step]) -> Step:
    name, kind = model.name, model.header.kind
    found = actual.tables[name]
    inputs = tables_behind(project, model.inputs)
    if lacking := _lacking(inputs, actual, steps):
        return Step(name, "blocked", lacking, kind)
    if isinstance(found, LakeError):
        if wish.full:
            return Step(name, "changed", f"rebuilt although {found.message}", kind, full=True)
        if not wish.accept:
            return Step(name, "blocked", found.message, kind, error=found)
        return Step(name, "new data", f"accepts it although {found.message}", kind)
    if not found.exists or found.state is None:
        return Step(name, "new", "not built yet", kind, full=True)
    if wish.full:
        return Step(name, "changed", "rebuilt, as --full says", kind, full=True)
    if said := changes(found.state.definition or {}, definition(project, model)):
        return Step(name, "changed", "; ".join(said), kind, full=True)
    return _news_step(name, kind, inputs, found, actual, steps)


def _news_step(
    name: TableName, kind: str, inputs: list[TableName], found: Table, actual: Actual, steps: Mapping[TableName, Step]
) -> Step:
    moved = [i for i in inputs if _consumed(found, i) != actual.state_of(i)]
    written = [i for i in inputs if (s := steps.get(i.guarded)) is not None and s.writes]
    if moved or written:
        said = [f"{i} has new rows" for i in moved] + [f"{i} will be written" for i in written if i not in moved]
        certain = moved or any(_changes_rows(steps[i.guarded]) for i in written)
        return Step(name, "new data", ", ".join(said), kind, conditional=not certain)
    maybe = [i for i in inputs if (s := steps.get(i.guarded)) is not None and s.conditional]
    if maybe:
        said = [f"from {', '.join(map(str, maybe))}"]
        return Step(name, "up to date", said[0], kind, conditional=True)
    return Step(name, "up to date", "nothing that it reads has changed", kind)


def _changes_rows(step: Step) -> bool:
    """Say whether a step that writes is certain to change rows; touched keys may come out as they were."""
    return step.full or step.kind == "table"


def _foreseen(prospect: Prospect, model: Model, step: Step, actual: Actual, steps: Mapping[TableName, Step]) -> Step:
    """Add to an incremental model's step which way it will be brought up to date."""
    found = actual.tables[model.name]
    if step.full or not isinstance(found, Table) or not (step.status == "new data" or step.conditional):
        return step
    inputs = tables_behind(prospect.project, model.inputs)
    behind = {i: s for i in inputs if (s := steps.get(i.guarded)) is not None and (s.writes or s.conditional)}
    moved = [i for i in inputs if _consumed(found, i) != actual.state_of(i)]
    rebuilt = [i for i, s in behind.items() if s.full or s.kind in ("table", "replace")]
    if rebuilt:
        why: str | None = f"{rebuilt[0]} is rebuilt"
    else:
        why = prospect.why_in_full(model, found, actual.pinned, list(dict.fromkeys([*moved, *behind])))
    words = f"rebuilt in full: {why}" if why else f"only rows of touched {', '.join(model.header.key)}"
    return replace(step, reason=f"{step.reason}; {words}")


def _lacking(inputs: list[TableName], actual: Actual, steps: Mapping[TableName, Step]) -> str | None:
    """Say which input cannot be read: damaged, or absent and not about to be made."""
    for name in (i.guarded for i in inputs):
        step, found = steps.get(name), actual.tables.get(name)
        if step is not None and step.status == "blocked":
            return f"{name} is blocked"
        if step is None and isinstance(found, LakeError):
            return f"{name} cannot be read: {found.message}"
        if step is None and not (isinstance(found, Table) and found.exists):
            return f"{name} is not built yet and not selected"
    return None


def _consumed(found: Table, name: TableName) -> int | None:
    taken = found.state.inputs.get(str(name)) if found.state else None
    return taken.state if taken else None


def _inputs(project: Project, name: TableName) -> list[TableName]:
    model = project.models.get(name)
    return [i.guarded for i in tables_behind(project, model.inputs)] if model else []


def _is_view(project: Project, name: TableName) -> bool:
    model = project.models.get(name)
    return model is not None and model.header.kind == "view"
