"""JSON Schemas of the files of a project, so that an editor completes and checks them as Lagoa does."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from lagoa.registry import adapter, names
from lagoa.spec.check import CheckHeader
from lagoa.spec.model import ModelHeader
from lagoa.spec.project import ProjectFile
from lagoa.spec.trial import Trial

Schema = dict[str, Any]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, Schema]:
    """Make the schema of every file that a user writes, by the schema's file name.

    `source.json` is for `sources/*.yml` and chooses by `type:`; `model.json` and `check.json` are for headers,
    `tests.json` is for `tests/*.yml`.
    """
    sources = {f"source-{name}.json": _source(name) for name in names("sources")}
    return {
        "project.json": schema(ProjectFile, "lagoa.yml"),
        "source.json": _any_source(),
        **sources,
        "model.json": schema(ModelHeader, "The header of a model"),
        "check.json": schema(CheckHeader, "The header of a file in checks/"),
        "tests.json": _tests(),
    }


def as_text(content: Schema) -> str:
    """Write a schema as its file holds it."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def schema(noun: type[BaseModel], title: str) -> Schema:
    """Make the schema of one noun, with the words of its source and the kinds of checks that exist."""
    found = noun.model_json_schema(by_alias=True, schema_generator=_Generator)
    by_name = {cls.__name__: cls for cls in reachable(noun)}
    for name, part in [(noun.__name__, found), *found.get("$defs", {}).items()]:
        cls = by_name.get(name)
        if cls is not None:
            _put_words(part, cls)
    whole: Schema = _with_checks({"$schema": _DRAFT, **found, "title": title})
    return whole


class _Generator(GenerateJsonSchema):
    """Leaves defaults out that JSON cannot say, instead of warning of them."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # pydantic's own name


def _put_words(part: Schema, cls: type[BaseModel]) -> None:
    words = described(cls)
    for name, field in cls.model_fields.items():
        key = field.alias or name
        if key in part.get("properties", {}) and name in words:
            part["properties"][key]["description"] = words[name]
            part["properties"][key].pop("title", None)


def described(cls: type[BaseModel]) -> dict[str, str]:
    """Read what stands below each field of a noun, and of those it inherits from, in the source."""
    words: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            words.update(_words_in(base))
    return words


def _words_in(cls: type[BaseModel]) -> Iterator[tuple[str, str]]:
    tree = ast.parse(dedent(inspect.getsource(cls))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for field, below in pairwise(body):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            yield field.target.id, inspect.cleandoc(str(ast.literal_eval(below.value)))  # type: ignore[attr-defined] # is_text


def reachable(noun: type[BaseModel]) -> list[type[BaseModel]]:
    """List a noun and all nouns that stand inside it, in the order in which a reader meets them."""
    found: list[type[BaseModel]] = []
    _gather(noun, found)
    return found


def _gather(annotation: Any, found: list[type[BaseModel]]) -> None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in found:
            found.append(annotation)
            for field in annotation.model_fields.values():
                _gather(field.annotation, found)
        return
    for inner in get_args(annotation):
        _gather(inner, found)


def _source(name: str) -> Schema:
    kind = adapter("sources", name)
    found = schema(kind, f"A source of type {name}")
    if kind.whole is not None:
        every = schema(kind.whole, "All that there is")
        found["properties"]["streams"]["properties"] = {"*": {k: v for k, v in every.items() if k != "$schema"}}
    found["properties"]["type"] = {"const": name, "description": found["properties"]["type"].get("description")}
    return found


def _any_source() -> Schema:
    kinds = names("sources")
    return {
        "$schema": _DRAFT,
        "title": "A file of sources/",
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": kinds}},
        "allOf": [
            {
                "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
                "then": {"$ref": f"source-{kind}.json"},
            }
            for kind in kinds
        ],
    }


def _tests() -> Schema:
    """Make the schema of a file of tests: any name, and what the test says."""
    one = schema(Trial, "A test")
    head = {"$schema": _DRAFT, "title": "A file of tests/", "type": "object"}
    parts = one.pop("$defs", {})
    parts["Trial"] = {key: value for key, value in one.items() if key != "$schema"}
    return {**head, "$defs": parts, "additionalProperties": {"$ref": "#/$defs/Trial"}}


def _with_checks(part: Any) -> Any:
    """Name the kinds of checks, and what each takes, wherever a check may stand."""
    if isinstance(part, list):
        return [_with_checks(item) for item in part]
    if not isinstance(part, dict):
        return part
    if (
        "on_fail" in part.get("properties", {})
        and "kind" not in part["properties"]
        and "table" not in part["properties"]
    ):
        kinds = {kind: _value(kind) for kind in names("checks")}
        return {**part, "properties": {**kinds, **part["properties"]}, "additionalProperties": False}
    if part.keys() == {"anyOf"} and {"type": "string"} in part["anyOf"] and len(part["anyOf"]) == 2:
        other = next(option for option in part["anyOf"] if option != {"type": "string"})
        if "on_fail" in other.get("properties", {}):
            return {"anyOf": [{"enum": names("checks")}, _with_checks(other)]}
    return {key: _with_checks(value) for key, value in part.items()}


def _value(kind: str) -> Schema:
    cls = adapter("checks", kind)
    found: Schema = cls.model_json_schema(schema_generator=_Generator)["properties"].get("value", {})
    return {
        "description": (cls.__doc__ or "").strip().split("\n")[0],
        **{k: v for k, v in found.items() if k != "title"},
    }
