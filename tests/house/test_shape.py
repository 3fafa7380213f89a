"""The house's shape: short files, short functions, small classes, shallow folders, honest names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "lagoa"
LINES, FUNCTION, METHODS, DEPTH = 500, 50, 20, 3
DRAWERS = {"utils", "util", "common", "core", "helpers", "helper", "misc", "manager", "base"}


def _files(*folders: Path) -> list[Path]:
    """Our Python files: not the examples, which are a user's, nor what a bench has installed or made."""
    found = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return [path for path in found if not {"examples", "__pycache__", "work"} & set(path.relative_to(ROOT).parts)]


OURS = _files(SOURCE, ROOT / "tests", ROOT / "bench", ROOT / "docs")
PRODUCT = _files(SOURCE)


def too_long(text: str) -> Iterator[str]:
    """Name what is longer than the house allows."""
    if (lines := text.count("\n")) > LINES:
        yield f"the file has {lines} lines, more than {LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > FUNCTION:
                yield f"line {node.lineno}: {node.name}() has {length} lines, more than {FUNCTION}"
        if isinstance(node, ast.ClassDef):
            public = [f for f in node.body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_")]
            if len(public) > METHODS and not node.name.startswith("Test"):
                yield f"line {node.lineno}: {node.name} has {len(public)} public methods, more than {METHODS}"


def unsaid(text: str) -> Iterator[str]:
    """Name what is wrong with a module's opening sentence."""
    words = ast.get_docstring(ast.parse(text))
    if words is None:
        yield "it does not open with a sentence that says why it exists"
    elif not words.split("\n\n")[0].rstrip().endswith("."):
        yield "its first sentence does not end"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_functions_and_classes_are_short_and_say_why_they_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    assert [*too_long(text), *unsaid(text)] == []


def test_a_long_file_function_or_class_would_be_noticed() -> None:
    assert list(too_long("x = 1\n" * (LINES + 1)))
    assert list(too_long("def f():\n" + "    x = 1\n" * FUNCTION))
    assert not list(too_long("def f():\n" + "    x = 1\n" * (FUNCTION - 1)))
    assert list(too_long("class A:\n" + "".join(f"    def f{i}(self): ...\n" for i in range(METHODS + 1))))
    assert not list(too_long("class A:\n" + "".join(f"    def _f{i}(self): ...\n" for i in range(METHODS + 1))))


def test_a_module_without_sentence_would_be_noticed() -> None:
    assert list(unsaid("x = 1\n"))
    assert list(unsaid('"""No end"""\n'))
    assert not list(unsaid('"""An end."""\n'))


def drawers(folder: Path) -> list[str]:
    """Name files and folders whose name says nothing, and folders that nest too deep."""
    inside = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts]
    ours = [path for path in inside if path.parts[0] != "examples"]
    nameless = [str(path) for path in ours if path.stem in DRAWERS]
    deep = [str(path) for path in ours if path.suffix == ".py" and len(path.parts) - 1 > DEPTH]
    return nameless + deep


def test_no_drawer_and_no_deep_folder() -> None:
    assert drawers(SOURCE) == []


def test_a_drawer_or_a_deep_folder_would_be_noticed(tmp_path: Path) -> None:
    for name in ("lake/utils.py", "core/x.py", "a/b/c/d/e.py", "a/b/c/fine.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert drawers(tmp_path) == ["core", "lake/utils.py", "a/b/c/d/e.py"]


def test_names_claim_and_do_not_do() -> None:
    """Functions say what they return or do: no get_, do_, process_."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.name.startswith(("get_", "do_", "process_"))
        and node.name not in {"get_command"}  # click calls it
    ]
    assert found == []
