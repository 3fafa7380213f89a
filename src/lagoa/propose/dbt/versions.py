"""Makes of each version of a dbt model a model of its own, called as dbt calls its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lagoa.propose.dbt.nouns import Dbt, Node, Said, UnitTest


def version_name(model: str, version: object) -> str:
    """Return what dbt calls the table of a version."""
    return f"{model}_v{version}"


def latest_of(versions: Sequence[str]) -> str:
    """Return the version that dbt takes for the latest when nothing else is said."""
    numbers = all(version.replace(".", "", 1).isdigit() for version in versions)
    return max(versions, key=float if numbers else str, default="")


def taken(dbt: Dbt, file: str, name: str) -> Node | None:
    """Give the model of a file the name of its version; None when there is no such model."""
    node = dbt.nodes.get(file)
    if node is None or node.sort != "model":
        return None
    del dbt.nodes[file]
    node.name = name
    dbt.nodes[name] = node
    return node


def one_of(shared: Said, own: Said, version: Mapping[str, Any]) -> Said:
    """Return what is said of a version: of the model's columns those that it includes, and what it says itself."""
    columns = {name: column for name, column in shared.columns.items() if _included(name, version)}
    kept = columns.keys() - own.columns.keys()
    tests = [test for test in shared.tests if test.column in kept]
    if not {"tests", "data_tests"} & version.keys():
        tests += [test for test in shared.tests if test.column is None]
    return Said(
        own.description or shared.description,
        {**columns, **own.columns},
        [*tests, *own.tests],
        [],
        {**shared.config, **own.config},
        own.file,
        own.line,
    )


def _included(column: str, version: Mapping[str, Any]) -> bool:
    listed: Iterable[Any] = version.get("columns") or []
    chosen = next((entry for entry in listed if isinstance(entry, dict) and "include" in entry), {"include": "all"})
    wanted = chosen["include"]
    return (wanted in ("all", "*") or column in wanted) and column not in (chosen.get("exclude") or ())


def of_each_version(test: UnitTest, dbt: Dbt) -> list[UnitTest]:
    """Return a unit test for each version of its model that it is about; itself when the model has none."""
    before = f"{test.model}.v"
    there = {ref.removeprefix(before): name for ref, name in dbt.versions.items() if ref.startswith(before)}
    if not there:
        return [test]
    include = {str(version) for version in test.versions.get("include") or there}
    include -= {str(version) for version in test.versions.get("exclude") or ()}
    return [replace(test, name=f"{test.name}_v{v}", model=name) for v, name in there.items() if v in include]
