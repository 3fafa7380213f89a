"""Reads a whole stream of a server, from its beginning or from where an earlier reading stopped."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.http.client import Client
from lagoa.kit.http.exchange import Answer, Request
from lagoa.kit.http.listing import Listing
from lagoa.kit.http.mark import Mark
from lagoa.kit.http.page import Page, Wanted
from lagoa.kit.http.paging import Turn
from lagoa.kit.http.stream import CURSOR, HttpStream
from lagoa.kit.http.url import joined, segment, under, with_parameters
from lagoa.kit.landing import printable

_REFUSED = {401: "LG-201", 403: "LG-201", 404: "LG-203", 410: "LG-203"}
_ACCEPT = {
    "json": "application/json",
    "ndjson": "application/x-ndjson, application/json;q=0.5",
    "csv": "text/csv, */*;q=0.5",
}


@dataclass(frozen=True)
class Step:
    """One page on the way; `at` is where reading goes on after it, None when that cannot be told here."""

    page: Page
    at: Mapping[str, Any] | None = None


@dataclass
class Sweep:
    """A reading of one stream. `since` is the cursor value from which on is asked, `streams` are its source's."""

    client: Client
    base: str
    streams: Mapping[str, HttpStream]
    folder: Path
    parallel: int = 4
    notes: list[str] = field(default_factory=list)
    _files: Iterator[int] = field(default_factory=count)

    def steps(self, name: str, since: Mark | None, at: Mapping[str, Any] | None = None) -> Iterator[Step]:
        """Yield the pages of a stream in order, from `at` on when it is given. Raises SourceError, Spent, Stopped."""
        pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="http")
        try:
            yield from self._steps(pool, name, since, at)
        finally:
            # requests that nobody waits for any more end once the client is closed
            pool.shutdown(wait=False, cancel_futures=True)

    def identity(self, name: str) -> str:
        """Return a sign of what is asked, so that a place in one list is never taken for a place in another."""
        stream = self.streams[name]
        said = (self.base, stream.path, stream.method, dict(stream.params), stream.body, repr(stream.paging))
        parent = self.identity(stream.parent) if stream.parent else ""
        return blake2b((json.dumps(said, default=str) + parent).encode(), digest_size=8).hexdigest()

    def file(self) -> Path:
        """Name a new file in the scratch folder."""
        return self.folder / f"page-{next(self._files)}"

    # ------------------------------------------------------------ a list, or one for each parent
    def _steps(
        self, pool: ThreadPoolExecutor, name: str, since: Mark | None, at: Mapping[str, Any] | None
    ) -> Iterator[Step]:
        stream = self.streams[name]
        if stream.parent is None:
            yield from self._resumed(pool, stream, since, at)
            return
        reached = (at or {}).get("parent")
        under_way: deque[tuple[Any, Future[list[Page]]]] = deque()
        for values in self._parents(pool, stream, reached):
            under_way.append((values, pool.submit(self._children, stream, since, values)))
            if len(under_way) > self.parallel:
                yield from _done(*under_way.popleft())
        while under_way:
            yield from _done(*under_way.popleft())

    def _resumed(
        self, pool: ThreadPoolExecutor, stream: HttpStream, since: Mark | None, at: Mapping[str, Any] | None
    ) -> Iterator[Step]:
        """Go on from `at`; a server that does not know the place any more is asked from the beginning."""
        first = _first(stream)
        if at is not None:
            pages = self._list(stream, since, at, {}, pool)
            try:
                step = next(pages, None)
            except SourceError as error:
                if error.code not in ("LG-202", "LG-203") or error.retry:
                    raise
                self.notes.append(
                    "the server does not know the page where the last run stopped; all pages are read again"
                )
            else:
                yield from () if step is None else (step,)
                yield from pages
                return
        yield from self._list(stream, since, first, {}, pool)

    def _list(
        self,
        stream: HttpStream,
        since: Mark | None,
        turn: Turn,
        parent: Mapping[str, Any],
        pool: ThreadPoolExecutor | None,
        keep: bool = False,
    ) -> Iterator[Step]:
        asker = _Asker(self, stream, since, parent, keep)
        listing = Listing(asker.ask, stream.paging, pool, self.parallel if pool else 1)
        for page, after in listing.pages(turn, asker.follow):
            yield Step(page, after if after is None or self._may_be_kept(after) else None)

    def _may_be_kept(self, turn: Turn) -> bool:
        """Say whether a turn holds no secret, so that a state may keep it."""
        text = json.dumps(dict(turn))
        return self.client.show(text) == text

    # ------------------------------------------------------------ children
    def _children(self, stream: HttpStream, since: Mark | None, parent: Mapping[str, Any]) -> list[Page]:
        return [step.page for step in self._list(stream, since, _first(stream), parent, None)]

    def _parents(self, pool: ThreadPoolExecutor, stream: HttpStream, reached: Any) -> Iterator[dict[str, Any]]:
        """Yield the fields of each row of the parent that the path names, once; after `reached`, when it is there."""
        skipped: list[dict[str, Any]] = []
        seen: set[str] = set()
        for values in self._fields(pool, stream):
            sign = json.dumps(values, default=str, sort_keys=True)
            if sign in seen:
                continue
            seen.add(sign)
            if reached is None:
                yield values
            elif json.loads(sign) == reached:
                reached, skipped = None, []
            else:
                skipped.append(values)
        yield from skipped

    def _fields(self, pool: ThreadPoolExecutor, stream: HttpStream) -> Iterator[dict[str, Any]]:
        named, parent = [name for _, name in stream.fields()], self.streams[stream.parent or ""]
        missing = 0
        for row in self._rows(pool, parent):
            values = {name: row.get(parent.lands_as(name)) for name in named}
            if any(value is None or isinstance(value, dict | list) for value in values.values()):
                missing += 1
            else:
                yield values
        if missing:
            self.notes.append(
                f"{missing} rows of {stream.parent} have no {' or no '.join(named)}; nothing is asked for them"
            )

    def _rows(self, pool: ThreadPoolExecutor, stream: HttpStream) -> Iterator[dict[str, Any]]:
        """Yield the records of a stream whose rows others ask by, with the fields of its own parent."""
        if stream.parent is None:
            for step in self._list(stream, None, _first(stream), {}, pool, keep=True):
                yield from step.page.rows
            return
        for values in self._parents(pool, stream, None):
            for step in self._list(stream, None, _first(stream), values, None, keep=True):
                yield from step.page.rows


def _first(stream: HttpStream) -> Turn:
    return stream.paging.first if stream.paging else {"n": 1, "rows": 0}


def _done(values: Mapping[str, Any], future: Future[list[Page]]) -> Iterator[Step]:
    pages = future.result() or [Page()]
    for page in pages[:-1]:
        yield Step(page)
    yield Step(pages[-1], {"parent": json.loads(json.dumps(dict(values), default=str))})


class _Asker:
    """Asks for the pages of one list."""

    def __init__(
        self, sweep: Sweep, stream: HttpStream, since: Mark | None, parent: Mapping[str, Any], keep: bool
    ) -> None:
        self._sweep, self._stream, self._client = sweep, stream, sweep.client
        text = None if since is None else since.less(stream.lag).text
        self._cursor = text if text is not None else None if stream.start is None else str(stream.start)
        bound = since.less(stream.lag) if since else None
        paged = stream.paging is not None
        self._wanted = Wanted(stream, sweep.file, bound, self._named(parent), keep, paged)
        values = {name: segment(str(value)) for name, value in parent.items()}
        self._url = with_parameters(under(sweep.base, stream.filled(values)), self._parameters())
        shown = under(sweep.base, stream.filled({k: v if self._is_shown(k) else "***" for k, v in values.items()}))
        self._name = self._client.show(with_parameters(shown, self._parameters()))

    def _named(self, parent: Mapping[str, Any]) -> dict[str, Any]:
        stream, above = self._stream, self._sweep.streams.get(self._stream.parent or "")
        return {f"{stream.parent}_{above.lands_as(k)}": v for k, v in parent.items()} if above else {}

    def _is_shown(self, field: str) -> bool:
        parent = self._sweep.streams[self._stream.parent or ""]
        column = parent.columns.get(parent.lands_as(field))
        return column is None or not column.pii

    def _parameters(self) -> dict[str, str]:
        found = {}
        for name, value in self._stream.params.items():
            filled = self._filled(",".join(map(str, value)) if isinstance(value, tuple) else value)
            if filled is not None:
                found[name] = str(filled).lower() if isinstance(filled, bool) else str(filled)
        return found

    def _filled(self, value: Any) -> Any:
        """Put the cursor into a value; None when it is not known yet."""
        if isinstance(value, Mapping):
            return {k: f for k, v in value.items() if (f := self._filled(v)) is not None or v is None}
        if isinstance(value, list | tuple):
            return [f for v in value if (f := self._filled(v)) is not None or v is None]
        if not isinstance(value, str) or CURSOR not in value:
            return value
        return None if self._cursor is None else value.replace(CURSOR, self._cursor)

    # ------------------------------------------------------------ one page
    def ask(self, turn: Turn) -> tuple[Answer, Page]:
        """Ask for a page and read it."""
        name = printable(f"{self._name}#{turn['n']}")
        answer = self._client.fetch(self._request(turn, name))

        def refuse(why: str, hint: str) -> SourceError:
            return SourceError("LG-202", self._client.show(f"{name}: {why}"), hint=hint)

        if not 200 <= answer.status < 300 and answer.status not in self._stream.empty_on:
            raise self._refused(answer, name)
        page = self._wanted.page(answer, name, refuse)
        if answer.path is not None and (page.found is None or page.found.path != answer.path):
            answer.path.unlink()
        return answer, page

    def _request(self, turn: Turn, name: str) -> Request:
        stream, paging = self._stream, self._stream.paging
        asked = paging.parameters(turn) if paging else {}
        body = None
        if stream.method == "POST":
            said = self._filled(stream.body or {})
            body = {**said, **asked} if paging and paging.send == "body" else said
            asked = {} if paging and paging.send == "body" else asked
        url = turn.get("url") or with_parameters(self._url, {k: str(v) for k, v in asked.items()})
        headers = {"Accept": _ACCEPT[stream.format]}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body, default=str).encode()
        into = None if stream.format == "json" else self._sweep.file
        return Request(url, stream.method, data, headers, into, name)

    def follow(self, answer: Answer, after: Turn) -> Turn:
        """Return the turn with the URL that a server points to, once it is safe to go there."""
        if "url" not in after:
            return after
        target = self._client.bare(joined(answer.url, after["url"]))
        self._client.guarded(Request(answer.url, name=self._name), target)
        return {**after, "url": target}

    def _refused(self, answer: Answer, name: str) -> SourceError:
        code = _REFUSED.get(answer.status, "LG-202")
        hints = {
            "LG-201": "check `auth:`; credentials are sent to the host and port of `url:` alone",
            "LG-203": "check `path:` and `url:`; `empty_on: [404]` when it means that there is nothing",
        }
        said = f"{name}: the server answers with status {answer.status}{self._client.words(answer)}"
        return SourceError(code, self._client.show(said), hint=hints.get(code, "its words tell; nothing was written"))
