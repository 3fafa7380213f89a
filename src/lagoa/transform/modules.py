"""The project's own modules that a Python model imports, found by reading: planning never runs the user's code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def own_modules(text: str, root: Path) -> dict[str, str]:
    """Give the text of every module of the project that a file imports, directly or through others, by its path."""
    found: dict[str, str] = {}
    waiting = list(_imported(text, ()))
    while waiting:
        name = waiting.pop()
        for path in _files(root, name):
            where = path.relative_to(root).as_posix()
            if where not in found:
                found[where] = path.read_text("utf-8", "replace")
                inside = name if path.name == "__init__.py" else name[:-1]
                waiting += _imported(found[where], inside)
    return dict(sorted(found.items()))


def same_python(a: str, b: str) -> bool:
    """Say whether two texts are one program but for comments and layout."""
    if a == b:
        return True
    try:
        return ast.dump(ast.parse(a)) == ast.dump(ast.parse(b))
    except SyntaxError:
        return False


def _imported(text: str, package: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Name what a file in a package imports; of `from a import b`, b may be a module or not."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = (*above, *(node.module.split(".") if node.module else ()))
            yield base
            yield from ((*base, alias.name) for alias in node.names)


def _files(root: Path, name: tuple[str, ...]) -> Iterator[Path]:
    """Find the files that importing a name runs: its packages, and itself."""
    for depth in range(1, len(name) + 1):
        place = root.joinpath(*name[:depth])
        yield from (p for p in (place / "__init__.py", place.with_name(place.name + ".py")) if p.is_file())
