"""The source that reads what an OpenAPI document describes, with the reasons for what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lagoa.kit.column_names import column_name
from lagoa.propose.files.facts import Facts
from lagoa.propose.files.names import free_source_name, stream_names
from lagoa.propose.files.personal import personal
from lagoa.propose.openapi.document import Document, Operation
from lagoa.propose.openapi.paging import paging_of
from lagoa.propose.preset import TO_FILL_IN
from lagoa.propose.proposed import Column, Proposed, Stream

_LISTS = ("data", "items", "results", "records", "rows", "content", "value", "values", "entries", "list")
_BESIDE = re.compile(r"(errors?|warnings?|links?|includes?|meta|messages?|messages|filters?|facets?)$", re.IGNORECASE)
_SINCE = re.compile(
    r"(updated|modified|changed|alterado|atualizado)[_-]?(since|after|from|gte?|min|desde)$|^since$", re.I
)
_CHANGED = re.compile(r"(updated|modified|changed|alterado|atualizado)[_-]?(at|on|em|date|time)?$", re.IGNORECASE)
_LEVEL = re.compile(r"\{([^{}]+)\}")
_WORD = re.compile(r"^(v\d+|api|rest)$", re.IGNORECASE)
_UNKNOWN = "https://api.example.com"


@dataclass
class Candidate:
    """A list that the document describes: where its records are, and what they hold."""

    operation: Operation
    records: str
    fields: dict[str, Mapping[str, Any]]
    whole: Mapping[str, Any]


def propose_openapi(document: Document, taken: Sequence[str] = ()) -> tuple[Proposed, dict[str, str]]:
    """Propose a source for the lists of an OpenAPI document, and return the secrets that it refers to, to be filled in.

    Nothing is asked of the server.
    """
    name = free_source_name(document.title, taken)
    said: dict[str, Any] = {"type": "rest", "url": _url(document)}
    auth, secrets = _auth(document, name)
    if auth:
        said["auth"] = auth
    proposed = Proposed(name, said)
    if said["url"] == _UNKNOWN:
        proposed.left_out.append(("url", "the document names no server; write its address"))
    if secrets:
        shown = ", ".join(s.upper() for s in secrets)
        proposed.left_out.append(("auth", f"fill in {shown} in .env, as the document's `securitySchemes` want it"))
    _streams(proposed, document)
    return proposed, {variable.upper(): value for variable, value in secrets.items()}


def _url(document: Document) -> str:
    servers = document.value.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url = str(first.get("url", ""))
    for name, variable in (first.get("variables") or {}).items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    parts = urlsplit(url)
    return url.rstrip("/") if parts.scheme in ("http", "https") and parts.hostname and "@" not in url else _UNKNOWN


def _auth(document: Document, name: str) -> tuple[dict[str, Any], dict[str, str]]:
    components = document.value.get("components")
    schemes = (components or {}).get("securitySchemes") if isinstance(components, dict) else None
    for scheme in map(document.followed, (schemes or {}).values()):
        kind, how = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        if kind == "http" and how == "bearer":
            return {"bearer": f"${{secret:{name}_token}}"}, {f"{name}_token": TO_FILL_IN}
        if kind == "http" and how == "basic":
            basic = {"user": f"${{env:{name.upper()}_USER:-{TO_FILL_IN}}}", "password": f"${{secret:{name}_password}}"}
            return {"basic": basic}, {f"{name}_password": TO_FILL_IN}
        if kind == "apiKey" and scheme.get("in") in ("header", "query"):
            place = {str(scheme["in"]): str(scheme.get("name", "X-Api-Key"))}
            return {"api_key": f"${{secret:{name}_key}}", **place}, {f"{name}_key": TO_FILL_IN}
        flow = document.followed((scheme.get("flows") or {}).get("clientCredentials"))
        if kind == "oauth2" and str(flow.get("tokenUrl", "")).startswith("http"):
            client = {"client_id": f"${{env:{name.upper()}_CLIENT_ID:-{TO_FILL_IN}}}"}
            secret = {"client_secret": f"${{secret:{name}_client_secret}}"}
            return {"oauth2": {"token_url": flow["tokenUrl"], **client, **secret}}, {
                f"{name}_client_secret": TO_FILL_IN
            }
    return {}, {}


# ---------------------------------------------------------------- streams
def _streams(proposed: Proposed, document: Document) -> None:
    found: list[Candidate] = []
    for operation in document.operations():
        candidate = _candidate(document, operation)
        if isinstance(candidate, str):
            proposed.left_out.append((operation.path, candidate))
        else:
            found.append(candidate)
    names = dict(zip((c.operation.path for c in found), stream_names([_stem(c) for c in found]), strict=True))
    roots = {c.operation.path: c for c in found if not _LEVEL.search(c.operation.path)}
    for candidate in found:
        stream = _stream(document, candidate, names, roots)
        if isinstance(stream, str):
            proposed.left_out.append((candidate.operation.path, stream))
        else:
            proposed.streams.append(stream)


def _candidate(document: Document, operation: Operation) -> Candidate | str:
    """Find the list in an operation's answer, or say why there is none."""
    if "?" in operation.path:
        return "a query stands in its path"
    schema = document.schema(operation.answer)
    if not schema:
        return "its answer is not described"
    if schema.get("type") == "array":
        return Candidate(operation, "$", document.properties(document.merged(schema.get("items"))), schema)
    properties = document.properties(schema)
    lists = {n: s for n, s in properties.items() if s.get("type") == "array" and not _BESIDE.search(n)}
    chosen = next((n for n in _LISTS if n in lists), next(iter(lists), None) if len(lists) == 1 else None)
    if chosen is None:
        return "it gives one object, no list" if not lists else f"it gives several lists: {', '.join(lists)}"
    if len(properties) > 1 and chosen not in _LISTS and _is_one_thing(operation, properties):
        return f"it gives one object; `{chosen}` is a part of it"
    # some write `schema: '#/…'` for `items:`
    items = lists[chosen].get("items") or {"$ref": lists[chosen].get("schema")}
    fields = document.properties(document.merged(items))
    path = f"$.{chosen}" if re.fullmatch(r"\w+", chosen) else f"$['{chosen}']"
    return Candidate(operation, path, fields, schema)


def _is_one_thing(operation: Operation, properties: Mapping[str, Any]) -> bool:
    """Say whether an answer with a list in it is a thing of its own, not a page of a list."""
    return bool(_LEVEL.search(operation.path.rstrip("/").rpartition("/")[2])) or {"id", "name", "nome"} <= set(
        properties
    )


def _stem(candidate: Candidate) -> str:
    steps = [s for s in candidate.operation.path.split("/") if s]
    words = [s for s in steps if not _LEVEL.search(s) and not _WORD.match(s)]
    by = [m[1] for s in steps if (m := _LEVEL.search(s)) and s == steps[-1]]
    return "_".join([*words, *(f"by_{name}" for name in by)]) or "root"


def _stream(
    document: Document, candidate: Candidate, names: Mapping[str, str], roots: Mapping[str, Candidate]
) -> Stream | str:
    operation = candidate.operation
    path = _filled(operation.path, names, roots)
    if path is None:
        return f"nothing of the document gives `{_LEVEL.findall(operation.path)[0]}` of its path"
    stream = Stream(names[operation.path], {"path": path, "mode": "replace"}, width=len(candidate.fields))
    if candidate.records != "$":
        stream.said["records"] = candidate.records
        stream.why["records"] = "the list in the answer"
    if path != operation.path:
        stream.why["path"] = "asked once for each row of the other stream"
    needed = _parameters(stream, document, operation)
    if needed:
        return f"it needs `{needed}`, and the document gives no example"
    paging, why = paging_of(document, operation, candidate.whole)
    if paging:
        stream.said["paging"], stream.why["paging"] = paging, why
    _news(stream, candidate)
    columns = {column_name(n): Facts(0, 0, 0) for n in candidate.fields}
    stream.columns = [Column(n, {"pii": kind}, why) for n, (kind, why) in personal(stream.name, columns).items()]
    summary = " ".join(str(operation.said.get("summary") or "").split())
    if summary:
        stream.about.append(summary[:100])
    return stream


def _filled(path: str, names: Mapping[str, str], roots: Mapping[str, Candidate]) -> str | None:
    """Let the one level of a path be a field of the list that stands before it; None when there is none."""
    levels = _LEVEL.findall(path)
    if not levels:
        return path
    before = path.partition(f"/{{{levels[0]}}}")[0]
    parent = roots.get(before) or roots.get(f"{before}/")
    if len(levels) > 1 or parent is None:
        return None
    plain = levels[0].lower().replace("_", "")
    field = next((f for f in parent.fields if f.lower().replace("_", "") == plain), None)
    if field is None:
        field = next(
            (f for f in parent.fields if f.lower() in ("id", "code", "codigo") and plain.endswith(f.lower())), None
        )
    return None if field is None else path.replace(f"{{{levels[0]}}}", f"{{{names[parent.operation.path]}.{field}}}")


def _parameters(stream: Stream, document: Document, operation: Operation) -> str | None:
    """Give required parameters the document's own example; name one that has none."""
    said: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.get("in") != "query" or not parameter.get("required"):
            continue
        schema = document.followed(parameter.get("schema"))
        example = next(
            (v for p in (parameter, schema) for k in ("example", "default") if (v := p.get(k)) is not None), None
        )
        if not isinstance(example, str | int | float) or not str(example):
            return str(parameter.get("name"))
        said[str(parameter["name"])] = example
    if said:
        stream.said["params"], stream.why["params"] = said, "required; the document's example"
    return None


def _news(stream: Stream, candidate: Candidate) -> None:
    """Ask for what is new alone, when a parameter and a field of time belong together."""
    since = next((p for p in candidate.operation.parameters if _SINCE.search(str(p.get("name", "")))), None)
    changed = next((f for f in candidate.fields if _CHANGED.search(f)), None)
    if since is None or changed is None or "id" not in candidate.fields:
        return
    params = {**stream.said.get("params", {}), str(since["name"]): "{cursor}"}
    stream.said |= {"mode": "merge", "key": "id", "cursor": changed, "params": params}
    stream.why |= {"cursor": f"goes into `{since['name']}`", "key": "by its name"}
