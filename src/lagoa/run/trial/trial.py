"""Carries out one test after the other and says of each whether the models gave what it expects."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow as pa

from lagoa.errors import LagoaError
from lagoa.ports import Engine, Session
from lagoa.project.model import Model, Project
from lagoa.project.trial import ProjectRound, ProjectTrial
from lagoa.run.trial.ask import ask
from lagoa.run.trial.clock import Frozen
from lagoa.run.trial.compare import Asked, Difference, compare
from lagoa.run.trial.given import kinds, table_of
from lagoa.run.trial.lake import TrialLake
from lagoa.run.trial.shapes import Shapes, empty
from lagoa.run.trial.stage import computed, leaves, needs_lake
from lagoa.spec.names import TableName

Rows = Mapping[TableName, pa.Table]
Moment = tuple[Session, Rows]
"""A session to compare in, and what the wanted models hold after a round."""


@dataclass(frozen=True)
class Verdict:
    """What became of a test: `failed` has differences, `error` says why nothing could be compared."""

    name: str
    file: str
    line: int | None
    status: Literal["passed", "failed", "error"]
    seconds: float
    differences: Sequence[Difference] = field(default=())
    error: LagoaError | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the verdict as `test --json` prints it."""
        shown: dict[str, Any] = {
            "test": self.name,
            "file": self.file,
            "line": self.line,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "differences": [difference.to_json() for difference in self.differences],
        }
        if self.error is not None:
            place = self.error.place
            shown["error"] = {"code": self.error.code, "message": self.error.message, "at": str(place or "")}
        return shown


class Trials:
    """Tests a project's models; what is known of its tables is looked up once for all tests."""

    def __init__(self, project: Project, engine: Engine, shapes: Shapes) -> None:
        self._project, self._engine, self._shapes = project, engine, shapes

    def verdict(self, trial: ProjectTrial) -> Verdict:
        """Carry out one test; whatever is wrong with it is in the verdict."""
        began = time.monotonic()
        line = trial.place.line
        try:
            differences = self._differences(trial)
        except LagoaError as error:
            return Verdict(trial.name, trial.file, line, "error", time.monotonic() - began, error=error)
        status: Literal["passed", "failed"] = "failed" if differences else "passed"
        return Verdict(trial.name, trial.file, line, status, time.monotonic() - began, differences)

    def results(self, trial: ProjectTrial, wanted: Sequence[TableName]) -> Rows:
        """Compute models from what a test gives first, without comparing."""
        with self._staged(trial, wanted) as rounds:
            return next(rounds)[1]

    def _differences(self, trial: ProjectTrial) -> list[Difference]:
        asked = Asked(trial.spec.all_columns, trial.spec.in_order)
        found: list[Difference] = []
        with self._staged(trial, trial.expected) as rounds:
            for number, (session, rows) in enumerate(rounds, 1):
                expect = trial.rounds[number - 1].expect
                compared = (compare(session, held, rows[name], number, asked) for name, held in expect.items())
                found += [difference for difference in compared if difference is not None]
        return found

    @contextmanager
    def _staged(self, trial: ProjectTrial, wanted: Sequence[TableName]) -> Iterator[Generator[Moment]]:
        """Set the stage; each round gives a session and the rows that the wanted models hold after it."""
        models = computed(self._project, wanted, trial.given)
        with TemporaryDirectory(prefix="lagoa-test-", ignore_cleanup_errors=True) as scratch:
            if needs_lake(trial, models):
                lake = TrialLake(self._project, models, Path(scratch))
                rounds = self._in_lake(trial, models, lake, wanted)
            else:
                rounds = self._asked(trial, models, Path(scratch))
            with closing(rounds):
                yield rounds

    def _asked(self, trial: ProjectTrial, models: Sequence[Model], scratch: Path) -> Generator[Moment]:
        with self._clocked(trial.rounds[0]).session() as session:
            given = self._given(session, trial, 0, leaves(models))
            yield session, ask(session, models, given, self._project.root, scratch)

    def _in_lake(
        self,
        trial: ProjectTrial,
        models: Sequence[Model],
        lake: TrialLake,
        wanted: Sequence[TableName],
    ) -> Generator[Moment]:
        for number, part in enumerate(trial.rounds):
            engine = self._clocked(part)
            with engine.session() as session:
                needed = leaves(models) if number == 0 else list(part.given)
                lake.run(self._given(session, trial, number, needed), engine, part.now or datetime.now(UTC))
                yield session, {name: lake.rows(session, name) for name in wanted}

    def _clocked(self, part: ProjectRound) -> Engine:
        return self._engine if part.now is None else Frozen(self._engine, part.now)

    def _given(self, session: Session, trial: ProjectTrial, number: int, needed: Sequence[TableName]) -> Rows:
        """Make the given tables; one that is needed and not given has no rows."""
        held = trial.rounds[number].given
        found: dict[TableName, pa.Table] = {}
        for name in dict.fromkeys((*needed, *held)):
            every = [part.given[name] for part in trial.rounds if name in part.given]
            types = kinds(session, every, self._shapes.of(name), self._shapes.read(name))
            found[name] = table_of(session, held[name], types) if name in held else empty(types)
        return found
