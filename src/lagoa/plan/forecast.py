"""Works out, without rows, which columns tables will have when a plan is carried out, and who that breaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

import pyarrow as pa

from lagoa.catalog.lineage import declared_of
from lagoa.check.gates import Gate, gates, quoted
from lagoa.errors import Place, StepError
from lagoa.kit.text import quote
from lagoa.kit.types import sql_type
from lagoa.lake.quarantine import SCHEMA
from lagoa.lake.schema import from_json
from lagoa.lake.table import Table
from lagoa.plan.columns import Felt, compared
from lagoa.plan.news import News
from lagoa.plan.observe import Actual, is_view
from lagoa.plan.step import Step
from lagoa.ports import Asked, Session
from lagoa.project.model import Model, Project
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.sql.lineage import Origin, QueryLineage, lineage
from lagoa.sql.parse import bare
from lagoa.transform.bind import bind_empty, tables_behind
from lagoa.transform.history import with_history
from lagoa.transform.incremental import views_between
from lagoa.transform.sql_model import columns_of

_BY_VALUES = re.compile(r"\bpivot", re.IGNORECASE)
"""A query whose columns are values of its rows."""
PYTHON = "its columns are known when it runs"


@dataclass(frozen=True)
class _Loss:
    """A column that a query reads and that will not be there."""

    origin: Origin
    now: bool
    """This plan takes it away; else it went before."""

    def __str__(self) -> str:
        return f"{self.origin}, which {'this plan removes' if self.now else 'is there no more'}"


class Forecast:
    """Follows columns down a plan whose steps are made upstream first; close it when the plan is made.

    No query is run and no user's code: an engine's session, started when it is first needed, binds queries to
    relations without rows.
    """

    def __init__(
        self,
        project: Project,
        actual: Actual,
        session: Callable[[], AbstractContextManager[Session]] | None,
    ) -> None:
        """Without a session nothing is foreseen."""
        self._project, self._actual, self._start = project, actual, session
        self._stack, self._opened = ExitStack(), list[Session]()
        self._bound: set[TableName] = set()
        self._after: dict[TableName, pa.Schema | None] = {}
        """The tables and views whose columns will be other ones; None: nobody can know."""
        self._broken: set[TableName] = set()
        """Views that can no longer be read."""
        self._steps: dict[TableName, Step] = {}
        self._read: dict[str, QueryLineage] = {}

    def close(self) -> None:
        """Let the session go."""
        self._stack.close()

    def __enter__(self) -> Forecast:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------ step by step
    def foresee(self, model: Model, step: Step, differs: bool, moved: Sequence[News]) -> Step:
        """Add to a model's step how its columns change, or block it when it reads what will not be there.

        `differs` says that its definition is not the one that made it; `moved` are the inputs with news.
        """
        seen = step if self._start is None else self._foreseen(model, step, differs, moved)
        if seen.status == "blocked" and model.header.kind == "view":
            self._broken.add(model.name)
        self._steps[model.name] = seen
        return seen

    def _foreseen(self, model: Model, step: Step, differs: bool, moved: Sequence[News]) -> Step:
        behind = self._behind(model)
        concerned = differs or any(i in self._after or i in self._broken for i in behind)
        concerned = concerned or any(map(self._reshaped, moved))
        if step.status == "blocked" or not concerned:
            return step
        if broken := next((i for i in model.inputs if i in self._broken), None):
            return replace(step, status="blocked", reason=f"{broken} is blocked")
        if model.language == "python":
            self._after[model.name] = None
            return replace(step, reason=f"{step.reason}; {PYTHON}") if step.status == "changed" else step
        if not self._known(model):
            self._after[model.name] = None
            return step
        try:
            return self._with_columns(model, step)
        except StepError as error:
            self._bound = {n for n in self._bound if not is_view(self._project, n)}
            return self._failing(model, step, error, moved)

    def _with_columns(self, model: Model, step: Step) -> Step:
        session = self._session()
        bind_empty(session, self._project, [i for i in model.inputs if i not in self._bound], self._shape, self._bound)
        if model.header.kind == "view":
            self._after[model.name] = columns_of(session, model)
            return step
        shape = self._whole(model, columns_of(session, model))
        if shape is None:
            self._after[model.name] = None
            return step
        found = self._actual.tables.get(model.name)
        held = found.schema if isinstance(found, Table) and found.exists else None
        changed = compared(held, shape) if held is not None else None
        if held is None or changed is not None:
            self._after[model.name] = shape
        if loss := self._check_lost(model, shape):
            self._after.pop(model.name, None)
            return self._blocked(step, f"its check `{loss[0]}` reads {loss[1]}", None)
        return replace(step, columns=changed)

    def _whole(self, model: Model, shape: pa.Schema) -> pa.Schema | None:
        """Add to a query's columns those that its kind adds; None when that takes a run to know."""
        if model.header.kind != "scd2":
            return shape
        found = self._actual.tables.get(model.name)
        whole = with_history(shape)
        held = found.schema.names if isinstance(found, Table) else []
        return whole if set(held) <= set(whole.names) else None

    def _failing(self, model: Model, step: Step, error: StepError, moved: Sequence[News]) -> Step:
        """Block what cannot be built; an error that a source's news may heal is only told."""
        for loss in self._losses(model, moved):
            if loss.origin.column.lower() in error.message.lower():
                return self._blocked(step, f"it reads {loss}", error.place)
        said = error.message.partition("\n")[0]
        if self._may_grow(model):
            self._after[model.name] = None
            return replace(step, reason=f"{step.reason}; with the columns there are now it fails: {said}")
        return replace(step, status="blocked", action="none", reason=said, error=error)

    def _blocked(self, step: Step, why: str, place: Place | None) -> Step:
        said = f"`{step.table}`: {why}"
        return replace(step, status="blocked", action="none", reason=why, error=StepError("LG-506", said, place=place))

    # ------------------------------------------------------------ what is known
    def _session(self) -> Session:
        if not self._opened and self._start is not None:
            self._opened.append(self._stack.enter_context(self._start()))
        return self._opened[0]

    def _behind(self, model: Model) -> list[TableName]:
        return [*model.inputs, *tables_behind(self._project, model.inputs)]

    def _known(self, model: Model) -> bool:
        """Say whether the columns of all that a query reads are known, and decide its own."""
        texts = [model.body]
        for name in self._behind(model):
            if name in self._after:
                if self._after[name] is None:
                    return False
                continue
            view = self._project.models.get(name)
            if view is not None and view.header.kind == "view":
                texts.append(view.body)
                continue
            found = self._actual.tables.get(name.guarded)
            if not isinstance(found, Table) or not found.exists:
                return False
        return not any(_BY_VALUES.search(text) for text in texts)

    def _shape(self, name: TableName) -> pa.Schema:
        """Give the columns that a table will have. Raises LakeError when it cannot be opened."""
        return self._after.get(name) or self._actual.pinned(name).schema

    def _reshaped(self, news: News) -> bool:
        """Say whether an input has other columns than when it was consumed."""
        found = self._actual.tables.get(news.table)
        state = found.state if isinstance(found, Table) else None
        return bool(state and news.columns) and from_json(news.columns) != from_json(state.table if state else "")

    def _may_grow(self, model: Model) -> bool:
        """Say whether a stream that is about to be read could bring what a query lacks."""
        return any(n in self._project.graph.streams for n in tables_behind(self._project, model.inputs))

    # ------------------------------------------------------------ what is lost
    def _losses(self, model: Model, moved: Sequence[News]) -> Iterable[_Loss]:
        """Find what a model, or a view that it reads, reads and will not have."""
        consumed = {n.table: list(from_json(n.columns).names) for n in moved if n.columns}
        for reader in (*views_between(self._project, model.inputs), model):
            yield from self._missing(reader.body, reader.inputs, {**self._before(reader.inputs), **consumed})

    def _missing(self, text: str, inputs: Sequence[TableName], before: dict[TableName, list[str]]) -> Iterable[_Loss]:
        """Find the columns that a query reads and that its inputs had, and will not have."""
        known = {str(name): columns for name, columns in before.items() if name in inputs}
        for origin in _origins(lineage(text, known)):
            name = TableName.parse(origin.table)
            if name.layer == QUARANTINE or name in self._project.graph.streams:
                continue
            now = self._names(name)
            if now is not None and origin.column.lower() not in now:
                yield _Loss(origin, name in self._after)

    def _names(self, name: TableName) -> set[str] | None:
        """Name the columns that a table or view will have, in lower case; None when they are not known."""
        if name in self._after:
            shape = self._after[name]
            return None if shape is None else {n.lower() for n in shape.names}
        found = self._actual.tables.get(name)
        return {n.lower() for n in found.schema.names} if isinstance(found, Table) and found.exists else None

    def _before(self, inputs: Iterable[TableName]) -> dict[TableName, list[str]]:
        """Name the columns that inputs have now."""
        found: dict[TableName, list[str]] = {}
        for name in inputs:
            model, table = self._project.models.get(name), self._actual.tables.get(name.guarded)
            if name.layer == QUARANTINE:
                found[name] = list(SCHEMA.names)
            elif model is not None and model.header.kind == "view":
                known = {str(n): c for n, c in self._before(model.inputs).items()}
                view = lineage(model.body, known)
                if view.others is None:
                    found[name] = view.names
            elif isinstance(table, Table) and table.exists:
                found[name] = list(table.schema.names)
        return found

    def _check_lost(self, model: Model, shape: pa.Schema) -> tuple[str, str] | None:
        """Find a check of a table that will read a column which is not there; (its name, the column)."""
        lost = {name for name in self._after if name.layer != QUARANTINE}
        for gate in gates(model.header.columns, model.header.checks, self._project.guards(model.name)):
            read = [TableName.parse(t) for t in gate.tables]
            if not lost & {model.name, *read}:
                continue
            before = self._before(read)
            for loss in self._missing(_query(gate, model.name, shape), read, before):
                return gate.name, str(loss)
        return None

    # ------------------------------------------------------------ who feels it
    def felt(self, name: TableName, lost: Sequence[str]) -> list[Felt]:
        """Name the tables and checks downstream that read columns which go or change their type."""
        tainted = {str(name): {column.lower() for column in lost}}
        found: list[Felt] = []
        graph = self._project.graph
        below = graph.downstream([name])
        for reader in (n for n in graph.order if n in below and n in self._project.models):
            model = self._project.models[reader]
            step = self._steps.get(reader)
            fails = step is not None and step.status == "blocked" and getattr(step.error, "code", "") == "LG-506"
            if model.language == "python":
                found += [Felt(str(reader), f"{i}.*", sure=False) for i in model.inputs if str(i) in tainted]
                continue
            read = self._lineage(model.body, model.inputs)
            hits = [o for o in _origins(read) if o.column.lower() in tainted.get(o.table, ())]
            found += [Felt(str(reader), str(o), fails) for o in hits]
            passed = {c.name.lower() for c in read.columns if any(o in c.values for o in hits)}
            if passed:
                tainted[str(reader)] = passed
        return found + self._checks_felt(tainted)

    def _checks_felt(self, tainted: dict[str, set[str]]) -> list[Felt]:
        found = []
        for guarded, gate in self._gates(tainted):
            inputs = [TableName.parse(t) for t in gate.tables]
            shape = self._actual.tables.get(guarded)
            columns = shape.schema if isinstance(shape, Table) and shape.exists else pa.schema([])
            query = _query(gate, guarded, columns)
            hits = [o for o in _origins(self._lineage(query, inputs)) if o.column.lower() in tainted.get(o.table, ())]
            for origin in hits:
                names = self._names(TableName.parse(origin.table))
                fails = names is not None and origin.column.lower() not in names
                found.append(Felt(f"check {gate.name} of {guarded}", str(origin), fails))
        return found

    def _gates(self, tainted: dict[str, set[str]]) -> Iterable[tuple[TableName, Gate]]:
        """Walk over the checks that read a tainted table."""
        for name in self._project.graph.order:
            noun = declared_of(self._project, name)
            guards = self._project.guards(name) if self._project.checks else []
            if noun is not None and (guards or noun.checks or any(c.checks for c in noun.columns.values())):
                for gate in gates(noun.columns, noun.checks, guards):
                    if any(t in tainted for t in gate.tables):
                        yield name, gate

    def _lineage(self, text: str, inputs: Sequence[TableName]) -> QueryLineage:
        if text not in self._read:
            self._read[text] = lineage(text, {str(n): c for n, c in self._before(inputs).items()})
        return self._read[text]


def _origins(read: QueryLineage) -> list[Origin]:
    """List every column of an input that a query reads, for its values or its rows, each once."""
    found = dict.fromkeys(o for c in read.columns for o in (*c.values, *c.rows))
    return list(found | dict.fromkeys(read.rows))


def _query(gate: Gate, guarded: TableName, shape: pa.Schema) -> str:
    """Write the query that a check asks, of the tables themselves."""
    if gate.check is None:
        return bare(gate.sql or "")
    kind = sql_type(shape.field(gate.column).type) if gate.column in shape.names else ""
    at = ".".join(quote(part) for part in str(guarded).split("."))
    tables = {t: ".".join(quote(part) for part in t.split(".")) for t in gate.tables}
    asked = Asked(quoted(gate), at, tables, kind, at)
    return f"select 1 from {at} where {gate.breaks(asked)}" if gate.judges_rows else gate.violations(asked)
