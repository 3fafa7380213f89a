"""Says where tables stand before anything is planned, for those who choose tables by that: new, changed or stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from lagoa.ingest.definition import changes as changes_of_stream
from lagoa.ingest.definition import definition as definition_of_stream
from lagoa.lake.table import Table
from lagoa.plan.observe import Actual
from lagoa.project.model import Project
from lagoa.spec.names import TableName
from lagoa.transform.bind import tables_behind
from lagoa.transform.definition import changes, definition

Standing = Literal["new", "changed", "stale"]


def standing(project: Project, actual: Actual) -> Mapping[TableName, Sequence[Standing]]:
    """Say of each table whether it is new (not built), changed (built by another definition) or stale (an input moved).

    A table can be changed and stale at once. A view is never built, and a table that cannot be opened stands nowhere.
    """
    return {
        name: _standing(project, name, found, actual)
        for name, found in actual.tables.items()
        if isinstance(found, Table) and name in project.graph.nodes
    }


def _standing(project: Project, name: TableName, found: Table, actual: Actual) -> Sequence[Standing]:
    if not found.exists or found.state is None:
        return ["new"]
    said: list[Standing] = []
    then, model = found.state.definition or {}, project.models.get(name)
    if model is None:
        spec = project.graph.streams[name].spec
        return ["changed"] if changes_of_stream(then, definition_of_stream(spec, project.deciding(name))) else []
    if changes(then, definition(project, model)):
        said.append("changed")
    taken = found.state.inputs
    now = {str(i): actual.state_of(i) for i in tables_behind(project, model.inputs)}
    if any(key not in taken or taken[key].state != state for key, state in now.items()):
        said.append("stale")
    return said
