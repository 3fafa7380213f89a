"""Recognises, by the names of parameters and fields, how a described list comes in pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lagoa.propose.openapi.document import Document, Operation

_PAGE = re.compile(r"(page|pagina|página|page_?(number|no|index)|numero_?pagina)$", re.IGNORECASE)
_OFFSET = re.compile(r"(offset|skip|start(_?(at|index))?)$", re.IGNORECASE)
_CURSOR = re.compile(
    r"(cursor|after|starting_?after|page_?token|next_?token|continuation_?token|marker)$", re.IGNORECASE
)
_SIZE = re.compile(r"(limit|size|per_?page|page_?size|count|top|max_?results|tamanho(_?pagina)?)$", re.IGNORECASE)
_NEXT_MARK = re.compile(
    r"(next_?(cursor|token|page_?token|marker)|cursor|continuation_?token|end_?cursor)$", re.IGNORECASE
)
_NEXT_URL = re.compile(r"(next|next_?(url|link|page_?url)|proxim[ao])$", re.IGNORECASE)
_PAGES = re.compile(r"(total_?pages|page_?count|pages|total_?paginas)$", re.IGNORECASE)
_ROWS = re.compile(r"(total|total_?(count|rows|items|records|results|elements)|row_?count)$", re.IGNORECASE)
_MORE = re.compile(r"(has_?(more|next)(_?page)?)$", re.IGNORECASE)
_LARGEST = 1000


def paging_of(document: Document, operation: Operation, schema: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return what `paging:` says, {} when nothing tells of pages, and why."""
    asked = {
        str(p.get("name")): document.followed(p.get("schema"))
        for p in operation.parameters
        if p.get("in") == "query" and p.get("name")
    }
    fields = dict(_fields(document, schema))
    size = next((name for name in asked if _SIZE.search(name)), None)
    sized = _sized(size, asked[size]) if size else {}
    link = next((p for p, f in fields.items() if _NEXT_URL.search(_last(p)) and f.get("type") == "string"), None)
    mark = next((p for p, f in fields.items() if _NEXT_MARK.search(_last(p)) and f.get("type") != "object"), None)
    by_cursor = next((name for name in asked if _CURSOR.search(name)), None)
    if by_cursor and (mark or link):
        return {"by": "cursor", **_named("cursor", by_cursor), "next": mark or link, **sized}, f"by `{by_cursor}`"
    if link:
        return {"by": "next", "next": link, **sized}, f"by `{_last(link)}` of the answer"
    if "link" in {str(name).lower() for name in operation.answer.get("headers") or ()}:
        return {"by": "link", **sized}, "by the header `Link` of the answer"
    for by, words in (("page", _PAGE), ("offset", _OFFSET)):
        name = next((name for name in asked if words.match(name)), None)
        if name is not None:
            return {
                "by": by,
                **_named(by, name),
                **sized,
                **_start(by, asked[name]),
                **_ends(by, fields),
            }, f"by `{name}`"
    return {}, ""


def _fields(document: Document, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the fields around a list, two levels deep, by their paths."""
    for name, field in document.properties(schema).items():
        if not re.fullmatch(r"\w+", name):
            continue
        yield f"$.{name}", field
        if field.get("type") == "object" or "properties" in field:
            for inner, deeper in document.properties(field).items():
                if re.fullmatch(r"\w+", inner):
                    yield f"$.{name}.{inner}", deeper


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _named(by: str, name: str) -> dict[str, str]:
    return {} if name == by else {"param": name}


def _sized(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for large pages, as large as the document allows."""
    said = schema.get("maximum", schema.get("default"))
    if not isinstance(said, int) or isinstance(said, bool) or said < 1:
        return {}
    return {"size": min(said, _LARGEST), **({} if name == "limit" else {"size_param": name})}


def _start(by: str, schema: Mapping[str, Any]) -> dict[str, int]:
    first = schema.get("minimum", schema.get("default"))
    usual = 1 if by == "page" else 0
    return {"start": first} if first in (0, 1) and not isinstance(first, bool) and first != usual else {}


def _ends(by: str, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Say where the answer tells its end."""
    if by == "page" and (pages := next((p for p in fields if _PAGES.search(_last(p))), None)):
        return {"total_pages": pages}
    if rows := next((p for p, f in fields.items() if _ROWS.search(_last(p)) and f.get("type") == "integer"), None):
        return {"total_rows": rows}
    if more := next((p for p, f in fields.items() if _MORE.search(_last(p)) and f.get("type") == "boolean"), None):
        return {"more": more}
    return {}
