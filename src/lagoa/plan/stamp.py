"""Says for what a plan was made, and holds it against the lake and the project when it is carried out later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lagoa.errors import CommandError, LagoaError
from lagoa.ingest.definition import definition as definition_of_stream
from lagoa.lake.table import Table
from lagoa.plan.format import FORMAT, AskedForm, LookedForm, PlanForm
from lagoa.plan.observe import Actual
from lagoa.plan.step import Plan, Step
from lagoa.project.model import Project
from lagoa.spec.names import TableName
from lagoa.transform.definition import definition

if TYPE_CHECKING:
    from lagoa.plan.make import Wish


Recorded = Plan | str | bytes | Mapping[str, Any]
"""A plan that was made before: itself, or its documented form, as text or read from it."""


def stamped(project: Project, actual: Actual, wish: Wish, steps: Sequence[Step]) -> Plan:
    """Make a plan of its steps that knows what it was made for."""
    return Plan(
        project.file.name,
        project.target_name,
        steps,
        AskedForm(
            tables=[str(s.table) for s in steps if s.status != "removed"],
            full=wish.full,
            accept=wish.accept,
            reset_cursor=wish.reset_cursor,
            ingest=wish.ingest,
            drop=wish.drop,
            start=wish.span.low.isoformat() if wish.span and wish.span.low else None,
            end=wish.span.high.isoformat() if wish.span and wish.span.high else None,
            removed=wish.removed,
        ),
        {name: _looked(found) for name, found in actual.tables.items()},
        {s.table: _meaning(project, s.table) for s in steps if s.table in project.graph.nodes},
    )


def _looked(found: object) -> LookedForm | None:
    if not isinstance(found, Table) or not found.exists:
        return None
    return LookedForm(version=found.version, state=None if found.selected is None else str(found.selected))


def _meaning(project: Project, name: TableName) -> str:
    """Hash what makes a table's rows."""
    model = project.models.get(name)
    told: Any = definition(project, model) if model is not None else None
    if model is None:
        told = definition_of_stream(project.graph.streams[name].spec, project.deciding(name))
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def recorded(plan: Recorded) -> PlanForm:
    """Read what `plan --json` or `--out` wrote. Raises CommandError LG-601 when it is something else."""
    if isinstance(plan, Plan):
        return plan.form()
    try:
        told = plan if isinstance(plan, Mapping) else json.loads(plan)
        if isinstance(told, Mapping) and isinstance(told.get("format"), int) and told["format"] > FORMAT:
            raise CommandError("LG-601", "the plan was made by a newer Lagoa", hint="pip install --upgrade lagoa")
        return PlanForm.model_validate(told)
    except (ValueError, ValidationError) as error:
        hint = "`lagoa plan --out FILE` writes one"
        raise CommandError("LG-601", "this is not a plan that Lagoa wrote", hint=hint) from error


def hold(saved: PlanForm, now: Plan) -> None:
    """Refuse a plan that was made for something else than what `now` was. Raises LagoaError LG-507, saying what."""
    made = now.form()
    if (saved.project, saved.target) != (made.project, made.target):
        raise _stale(f"it was made for {saved.project} on {saved.target}, not {made.project} on {made.target}")
    for name in sorted(saved.definitions.keys() | made.definitions.keys()):
        if saved.definitions.get(name) != made.definitions.get(name):
            raise _stale(f"the definition of {name} is another one now")
    for name in sorted(saved.lake.keys() | made.lake.keys()):
        then, found = saved.lake.get(name), made.lake.get(name)
        if then != found:
            was, is_now = (f"version {x.version}" if x else "not there" for x in (then, found))
            raise _stale(f"{name} was {was} when it was made and is {is_now} now")
    for one, other in zip(saved.steps, made.steps, strict=False):
        if (one.table, one.status) != (other.table, other.status):
            raise _stale(f"{other.table} is {other.status} now")
    if len(saved.steps) != len(made.steps):
        raise _stale("it has other steps now")


def _stale(why: str) -> LagoaError:
    return LagoaError("LG-507", f"the plan no longer holds: {why}", hint="`lagoa plan` makes a new one")
