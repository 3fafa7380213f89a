"""Says what a model of `kind: append` cannot follow: a plan foresees it, and a run stops at it."""

from __future__ import annotations

from lagoa.errors import Place, StepError
from lagoa.project.model import Model
from lagoa.spec.names import TableName


def not_only_added(model: Model, first: TableName) -> StepError:
    """Return the error of an append model whose first input did not only gain rows."""
    return StepError(
        "LG-501",
        f"`{model.name}` appends, but rows of `{first}` were changed or removed, not only added",
        place=Place(model.file, 1),
        hint=f"`lagoa run --full -s {model.name}` rebuilds it; `kind: table` always follows",
    )
