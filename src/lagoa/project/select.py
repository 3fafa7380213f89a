"""Chooses tables by words in dbt's grammar: names, globs, `+upstream`, `tag:x`; a space means or, a comma and."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from lagoa.errors import CommandError, ProjectError, did_you_mean
from lagoa.project.graph import Graph, Node
from lagoa.spec.names import TableName

LATER = ("state", "result")
_WORD = re.compile(r"(?P<up>\d*\+)?(?P<what>[^+]+)(?P<down>\+\d*)?")
_MATCHERS: dict[str, Callable[[Node, str], bool]] = {
    "tag": lambda node, pattern: any(fnmatchcase(tag, pattern) for tag in node.tags),
    "source": lambda node, pattern: node.source is not None and fnmatchcase(node.source, pattern),
    "layer": lambda node, pattern: fnmatchcase(node.name.layer, pattern),
    "path": lambda node, pattern: _is_at(node.place.file, pattern),
    "kind": lambda node, pattern: fnmatchcase(node.kind, pattern),
    "owner": lambda node, pattern: node.owner is not None and fnmatchcase(node.owner, pattern),
}


def select(graph: Graph, words: Iterable[str], exclude: Iterable[str] = ()) -> set[TableName]:
    """Return the tables that any of the words chooses, without those that `exclude` chooses; no words choose all.

    Raises CommandError LG-601 when a word chooses nothing, ProjectError LG-110 for methods of later versions.
    """
    chosen = _any(graph, words)
    return (set(graph.nodes) if chosen is None else chosen) - (_any(graph, exclude) or set())


def _any(graph: Graph, words: Iterable[str]) -> set[TableName] | None:
    parts = [part for word in words for part in word.split()]
    if not parts:
        return None
    found: set[TableName] = set()
    for part in parts:
        sets = [_one(graph, word) for word in part.split(",") if word]
        if not sets:
            raise CommandError("LG-601", f"`{part}` selects nothing", hint="name a table: silver.orders")
        found |= set.intersection(*sets)
    return found


def _one(graph: Graph, word: str) -> set[TableName]:
    match = _WORD.fullmatch(word)
    if match is None:
        hint = "write name, +name, name+, 2+name or name+1"
        raise CommandError("LG-601", f"`{word}` is not a selector", hint=hint)
    found = _matching(graph, match["what"])
    reached = set(found)
    for name in found:
        if match["up"]:
            reached |= graph.upstream(name, _depth(match["up"]))
        if match["down"]:
            reached |= graph.downstream(name, _depth(match["down"]))
    return reached


def _depth(plus: str) -> int | None:
    digits = plus.strip("+")
    return int(digits) if digits else None


def _matching(graph: Graph, what: str) -> set[TableName]:
    method, colon, pattern = what.partition(":")
    if not colon:
        found = {name for name in graph.nodes if fnmatchcase(str(name), what) or fnmatchcase(name.name, what)}
        hint = did_you_mean(what, [str(name) for name in graph.nodes])
    elif method in LATER:
        raise ProjectError("LG-110", f"this version does not select by {method}: yet")
    elif method not in _MATCHERS:
        hint = did_you_mean(method, _MATCHERS) or f"select by {', '.join(f'{m}:' for m in _MATCHERS)}"
        raise CommandError("LG-601", f"`{method}:` is not a way to select", hint=hint)
    else:
        matches = _MATCHERS[method]
        found = {node.name for node in graph.nodes.values() if matches(node, pattern)}
        hint = did_you_mean(pattern, _values(graph, method))
    if not found:
        raise CommandError("LG-601", f"`{what}` selects nothing", hint=hint)
    return found


def _values(graph: Graph, method: str) -> set[str]:
    """List what a method could be asked for, for the hint."""
    nodes = graph.nodes.values()
    values: dict[str, set[str | None]] = {
        "tag": {tag for node in nodes for tag in node.tags},
        "source": {node.source for node in nodes},
        "layer": {node.name.layer for node in nodes},
        "path": {node.place.file for node in nodes},
        "kind": {node.kind for node in nodes},
        "owner": {node.owner for node in nodes},
    }
    return {value for value in values[method] if value}


def _is_at(file: str, pattern: str) -> bool:
    """Match a file, or everything inside a folder: `path:models/gold`."""
    pattern = pattern.removeprefix("./").rstrip("/")
    return fnmatchcase(file, pattern) or fnmatchcase(file, f"{pattern}/*")
