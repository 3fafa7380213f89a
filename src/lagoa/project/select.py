"""Chooses tables by words in dbt's grammar: names, globs, `+upstream`, `tag:x`; a space means or, a comma and."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase

from lagoa.errors import CommandError, did_you_mean
from lagoa.project.graph import Graph, Node
from lagoa.spec.names import TableName

Facts = Callable[[str, str], AbstractSet[TableName]]
"""Answers what the project's files cannot: which tables are `state:changed`, or `result:fail`."""
ASKED = {"state": ("new", "changed", "stale"), "result": ("error", "fail", "blocked")}
"""The methods that look beyond the files, with the values that they take; choosing nothing by them is no mistake."""
_WORD = re.compile(r"(?P<around>@)?(?P<up>\d*\+)?(?P<what>[^+]+)(?P<down>\+\d*)?")
_MATCHERS: dict[str, Callable[[Node, str], bool]] = {
    "tag": lambda node, pattern: any(fnmatchcase(tag, pattern) for tag in node.tags),
    "path": lambda node, pattern: _is_at(node.place.file, pattern),
    "layer": lambda node, pattern: fnmatchcase(node.name.layer, pattern.lower()),
    "source": lambda node, pattern: node.source is not None and fnmatchcase(node.source, pattern),
    "owner": lambda node, pattern: node.owner is not None and fnmatchcase(node.owner, pattern),
    "kind": lambda node, pattern: fnmatchcase(node.kind, pattern),
}


def select(
    graph: Graph, words: Iterable[str], exclude: Iterable[str] = (), facts: Facts | None = None
) -> set[TableName]:
    """Return the tables that any of the words chooses, without those that `exclude` chooses; no words choose all.

    Raises CommandError LG-601 when a word is not understood or can choose nothing, and for `state:` and `result:`
    where there are no `facts`.
    """
    chosen = _any(graph, words, facts)
    return (set(graph.nodes) if chosen is None else chosen) - (_any(graph, exclude, facts) or set())


def _any(graph: Graph, words: Iterable[str], facts: Facts | None) -> set[TableName] | None:
    parts: list[str] = []
    for word in words:
        if not word.strip():
            raise CommandError("LG-601", "a selector is empty", hint="leave the option out to choose all tables")
        parts += word.split()
    if not parts:
        return None
    found: set[TableName] = set()
    for part in parts:
        if not all(part.split(",")):
            hint = "a comma means and, with a word on both sides and no blanks: tag:daily,layer:gold"
            raise CommandError("LG-601", f"`{part}` is not a selector", hint=hint)
        found |= set.intersection(*(_one(graph, word, facts) for word in part.split(",")))
    return found


def _one(graph: Graph, word: str, facts: Facts | None) -> set[TableName]:
    match = _WORD.fullmatch(word)
    if match is None or (match["around"] and (match["up"] or match["down"])):
        hint = "write name, +name, name+, 2+name, name+1 or @name"
        raise CommandError("LG-601", f"`{word}` is not a selector", hint=hint)
    found = _matching(graph, match["what"], facts)
    reached = set(found)
    if match["around"]:
        reached |= graph.downstream(found)
        return reached | graph.upstream(reached)
    if match["up"]:
        reached |= graph.upstream(found, _depth(match["up"]))
    if match["down"]:
        reached |= graph.downstream(found, _depth(match["down"]))
    return reached


def _depth(plus: str) -> int | None:
    digits = plus.strip("+")
    return int(digits) if digits else None


def _matching(graph: Graph, what: str, facts: Facts | None) -> set[TableName]:
    method, colon, pattern = what.partition(":")
    if not colon:
        wanted = what.lower()
        found = {name for name in graph.nodes if fnmatchcase(str(name), wanted) or fnmatchcase(name.name, wanted)}
        known: Collection[str] = [form for name in graph.nodes for form in (str(name), name.name)]
    elif method in ASKED:
        return set(_asked(method, pattern, facts)) & graph.nodes.keys()
    elif method not in _MATCHERS:
        methods = [*_MATCHERS, *ASKED]
        hint = did_you_mean(method, methods) or f"select by {', '.join(f'{m}:' for m in methods)}"
        raise CommandError("LG-601", f"`{method}:` is not a way to select", hint=hint)
    else:
        matches = _MATCHERS[method]
        found = {node.name for node in graph.nodes.values() if matches(node, pattern)}
        known = _values(graph, method)
    if not found:
        raise CommandError("LG-601", f"`{what}` selects nothing", hint=_meant(what, known))
    return found


def _asked(method: str, value: str, facts: Facts | None) -> AbstractSet[TableName]:
    if value not in ASKED[method]:
        hint = did_you_mean(value, ASKED[method]) or f"write {', '.join(f'{method}:{v}' for v in ASKED[method])}"
        raise CommandError("LG-601", f"`{method}:{value}` is not a way to select", hint=hint)
    if facts is None:
        raise CommandError("LG-601", f"`{method}:` cannot be asked here: nobody looks into the lake")
    return facts(method, value)


def _meant(what: str, known: Collection[str]) -> str | None:
    """Hint at what comes closest; of a few values, at all of them."""
    wanted = what.partition(":")[2] or what
    few = f"there are {', '.join(sorted(known))}" if 0 < len(known) <= 8 else None
    return did_you_mean(wanted.lstrip("@"), known) or few


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
