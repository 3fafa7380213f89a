"""Reads an OpenAPI 3 document, whole or in parts, and follows its references."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_ENDINGS = (".json", ".yml", ".yaml")
_LARGEST = 64 << 20
_DEEPEST = 20
_JSON = ("application/json", "+json", "text/json")


@dataclass(frozen=True)
class Operation:
    """A GET of a path: its parameters, and the answer that means success."""

    path: str
    said: Mapping[str, Any]
    parameters: list[Mapping[str, Any]]
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """An OpenAPI document as one value; nothing is taken from other files or servers."""

    value: Mapping[str, Any]
    name: str

    @property
    def title(self) -> str:
        """What the API is called."""
        info = self.value.get("info")
        return str(info.get("title") or self.name) if isinstance(info, dict) else self.name

    def operations(self) -> Iterator[Operation]:
        """Yield each GET, in the order of the document."""
        for path, item in _mapping(self.value.get("paths")).items():
            item = self.followed(item)
            said = self.followed(item.get("get"))
            if not said:
                continue
            found: dict[tuple[str, str], Mapping[str, Any]] = {}
            for listed in (item.get("parameters"), said.get("parameters")):
                for parameter in map(self.followed, listed if isinstance(listed, list) else ()):
                    found[str(parameter.get("name")), str(parameter.get("in"))] = parameter
            answers = {str(code): answer for code, answer in _mapping(said.get("responses")).items()}
            answer = next((answers[code] for code in ("200", "2XX", "default") if code in answers), None)
            yield Operation(str(path), said, list(found.values()), self.followed(answer))

    def followed(self, node: Any) -> Mapping[str, Any]:
        """Return a mapping, or what its reference names; {} when there is none."""
        for _ in range(_DEEPEST):
            found = _mapping(node)
            reference = found.get("$ref")
            if not isinstance(reference, str):
                return found
            node = self._named(reference)
        return {}

    def _named(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return {}
        node: Any = self.value
        for step in reference[2:].split("/"):
            node = _mapping(node).get(step.replace("~1", "/").replace("~0", "~"))
        return node

    def schema(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema of an answer's JSON body, {} when it has none."""
        for kind, content in _mapping(answer.get("content")).items():
            if any(word in str(kind).lower() for word in _JSON):
                return self.merged(_mapping(content).get("schema"))
        return {}

    def merged(self, schema: Any, depth: int = 0) -> Mapping[str, Any]:
        """Return a schema with the parts that it is made of put together; of alternatives, the first."""
        found = self.followed(schema)
        parts = [*_listed(found.get("allOf")), *_listed(found.get("oneOf"))[:1], *_listed(found.get("anyOf"))[:1]]
        if not parts or depth > _DEEPEST:
            return found
        properties: dict[str, Any] = {}
        whole: dict[str, Any] = {}
        for part in (self.merged(p, depth + 1) for p in parts):
            properties |= _mapping(part.get("properties"))
            whole |= part
        return {**whole, **found, "properties": {**properties, **_mapping(found.get("properties"))}}

    def properties(self, schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """Return the properties of an object's schema, references followed."""
        return {str(name): self.merged(said) for name, said in _mapping(schema.get("properties")).items()}


def document_at(origin: Path) -> Document | None:
    """Return the document that a file is, or that the files of a folder are parts of; None when they are none."""
    if origin.is_dir():
        files = sorted(p for p in origin.iterdir() if p.suffix.lower() in _ENDINGS)
        parts = [_value(path) for path in files]
        mappings = [part for part in parts if isinstance(part, dict)]
        is_one = parts and len(mappings) == len(parts) and all(_is_part(part) for part in mappings)
        return Document(_joined(mappings), origin.name) if is_one and any(_is_head(p) for p in mappings) else None
    if origin.suffix.lower() not in _ENDINGS:
        return None
    value = _value(origin)
    return Document(value, origin.stem) if isinstance(value, dict) and _is_head(value) and "paths" in value else None


def _value(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            return json.loads(text) if '"openapi"' in text or '"paths"' in text or '"components"' in text else None
        return yaml.safe_load(text) if "openapi:" in text or "paths:" in text else None
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None


def _is_head(value: Mapping[str, Any]) -> bool:
    return str(value.get("openapi", "")).startswith("3.")


def _is_part(value: Mapping[str, Any]) -> bool:
    return _is_head(value) or "paths" in value or set(value) <= {"tags", "components"}


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the parts of a document together; what stands in the first one stays."""
    whole: dict[str, Any] = {"paths": {}, "components": {}}
    for part in parts:
        for path, item in _mapping(part.get("paths")).items():
            whole["paths"].setdefault(path, item)
        for kind, named in _mapping(part.get("components")).items():
            for name, value in _mapping(named).items():
                whole["components"].setdefault(kind, {}).setdefault(name, value)
        whole |= {k: v for k, v in part.items() if k not in ("paths", "components") and k not in whole}
    return whole


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
