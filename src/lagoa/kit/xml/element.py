"""Elements of XML as records: gathered while they stream by, and the structure that holds all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


class Element:
    """An element of a record: its attributes, its children in order, its own text."""

    __slots__ = ("attributes", "children", "parts")

    def __init__(self, attributes: dict[str, str]) -> None:
        self.attributes, self.children, self.parts = attributes, list[tuple[str, Element]](), list[str]()

    @property
    def text(self) -> str | None:
        """Its own text; None when that is blank."""
        text = "".join(self.parts)
        return text if text.strip(" \t\r\n") else None


class Collector:
    """Gathers the elements at a path while a document streams by. `line` tells where the parser is."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self._path, self._depth = path, len(path) or 2
        self._names: list[str] = []
        self._stack: list[Element] = []
        self._begun = 0
        self.ready: list[tuple[int, Element]] = []
        self.found = not path
        self.line: Callable[[], int] = lambda: 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        self._names.append(name)
        if self._stack:
            element = Element(attributes)
            self._stack[-1].children.append((name, element))
            self._stack.append(element)
            return
        depth = len(self._names)
        if depth == self._depth - 1 and tuple(self._names) == self._path[:-1]:
            self.found = True
        if depth == self._depth and (not self._path or tuple(self._names) == self._path):
            self.found, self._begun = True, self.line()
            self._stack.append(Element(attributes))

    def end(self, _: str) -> None:
        """Take the end of an element."""
        self._names.pop()
        if self._stack:
            element = self._stack.pop()
            if not self._stack:
                self.ready.append((self._begun, element))

    def text(self, text: str) -> None:
        """Take text."""
        if self._stack:
            self._stack[-1].parts.append(text)

    def taken(self) -> Iterator[tuple[int, Element]]:
        """Yield line and element of the records that are whole, and forget them."""
        ready, self.ready = self.ready, []
        yield from ready


@dataclass
class Kind:
    """What elements of one place are like, over all records. `many`: some parent has several of them."""

    attributes: dict[str, None] = field(default_factory=dict)
    children: dict[str, Kind] = field(default_factory=dict)
    text: bool = False
    many: bool = False

    def learn(self, element: Element) -> None:
        """Widen by an element."""
        self.attributes.update(dict.fromkeys(element.attributes))
        self.text = self.text or element.text is not None
        seen = set[str]()
        for name, child in element.children:
            kind = self.children.get(name)
            if kind is None:
                kind = self.children[name] = Kind()
            if name in seen:
                kind.many = True
            seen.add(name)
            kind.learn(child)

    def merge(self, other: Kind) -> None:
        """Widen by what other elements are like."""
        self.attributes.update(other.attributes)
        self.text, self.many = self.text or other.text, self.many or other.many
        for name, kind in other.children.items():
            if name in self.children:
                self.children[name].merge(kind)
            else:
                self.children[name] = kind

    def fields(self) -> dict[str, Any]:
        """Return the structure of the element's attributes, children and text, by key."""
        found: dict[str, Any] = {self._key(name): "VARCHAR" for name in self.attributes}
        found |= {name: kind.structure() for name, kind in self.children.items()}
        return {**found, self._own(): "VARCHAR"} if self.text or not found else found

    def structure(self) -> Any:
        """Return the structure of the element where it stands: text, fields, or a list of either."""
        one = self.fields() if self.attributes or self.children else "VARCHAR"
        return [one] if self.many else one

    def value(self, element: Element) -> dict[str, Any]:
        """Return an element's fields by key; what it does not have is left out."""
        found: dict[str, Any] = {self._key(name): value for name, value in element.attributes.items()}
        for name, child in element.children:
            kind = self.children[name]
            value = kind.value(child) if kind.attributes or kind.children else child.text
            if kind.many:
                found.setdefault(name, []).append(value)
            else:
                found[name] = value
        if (text := element.text) is not None:
            found[self._own()] = text
        return found

    def _key(self, attribute: str) -> str:
        return f"@{attribute}" if attribute in self.children else attribute

    def _own(self) -> str:
        return "@value" if "value" in self.children or "value" in self.attributes else "value"
