"""All tests of a project: which of them are meant, what became of each, and new ones from the lake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from lagoa.lake.store import Lake
from lagoa.ports import Engine
from lagoa.project.model import Project
from lagoa.project.trials import named, read_trials
from lagoa.run.trial.record import RecordedTest, Recorder
from lagoa.run.trial.shapes import Shapes
from lagoa.run.trial.trial import Trials, Verdict
from lagoa.spec.names import TableName

Chosen = Callable[[Sequence[str], Sequence[str]], set[TableName]]


class Tests:
    """The tests in `tests/` of a project, which show what its models make of given rows.

    >>> [verdict.name for verdict in shop.tests.run() if verdict.status != "passed"]
    []
    """

    def __init__(self, project: Project, lake: Lake, engine: Engine, chosen: Chosen) -> None:
        self._project, self._lake, self._engine, self._chosen = project, lake, engine, chosen

    def run(
        self,
        names: Sequence[str] = (),
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        heard: Callable[[Verdict], None] = lambda _: None,
    ) -> list[Verdict]:
        """Carry out the tests of a name, and of the models that selectors choose; all of them by default.

        Raises ProjectErrors when a test cannot be read; what a test finds is in its verdict.
        """
        found = named(read_trials(self._project), names, self._chosen(select, exclude))
        trials = Trials(self._project, self._engine, Shapes(self._project, self._engine, self._lake))
        verdicts = []
        for trial in found:
            verdicts.append(trials.verdict(trial))
            heard(verdicts[-1])
        return verdicts

    def record(self, model: str, rows: int = 3, name: str | None = None) -> RecordedTest:
        """Write a test of a model from rows of the lake; made-up values stand for personal ones."""
        recorder = Recorder(self._project, self._lake, self._engine)
        return recorder.record(model, rows, name, datetime.now(UTC))
