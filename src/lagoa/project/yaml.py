"""Reads YAML without its old surprises (`no`, `012`, `12:30`), and knows where every key and value stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lagoa.errors import Place, ProjectError

Where = tuple[str | int, ...]
"""The way to a value inside a document: ('streams', 'orders', 'columns', 'id')."""

_LOADER = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
_PLAIN_TAG = "tag:yaml.org,2002:str"
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
# a number with leading zeros is a code (012, a postal code), so it stays text
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SECRETIVE = re.compile(
    r"(?i)(?<![\w-])(?<!\$\{)"
    r"([\w-]*(?:pass|senha|secret|token|connection|credential|url|dsn|api_key)[\w-]*[\"']?\s*:\s*)(?!\$\{)\S.*"
)


@dataclass(frozen=True)
class Document:
    """What a YAML text holds, and where each part of it stands in the user's file."""

    value: Any
    file: str
    first_line: int
    lines: Sequence[str]
    keys: dict[Where, tuple[int, int]] = field(default_factory=dict)
    """Line and column (from 1, in the file) of each mapping's key."""
    values: dict[Where, tuple[int, int]] = field(default_factory=dict)
    """Line and column of each value."""
    variables: Mapping[Where, str] = field(default_factory=dict)
    """Values that do not stand in the file: the environment variable that gave each."""

    def key(self, where: Where) -> Place:
        """Point at a key; at its value when it has none; when it is not there, at what holds it."""
        return self._place(where, self.keys, self.values)

    def at(self, where: Where) -> Place:
        """Point at a value; when it is not there, at what holds it."""
        return self._place(where, self.values, self.keys)

    def _place(self, where: Where, *maps: dict[Where, tuple[int, int]]) -> Place:
        if where in self.variables:
            return Place(f"environment variable {self.variables[where]}")
        for length in range(len(where), -1, -1):
            for positions in maps:
                if where[:length] in positions:
                    return self.point(*positions[where[:length]])
        return self.point(self.first_line, 1)

    def point(self, line: int, column: int) -> Place:
        """Make a place of a line and column, with the line's text but for what may be a password."""
        at = line - self.first_line
        text = self.lines[at] if 0 <= at < len(self.lines) else None
        return Place(self.file, line, column, text if text is None else discreet(text))


def discreet(line: str) -> str:
    """Hide what may be a password: the value beside a key that sounds like one."""
    return _SECRETIVE.sub(r"\1…", line)


def read(text: str, file: str, first_line: int = 1, shown: Sequence[str] | None = None) -> Document:
    """Read one YAML document. Raises ProjectError LG-104: it is not YAML, or a key stands twice.

    `shown` are the file's own lines from `first_line` on, when the text is only a part of them.
    """
    lines = text.split("\n") if shown is None else shown
    document = Document(None, file, first_line, lines)
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
    except MarkedYAMLError as error:
        raise _unreadable(document, error) from None
    except (YAMLError, RecursionError) as error:
        bad = getattr(error, "position", None)
        line = text.count("\n", 0, bad) + first_line if isinstance(bad, int) else first_line
        raise ProjectError("LG-104", "the file holds a character that YAML forbids", place=Place(file, line)) from None
    finally:
        loader.dispose()
    value = None if node is None else _Builder(document).build(node, (), ())
    return replace(document, value=value)


# what libyaml was doing when it met the end of something, and what a user would say
_UNCLOSED = {
    "while parsing a flow sequence": "a list `[` is never closed",
    "while parsing a flow mapping": "a mapping `{` is never closed",
    "while scanning a quoted scalar": "a quote is never closed",
    "while scanning a simple key": "this line lacks its `: `",
}
_PROBLEMS = (
    ("mapping values are not allowed", "a `: ` stands where none can", "quote the text, or mend the indentation"),
    ("<document start>", "the indentation does not fit the lines above", "indent keys of one mapping alike"),
    ("document", "a second document begins here", "a file holds one document; remove the `---`"),
    ("undefined alias", "`*` begins an alias that nothing defines", "quote a text that begins with `*`"),
    ("cannot start any token", "a sign stands here that begins no text", "quote the text"),
    ("did not find expected node content", "a list `[` or a mapping `{` is never closed", None),
    ("did not find expected", "the indentation does not fit the lines above", "indent keys of one mapping alike"),
)


def _unreadable(document: Document, error: MarkedYAMLError) -> ProjectError:
    problem, hint = str(error.problem or error.context or "it cannot be read"), None
    mark = error.problem_mark or error.context_mark
    shown = _line(document, mark.line) if mark else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())]:
        problem, hint = "a tab indents this line", "indent with spaces"
    elif error.context in _UNCLOSED and error.context_mark:
        problem, mark = _UNCLOSED[error.context], error.context_mark
    else:
        for part, words, advice in _PROBLEMS:
            if part in problem:
                problem, hint = words, advice
                break
    line, column = (mark.line, mark.column) if mark else (0, 0)
    while line > 0 and not _line(document, line).strip():  # the end of the file shows nothing
        line, column = line - 1, max(0, len(_line(document, line - 1).rstrip()) - 1)
    place = document.point(document.first_line + line, column + 1)
    return ProjectError("LG-104", problem, place=place, hint=hint)


def _line(document: Document, at: int) -> str:
    return document.lines[at] if at < len(document.lines) else ""


class _Builder:
    """Turns YAML's nodes into Python values and notes where each stands."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def build(self, node: Node, where: Where, above: tuple[Node, ...]) -> Any:
        self._document.values.setdefault(where, self._position(node))
        if node in above:
            raise self._error(node, "an alias refers to what holds it")
        if isinstance(node, MappingNode):
            return self._mapping(node, where, (*above, node))
        if isinstance(node, SequenceNode):
            return [self.build(item, (*where, i), (*above, node)) for i, item in enumerate(node.value)]
        if node.tag not in (_PLAIN_TAG, "!", ""):
            raise self._error(node, f"the tag {node.tag} means nothing here")
        return _scalar(node)

    def _mapping(self, node: MappingNode, where: Where, above: tuple[Node, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self._error(key_node, "a key is a word", "write `key: value`")
            key = str(key_node.value)
            if key in found:
                first = self._document.keys[(*where, key)][0]
                raise self._error(key_node, f"`{key}` stands here a second time (first on line {first})")
            self._document.keys[(*where, key)] = self._position(key_node)
            found[key] = self.build(value_node, (*where, key), above)
        return found

    def _position(self, node: Node) -> tuple[int, int]:
        mark = node.start_mark
        return mark.line + self._document.first_line, mark.column + 1

    def _error(self, node: Node, message: str, hint: str | None = None) -> ProjectError:
        return ProjectError("LG-104", message, place=self._document.point(*self._position(node)), hint=hint)


def _scalar(node: Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
