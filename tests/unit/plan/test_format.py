"""The documented form of a plan: what is printed is what the schema says, and it can be read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lagoa.plan.format import PlanForm
from lagoa.testing.raft import Raft

SCHEMA = Path(__file__).parents[3] / "docs/reference/schemas/plan.json"
_TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def wrong(value: Any, part: dict[str, Any], whole: dict[str, Any], at: str = "plan") -> list[str]:
    """Hold a value against a JSON Schema, as far as that of a plan goes."""
    if "$ref" in part:
        return wrong(value, whole["$defs"][part["$ref"].rpartition("/")[2]], whole, at)
    if "anyOf" in part:
        tried = [wrong(value, option, whole, at) for option in part["anyOf"]]
        return [] if [] in tried else tried[0]
    if "enum" in part and value not in part["enum"]:
        return [f"{at}: {value!r}"]
    if not isinstance(value, _TYPES[part["type"]]) or (part["type"] == "integer" and isinstance(value, bool)):
        return [f"{at} is no {part['type']}: {value!r}"]
    if isinstance(value, list):
        return [w for i, item in enumerate(value) for w in wrong(item, part["items"], whole, f"{at}[{i}]")]
    if not isinstance(value, dict):
        return []
    known = part.get("properties", {})
    rest = part.get("additionalProperties")
    found = [f"{at} lacks {key}" for key in part.get("required", []) if key not in value]
    found += [f"{at} has {key}" for key in value if key not in known and not isinstance(rest, dict)]
    return found + [
        w for k, v in value.items() if k in known or rest for w in wrong(v, known.get(k, rest), whole, f"{at}.{k}")
    ]


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """A project in which every kind of step stands: to load, to read, changed, blocked, removed, up to date."""
    raft = Raft(tmp_path)
    raft.source("land", "p: {path: 'p*.csv', mode: append}\nq: {path: 'q*.csv'}")
    raft.write("land/p1.csv", "id,v\n1,a\n")
    raft.write("land/q1.csv", "id,v\n1,a\n")
    raft.model("silver.s", "select id, v from bronze.land_p")
    raft.model("silver.old", "select id from bronze.land_p")
    raft.model("gold.g", "select v from silver.s")
    raft.model("gold.one", "select 1 as one")
    raft.ok(exclude=["bronze.land_q"])
    raft.model("silver.s", "select id::int as id from bronze.land_p")
    (tmp_path / "models/silver/old.sql").unlink()
    return raft


@pytest.mark.parametrize("drop", [False, True])
def test_what_a_plan_prints_is_what_its_schema_says_and_can_be_read_again(raft: Raft, drop: bool) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    with raft.open() as project:
        told = json.loads(json.dumps(project.plan(drop=drop).to_json()))
    statuses = {s["status"] for key in ("steps", "reads", "if_news", "removed") for s in told[key]}
    assert statuses == {"new", "read", "changed", "blocked", "removed"}
    assert told["up_to_date"] == ["gold.one"]
    assert wrong(told, schema, schema) == []
    assert PlanForm.model_validate(told).model_dump() == told


def test_the_schema_refuses_what_is_no_plan(raft: Raft) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    with raft.open() as project:
        told = project.plan().to_json()
    for bad in ({**told, "more": 1}, {**told, "steps": None}, {k: v for k, v in told.items() if k != "lake"}):
        assert wrong(bad, schema, schema)
    told["steps"][0]["action"] = "guess"
    assert wrong(told, schema, schema)
