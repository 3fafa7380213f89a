"""Finds the files of a project, and names every file or folder that stands where none belongs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lagoa.errors import Place, ProjectError, closest
from lagoa.project.words import Findings
from lagoa.spec.names import LAYERS, TableName, is_name, name_for

PROJECT_FILE = "lagoa.yml"
FOLDERS = ("sources", "models", "checks", "tests")
LATER_FOLDERS = ("policies", "dashboards")
MODEL_LAYERS = tuple(layer for layer in LAYERS if layer != "bronze")
_OURS = (PROJECT_FILE, *FOLDERS, *LATER_FOLDERS)
NOTES = ("readme", "license", "notice")
"""Beginnings of names of files that are for people, whatever folder they are in."""


@dataclass
class Tree:
    """The files of a project, by what they make."""

    root: Path
    sources: dict[str, Path] = field(default_factory=dict)
    models: list[tuple[TableName, Path]] = field(default_factory=list)
    checks: dict[str, Path] = field(default_factory=dict)
    tests: list[Path] = field(default_factory=list)

    def relative(self, path: Path) -> str:
        """Write a path as errors show it: from the project's folder, with slashes."""
        return path.relative_to(self.root).as_posix()


def survey(root: Path, findings: Findings) -> Tree:
    """Find the project's files; what does not belong is added to findings (LG-109, LG-110).

    Raises ProjectError LG-112 when the folder holds no lagoa.yml.
    """
    tree = Tree(root)
    _require_project_file(root)
    for path in sorted(root.iterdir()):
        _top_level(path, findings)
    for path in _inside(root / "sources"):
        _source(path, tree, findings)
    for path in _inside(root / "models"):
        _layer(path, tree, findings)
    for path in _inside(root / "checks"):
        if path.is_file() and path.suffix == ".sql":
            tree.checks[path.stem] = path
        else:
            findings.append(_stray(tree.relative(path), "checks/ holds .sql files and nothing else"))
    _tests(root / "tests", tree, findings)
    return tree


def _require_project_file(root: Path) -> None:
    if (root / PROJECT_FILE).is_file():
        return
    near = [p.name for p in root.iterdir() if closest(p.name, [PROJECT_FILE])] if root.is_dir() else []
    hint = f"rename {near[0]} to {PROJECT_FILE}" if near else None
    missing = f"{PROJECT_FILE} in {root}" if root.is_dir() else f"folder {root}"
    raise ProjectError("LG-112", f"there is no {missing}", hint=hint)


def _top_level(path: Path, findings: Findings) -> None:
    """Refuse near-misses of our names; other files and folders (data, notes, scripts) are the user's own."""
    name = path.name
    if name.startswith((".", "_")) or name in (*FOLDERS, PROJECT_FILE):
        return
    if name in LATER_FOLDERS:
        content = _inside(path)
        if content:
            message = f"this version does not do {name}/ yet"
            place = Place(f"{name}/{content[0].name}")
            findings.append(ProjectError("LG-110", message, place=place, hint="move the folder away for now"))
        return
    meant = closest(name, _OURS, likeness=0.75)  # src/ is nobody's typo for sources/
    if meant and (path.is_dir() or meant == PROJECT_FILE):
        findings.append(_stray(name, f"`{name}` is not a name that a project knows", f"did you mean `{meant}`?"))


def _inside(folder: Path) -> list[Path]:
    """List a folder without what belongs to other tools: hidden files, caches, notes for people."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith((".", "__")) and not path.name.lower().startswith(NOTES)
    )


def _source(path: Path, tree: Tree, findings: Findings) -> None:
    where = tree.relative(path)
    if path.suffix == ".yaml":
        findings.append(_stray(where, "a source's file ends in .yml", f"rename it to {path.stem}.yml"))
    elif path.is_dir() or path.suffix not in (".yml", ".py"):
        findings.append(_stray(where, "sources/ holds .yml and .py files, one per source", "sources/erp.yml"))
    elif not is_name(path.stem):
        findings.append(_bad_name(where, path.stem))
    elif path.stem in tree.sources:
        other = tree.sources[path.stem].name
        findings.append(_stray(where, f"{other} is a source of the same name", "rename one of them"))
    else:
        tree.sources[path.stem] = path


def _layer(path: Path, tree: Tree, findings: Findings) -> None:
    where = tree.relative(path)
    if path.is_file():
        hint = f"did you mean models/{MODEL_LAYERS[0]}/{path.name}?"
        findings.append(_stray(where, "a model stands in the folder of its layer", hint))
    elif path.name == "bronze":
        if _inside(path):
            hint = "move its models to models/silver/"
            findings.append(_stray(where, "bronze holds what sources deliver; models make silver and gold", hint))
    elif path.name not in MODEL_LAYERS:
        meant = closest(path.name, MODEL_LAYERS)
        hint = f"did you mean models/{meant}/?" if meant else "the layers of models are silver and gold"
        findings.append(_stray(where, f"`{path.name}` is not a layer", hint))
    else:
        _models(path, path.name, tree, findings)


def _models(folder: Path, layer: str, tree: Tree, findings: Findings) -> None:
    for path in _inside(folder):
        where = tree.relative(path)
        if path.is_dir():
            _models(path, layer, tree, findings)
        elif path.suffix not in (".sql", ".py"):
            hint = "sources read data files; a model is .sql or .py"
            findings.append(_stray(where, f"models/ holds .sql and .py files, not `{path.suffix or path.name}`", hint))
        elif not is_name(path.stem):
            findings.append(_bad_name(where, path.stem))
        else:
            tree.models.append((TableName(layer, path.stem), path))


def _tests(folder: Path, tree: Tree, findings: Findings) -> None:
    for path in _inside(folder):
        where = tree.relative(path)
        if path.is_dir():
            _tests(path, tree, findings)
        elif path.suffix == ".yaml":
            findings.append(_stray(where, "a file of tests ends in .yml", f"rename it to {path.stem}.yml"))
        elif path.suffix == ".yml":
            tree.tests.append(path)
        elif path.suffix != ".csv":
            hint = "tests of Python code stand elsewhere, such as in test/" if path.suffix == ".py" else None
            findings.append(_stray(where, "tests/ holds .yml files, and .csv files that they name", hint))


def _stray(where: str, message: str, hint: str | None = None) -> ProjectError:
    return ProjectError("LG-109", message, place=Place(where), hint=hint)


def _bad_name(where: str, stem: str) -> ProjectError:
    message = f"`{stem}` cannot name a table: small letters a to z, digits and _, not beginning with a digit"
    return ProjectError("LG-109", message, place=Place(where), hint=f"rename it to {name_for(stem)}")
