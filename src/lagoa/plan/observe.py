"""The lake as a plan sees it: every table that matters is opened once, here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lagoa.errors import LakeError
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.plan.routes import Routes
from lagoa.project.model import Project
from lagoa.spec.names import TableName
from lagoa.transform.bind import consumed, tables_behind

_TRIES = 5
"""How often tables are opened again that rivals publish while others are opened."""
Found = Table | LakeError
"""What opening a table gave."""


@dataclass
class Actual:
    """The lake as the plan saw it: every table that matters, pinned, or the reason why it cannot be read."""

    tables: dict[TableName, Found] = field(default_factory=dict)
    removed: Sequence[TableName] = ()
    """Tables of the lake that nothing in the project makes any more; they are in `tables`, too."""
    routes: Routes = field(default_factory=Routes)
    """Where each table is read."""

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


def observe(
    project: Project,
    lake: Lake,
    names: Iterable[TableName],
    routes: Routes | None = None,
    removed: bool = False,
) -> Actual:
    """Open the named tables and everything that they read, many at a time.

    With `removed` also those that lie in the lake and that nothing makes any more.
    """
    wanted = {n for name in names for n in (name, *_inputs(project, name)) if not is_view(project, n)}
    left = _left(project, lake) if removed else []
    order = sorted(wanted | set(left))

    def look(name: TableName) -> Found:
        if routes is not None and name in routes.seen:
            return routes.seen[name]  # what it was compared with is what is read
        try:
            return lake.open(name)
        except LakeError as error:
            return error

    if len(order) < 3:
        actual = Actual({name: look(name) for name in order}, left, routes or Routes())
    else:
        with ThreadPoolExecutor(8, thread_name_prefix="open") as pool:
            actual = Actual(dict(zip(order, pool.map(look, order), strict=True)), left, routes or Routes())
    for _ in range(_TRIES):
        if not (late := _overtaken(actual)):
            break
        actual.tables.update({name: look(name) for name in late})
    return actual


def _overtaken(actual: Actual) -> set[TableName]:
    """Name the tables that were opened before a rival published what another one, opened later, was made of."""
    found: set[TableName] = set()
    for table in actual.tables.values():
        taken = table.state.inputs if isinstance(table, Table) and table.state is not None else {}
        for text, given in taken.items():
            name = TableName.parse(text)
            state = actual.state_of(name)
            if state is not None and given.state is not None and given.state > state:
                found.add(name.guarded)
    return found


def is_view(project: Project, name: TableName) -> bool:
    """Say whether a name is a view's."""
    model = project.models.get(name)
    return model is not None and model.header.kind == "view"


def _inputs(project: Project, name: TableName) -> list[TableName]:
    model = project.models.get(name)
    return [i.guarded for i in tables_behind(project, model.inputs)] if model else []


def _left(project: Project, lake: Lake) -> list[TableName]:
    """List the tables of this lake that nothing makes; a quarantine follows its table, and counts when that is gone."""
    here = [name for name in lake.names() if name.guarded not in lake.elsewhere]
    gone = [name for name in here if name.guarded not in project.graph.nodes]
    return [name for name in gone if name == name.guarded or name.guarded not in gone]
