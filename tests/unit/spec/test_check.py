"""Checks as they are written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lagoa.spec.column import Column


@pytest.mark.parametrize(
    ("written", "kind", "value", "on_fail"),
    [
        ("unique", "unique", None, "block"),
        ({"min": 0}, "min", 0, "block"),
        ({"min": 0, "on_fail": "quarantine"}, "min", 0, "quarantine"),
        ({"in": ["a", "b"], "on_fail": "warn", "name": "known"}, "in", ["a", "b"], "warn"),
    ],
)
def test_a_word_or_a_mapping_is_a_check(written: Any, kind: str, value: Any, on_fail: str) -> None:
    [check] = Column.model_validate({"checks": [written]}).checks
    assert (check.kind, check.value, check.on_fail) == (kind, value, on_fail)


@pytest.mark.parametrize("written", [3, ["unique"], {"on_fail": "warn"}, {"min": 0, "max": 1}])
def test_anything_else_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        Column.model_validate({"checks": [written]})


def test_a_wrong_reaction_is_placed_inside_the_check() -> None:
    with pytest.raises(ValidationError) as caught:
        Column.model_validate({"checks": ["unique", {"min": 0, "on_fail": "ignore"}]})
    assert [error["loc"] for error in caught.value.errors()] == [("checks", 1, "on_fail")]


def test_a_check_is_named_by_itself_or_by_column_and_kind() -> None:
    first, second = Column.model_validate({"checks": ["unique", {"min": 0, "name": "positive"}]}).checks
    assert (first.label("id"), first.label(None), second.label("id")) == ("id unique", "unique", "positive")
