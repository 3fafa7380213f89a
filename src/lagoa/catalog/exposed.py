"""Finds personal columns of which a table's log still tells values: those that were declared after it was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lagoa.catalog.lineage import ProjectLineage
from lagoa.errors import LagoaError
from lagoa.lake.log import FOLDER
from lagoa.lake.store import Lake
from lagoa.lake.verify import Finding
from lagoa.project.model import Project
from lagoa.spec.names import QUARANTINE, TableName


def exposed(project: Project, lake: Lake, names: Iterable[TableName]) -> Iterator[Finding]:
    """Give a finding for each table with personal columns, declared or inherited, whose bounds its live files tell.

    What a table holds is compared with what the project's files say now; a table that cannot be opened is left out.
    """
    lineage = ProjectLineage(project, lake.open)
    for name in names:
        if name.layer == QUARANTINE:
            continue  # its own columns are never a person's, and its raw text has no bounds
        try:
            told = lineage.personal(name)
            shown = _shown(lake, name) if told else set()
        except LagoaError:
            continue
        for column in sorted(c for c in shown if c.lower() in told):
            mark = told[column.lower()]
            source = f", as {', '.join(map(str, mark.inherited))} is" if mark.inherited else ""
            what = (
                f"`{column}` is personal ({mark.text}){source}, and its least and greatest values stand in the log; "
                f"`lagoa run --full -s {name}` writes it without"
            )
            yield Finding(name, "LG-311", lake.path(name) / FOLDER, what)


def _shown(lake: Lake, name: TableName) -> set[str]:
    """Name the columns of which a live file's statistics tell a value."""
    files = lake.open(name).files.values()
    return {
        column for f in files for bounds in (f.low, f.high) for column, value in bounds.items() if value is not None
    }
