"""The steps of a target that defers: what it reads in the other target's lake, and whose sources it leaves alone."""

from __future__ import annotations

from dataclasses import replace

from lagoa.errors import LakeError
from lagoa.lake.table import Table
from lagoa.plan.routes import Routes
from lagoa.plan.step import Step
from lagoa.project.model import Project
from lagoa.spec.names import TableName


def through(project: Project, name: TableName, found: Table | LakeError | None, routes: Routes) -> Step | None:
    """Return the step of a table that is not built or loaded here; None for every other one."""
    if routes.defer is None or found is None:
        return None
    stream = project.graph.streams.get(name)
    kind = stream.spec.mode if stream is not None else project.models[name].header.kind
    there = name in routes.elsewhere
    if not there and (stream is None or routes.asks(name)):
        return None
    if isinstance(found, LakeError):
        return Step(name, "blocked", found.message, kind, error=found)
    if not there:
        return Step(name, "up to date", "only --ingest asks again", kind)
    if not found.exists:
        message = f"{routes.defer.target} has not loaded it yet"
        hint = f"`lagoa run -t {routes.defer.target} -s {name}` loads it there, --ingest loads it here"
        return Step(name, "blocked", message, kind, error=LakeError("LG-103", f"{name}: {message}", hint=hint))
    words = f"read in {routes.defer.target}, version {found.version}"
    if name in routes.notes:
        words += f"; {routes.notes[name]}, which --ingest would heed"
    if name in routes.copies:
        words += "; the copy here no longer counts"
    return Step(name, "deferred", words, kind)


def own(step: Step, routes: Routes) -> Step:
    """Add to a step why the table is this target's own."""
    why = routes.own.get(step.table)
    return step if why is None else replace(step, reason=f"{step.reason}; {why}")
