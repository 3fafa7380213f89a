"""How a list comes in pages: what is asked for next, and when there is no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lagoa.kit.http.path import JsonPath, first
from lagoa.spec.declared import Declared

Turn = Mapping[str, Any]
"""Where a page stands, as JSON: `n` its number, `rows` those before it, and `page`, `offset`, `cursor` or `url`."""
_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[^,;=\s]+\s*=\s*(?:\"[^\"]*\"|[^,;\s]*))*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next\b)", re.IGNORECASE)


class Paging(Declared):
    """How a list comes in pages. Without it, one answer holds everything."""

    by: Literal["page", "offset", "cursor", "next", "link"]
    """`page`: numbered pages; `offset`: rows passed over; `cursor`: a mark in the body that the next request repeats;
    `next`: the next URL in the body; `link`: the next URL in the header `Link`."""
    param: str | None = None
    """The parameter that says which page: `page`, `offset` or `cursor` when left out."""
    size: int | None = Field(None, ge=1)
    """How many rows a page is asked to hold."""
    size_param: str | None = None
    """The parameter that says `size`: `limit` when left out."""
    start: int | None = Field(None, ge=0)
    """The number of the first page, 1 when left out; of an offset, 0."""
    next: JsonPath | None = None
    """Where the body says what comes next: the mark (`cursor`) or the URL (`next`)."""
    more: JsonPath | None = None
    """Where the body says whether there is more: true, or anything that is not empty."""
    total_pages: JsonPath | None = None
    """Where the body says how many pages there are."""
    total_rows: JsonPath | None = None
    """Where the body says how many rows there are; they are counted."""
    send: Literal["query", "body"] = "query"
    """Where the parameters go: into the URL, or into `body:`."""

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Self:
        if (self.by in ("cursor", "next")) != (self.next is not None):
            raise ValueError("`next:` goes with `by: cursor` and `by: next`, which need it")
        if self.by in ("next", "link") and (self.param or self.start is not None):
            raise ValueError(f"`by: {self.by}` takes no `param:` or `start:`; the server gives the whole URL")
        if self.total_pages and self.by != "page":
            raise ValueError("`total_pages:` goes with `by: page`")
        if self.size_param and self.size is None:
            raise ValueError("`size_param:` goes with `size:`")
        return self

    @property
    def first(self) -> Turn:
        """The first page."""
        if self.by == "page":
            return {"n": 1, "rows": 0, "page": 1 if self.start is None else self.start}
        return {"n": 1, "rows": 0, **({"offset": self.start or 0} if self.by == "offset" else {})}

    def parameters(self, turn: Turn) -> dict[str, Any]:
        """Return the parameters that ask for a page; a whole URL has its own."""
        if "url" in turn:
            return {}
        found: dict[str, Any] = {self.size_param or "limit": self.size} if self.size is not None else {}
        if self.by in turn:
            found[self.param or self.by] = turn[self.by]
        return found

    def guess(self, turn: Turn, count: int) -> Turn | None:
        """Return the page after one that was not read yet, when pages are numbered and full ones hold `count` rows."""
        after = {"n": turn["n"] + 1, "rows": turn["rows"] + count}
        if self.by == "page":
            return {**after, "page": turn["page"] + 1}
        return {**after, "offset": turn["offset"] + count} if self.by == "offset" and count else None

    def after(self, turn: Turn, count: int, whole: Any, headers: Mapping[str, str] | Any) -> Turn | None:
        """Return where the next page stands, once this one's rows are counted; None: this was the last."""
        rows = turn["rows"] + count
        if self.by in ("page", "offset"):
            known = self._ends(turn, rows, whole)
            return None if known or (known is None and not count) else self.guess(turn, count)
        if self.more and not first(whole, self.more):
            return None
        mark = next_link(headers) if self.by == "link" else first(whole, self.next)
        if mark in (None, "", False):
            return None
        return {"n": turn["n"] + 1, "rows": rows, "cursor" if self.by == "cursor" else "url": str(mark)}

    def _ends(self, turn: Turn, rows: int, whole: Any) -> bool | None:
        """Say whether the body says that a numbered page is the last; None: it does not say."""
        if self.more:
            return not first(whole, self.more)
        pages, total = whole_number(first(whole, self.total_pages)), whole_number(first(whole, self.total_rows))
        if pages is not None:
            return bool(turn["page"] - (1 if self.start is None else self.start) + 1 >= pages)
        return None if total is None or rows < total else True


def whole_number(value: Any) -> int | None:
    """Read a number that a server says, also when it says it as text."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def next_link(headers: Any) -> str | None:
    """Return the URL that the header `Link` calls next."""
    for line in headers.get_all("Link") or ():
        for found in _LINK.finditer(line):
            if _NEXT.search(found[2]):
                return str(found[1])
    return None
