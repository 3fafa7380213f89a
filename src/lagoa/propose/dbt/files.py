"""Reads a dbt project from its files, as dbt would find and configure them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lagoa.errors import CommandError, ProjectError
from lagoa.project.yaml import Document, read
from lagoa.propose.dbt.nouns import Dbt, Macro, Node, Sort
from lagoa.propose.dbt.properties import Properties
from lagoa.propose.dbt.render import rendering

SETTINGS = "dbt_project.yml"
ADAPTERS = {
    **{name: name for name in ("bigquery", "databricks", "duckdb", "mysql", "postgres", "redshift", "snowflake")},
    **dict.fromkeys(("spark",), "spark"),
    **dict.fromkeys(("trino", "athena"), "trino"),
    **dict.fromkeys(("sqlserver", "fabric", "synapse"), "tsql"),
}
"""dbt's adapters, and sqlglot's name for the SQL of each."""
_PATHS = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "test-paths": "tests",
    "macro-paths": "macros",
    "analysis-paths": "analyses",
}
_OLD = {"model-paths": "source-paths", "seed-paths": "data-paths"}
"""What dbt called them before 1.0."""
_MACRO = re.compile(
    r"\{%-?\s*(?P<sort>macro|test|data_test)\s+(?P<name>\w+)(?P<rest>.*?)\{%-?\s*end(?P=sort)\s*-?%\}", re.DOTALL
)
_SNAPSHOT = re.compile(r"\{%-?\s*snapshot\s+(\w+)\s*-?%\}(.*?)\{%-?\s*endsnapshot\s*-?%\}", re.DOTALL)
_DOCS = re.compile(r"\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}", re.DOTALL)
_MAPPINGS = ("meta", "persist_docs", "vars", "column_types", "grants", "contract", "docs", "partition_by", "quoting")
"""Configurations that are mappings themselves, and so no folders."""
_FOUND: tuple[tuple[str, Sort, tuple[str, ...]], ...] = (
    ("model-paths", "model", (".sql", ".py")),
    ("seed-paths", "seed", (".csv",)),
    ("test-paths", "test", (".sql",)),
)
_FIXTURES = "fixtures"
"""The folder of tests/ whose files hold rows for unit tests."""
Settings = Mapping[str, Any]


def read_files(root: Path, dialect: str | None = None, variables: Settings | None = None) -> Dbt:
    """Read the dbt project in a folder.

    Raises CommandError LG-112 when there is none, LG-601 when nothing tells its dialect, and ProjectError for a
    dbt_project.yml that cannot be read.
    """
    if not (root / SETTINGS).is_file():
        raise CommandError("LG-112", f"there is no {SETTINGS} in {root}", hint="name the folder of a dbt project")
    settings = _document(root, root / SETTINGS)
    value: dict[str, Any] = settings.value if isinstance(settings.value, dict) else {}
    dbt = Dbt(root, str(value.get("name") or "project"))
    _profile(dbt, value, dialect)
    dbt.chosen = variables or {}
    dbt.variables = {**_variables(value.get("vars") or {}, dbt.name), **(variables or {})}
    folders = {k: [root / p for p in value.get(k) or value.get(_OLD.get(k, k)) or [d]] for k, d in _PATHS.items()}
    _macros(dbt, dbt.name, folders["macro-paths"] + [p / "generic" for p in folders["test-paths"]])
    _packages(dbt)
    _find(dbt, folders)
    for key in ("on-run-start", "on-run-end"):
        if value.get(key):
            dbt.strays.append((SETTINGS, settings.key((key,)).line, f"`{key}`: SQL that runs beside the models"))
    for path in _files(folders["analysis-paths"], ".sql"):
        dbt.strays.append((_name(root, path), 1, "an analysis: ask it with `lagoa query`"))
    for path in _files([p / _FIXTURES for p in folders["test-paths"]], ""):
        dbt.fixtures[path.stem] = path
    with rendering(dbt, {}, {}) as renderer:
        whole = renderer.tree(value)
        _configure(dbt, whole)
        docs = {m[1]: m[2].strip() for p in _files([root], ".md") for m in _DOCS.finditer(_text(p))}
        properties = Properties(dbt, docs, renderer.tree)
        for path in [*_files(_all(folders), ".yml"), *_files(_all(folders), ".yaml")]:
            try:
                properties.take(_document(root, path))
            except ProjectError as error:
                line = error.place.line if error.place else None
                dbt.strays.append((_name(root, path), line, f"the file cannot be read: {error}"))
            except (AttributeError, TypeError, ValueError):
                dbt.strays.append((_name(root, path), 1, "the file holds something of another shape than dbt's"))
    _configure_versions(dbt, whole)
    _switch_off(dbt)
    return dbt


# ---------------------------------------------------------------- finding
def _all(folders: Mapping[str, list[Path]]) -> list[Path]:
    return [folder for several in folders.values() for folder in several]


def _files(folders: list[Path], ending: str) -> Iterator[Path]:
    seen = set()
    for folder in folders:
        for path in sorted(folder.rglob(f"*{ending}")) if folder.is_dir() else []:
            inside = path.relative_to(folder).parts
            skipped = {"target", "dbt_packages", "dbt_modules", "logs", "node_modules"} & set(inside)
            hidden = any(part.startswith(".") for part in inside)
            if not skipped and not hidden and path.is_file() and path not in seen:
                seen.add(path)
                yield path


def _name(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _document(root: Path, path: Path) -> Document:
    return read(_text(path), _name(root, path))


def _find(dbt: Dbt, folders: Mapping[str, list[Path]]) -> None:
    for key, sort, endings in _FOUND:
        for folder in folders[key]:
            for ending in endings:
                for path in _files([folder], ending):
                    _add(dbt, sort, folder, path)
    for folder in folders["snapshot-paths"]:
        for path in _files([folder], ".sql"):
            text = _text(path)
            for found in _SNAPSHOT.finditer(text):
                line = text.count("\n", 0, found.start(2)) + 1
                node = Node("snapshot", found[1], _name(dbt.root, path), found[2], line)
                node.folders = path.relative_to(folder).parts[:-1]
                dbt.nodes[node.name] = node


def _add(dbt: Dbt, sort: Sort, folder: Path, path: Path) -> None:
    inside = path.relative_to(folder)
    if sort == "test" and inside.parts[0] in ("generic", _FIXTURES):
        return
    file = _name(dbt.root, path)
    name = f"test.{path.stem}" if sort == "test" else path.stem
    if name in dbt.nodes:
        dbt.strays.append((file, 1, f"`{name}` is there twice; {dbt.nodes[name].file} was taken"))
        return
    text = "" if sort == "seed" else _text(path)
    dbt.nodes[name] = Node(sort, name, file, text, folders=inside.parts[:-1])


def _macros(dbt: Dbt, package: str, folders: list[Path]) -> None:
    for path in _files(folders, ".sql"):
        dbt.macros += macros_of(package, _text(path), _name(dbt.root, path))


def macros_of(package: str, text: str, file: str, line: int = 1) -> Iterator[Macro]:
    """Find the macros and generic tests of a text, each to be called `lagoa__<name>` inside its own template."""
    for found in _MACRO.finditer(text):
        name = found["name"] if found["sort"] == "macro" else f"test_{found['name']}"
        body = f"{{% macro lagoa__{name}{found['rest']}{{% endmacro %}}"
        yield Macro(package, name, body, file, line + text.count("\n", 0, found.start()))


def _packages(dbt: Dbt) -> None:
    """Read the macros of packages that are there, and name those that are not."""
    there = set()
    for folder in sorted(dbt.root.glob("dbt_packages/*/")):
        if not (folder / SETTINGS).is_file():
            continue
        name = str((_document(dbt.root, folder / SETTINGS).value or {}).get("name") or folder.name)
        there |= {name, folder.name}
        _macros(dbt, name, [folder / "macros", folder / "tests" / "generic"])
        if any(_files([folder / "models"], ".sql")):
            where = _name(dbt.root, folder / SETTINGS)
            dbt.strays.append((where, 1, f"the models of the package `{name}` were not brought along"))

    for file in ("packages.yml", "dependencies.yml"):
        document = _document(dbt.root, dbt.root / file) if (dbt.root / file).is_file() else None
        listed = document.value.get("packages") if document and isinstance(document.value, dict) else None
        for number, entry in enumerate(listed or []):
            spelled = next((str(v) for k, v in entry.items() if k in ("package", "git", "local", "tarball")), "")
            if document and re.split(r"[/\\]", spelled.removesuffix(".git"))[-1] not in there:
                words = f"the package `{spelled}` is not in dbt_packages/: of its macros, those of dbt_utils that need "
                words += "no database are known, and no other"
                dbt.strays.append((file, document.at(("packages", number)).line, words))


# ---------------------------------------------------------------- settings
def _variables(declared: Settings, project: str) -> dict[str, Any]:
    """Return the variables that hold for the project: its own block wins."""
    own = declared.get(project)
    shared = {k: v for k, v in declared.items() if k != project}
    return {**shared, **(own if isinstance(own, dict) else {})}


def _profile(dbt: Dbt, settings: Settings, dialect: str | None) -> None:
    """Learn dialect and target from the profile; only its types are looked at."""
    places = [os.environ.get("DBT_PROFILES_DIR"), dbt.root, Path.home() / ".dbt"]
    for place in (Path(p) for p in places if p):
        if not (place / "profiles.yml").is_file():
            continue
        found = (read(_text(place / "profiles.yml"), "profiles.yml").value or {}).get(settings.get("profile"))
        if isinstance(found, dict) and isinstance(found.get("outputs"), dict) and found["outputs"]:
            outputs = found["outputs"]
            target = found.get("target") if found.get("target") in outputs else next(iter(outputs))
            dbt.target = str(target)
            dbt.dialect = ADAPTERS.get(str((outputs[target] or {}).get("type")))
            break
    dbt.dialect = dialect or dbt.dialect


def _configure(dbt: Dbt, settings: Settings) -> None:
    """Give every node what dbt_project.yml configures for its folder, the nearest last."""
    for node in dbt.nodes.values():
        node.config = _configured(settings, node, (dbt.name, *node.folders, node.name))


def _configure_versions(dbt: Dbt, settings: Settings) -> None:
    """Give versions what is configured for their model, as if it were their folder."""
    for version, name in dbt.versions.items():
        model, dot, number = version.rpartition(".v")
        if dot:
            node = dbt.nodes[name]
            node.config = _configured(settings, node, (dbt.name, *node.folders, model, f"v{number}"))
            node.config.update(node.said.config)


def _configured(settings: Settings, node: Node, steps: Iterable[str]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    level: Any = settings.get(f"{node.sort}s") or settings.get("data_tests" if node.sort == "test" else "") or {}
    for step in (None, *steps):
        level = level if step is None else level.get(step)
        if not isinstance(level, dict):
            break
        for key, value in level.items():
            plain = key.removeprefix("+")
            if key != plain or plain in _MAPPINGS or not isinstance(value, dict):
                _merge(config, plain, value)
    return config


def _merge(config: dict[str, Any], key: str, value: Any) -> None:
    key = key.replace("-", "_")  # pre-hook and pre_hook are one
    if key == "tags":
        config[key] = [*config.get(key, []), *([value] if isinstance(value, str) else value or [])]
    elif key == "meta" and isinstance(value, dict):
        config[key] = {**config.get(key, {}), **value}
    else:
        config[key] = value


def merged(config: Settings, more: Settings) -> dict[str, Any]:
    """Return a configuration with another one on top: tags add up, meta is mixed, all else is replaced."""
    result = dict(config)
    for key, value in more.items():
        _merge(result, key, value)
    return result


def _switch_off(dbt: Dbt) -> None:
    for name, node in list(dbt.nodes.items()):
        if node.config.get("enabled") is False or _off_in_file(node):
            dbt.disabled[name] = node.file
            del dbt.nodes[name]


_OFF = re.compile(r"\{\{-?\s*config\([^}]*\benabled\s*=\s*(false|False)\b")


def _off_in_file(node: Node) -> bool:
    return _OFF.search(node.text) is not None
