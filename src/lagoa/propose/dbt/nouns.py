"""What a dbt project holds, in one form whether its files or its manifest told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Sort = Literal["model", "seed", "snapshot", "test"]


@dataclass
class Test:
    """A generic test as declared: `kind` may carry its package (`dbt_utils.recency`); `column` None: of the table."""

    __test__ = False  # not one of ours

    kind: str
    arguments: dict[str, Any]
    config: dict[str, Any]
    name: str | None
    file: str
    line: int | None
    column: str | None = None


@dataclass
class Column:
    """What is said of a column."""

    description: str = ""
    data_type: str | None = None
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass
class Said:
    """What a file of properties says of a table."""

    description: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)
    constraints: list[Test] = field(default_factory=list)
    """What an enforced contract demands, as tests."""
    config: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    line: int | None = None


@dataclass
class Node:
    """A model, seed, snapshot or singular test. `file` is relative to the dbt project; `line` is where text begins."""

    sort: Sort
    name: str
    file: str
    text: str = ""
    line: int = 1
    folders: tuple[str, ...] = ()
    """The folders between the sort's own folder and the file."""
    said: Said = field(default_factory=Said)
    config: dict[str, Any] = field(default_factory=dict)
    """What dbt_project.yml, the properties and, in a manifest, the file itself configure."""
    compiled: str | None = None
    """What dbt made of the text, when a manifest tells."""

    @property
    def is_python(self) -> bool:
        """Say whether it is a Python model."""
        return self.file.endswith(".py")


@dataclass
class SourceTable:
    """A table that dbt reads and does not make."""

    source: str
    name: str
    identifier: str
    schema: str
    said: Said
    config: dict[str, Any] = field(default_factory=dict)
    """`external_location`, `freshness`, `loaded_at_field`, when they are given."""
    about: str = ""
    """What is said of the whole source."""


@dataclass(frozen=True)
class UnitTest:
    """A unit test as declared: `given` and `expect` hold its rows in dbt's words."""

    name: str
    model: str
    given: tuple[Mapping[str, Any], ...]
    expect: Mapping[str, Any]
    overrides: Mapping[str, Any]
    versions: Mapping[str, Any]
    """Which versions of the model it `include`s or `exclude`s, where it has some."""
    description: str
    file: str
    line: int | None


@dataclass(frozen=True)
class Macro:
    """A macro's text, with where it begins."""

    package: str
    name: str
    text: str
    file: str
    line: int


@dataclass
class Dbt:
    """A dbt project, read."""

    root: Path
    name: str
    dialect: str | None = None
    """sqlglot's name of the SQL that its models are written in; None when nothing tells."""
    target: str = "dev"
    variables: dict[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Those that a person chose for this translation; `env_var` finds these alone."""
    nodes: dict[str, Node] = field(default_factory=dict)
    """By name; singular tests as `test.<name>`."""
    versions: dict[str, str] = field(default_factory=dict)
    """Names of nodes that are versions of a model: by `model.v1`, and the latest of them by `model`."""
    sources: dict[tuple[str, str], SourceTable] = field(default_factory=dict)
    macros: list[Macro] = field(default_factory=list)
    unit_tests: list[UnitTest] = field(default_factory=list)
    fixtures: dict[str, Path] = field(default_factory=dict)
    """Files of rows for unit tests, by name."""
    disabled: dict[str, str] = field(default_factory=dict)
    """Names of what is switched off, with the file."""
    owners: dict[str, str] = field(default_factory=dict)
    """Who answers for each group."""
    compiled_names: Mapping[str, str] = field(default_factory=dict)
    """How relations are written in compiled text → `model.x` or `source.a.b`."""
    strays: list[tuple[str, int | None, str]] = field(default_factory=list)
    """What has no place in a Lagoa project: file, line, words."""
