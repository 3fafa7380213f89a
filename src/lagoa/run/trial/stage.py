"""Where a test plays: the part of the project between the rows that it gives and the models that it expects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lagoa.project.graph import Graph
from lagoa.project.model import Model, Project
from lagoa.project.trial import ProjectTrial
from lagoa.spec.model import ModelHeader
from lagoa.spec.names import TableName


def computed(project: Project, expected: Iterable[TableName], given: Iterable[TableName]) -> list[Model]:
    """List the models that a test must compute, each after what it reads: what it gives is not computed."""
    stop = set(given)
    found: set[TableName] = set()
    waiting = list(expected)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in stop and name in project.models:
            found.add(name)
            waiting += project.models[name].inputs
    return [project.models[name] for name in project.graph.order if name in found]


def leaves(models: Iterable[Model]) -> list[TableName]:
    """List the tables that the models read and none of them makes."""
    models = list(models)
    made = {model.name for model in models}
    return list(dict.fromkeys(name for model in models for name in model.inputs if name not in made))


def trimmed(project: Project, models: Iterable[Model]) -> Project:
    """Return a project of these models alone; what they read beyond is there as tables.

    Its checks are left out: a test is of what a query gives, and rows that a check would set aside are given by it.
    """
    kept = {model.name: replace(model, header=_unchecked(model)) for model in models}
    nodes = [
        replace(node, inputs=tuple(i for i in node.inputs if i in kept), checked_against=())
        for name, node in project.graph.nodes.items()
        if name in kept
    ]
    return replace(project, models=kept, checks=(), sources={}, graph=Graph(nodes, {}))


def _unchecked(model: Model) -> ModelHeader:
    columns = {name: column.model_copy(update={"checks": ()}) for name, column in model.header.columns.items()}
    return model.header.model_copy(update={"checks": (), "columns": columns})


def needs_lake(trial: ProjectTrial, models: Iterable[Model]) -> bool:
    """Say whether more than the queries decides what the models hold: what they held before, or their kind."""
    return len(trial.rounds) > 1 or any(m.header.kind not in ("table", "view", "incremental") for m in models)
