"""Turns an answer into a page: a file of its records, how many they are, and what the answer says of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.column_names import column_name
from lagoa.kit.http.exchange import Answer
from lagoa.kit.http.mark import Mark
from lagoa.kit.http.path import Condition, records, steps
from lagoa.kit.http.stream import HttpStream
from lagoa.kit.json_records.document import Document
from lagoa.kit.json_records.strict import Judge
from lagoa.kit.landing import Found

_ERRORS = ("$.error", "$.errors")
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<")
_STEP = 1 << 20

Refuse = Callable[[str, str], SourceError]
"""Makes the error of an answer that is not to be used: why, and a hint."""


@dataclass
class Page:
    """Records of one answer in a file that readers of files take. `count` is how many the server gave."""

    found: Found | None = None
    count: int = 0
    passed: int = 0
    """How many of them lie below the cursor's window, and were left out."""
    whole: Any = None
    """The answer as a value, of JSON."""
    digest: bytes = b""
    """A hash of the records, b'' when there is none."""
    top: Mark | None = None
    """The highest cursor value."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The records themselves, when they are asked for."""


@dataclass(frozen=True)
class Wanted:
    """What is wanted of an answer's records."""

    stream: HttpStream
    file: Callable[[], Path]
    """Makes a new file in the scratch folder."""
    bound: Mark | None = None
    """Records with a lower cursor value were seen before."""
    added: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the parent that each record gets, by column."""
    keep: bool = False
    """Whether the records themselves are asked for, and no file."""
    listed: bool = False
    """Whether they must be a list, since there may be more pages."""

    def page(self, answer: Answer, name: str, refuse: Refuse) -> Page:
        """Read an answer. Raises SourceError LG-202, LG-207."""
        if answer.status in (204, 205, *self.stream.empty_on):
            return Page()
        _refuse_kind(answer, self.stream.format, refuse)
        if self.stream.format == "json":
            return self._json(answer, name, refuse)
        return self._lines(answer, name) if self.stream.format == "ndjson" else _csv(answer, name)

    # ------------------------------------------------------------ JSON
    def _json(self, answer: Answer, name: str, refuse: Refuse) -> Page:
        path = steps(self.stream.records or "$")
        try:
            text = answer.body.decode(_charset(answer) or "utf-8-sig").removeprefix("\ufeff")
            whole = json.loads(text, parse_float=Decimal)
            self._refuse_error(whole, refuse)
            self._refuse_shape(whole, path, refuse)
            values = records(whole, path)
            lines = [line for _, line in Document(text, Judge()).records(path)] if values else []
            found = [(v, line) for v, line in zip(values, lines, strict=True) if v is not None]
        except (ValueError, LookupError, RecursionError) as error:
            what = "it is not valid utf-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise refuse(f"the body cannot be read: {what}", "see `format:` and `records:`") from None
        page = Page(count=len(found), whole=whole)
        kept = list(self._kept(page, found))
        return self._written(page, kept, name)

    def _refuse_error(self, whole: Any, refuse: Refuse) -> None:
        said = self.stream.error_if
        for text in _ERRORS if said is None else said:
            condition = Condition.parse(text)
            if condition.holds(whole):
                shown = json.dumps(records(whole, condition.path)[:1], default=str, ensure_ascii=False)[1:-1]
                why = f"the status says that all is well, but the body says `{text}`: {shown[:200]}"
                raise refuse(why, "see `error_if:`, when this is no error")

    def _refuse_shape(self, whole: Any, path: tuple[str, ...], refuse: Refuse) -> None:
        at = self.stream.records or "$"
        value = whole
        for step in path:
            if step == "*":
                return
            if not isinstance(value, dict) or step not in value:
                if self.stream.allow_missing and isinstance(value, dict):
                    return
                keys = f"; its keys are {', '.join(list(value)[:10])}" if isinstance(value, dict) else ""
                raise refuse(f"nothing stands at `{at}` in the body{keys}", "see `records:`")
            value = value[step]
        if self.listed and not isinstance(value, list | None):
            raise refuse(f"there is no list at `{at}` in the body", "see `records:`")

    def _kept(self, page: Page, found: Iterable[tuple[Any, str]]) -> Iterator[str]:
        """Yield the lines of the records that are new, and look at what they say."""
        digest = blake2b(digest_size=16)
        for value, line in found:
            digest.update(line.encode())
            digest.update(b"\n")
            page.digest = b" "
            if self.stream.cursor is not None and self._is_old(page, value):
                page.passed += 1
                continue
            if self.keep and isinstance(value, dict):
                page.rows.append({**self.added, **{column_name(k): v for k, v in value.items()}})
            yield self._with_parent(line, value)
        page.digest = digest.digest() if page.digest else b""

    def _is_old(self, page: Page, value: Any) -> bool:
        name = self.stream.cursor or ""
        field = next((k for k in value if self.stream.lands_as(k) == name), None) if isinstance(value, dict) else None
        mark = Mark.of(value[field], name) if field is not None else None
        if mark is None:
            if self.stream.mode == "append":
                raise SourceError(
                    "LG-207",
                    f"a record has no `{name}`, so an append by it would not see it again",
                    hint="use `mode: merge` or `mode: replace`, or another `cursor:`",
                )
            return False
        if self.bound is not None and self.bound.above(mark, name):
            return True
        if mark.above(page.top, name):
            page.top = mark
        return False

    def _with_parent(self, line: str, value: Any) -> str:
        """Put the parent's fields before the record's own, which win where they have the same name."""
        added = {k: v for k, v in self.added.items() if not isinstance(value, dict) or k not in value}
        if not added:
            return line
        rest = line[1:]
        written = json.dumps(added, ensure_ascii=False, default=str)[1:-1]
        return f"{{{written}{'' if rest.strip() == '}' else ', '}{rest}"

    def _written(self, page: Page, lines: list[str], name: str) -> Page:
        if lines and not self.keep:
            path = self.file()
            path.write_text("\n".join(lines) + "\n", "utf-8")
            page.found = Found(path, name, path.stat().st_size)
        return page

    # ------------------------------------------------------------ lines
    def _lines(self, answer: Answer, name: str) -> Page:
        """Read one record a line; what is no record stays, to be set aside with its line."""
        page, path, digest = Page(), self.file(), blake2b(digest_size=16)
        encoding = self.stream.encoding
        charset = (None if encoding in (None, "auto") else encoding) or _charset(answer) or "utf-8-sig"
        with (
            _opened(answer).open("r", encoding=charset, errors="surrogateescape", newline="\n") as source,
            path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as sink,
        ):
            for line in source:
                digest.update(line.encode("utf-8", "surrogateescape"))
                if line.strip():
                    page.count += 1
                    sink.write(self._line(page, line))
        if page.count:
            page.digest = digest.digest()
            page.found = None if self.keep else Found(path, name, path.stat().st_size)
        return page

    def _line(self, page: Page, line: str) -> str:
        try:
            value = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError):
            return line
        if not isinstance(value, dict):
            return line
        kept = list(self._kept(page, [(value, line.strip())]))
        return "".join(f"{one}\n" for one in kept)


def _csv(answer: Answer, name: str) -> Page:
    path = _opened(answer)
    lines, digest = 0, blake2b(digest_size=16)
    with path.open("rb") as file:
        while part := file.read(_STEP):
            lines += part.count(b"\n")
            digest.update(part)
    size = path.stat().st_size
    found = Found(path, name, size) if size else None
    return Page(found, max(0, lines - 1), digest=digest.digest() if lines > 1 else b"")


def _opened(answer: Answer) -> Path:
    if answer.path is None:
        raise ValueError("a body that may be large is received into a file")
    return answer.path


def _charset(answer: Answer) -> str | None:
    return answer.headers.get_content_charset()


def _refuse_kind(answer: Answer, format: str, refuse: Refuse) -> None:
    """Refuse what is certainly something else: a page for people, or JSON where lines are expected."""
    kind = answer.headers.get_content_type() if answer.header("Content-Type") else ""
    if answer.path is None:
        start = answer.body[:64]
    else:
        with answer.path.open("rb") as file:
            start = file.read(64)
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    markup = _MARKUP if format != "csv" else _MARKUP[:-1]
    if "html" in kind or start.startswith(markup):
        raise refuse("the answer is a web page (HTML or XML), not data", "is the path right, and is a login needed?")
    if (kind.endswith("json") and format == "csv") or (kind.endswith("csv") and format != "csv"):
        raise refuse(f"the answer is {kind}, not {format}", "see `format:`")
    if not start and format == "json":
        raise refuse("the body is empty", "see `empty_on:`, when that means no records")
