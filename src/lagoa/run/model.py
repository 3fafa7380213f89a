"""Carries out the step of a model: bind its inputs, run its query, write the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lagoa.check.gates import gates
from lagoa.errors import Place, StepError
from lagoa.lake.changes import changed
from lagoa.lake.state import Input
from lagoa.lake.table import Table
from lagoa.plan.step import Step
from lagoa.ports import FileSet, Session, StagedFile
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.run.write import Mode, Work, Written, write
from lagoa.transform import python_model, sql_model
from lagoa.transform.bind import bind_tables, consumed, tables_behind
from lagoa.transform.definition import changes, definition


def build(context: Context, step: Step, model: Model, folder: Path) -> Written | None:
    """Build a model's table. None: nothing that it reads has changed after all."""
    table = context.lake.open(model.name, trust=True) if step.full else context.pin(model.name)
    inputs = _inputs(context, model, table)
    meant = definition(context.project, model)
    if not step.full and _current(table, inputs, meant):
        return None
    with context.engine.session() as session, context.stop.watch(session):
        bind_tables(session, context.project, model.inputs, context.pin)
        mode: Mode = "replace"
        if model.header.kind == "append" and not step.full and table.exists:
            mode = "append"
            _narrow(context, session, model, table)
        staged, schema = _stage(context, session, model, folder)
        if not staged and not model.header.allow_empty and mode == "replace":
            raise StepError(
                "LG-501", f"`{model.name}` gave no row, and says `allow_empty: false`", place=Place(model.file)
            )
        work = Work(
            table,
            mode,
            schema,
            staged,
            meant,
            gates=gates(model.header.columns, model.header.checks, context.project.guards(model.name)),
            key=model.header.key,
            inputs=inputs,
            partition_by=model.header.partition_by,
            personal=frozenset(n for n, c in model.header.columns.items() if c.pii),
            description=model.header.description,
        )
        return write(context, session, work, folder)


def _inputs(context: Context, model: Model, table: Table) -> dict[str, Input]:
    """Note what the model is about to consume; never less than a rival has consumed since this run pinned it."""
    found: dict[str, Input] = {}
    for name in tables_behind(context.project, model.inputs):
        taken = table.state.inputs.get(str(name)) if table.state else None
        state = consumed(name, context.pin)
        if taken is not None and taken.state is not None and state is not None and taken.state > state:
            context.unpin(name)
            state = consumed(name, context.pin)
        found[str(name)] = Input(state=state)
    return found


def _current(table: Table, inputs: dict[str, Input], meant: Any) -> bool:
    state = table.state
    if state is None or changes(state.definition or {}, meant):
        return False
    return {k: v.state for k, v in state.inputs.items()} == {k: v.state for k, v in inputs.items()}


def _stage(context: Context, session: Session, model: Model, folder: Path) -> tuple[list[StagedFile], Any]:
    into = folder / "rows"
    if model.language == "python":
        return python_model.stage(session, model, context.project.root, into, model.header.partition_by)
    return sql_model.stage(session, model, into, model.header.partition_by)


def _narrow(context: Context, session: Session, model: Model, table: Table) -> None:
    """Let an `append` model see only the rows that its first input gained since; the others it sees whole."""
    first = model.inputs[0]
    source = context.pin(first)
    taken = table.state.inputs.get(str(first)) if table.state else None
    if taken is None or taken.state is None:
        return
    news = changed(context.lake, source, taken.state)
    if news.kind == "nothing":
        session.bind(str(first), FileSet(source.schema, []))
    elif news.kind == "appended" and news.added is not None:
        session.bind(str(first), news.added)
    else:
        raise StepError(
            "LG-501",
            f"`{model.name}` appends, but rows of `{first}` were changed or removed, not only added",
            place=Place(model.file, 1),
            hint=f"`lagoa run --full -s {model.name}` rebuilds it; `kind: table` always follows",
        )
