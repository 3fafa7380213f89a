"""Takes a JSON document apart: the records of its list, each with the line where it starts, and nothing else in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lagoa.kit.json_records.strict import Judge

EACH = "*"
_BLANK = re.compile(r"[ \t\n\r]*")


@dataclass
class Document:
    """A JSON text and how far it was read. Every method raises ValueError where it is not valid."""

    text: str
    judge: Judge
    place: int = 0
    _line: int = 1
    _counted: int = 0

    def records(self, path: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield line and text of each record of the list (or of the one object) that stands at `path`.

        A step `*` goes into each element of a list, or each value of an object.
        """
        found = yield from self._at(list(path))
        self._skip()
        if self.place < len(self.text):
            raise self._error("there is more after its end")
        if not found:
            raise ValueError(f"nothing stands at ${''.join('.' + p for p in path)}")

    def alone(self) -> bool:
        """Say whether the text is one value with nothing after it, as far as its first value shows."""
        self._skip()
        if self._peek() == "[":
            return True
        try:
            self._value()
        except ValueError:
            return True
        self._skip()
        more = self.place < len(self.text)
        self.place = 0
        return not more

    def _at(self, path: list[str]) -> Any:
        self._skip()
        if not path and self._peek() == "[":
            yield from self._list()
            return True
        if not path:
            line, start = self.line(), self.place
            value = self._value()
            yield line, self.judge.written(self.text[start : self.place], value)
            return True
        return (yield from self._inside(path))

    def _inside(self, path: list[str]) -> Any:
        each = path[0] == EACH
        if each and self._peek() == "[":
            yield from self._elements(path[1:])
            return True
        if self._peek() != "{":
            self._value()
            return False
        self.place += 1
        found = False
        self._skip()
        if self._peek() == "}":
            self.place += 1
            return each
        while True:
            self._skip()
            if self._peek() != '"':
                raise self._error("a key is expected")
            key = self._value()
            self._expect(":")
            if each or key == path[0]:
                found = (yield from self._at(path[1:])) or found
            else:
                self._skip()
                self._value()
            if self._expect(",}") == "}":
                return found

    def _list(self) -> Iterator[tuple[int, str]]:
        self.place += 1
        self._skip()
        if self._peek() == "]":
            self.place += 1
            return
        while True:
            self._skip()
            line, start = self.line(), self.place
            value = self._value()
            yield line, self.judge.written(self.text[start : self.place], value)
            if self._expect(",]") == "]":
                return

    def _elements(self, path: list[str]) -> Iterator[tuple[int, str]]:
        """Yield the records of each element of a list."""
        self.place += 1
        self._skip()
        if self._peek() == "]":
            self.place += 1
            return
        while True:
            yield from self._at(path)
            if self._expect(",]") == "]":
                return

    def _value(self) -> Any:
        try:
            value, self.place = self.judge.decoder.raw_decode(self.text, self.place)
        except json.JSONDecodeError as error:
            raise self._error(error.msg, error.pos) from error
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        return value

    def _skip(self) -> None:
        found = _BLANK.match(self.text, self.place)
        self.place = found.end() if found else self.place

    def _peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def _expect(self, marks: str) -> str:
        self._skip()
        found = self._peek()
        if not found or found not in marks:
            raise self._error(f"`{'` or `'.join(marks)}` is expected")
        self.place += 1
        return found

    def line(self) -> int:
        """Return the number of the line that was reached."""
        self._line += self.text.count("\n", self._counted, self.place)
        self._counted = self.place
        return self._line

    def _error(self, what: str, place: int | None = None) -> ValueError:
        at = self.place if place is None or place < self.place else place
        return ValueError(f"it is not valid JSON: {what}, at line {self.text.count(chr(10), 0, at) + 1}")
