"""What counts as a changed stream."""

from __future__ import annotations

from typing import Any

from lagoa.ingest.definition import changes, definition, left_behind
from lagoa.kit.http.stream import HttpStream


def _meant(**rename: str) -> dict[str, Any]:
    return definition(HttpStream(path="/x", rename=rename), [])


def test_names_that_an_older_version_did_not_write_down_are_no_change() -> None:
    then = {key: value for key, value in _meant().items() if key != "names"}
    assert changes(then, _meant(KUNNR="customer")) == []
    assert left_behind(then, _meant(KUNNR="customer")) == []


def test_another_name_is_a_change_that_says_what_it_leaves_behind() -> None:
    then, now = _meant(KUNNR="customer", ORT01="city"), _meant(KUNNR="client")
    assert changes(then, now) == ["its columns' names changed"]
    assert left_behind(then, now) == [
        "the values of client that were loaded as customer",
        "the values of ort01 that were loaded as city",
    ]


def test_another_spelling_of_the_same_name_is_no_change() -> None:
    assert changes(_meant(KUNNR="Customer Number"), _meant(kunnr="customer_number")) == []
