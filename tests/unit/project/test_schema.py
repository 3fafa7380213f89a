"""The editor's schemas and the words of the reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from lagoa.project.schema import as_text, described, reachable, schemas
from lagoa.project.yaml import read
from lagoa.registry import adapter, names
from lagoa.spec.check import CheckHeader, CheckSpec
from lagoa.spec.model import ModelHeader
from lagoa.spec.project import ProjectFile

EXAMPLES = Path(__file__).resolve().parents[3] / "src" / "lagoa" / "examples"
SOURCES = [adapter("sources", name) for name in names("sources")]


@pytest.mark.parametrize("noun", [ProjectFile, ModelHeader, CheckHeader, *SOURCES], ids=lambda noun: noun.__name__)
def test_every_key_says_what_it_means(noun: type[BaseModel]) -> None:
    silent = [
        f"{cls.__name__}.{name}"
        for cls in reachable(noun)
        if cls is not CheckSpec
        for name in cls.model_fields
        if not described(cls).get(name, "").endswith((".", "…"))
    ]
    assert silent == []


def test_every_schema_is_json_and_describes_its_keys() -> None:
    made = schemas()
    assert {"project.json", "source.json", "source-files.json", "model.json", "check.json"} <= made.keys()
    for content in made.values():
        assert json.loads(as_text(content)) == content
    assert made["model.json"]["properties"]["kind"]["description"].startswith("`table` is rebuilt")
    assert made["source-files.json"]["properties"]["type"]["const"] == "files"
    assert "schema" in made["source-files.json"]["$defs"]["FileStream"]["properties"]


def test_the_kinds_of_checks_are_completed() -> None:
    column = schemas()["model.json"]["$defs"]["Column"]["properties"]["checks"]["items"]["anyOf"]
    assert {"unique", "not_null", "min"} <= set(column[0]["enum"])
    assert {"min", "in", "on_fail", "where"} <= column[1]["properties"].keys()


def unknown_keys(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    """Find keys that a schema does not know: the part of JSON Schema that an editor uses most."""
    if "$ref" in schema:
        return unknown_keys(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return min((unknown_keys(value, option, root) for option in schema["anyOf"]), key=len)
    if isinstance(value, list):
        return [key for item in value for key in unknown_keys(item, schema.get("items", {}), root)]
    if not isinstance(value, dict):
        return []
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    found = [key for key in value if key not in known and others is False]
    for key, item in value.items():
        below = known.get(key, others)
        found += unknown_keys(item, below, root) if isinstance(below, dict) else []
    return found


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/sources/*.yml")), ids=lambda path: path.stem)
def test_the_examples_fit_their_schema(path: Path) -> None:
    content = read(path.read_text("utf-8"), path.name).value
    schema = schemas()[f"source-{content['type']}.json"]
    assert unknown_keys(content, schema, schema) == []
    content["streams"]["extra"] = {"columms": {}}
    assert unknown_keys(content, schema, schema) == ["columms"]
