"""Reads one list page by page: numbered pages ahead of time, in order, and never in a circle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

from lagoa.errors import SourceError
from lagoa.kit.http.exchange import Answer
from lagoa.kit.http.page import Page
from lagoa.kit.http.paging import Paging, Turn, whole_number
from lagoa.kit.http.path import first

_EMPTY = 100
"""Empty pages in a row, each of which says that there is more, after which the server is not believed."""
_HINT = "see `paging:`; does the server know this parameter?"

Ask = Callable[[Turn], tuple[Answer, Page]]
"""Reads the page of a turn. Safe for threads."""


class Listing:
    """One list. `ahead` is how many pages may be under way at once, when their turns can be foreseen."""

    def __init__(self, ask: Ask, paging: Paging | None, pool: Executor | None = None, ahead: int = 1) -> None:
        self._ask, self._paging, self._pool, self._ahead = ask, paging, pool, ahead
        self._under_way: deque[tuple[Turn, Future[tuple[Answer, Page]]]] = deque()
        self._seen: dict[Any, int] = {}
        self._empty = self._most = 0

    def pages(self, turn: Turn, follow: Callable[[Answer, Turn], Turn]) -> Iterator[tuple[Page, Turn | None]]:
        """Yield each page from a turn on, and the turn that follows it; `follow` judges where a server points.

        Raises SourceError LG-202 for a list that goes in a circle or gives less than it says.
        """
        paging, here = self._paging, turn
        try:
            while True:
                answer, page = self._take(here)
                after = paging.after(here, page.count, page.whole, answer.headers) if paging else None
                if paging:
                    self._refuse_circles(here, page, after)
                    if after is None:
                        self._refuse_less(paging, here, page)
                after = follow(answer, after) if after is not None else None
                if after is not None:
                    self._look_ahead(after, page)
                yield page, after
                if after is None:
                    return
                here = after
        finally:
            self._forget()

    def _take(self, turn: Turn) -> tuple[Answer, Page]:
        if self._under_way and _is_same(self._under_way[0][0], turn):
            return self._under_way.popleft()[1].result()
        self._forget()
        return self._ask(turn)

    def _forget(self) -> None:
        """Drop pages that were asked for on a guess that was wrong."""
        for _, future in self._under_way:
            future.cancel()
        self._under_way.clear()

    def _look_ahead(self, after: Turn, page: Page) -> None:
        paging, pool = self._paging, self._pool
        self._most = max(self._most, page.count)
        if paging is None or pool is None or self._ahead < 2 or page.count < (paging.size or self._most):
            return
        if self._under_way and not _is_same(self._under_way[0][0], after):
            self._forget()
        turn: Turn | None = self._under_way[-1][0] if self._under_way else None
        # of a list that goes on, half as many again: hardly a connection waits for a page before its own
        ahead = self._ahead if len(self._seen) <= 2 * self._ahead else self._ahead + self._ahead // 2
        while len(self._under_way) < ahead:
            turn = after if turn is None else paging.guess(turn, page.count)
            if turn is None or self._is_beyond(paging, turn, page):
                return
            self._under_way.append((turn, pool.submit(self._ask, turn)))

    def _is_beyond(self, paging: Paging, turn: Turn, page: Page) -> bool:
        """Say whether a foreseen page lies beyond the end that the server has named."""
        pages, rows = (whole_number(first(page.whole, p)) for p in (paging.total_pages, paging.total_rows))
        start = 1 if paging.start is None else paging.start
        return (pages is not None and turn["page"] - start >= pages) or (rows is not None and turn["rows"] >= rows)

    def _refuse_circles(self, turn: Turn, page: Page, after: Turn | None) -> None:
        n = turn["n"]
        if page.digest and (before := self._seen.setdefault(page.digest, n)) != n:
            raise _lie(f"page {n} holds the same records as page {before}")
        if after is not None and (mark := after.get("url") or after.get("cursor")) is not None:
            if (before := self._seen.setdefault(("next", mark), n)) != n:
                raise _lie(f"page {n} points to the same next page as page {before}")
            if mark in (turn.get("url"), turn.get("cursor")):
                raise _lie(f"page {n} points to itself as the next page")
        self._empty = 0 if page.count else self._empty + 1
        if after is not None and self._empty >= _EMPTY:
            raise _lie(f"{_EMPTY} pages in a row are empty and say that there is more")

    def _refuse_less(self, paging: Paging, turn: Turn, page: Page) -> None:
        total, rows = whole_number(first(page.whole, paging.total_rows)), turn["rows"] + page.count
        if total is not None and rows < total:
            raise SourceError(
                "LG-202",
                f"the server says that there are {total:,} rows, and gave {rows:,} on {turn['n']} pages",
                hint="run again; when it is so each time, leave `total_rows:` out",
                retry=True,
            )


def _is_same(one: Turn, two: Turn) -> bool:
    """Compare where two pages stand; how many rows came before was a guess."""
    return all(one.get(key) == two.get(key) for key in ("page", "offset", "cursor", "url"))


def _lie(what: str) -> SourceError:
    return SourceError("LG-202", f"the list does not end: {what}", hint=_HINT)
