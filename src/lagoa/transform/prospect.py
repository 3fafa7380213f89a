"""Says before a run how an incremental model will be brought up to date, from states and changed rows alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from lagoa.errors import LagoaError
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.ports import Session
from lagoa.project.model import Model, Project
from lagoa.spec.names import TableName
from lagoa.sql.incremental.analysis import Refused
from lagoa.transform.bind import Pins, tables_behind
from lagoa.transform.compared import worth_comparing
from lagoa.transform.follower import Follower
from lagoa.transform.incremental import follow, own_history
from lagoa.transform.partitions import grain_of


@dataclass(frozen=True)
class Outlook:
    """Which way a model will be brought up to date; `in_full` is why it will be rebuilt, None when it will not."""

    words: str
    in_full: str | None = None


def rebuilt_because(why: str) -> Outlook:
    """Say that a model will be rebuilt in full."""
    return Outlook(f"rebuilt in full: {why}", why)


@dataclass(frozen=True)
class Prospect:
    """Looks at incremental models before they run; no row is read but those that have changed."""

    project: Project
    lake: Lake
    session: Callable[[], AbstractContextManager[Session]]

    def foresee(
        self,
        model: Model,
        table: Table,
        pins: Pins,
        news_of: Sequence[TableName],
        rebuilt: Sequence[TableName] = (),
        settled: bool = False,
    ) -> Outlook:
        """Say how the model will be brought up to date when `news_of` have changed, or will have when it runs.

        Those of `rebuilt` will have been rebuilt: their versions are compared if that pays. `settled` says that no
        input will change any more, so that the touched keys can be counted.
        """
        units = ", ".join(model.header.key) or f"partitions ({model.header.time} by {grain_of(model.header)})"
        words = f"only rows of touched {units}"
        if rebuilt:
            words += f", found by comparing versions of {', '.join(map(str, rebuilt))}"
        try:
            own_history(table)
            shapes = {name: pins(name).schema for name in tables_behind(self.project, model.inputs)}
            if absent := next((name for name in shapes if not pins(name).exists), None):
                raise Refused(f"the version of {absent} that was consumed is gone")
            with self.session() as session:
                followed = follow(session, self.project, model, shapes)
                follower = Follower(session, self.lake, table, followed, pins)
                follower.changes()
                for name in rebuilt:
                    worth_comparing(pins(name), pins(name).rows, map(pins, shapes))
                followed.analysis.touched([followed.names[name] for name in news_of])
                touch = follower.counted() if settled else None
        except Refused as refused:
            return rebuilt_because(str(refused))
        except LagoaError as error:
            return rebuilt_because(error.message)
        return Outlook(words if touch is None else f"{words} ({touch})")
