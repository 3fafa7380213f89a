"""Writes a test from rows of the lake, with nothing personal in it, that passes as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from lagoa.catalog.lineage import ProjectLineage
from lagoa.errors import CommandError, LagoaError, StepError, did_you_mean
from lagoa.kit.text import quote
from lagoa.kit.types import is_nested, sql_type, storable
from lagoa.lake.store import Lake
from lagoa.ports import Engine, Session
from lagoa.project.model import Model, Project
from lagoa.project.trial import ProjectTrial
from lagoa.project.trials import read_text, read_trials
from lagoa.run.trial.mask import masked
from lagoa.run.trial.pick import Pick
from lagoa.run.trial.shapes import Shapes
from lagoa.run.trial.trial import Trials
from lagoa.run.trial.written import Table, written
from lagoa.spec.names import TableName

_TELLS_TIME = re.compile(
    r"(?i)\b(now|today|age|current_\w+|local(time|timestamp)|get_current_\w+|transaction_timestamp)\b"
)


@dataclass(frozen=True)
class RecordedTest:
    """A test that was written: its file (relative to the project), its name, and how many rows it expects."""

    file: str
    name: str
    rows: int
    notes: Sequence[str]


class Recorder:
    """Records tests of a project's models from the rows of its lake."""

    def __init__(self, project: Project, lake: Lake, engine: Engine) -> None:
        self._project, self._lake, self._engine = project, lake, engine
        self._shapes = Shapes(project, engine, None)
        self._trials = Trials(project, engine, self._shapes)

    def record(self, table: str, rows: int, name: str | None, at: datetime) -> RecordedTest:
        """Write a test of one model. Raises CommandError LG-601, LG-603 when there is no such model, or the name is
        taken; StepError LG-501 when the model gives other rows each time.
        """
        model = self._model(table)
        file = f"tests/{model.name.name}.yml"
        called = self._free(name, model, read_trials(self._project))
        head = [f"  now: {at:%Y-%m-%d %H:%M}"] if self._tells_time(model) else []
        given, hidden = self._given(model, rows)
        blank = written(called, head, given, [Table(str(model.name), {}, {}, {})])
        with self._engine.session() as session:
            expected = self._texts(session, self._computed(blank, file, model))
        text = written(called, head, given, [expected])
        verdict = self._trials.verdict(self._read(text, file))
        if verdict.error is not None:
            raise verdict.error
        if verdict.status != "passed":
            message = f"`{model.name}` gives other rows each time that it is asked: no test can expect them"
            raise StepError("LG-501", message, hint="look for random(), uuid() or an order that is not decided")
        self._append(self._project.root / file, text)
        count = len(next(iter(expected.cells.values()), []))
        notes = [f"made-up values stand for {', '.join(hidden)}"] if hidden else []
        if not count:
            notes.append("the model gives no row for these inputs: write better ones, or ask for more with -n")
        return RecordedTest(file, called, count, notes)

    def _model(self, table: str) -> Model:
        models = self._project.models
        found = next((m for n, m in models.items() if table.lower() in (str(n), n.name)), None)
        if found is None:
            hint = did_you_mean(table, [str(n) for n in models]) or "`lagoa show` lists the tables"
            raise CommandError("LG-601", f"there is no model `{table}`", hint=hint)
        return found

    def _free(self, name: str | None, model: Model, trials: Sequence[ProjectTrial]) -> str:
        taken = {trial.name for trial in trials}
        if name is not None:
            if not re.fullmatch(r"\w[\w-]*", name):
                raise CommandError("LG-601", f"`{name}` is no name of a test", hint="use letters, digits and _")
            if name in taken:
                raise CommandError("LG-603", f"there is a test `{name}` already", hint="choose another --name")
            return name
        names = (f"{model.name.name}_as_recorded{suffix}" for suffix in ("", *(f"_{n}" for n in range(2, 1000))))
        return next(n for n in names if n not in taken)

    def _tells_time(self, model: Model) -> bool:
        if model.header.kind == "scd2" and model.header.time is None:  # its versions begin when it runs
            return True
        views = (self._project.models[n] for n in model.inputs if n in self._project.models)
        return bool(_TELLS_TIME.search(model.body)) or any(
            v.header.kind == "view" and _TELLS_TIME.search(v.body) for v in views
        )

    def _given(self, model: Model, rows: int) -> tuple[list[Table], list[str]]:
        lineage = ProjectLineage(self._project, self._lake.open)
        with self._engine.session() as session:
            picked = Pick(self._project, self._lake, session, self._shapes, model).rows(rows)
            found = {name: self._texts(session, (name, held)) for name, held in picked.items()}
        kinds = {str(n): {c: told.text for c, told in lineage.personal(n).items()} for n in found}
        cells = {t.name: t.cells for t in found.values()}
        safe = masked(cells, kinds, {str(n): held.schema for n, held in picked.items()})
        hidden = [f"{t}.{c}" for t, columns in cells.items() for c in columns if c.lower() in kinds[t]]
        return [Table(t.name, safe[t.name], t.types, self._to_say(n, t.types)) for n, t in found.items()], hidden

    def _to_say(self, name: TableName, types: Mapping[str, pa.DataType]) -> dict[str, str]:
        """Tell which types a reader of the test could not know from the project alone."""
        shape = self._shapes.of(name)
        by_fold = {column.casefold(): kind for column, kind in shape.types.items()}
        lacking = {
            column: kind
            for column, kind in types.items()
            if storable(kind) != storable(by_fold.get(column.casefold(), pa.string()))
        }
        return {column: sql_type(kind).lower() for column, kind in lacking.items()}

    def _texts(self, session: Session, found: tuple[TableName, pa.Table]) -> Table:
        """Write the rows of a table as text, nested values as JSON."""
        name, rows = found
        types = {field.name: field.type for field in rows.schema}
        if not rows.num_rows:
            return Table(str(name), {column: [] for column in types}, types, {})
        session.bind("_recorded", rows)
        shown = [
            f"{f'to_json({quote(n)})' if is_nested(kind) else quote(n)}::varchar as {quote(n)}"
            for n, kind in types.items()
        ]
        texts = session.arrow(f"select {', '.join(shown)} from _recorded").read_all()
        return Table(str(name), texts.to_pydict(), types, {})

    def _computed(self, text: str, file: str, model: Model) -> tuple[TableName, pa.Table]:
        trial = self._read(text, file)
        found = self._trials.results(trial, [model.name])
        return model.name, found[model.name]

    def _read(self, text: str, file: str) -> ProjectTrial:
        return read_text(self._project, text, file)[0]

    def _append(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(exist_ok=True)
            before = path.read_text("utf-8").rstrip() + "\n\n" if path.is_file() else ""
            path.write_text(before + text, encoding="utf-8")
        except OSError as error:
            raise LagoaError("LG-306", f"cannot write {path.name}: {error.strerror}") from error
