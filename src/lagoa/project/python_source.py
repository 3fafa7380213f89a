"""Reads a source that is a Python file: its docstring declares, its functions are looked at and never run."""

from __future__ import annotations

import ast
from pathlib import Path

from lagoa.errors import Place, ProjectError, did_you_mean
from lagoa.ports import Source
from lagoa.project.header import parse_python, split_python
from lagoa.project.reading import text_of
from lagoa.project.yaml import Document

TOLD = ("since", "settings")
"""What a function may ask for, by the names of its parameters."""


def header_of(path: Path, file: str) -> Document:
    """Read what the docstring declares. Raises ProjectError LG-102 when that is no mapping, LG-104, LG-115."""
    document = split_python(text_of(path, file, "LG-115"), file).header
    if not isinstance(document.value, dict):
        hint = "declare `streams:` in the docstring, below a line `---`"
        raise ProjectError("LG-102", "the file declares no streams", place=Place(file, 1), hint=hint)
    return document


def has_its_functions(path: Path, file: str, source: Source, document: Document) -> None:
    """Find the function of each stream. Raises ProjectError LG-115 when one is missing, or asks for too much."""
    text = text_of(path, file, "LG-115")
    found = {node.name: node for node in parse_python(text, file).body if isinstance(node, ast.FunctionDef)}
    for name in source.streams:
        function = found.get(name)
        if function is None:
            message = f"the file defines no function `{name}` for the stream of that name"
            place = document.key(("streams", name))
            raise ProjectError("LG-115", message, place=place, hint=did_you_mean(name, found))
        asked = function.args
        names = [a.arg for a in (*asked.posonlyargs, *asked.args, *asked.kwonlyargs)]
        names += [a.arg for a in (asked.vararg, asked.kwarg) if a is not None]
        if (unknown := next((n for n in names if n not in TOLD), None)) is not None:
            place = Place(file, function.lineno, function.col_offset + 1, text.split("\n")[function.lineno - 1])
            message = f"{name}() takes `{unknown}`, which nothing gives it"
            raise ProjectError("LG-115", message, place=place, hint="it may take `since` and `settings`")
