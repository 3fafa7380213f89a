"""Loads a folder of files: every file is read, every name looked up, and all that is wrong is said at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lagoa.errors import LagoaError, ProjectError, ProjectErrors
from lagoa.project.cache import QueryCache
from lagoa.project.config import environment, override
from lagoa.project.graph import Graph, Node
from lagoa.project.links import acyclic, look_up, unique
from lagoa.project.model import CustomCheck, Project
from lagoa.project.models import read_checks, read_models
from lagoa.project.reading import Reading, later, mapping_of
from lagoa.project.refer import References
from lagoa.project.sources import read_sources
from lagoa.project.targets import chosen_target, deferred, deferring, lake_of
from lagoa.project.tree import PROJECT_FILE, survey
from lagoa.project.words import Findings, declared
from lagoa.project.yaml import Document
from lagoa.spec.names import TableName
from lagoa.spec.project import ProjectFile, Target

LATER_KEYS = ("schedule", "alerts")
LATER_TARGET_KEYS = ("catalog", "deployer")


def load(
    root: Path, target: str | None = None, environ: Mapping[str, str] = os.environ, *, fresh: bool = False
) -> Project:
    """Read the project in a folder for one target (`local` when none is named), without running anything of it.

    `fresh` asks sources that take a whole schema for its tables again, instead of taking those last seen.
    Raises ProjectErrors with all that is wrong, sorted by file and line, and CommandError LG-601 when there is no
    such target.
    """
    root = root.resolve()
    findings = Findings()
    try:
        tree = survey(root, findings)
        variables = environment(root, environ)
    except ProjectError as error:
        raise ProjectErrors([error]) from None
    reading = Reading(tree, findings, References(variables), QueryCache(root), target or "local", fresh)
    file, document = _project_file(reading, variables)
    entries, streams, stream_nodes = read_sources(reading)
    models, model_nodes = read_models(reading)
    checks = read_checks(reading, {node.name for node in model_nodes if node.kind == "view"})
    nodes = unique(reading, [*stream_nodes, *model_nodes])
    look_up(reading, nodes)
    acyclic(reading, nodes)
    name = target or "local"
    chosen = chosen_target(reading, root, file, name, document) if file else Target()
    findings.raise_all()
    if file is None:  # for the type checker: a project file that cannot be read is a finding
        raise LagoaError("LG-605", f"{PROJECT_FILE} was neither read nor refused")
    reading.cache.save()
    return Project(
        root=root,
        file=file,
        target_name=name,
        target=chosen,
        lake=lake_of(root, chosen),
        defer=deferred(root, file, name),
        deferring=deferring(root, file, name),
        sources=entries,
        models={model.name: model for model in models},
        checks=tuple(checks),
        graph=Graph(_guarded(nodes, checks), {stream.name: stream for stream in streams}),
        secrets=tuple(reading.references.secrets),
    )


def _project_file(reading: Reading, variables: Mapping[str, str]) -> tuple[ProjectFile | None, Document]:
    document = Document(None, PROJECT_FILE, 1, [])
    with reading.findings.catching():
        document = override(mapping_of(reading.tree.root / PROJECT_FILE, PROJECT_FILE), variables)
        value, unresolved = reading.references.resolve(document)
        reading.findings.extend(unresolved)
        value = _without_later_keys(reading, value or {}, document)
        return declared(ProjectFile, value, document), document
    return None, document


def _without_later_keys(reading: Reading, value: dict[str, Any], document: Document) -> dict[str, Any]:
    """Refuse by name what lagoa.yml will hold one day, and go on without it."""
    for key in LATER_KEYS:
        if key in value:
            reading.findings.append(later(f"`{key}:`", document.key((key,))))
    kept = {key: held for key, held in value.items() if key not in LATER_KEYS}
    targets = kept.get("targets")
    if not isinstance(targets, dict):
        return kept
    for name, target in targets.items():
        for key in LATER_TARGET_KEYS:
            if isinstance(target, dict) and key in target:
                reading.findings.append(later(f"a target's `{key}:`", document.key(("targets", name, key))))
    kept["targets"] = {
        name: {k: v for k, v in t.items() if k not in LATER_TARGET_KEYS} if isinstance(t, dict) else t
        for name, t in targets.items()
    }
    return kept


def _guarded(nodes: list[Node], checks: list[CustomCheck]) -> list[Node]:
    """Tell each table which others the checks in `checks/` compare it with."""
    others: dict[TableName, list[TableName]] = {}
    for check in checks:
        others.setdefault(check.table, []).extend(t.guarded for t in check.tables if t.guarded != check.table)
    return [
        replace(node, checked_against=tuple(dict.fromkeys((*node.checked_against, *others[node.name]))))
        if node.name in others
        else node
        for node in nodes
    ]
