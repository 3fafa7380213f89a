"""Parses XML piece by piece; a document with a DTD is refused, so that no entity grows or reads a file."""

from __future__ import annotations

import xml.parsers.expat as expat  # a DTD, which makes it vulnerable, is refused below
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

DEEPEST = 200
"""How deep elements may be nested."""


class Malformed(ValueError):
    """The text is not well-formed, or is refused; `line` is where."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


def _start(name: str, attributes: dict[str, str]) -> None:
    """Pass over the start of an element."""


def _end(name: str) -> None:
    """Pass over the end of an element."""


def _text(text: str) -> None:
    """Pass over text."""


@dataclass
class Handlers:
    """What is called on the way, with local names: namespaces are told by nobody's column."""

    start: Callable[[str, dict[str, str]], None] = _start
    end: Callable[[str], None] = _end
    text: Callable[[str], None] = _text


class Parser:
    """Parses one document, piece by piece. Every method raises Malformed where it is not well-formed."""

    def __init__(self, handlers: Handlers, encoding: str | None = None) -> None:
        self._parser: Any = expat.ParserCreate(encoding, namespace_separator=" ")
        self._handlers, self._depth = handlers, 0
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = handlers.text
        self._parser.StartDoctypeDeclHandler = self._refuse

    @property
    def line(self) -> int:
        """The line that is being read."""
        return int(self._parser.CurrentLineNumber)

    def feed(self, piece: bytes, last: bool = False) -> None:
        """Parse the next piece."""
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise Malformed(f"it is not well-formed XML: {expat.ErrorString(error.code)}", error.lineno) from error
        except (LookupError, UnicodeError) as error:
            raise Malformed(f"its encoding is not known: {error}", self.line) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Malformed("it is nested too deeply", self.line)
        local = {key.rpartition(" ")[2]: value for key, value in attributes.items()} if attributes else attributes
        self._handlers.start(name.rpartition(" ")[2], local)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._handlers.end(name.rpartition(" ")[2])

    def _refuse(self, *_: object) -> None:
        raise Malformed("it has a document type (DTD), which is refused: entities may grow or read files", self.line)


def parse(pieces: Iterable[bytes], handlers: Handlers) -> None:
    """Parse a whole document. Raises OSError where it is not well-formed."""
    parser = Parser(handlers)
    try:
        for piece in pieces:
            parser.feed(piece)
        parser.feed(b"", last=True)
    except Malformed as error:
        raise OSError(f"{error}, at line {error.line}") from error
